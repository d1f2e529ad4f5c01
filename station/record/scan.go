package record

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"
)

// scanner reads the one way in which a line may be written. It never looks back: each step expects exact bytes at
// pos, and the first that are not there are the place of the error.
type scanner struct {
	src []byte
	pos int
}

// fault is an error at a byte of the text that was read.
func (s *scanner) fault(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", s.pos, fmt.Sprintf(format, args...))
}

// has tells whether want comes next, and steps over it if so.
func (s *scanner) has(want string) bool {
	if len(s.src)-s.pos < len(want) || string(s.src[s.pos:s.pos+len(want)]) != want {
		return false
	}
	s.pos += len(want)
	return true
}

func (s *scanner) expect(want string) error {
	if s.has(want) {
		return nil
	}
	return s.fault("expected %s", want)
}

// plain reads a string of name bytes up to stop, which it steps over.
func (s *scanner) plain(what string, stop byte) (string, error) {
	end := bytes.IndexByte(s.src[s.pos:], stop)
	if end < 0 {
		return "", s.fault("%s does not end", what)
	}
	word := string(s.src[s.pos : s.pos+end])
	if !IsName(word) {
		return "", s.fault("%v", badName(what, word))
	}
	s.pos += end + 1
	return word, nil
}

// integer reads a number as strconv writes it: no plus, no leading zero, no minus zero.
func (s *scanner) integer() (int64, error) {
	start, negative := s.pos, s.has("-")
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	var n uint64
	first := s.pos
	for ; s.pos < len(s.src) && s.src[s.pos]-'0' <= 9; s.pos++ {
		d := uint64(s.src[s.pos] - '0')
		if n > (limit-d)/10 {
			s.pos = start
			return 0, s.fault("expected a number of 64 bits")
		}
		n = n*10 + d
	}
	digits := s.pos - first
	if digits == 0 || (digits > 1 && s.src[first] == '0') || (negative && n == 0) {
		s.pos = start
		return 0, s.fault("expected a whole number without leading zeros")
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// decimal reads a number of 64 bits and the quote behind it.
func (s *scanner) decimal() (int64, error) {
	n, err := s.integer()
	if err != nil {
		return 0, err
	}
	return n, s.expect(`"`)
}

// text reads a JSON string with its quotes.
func (s *scanner) text() (string, error) {
	if err := s.expect(`"`); err != nil {
		return "", err
	}
	start, escaped := s.pos, false
	for ; ; s.pos++ {
		if s.pos >= len(s.src) {
			return "", s.fault("the string does not end")
		}
		c := s.src[s.pos]
		if c == '"' {
			break
		}
		if c < ' ' {
			return "", s.fault("a control character that is not escaped")
		}
		if c == '\\' {
			escaped = true
			s.pos++
		}
	}
	raw := s.src[start:s.pos]
	if !utf8.Valid(raw) {
		return "", s.fault("the string before here is not UTF-8")
	}
	s.pos++
	if !escaped {
		return string(raw), nil
	}
	return s.unescape(raw, start)
}

// unescape takes the escapes out of raw, which began at byte start.
func (s *scanner) unescape(raw []byte, start int) (string, error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		c, n := unescapeOne(raw[i+1:])
		if n == 0 {
			s.pos = start + i
			return "", s.fault("an escape that a record does not use")
		}
		out = append(out, c)
		i += n
	}
	return string(out), nil
}

// unescapeOne reads what follows a backslash: the byte that it stands for and how long it was, 0 when a record
// does not use it.
func unescapeOne(b []byte) (c byte, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] != 'u' {
		for c, letter := range shortEscape {
			if letter == b[0] {
				return byte(c), 1
			}
		}
		return 0, 0
	}
	if len(b) < 5 || string(b[1:3]) != "00" || b[3] > '1' || b[3] < '0' {
		return 0, 0
	}
	low := bytes.IndexByte([]byte(hexDigits), b[4])
	if low < 0 {
		return 0, 0
	}
	if c = (b[3]-'0')<<4 | byte(low); shortEscape[c] != 0 {
		return 0, 0
	}
	return c, 5
}

// value reads into v what has the shape sh.
func (s *scanner) value(sh *shape, v reflect.Value) error {
	switch sh.form {
	case object:
		return s.object(sh, v)
	case list:
		return s.list(sh, v)
	case text:
		word, err := s.text()
		if err != nil {
			return err
		}
		v.SetString(word)
	case number:
		n, err := s.integer()
		if err != nil {
			return err
		}
		if n > maxInt || n < -maxInt {
			return s.fault("the number before here is beyond %d", maxInt)
		}
		v.SetInt(n)
	case decimal:
		if err := s.expect(`"`); err != nil {
			return err
		}
		n, err := s.decimal()
		if err != nil {
			return err
		}
		v.SetInt(n)
	case truth:
		v.SetBool(s.has("true"))
		if !v.Bool() {
			return s.expect("false")
		}
	}
	return nil
}

func (s *scanner) object(sh *shape, v reflect.Value) error {
	if err := s.expect("{"); err != nil {
		return err
	}
	first := true
	for i := range sh.fields {
		f := &sh.fields[i]
		if !s.nextKey(f.key, first) {
			if f.omit {
				continue
			}
			return s.fault("expected the key %q", f.name)
		}
		first = false
		value := v.FieldByIndex(f.index)
		if err := s.value(f.shape, value); err != nil {
			return err
		}
		if f.omit && isEmpty(f.shape.form, value) {
			return s.fault("%q is empty before here: it should be left out", f.name)
		}
	}
	return s.expect("}")
}

// nextKey steps over key, and over the comma before it unless it is the first.
func (s *scanner) nextKey(key string, first bool) bool {
	if first {
		return s.has(key)
	}
	if s.pos >= len(s.src) || s.src[s.pos] != ',' {
		return false
	}
	s.pos++
	if s.has(key) {
		return true
	}
	s.pos--
	return false
}

func (s *scanner) list(sh *shape, v reflect.Value) error {
	if err := s.expect("["); err != nil {
		return err
	}
	if s.has("]") {
		return nil
	}
	for n := 0; ; n++ {
		v.Grow(1)
		v.SetLen(n + 1)
		if err := s.value(sh.elem, v.Index(n)); err != nil {
			return err
		}
		if s.has("]") {
			return nil
		}
		if err := s.expect(","); err != nil {
			return err
		}
	}
}
