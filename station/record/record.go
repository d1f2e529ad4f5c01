// Package record gives the station's record its bytes: public lines, sealed bodies, the Merkle log with its
// signed checkpoints, and the bundle in which a session leaves the station.
//
// It decides nothing about a trial and opens no file. FORMAT.md says the same to a stranger who wants to write a
// verifier of his own; the vectors in testdata bind the two.
package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"scentpost/station/event"
)

// MaxLine is the longest public line, in bytes without the newline. A line travels in one MQTT message. Encode, Decode
// and every store of lines refuse a longer one; whoever lets people write what a line will hold asks BodyLength before.
const MaxLine = 256 << 10

// MaxEnvelope is the most that a line takes beside its public body, in bytes.
const MaxEnvelope = 2 << 10

// maxName is the longest name of a site, station, epoch, session or boot, in bytes.
const maxName = 64

// maxInt is the largest plain number in a line, either way: what an int holds on the smallest board.
const maxInt = 1<<31 - 1

// Record is one event with its place in the log.
type Record struct {
	// Site, Station and Epoch name the log. Each is 1 to 64 letters, digits, '.', '_' or '-'.
	Site, Station, Epoch string
	// Seq is the place in the epoch's log, from 0, without gaps: the leaf's index of RFC 6962.
	Seq int64
	// Event is what happened. Its Secret is never in the line.
	Event event.Event
	// N is the place in the session, from 1, without gaps: 0 for a record of no session. Prev is the leaf hash of the record of
	// the session before this one, zero for the first. A Chain gives both.
	N    int
	Prev [32]byte
	// Sealed is the hash of the sealed body (see SealHash), zero for kinds that carry none.
	Sealed [32]byte
}

// The fixed parts of a line. The keys are attributes of CloudEvents 1.0 (id, source, type, time)
// and lower-case extensions of it, always in this order.
const (
	keyID       = `{"specversion":"1.0","id":"`
	keySource   = `","source":"/scentpost/v1/`
	keyType     = `","type":"scentpost.`
	keyTime     = `","time":"`
	keyBoot     = `,"boot":"`
	keyMono     = `,"mono":"`
	keyBound    = `","bound":"`
	keyClock    = `","clock":"`
	keyUTCBound = `","utcbound":"`
	keyBy       = `,"by":`
	keySession  = `,"session":"`
	keyN        = `","n":`
	keyPrev     = `,"prev":"`
	keyRun      = `,"run":`
	keySealed   = `,"sealed":"`
	keyData     = `,"data":`
)

var (
	errRun    = errors.New("run: below 0 or above 2147483647")
	errSealed = errors.New("sealed: a sealed kind of event needs the hash of its body")
	errOpen   = errors.New("sealed: this kind of event has no sealed body")
	errChain  = errors.New("n, prev: a record of a session has its place from 1 to 2147483647, and from 2 on the hash of the one before it; others have neither")
)

// Encode appends the public line of r to dst, without a newline. The same record gives the same bytes on every
// machine. The error says which field cannot be written and why; dst is then to be thrown away.
func Encode(dst []byte, r Record) ([]byte, error) {
	start, e := len(dst), &r.Event
	kind, ok := shapes[e.Type]
	if err := check(&r, kind, ok); err != nil {
		return dst, err
	}
	dst = append(dst, keyID...)
	dst = strconv.AppendInt(dst, r.Seq, 10)
	dst = append(dst, keySource...)
	dst = append(dst, r.Site...)
	dst = append(dst, '/')
	dst = append(dst, r.Station...)
	dst = append(dst, '/')
	dst = append(dst, r.Epoch...)
	dst = append(dst, keyType...)
	dst = append(dst, e.Type...)
	dst = append(dst, keyTime...)
	dst = appendTime(dst, e.At.UTC)
	dst = append(dst, '"')
	dst, err := appendAttributes(dst, &r)
	if err != nil {
		return dst, err
	}
	if kind.sealed != nil {
		dst = append(dst, keySealed...)
		dst = hex.AppendEncode(dst, r.Sealed[:])
		dst = append(dst, '"')
	}
	if kind.public != nil {
		dst = append(dst, keyData...)
		if dst, err = kind.public.appendBody(dst, e.Body); err != nil {
			return dst, fmt.Errorf("%s: data%w", e.Type, err)
		}
	}
	dst = append(dst, '}')
	if n := len(dst) - start; n > MaxLine {
		return dst, fmt.Errorf("%s: the line has %d bytes, more than %d: shorten its texts", e.Type, n, MaxLine)
	}
	return dst, nil
}

// BodyLength returns how many bytes a public body of kind t takes in its line, however many that are. The line is then
// at most MaxEnvelope bytes longer.
func BodyLength(t event.Type, body any) (int, error) {
	kind := shapes[t].public
	if kind == nil {
		return 0, fmt.Errorf("%s has no public body", t)
	}
	text, err := kind.appendBody(nil, body)
	if err != nil {
		return 0, fmt.Errorf("%s: data%w", t, err)
	}
	return len(text), nil
}

// appendAttributes writes the stamp and who, in which session and run.
func appendAttributes(dst []byte, r *Record) ([]byte, error) {
	e := &r.Event
	if e.At.Boot != "" {
		dst = append(dst, keyBoot...)
		dst = append(dst, e.At.Boot...)
		dst = append(dst, '"')
	}
	dst = append(dst, keyMono...)
	dst = strconv.AppendInt(dst, e.At.Mono, 10)
	dst = append(dst, keyBound...)
	dst = strconv.AppendInt(dst, e.At.Bound, 10)
	dst = append(dst, keyClock...)
	dst = append(dst, e.At.Quality...)
	dst = append(dst, keyUTCBound...)
	dst = strconv.AppendInt(dst, e.At.UTCBound, 10)
	dst = append(dst, '"')
	if e.By != "" {
		var err error
		dst = append(dst, keyBy...)
		if dst, err = appendText(dst, e.By); err != nil {
			return dst, fmt.Errorf("by: %w", err)
		}
	}
	if e.Session != "" {
		dst = append(dst, keySession...)
		dst = append(dst, e.Session...)
		dst = append(dst, keyN...)
		dst = strconv.AppendInt(dst, int64(r.N), 10)
	}
	if r.N > 1 {
		dst = append(dst, keyPrev...)
		dst = hex.AppendEncode(dst, r.Prev[:])
		dst = append(dst, '"')
	}
	if e.Run != 0 {
		dst = append(dst, keyRun...)
		dst = strconv.AppendInt(dst, int64(e.Run), 10)
	}
	return dst, nil
}

// check refuses what the line cannot say. It runs before anything is written.
func check(r *Record, kind shapesOf, known bool) error {
	e := &r.Event
	switch {
	case !known:
		return fmt.Errorf("type: unknown kind of event %q", e.Type)
	case r.Seq < 0:
		return fmt.Errorf("seq: %d is below 0", r.Seq)
	case e.Run < 0 || int64(e.Run) > maxInt:
		return errRun
	case kind.sealed != nil && r.Sealed == [32]byte{}:
		return errSealed
	case kind.sealed == nil && r.Sealed != [32]byte{}:
		return errOpen
	case !knownQuality(e.At.Quality):
		return fmt.Errorf("clock: unknown quality %q", e.At.Quality)
	}
	if err := (Log{r.Site, r.Station, r.Epoch}).Check(); err != nil {
		return err
	}
	if e.Session != "" && !IsName(e.Session) {
		return badName("session", e.Session)
	}
	if (r.N > 0) != (e.Session != "") || r.N < 0 || int64(r.N) > maxInt || (r.N > 1) != (r.Prev != [32]byte{}) {
		return errChain
	}
	if e.At.Boot != "" && !IsName(e.At.Boot) {
		return badName("boot", e.At.Boot)
	}
	return nil
}

func knownQuality(q event.Quality) bool {
	switch q {
	case event.Unset, event.Holdover, event.Synced, event.Simulated:
		return true
	}
	return false
}

// Log names one log: an epoch of a station.
type Log struct {
	Site, Station, Epoch string
}

// Origin returns the first line of the log's checkpoints, "scentpost/<site>/<station>/<epoch>".
func (l Log) Origin() string { return "scentpost/" + l.Site + "/" + l.Station + "/" + l.Epoch }

// Check returns an error that names the first part that is not a name (see IsName).
func (l Log) Check() error {
	switch {
	case !IsName(l.Site):
		return badName("site", l.Site)
	case !IsName(l.Station):
		return badName("station", l.Station)
	case !IsName(l.Epoch):
		return badName("epoch", l.Epoch)
	}
	return nil
}

// Log returns the log that the record is in.
func (r Record) Log() Log { return Log{r.Site, r.Station, r.Epoch} }

// IsName tells whether text can stand as a site, station, epoch, session or boot: 1 to 64 letters, digits, '.',
// '_' or '-' of ASCII, not "." and not "..". Such a name needs no escape in JSON, in a URI, in a topic or in a
// file name.
func IsName(text string) bool {
	if len(text) == 0 || len(text) > maxName || text == "." || text == ".." {
		return false
	}
	for i := range len(text) {
		if !nameByte[text[i]] {
			return false
		}
	}
	return true
}

// nameByte marks the bytes that a name may hold.
var nameByte = func() (ok [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-" {
		ok[c] = true
	}
	return ok
}()

func badName(what, text string) error {
	return fmt.Errorf("%s: %.80q is no name: use 1 to %d letters, digits, '.', '_' or '-'", what, text, maxName)
}

// appendTime writes nanoseconds since 1970 as RFC 3339 in UTC with nine digits.
func appendTime(dst []byte, utc int64) []byte {
	t := time.Unix(0, utc).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int(month), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, hour, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, minute, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, second, 2)
	dst = append(dst, '.')
	dst = appendDigits(dst, t.Nanosecond(), 9)
	return append(dst, 'Z')
}

// appendDigits writes n, which is not negative, with width digits.
func appendDigits(dst []byte, n, width int) []byte {
	const zeros = "000000000"
	dst = append(dst, zeros[:width]...)
	for i := len(dst) - 1; n > 0 && width > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return dst
}
