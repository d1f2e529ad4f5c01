package record

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"

	"scentpost/station/event"
)

// Decode reads a public line, without its newline. It accepts exactly what Encode writes: a line that would be
// written in any other way is refused, with the byte at which it differs. Event.Secret is nil.
func Decode(line []byte) (Record, error) {
	if len(line) > MaxLine {
		return Record{}, fmt.Errorf("the line has %d bytes, more than %d", len(line), MaxLine)
	}
	s := scanner{src: line}
	r, err := s.record()
	if err != nil {
		return Record{}, err
	}
	again, err := Encode(make([]byte, 0, len(line)+1), r)
	if err != nil {
		return Record{}, err
	}
	if !bytes.Equal(again, line) {
		return Record{}, fmt.Errorf("byte %d: not as a station writes it", firstDifference(again, line))
	}
	return r, nil
}

// PlaceOf returns the seq of a public line, and looks at nothing behind it.
func PlaceOf(line []byte) (int64, error) {
	s := scanner{src: line}
	if err := s.expect(keyID); err != nil {
		return 0, err
	}
	return s.integer()
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func (s *scanner) record() (r Record, err error) {
	if err := s.identity(&r); err != nil {
		return r, err
	}
	kind, err := s.kind(&r.Event)
	if err != nil {
		return r, err
	}
	if err := s.time(&r.Event.At); err != nil {
		return r, err
	}
	if err := s.stamp(&r.Event.At); err != nil {
		return r, err
	}
	if err := s.context(&r); err != nil {
		return r, err
	}
	if kind.sealed != nil {
		if err := s.sealed(&r.Sealed); err != nil {
			return r, err
		}
	}
	if kind.public != nil {
		if err := s.expect(keyData); err != nil {
			return r, err
		}
		body := reflect.New(kind.public.typ)
		if err := s.value(kind.public, body.Elem()); err != nil {
			return r, err
		}
		r.Event.Body = body.Interface()
	}
	if err := s.expect("}"); err != nil {
		return r, err
	}
	if s.pos != len(s.src) {
		return r, s.fault("the line should end here")
	}
	return r, nil
}

// identity reads the number and the log.
func (s *scanner) identity(r *Record) (err error) {
	if err := s.expect(keyID); err != nil {
		return err
	}
	if r.Seq, err = s.integer(); err != nil {
		return err
	}
	if err := s.expect(keySource); err != nil {
		return err
	}
	if r.Site, err = s.plain("site", '/'); err != nil {
		return err
	}
	if r.Station, err = s.plain("station", '/'); err != nil {
		return err
	}
	if r.Epoch, err = s.plain("epoch", '"'); err != nil {
		return err
	}
	s.pos-- // the quote begins the next key
	return nil
}

func (s *scanner) kind(e *event.Event) (shapesOf, error) {
	if err := s.expect(keyType); err != nil {
		return shapesOf{}, err
	}
	rest := s.src[s.pos:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return shapesOf{}, s.fault("the type does not end")
	}
	kind, ok := shapes[event.Type(rest[:end])]
	if !ok {
		return shapesOf{}, s.fault("unknown kind of event %.40q", rest[:end])
	}
	e.Type = event.Type(rest[:end])
	s.pos += end
	return kind, nil
}

// timeForm is how an instant is written; it fixes the number of digits.
const timeForm = "2006-01-02T15:04:05.000000000Z"

func (s *scanner) time(at *event.Stamp) error {
	if err := s.expect(keyTime); err != nil {
		return err
	}
	end := s.pos + len(timeForm)
	if end > len(s.src) {
		return s.fault("expected a time")
	}
	t, err := time.Parse(timeForm, string(s.src[s.pos:end]))
	if err != nil {
		return s.fault("expected a time as %s", timeForm)
	}
	at.UTC = t.UnixNano()
	s.pos = end
	return s.expect(`"`)
}

func (s *scanner) stamp(at *event.Stamp) (err error) {
	if s.has(keyBoot) {
		if at.Boot, err = s.plain("boot", '"'); err != nil {
			return err
		}
	}
	if err := s.expect(keyMono); err != nil {
		return err
	}
	if at.Mono, err = s.integer(); err != nil {
		return err
	}
	if err := s.expect(keyBound); err != nil {
		return err
	}
	if at.Bound, err = s.integer(); err != nil {
		return err
	}
	if err := s.expect(keyClock); err != nil {
		return err
	}
	quality, err := s.plain("clock", '"')
	if err != nil {
		return err
	}
	s.pos--
	at.Quality = event.Quality(quality)
	if err := s.expect(keyUTCBound); err != nil {
		return err
	}
	at.UTCBound, err = s.decimal()
	return err
}

// context reads by whom, in which session and run.
func (s *scanner) context(r *Record) (err error) {
	e := &r.Event
	if s.has(keyBy) {
		if e.By, err = s.text(); err != nil {
			return err
		}
	}
	if s.has(keySession) {
		if e.Session, err = s.plain("session", '"'); err != nil {
			return err
		}
		s.pos-- // the quote begins the next key
		if err := s.expect(keyN); err != nil {
			return err
		}
		if r.N, err = s.place("n"); err != nil {
			return err
		}
	}
	if s.has(keyPrev) {
		if err := s.hash("prev", &r.Prev); err != nil {
			return err
		}
	}
	if s.has(keyRun) {
		if e.Run, err = s.place("run"); err != nil {
			return err
		}
	}
	return nil
}

// place reads a plain number from 1 on.
func (s *scanner) place(what string) (int, error) {
	n, err := s.integer()
	if err != nil {
		return 0, err
	}
	if n < 1 || n > maxInt {
		return 0, s.fault("the %s before here is not 1 to %d", what, maxInt)
	}
	return int(n), nil
}

func (s *scanner) sealed(into *[32]byte) error {
	if err := s.expect(keySealed); err != nil {
		return err
	}
	return s.hash("sealed", into)
}

// hash reads 32 bytes and the quote after them.
func (s *scanner) hash(what string, into *[32]byte) error {
	digits, err := s.plain(what, '"')
	if err != nil {
		return err
	}
	sum, err := ParseHex32(digits)
	if err != nil {
		return s.fault("%s before here: %v", what, err)
	}
	*into = sum
	return nil
}

// ParseHex32 reads 32 bytes as the record writes them: 64 digits, lower case.
func ParseHex32(text string) (sum [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(sum) || strings.ToLower(text) != text {
		return sum, fmt.Errorf("want 64 hexadecimal digits in lower case")
	}
	return [32]byte(raw), nil
}
