// Package virtual is a bus whose lines and I2C buses lie in a virtual station: another process behind a Unix socket.
//
// # The wire
//
// Messages are JSON objects, one a line, at most MaxMessage bytes; the table below says which fields each kind
// carries. The station speaks first:
//
//	station: hello {version, station, scale, boot, mono, utc, wall, lines, buses, sources, loaded, finds}
//	client:  watch {id, lines}              -> done {id, mono}
//	client:  output {id, line, safe}        -> done {id, mono}        driven to safe from here on
//	client:  set {id, line, level, at, longest} -> done {id, mono} when it was done, or done {id, error, why}
//	client:  level {id, line}               -> done {id, mono, level}
//	client:  i2c {id, bus, address, write, read} -> done {id, mono, data}  one transfer; write and data in base64
//	client:  heartbeat {}                   at least every Heartbeat of real time
//	station: edge {line, level, mono, bound, source, seq}
//	station: mark {now, mono, source}       at least every MarkEvery of real time for each source
//	station: clock {wall}                   when its wall clock was set, found or lost
//
// All instants and lengths are nanoseconds of the station's virtual monotonic clock, which runs scale times as
// fast as real time. A mark says what that clock shows now, and promises that source gives no edge stamped
// before mono. Edges and marks of one source come in the order of their promise: an edge that a mark excludes
// does not follow it.
//
// A station without a wall in its hello has a UTC that is exact: utc at mono, and running on. One with a wall plays a
// machine whose wall clock can be stepped; how far its error has grown since is for the client to reckon.
//
// A hello says what lies in the station's canisters, and which odours its dog finds, if it has one: a session whose plan says
// otherwise makes no sense there.
//
// # Who keeps what safe
//
// The station drives an output to its safe level when the connection ends, when it heard nothing for Silence of
// real time, and when a set's longest has run out. After a reconnect every output starts at its safe level and
// must be asked for again. A set to the safe level is done at once, whatever its at says; a newer set of a line
// answers a pending one with ErrorReplaced. seq goes on over a reconnect, so that what was lost in between shows
// as a gap. A station that booted anew gives another boot id.
package virtual

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Version is the version of the wire. Both sides refuse another one.
const Version = 4

// The limits of the wire.
const (
	// MaxMessage is the longest message in bytes, its newline included: a hello with a thousand line names.
	MaxMessage = 64 << 10
	// MaxScale is the fastest virtual clock; beyond it a mark's interval is longer than a run.
	MaxScale = 10_000
	// MarkEvery is the longest real time between two marks of a source.
	MarkEvery = 20 * time.Millisecond
	// Heartbeat is the longest real time between two messages of a client.
	Heartbeat = 200 * time.Millisecond
	// Silence is the real time after which either side takes the other for dead: ten heartbeats, since both
	// share a machine that may be busy.
	Silence = 2 * time.Second
	// MaxTransfer is the longest that one I2C transfer may write or read, in bytes: more than any register block.
	MaxTransfer = 4096
)

// Kind says what a message is.
type Kind string

// The kinds of messages.
const (
	Hello  Kind = "hello"
	Watch  Kind = "watch"
	Output Kind = "output"
	Set    Kind = "set"
	Level  Kind = "level"
	I2C    Kind = "i2c"
	Beat   Kind = "heartbeat"
	Done   Kind = "done"
	Edge   Kind = "edge"
	Mark   Kind = "mark"
	Clock  Kind = "clock"
)

// ErrorCode says why something was not done.
type ErrorCode string

// The error codes of a done message.
const (
	ErrorReplaced    ErrorCode = "replaced"     // a newer set of the same line came first
	ErrorUnknownLine ErrorCode = "unknown-line" // the station has no such line
	ErrorTransfer    ErrorCode = "transfer"     // an I2C transfer failed; Why says how
	ErrorRefused     ErrorCode = "refused"      // not an output, not asked for, or out of range; Why says which
)

// Message is one message of either side. Fields that a kind does not carry are zero.
type Message struct {
	Kind Kind   `json:"kind"`
	ID   uint64 `json:"id,omitempty"` // from 1; a done answers the request with the same one

	Version int                      `json:"version,omitempty"`
	Station string                   `json:"station,omitempty"`
	Scale   float64                  `json:"scale,omitempty"` // virtual seconds in a real one
	Boot    string                   `json:"boot,omitempty"`
	UTC     int64                    `json:"utc,omitempty"`     // nanoseconds since 1970 at Mono
	Sources map[string]time.Duration `json:"sources,omitempty"` // source -> declared lateness, virtual time

	Wall *Wall `json:"wall,omitempty"` // hello, clock

	Loaded []Loaded `json:"loaded,omitempty"`
	Finds  []string `json:"finds,omitempty"` // odours; none where there is no dog

	Lines []string `json:"lines,omitempty"`
	Buses []string `json:"buses,omitempty"` // the I2C buses
	Line  string   `json:"line,omitempty"`
	Level bool     `json:"level,omitempty"`
	Safe  bool     `json:"safe,omitempty"`

	Bus     string `json:"bus,omitempty"`
	Address uint16 `json:"address,omitempty"`
	Write   []byte `json:"write,omitempty"`
	Read    int    `json:"read,omitempty"` // how many bytes
	Data    []byte `json:"data,omitempty"`

	At      int64         `json:"at,omitempty"`
	Longest time.Duration `json:"longest,omitempty"`

	Now    int64  `json:"now,omitempty"` // what the virtual clock shows
	Mono   int64  `json:"mono,omitempty"`
	Bound  int64  `json:"bound,omitempty"`
	Source string `json:"source,omitempty"`
	Seq    uint64 `json:"seq,omitempty"`

	Error ErrorCode `json:"error,omitempty"`
	Why   string    `json:"why,omitempty"` // for a person
}

// Loaded is what lies in a canister of the station.
type Loaded struct {
	Position int    `json:"position"` // from 1
	Canister string `json:"canister"` // "1B"
	Odour    string `json:"odour"`
}

// ErrMessage is what every error of Parse and Reader.Next wraps that is the other side's fault.
var ErrMessage = errors.New("not a message of the virtual station's wire")

// needs is the one table of kinds: what a message of each kind must hold. A field that is not listed may be set
// and is ignored by who reads it.
var needs = map[Kind][]check{
	Hello:  {goodVersion, named("station", func(m *Message) string { return m.Station }), named("boot", func(m *Message) string { return m.Boot }), goodScale, goodSources, goodWall, goodLoaded},
	Watch:  {hasID, goodLines},
	Output: {hasID, hasLine},
	Set:    {hasID, hasLine, goodLongest},
	Level:  {hasID, hasLine},
	I2C:    {hasID, named("bus", func(m *Message) string { return m.Bus }), goodTransfer},
	Beat:   {},
	Done:   {hasID},
	Edge:   {hasLine, hasSource, hasSeq},
	Mark:   {hasSource, goodPromise},
	Clock:  {hasWall, goodWall},
}

// check returns what is wrong with a message, "" when nothing is.
type check func(m *Message) string

func goodVersion(m *Message) string {
	if m.Version != Version {
		return fmt.Sprintf("version %d, expected %d: build both programs from the same release", m.Version, Version)
	}
	return ""
}

func goodScale(m *Message) string {
	if !(m.Scale > 0 && m.Scale <= MaxScale) || math.IsNaN(m.Scale) {
		return fmt.Sprintf("scale %v, expected more than 0 and at most %d", m.Scale, MaxScale)
	}
	return ""
}

func goodSources(m *Message) string {
	if len(m.Sources) == 0 {
		return "no sources"
	}
	for name, late := range m.Sources {
		if name == "" || late < 0 {
			return fmt.Sprintf("source %q with lateness %s", name, late)
		}
	}
	return ""
}

func goodLoaded(m *Message) string {
	for _, l := range m.Loaded {
		if l.Position < 1 || l.Canister == "" || l.Odour == "" {
			return fmt.Sprintf("canister %q at position %d with odour %q", l.Canister, l.Position, l.Odour)
		}
	}
	return ""
}

func goodLines(m *Message) string {
	for _, l := range m.Lines {
		if l == "" {
			return "a line without a name"
		}
	}
	return ""
}

func goodLongest(m *Message) string {
	if m.Longest < 0 {
		return fmt.Sprintf("longest %s, expected 0 or more", m.Longest)
	}
	return ""
}

func goodTransfer(m *Message) string {
	if m.Read < 0 || m.Read > MaxTransfer || len(m.Write) > MaxTransfer {
		return fmt.Sprintf("a transfer of %d bytes out and %d in, expected up to %d each", len(m.Write), m.Read, MaxTransfer)
	}
	return ""
}

func goodPromise(m *Message) string {
	if m.Mono > m.Now {
		return fmt.Sprintf("a mark promises up to %d, after now, %d", m.Mono, m.Now)
	}
	return ""
}

func hasID(m *Message) string {
	if m.ID == 0 {
		return "no id"
	}
	return ""
}

func hasSeq(m *Message) string {
	if m.Seq == 0 {
		return "no seq"
	}
	return ""
}

func named(field string, get func(*Message) string) check {
	return func(m *Message) string {
		if get(m) == "" {
			return "no " + field
		}
		return ""
	}
}

var (
	hasLine   = named("line", func(m *Message) string { return m.Line })
	hasSource = named("source", func(m *Message) string { return m.Source })
)

// Check returns nil when m is a whole message of its kind, else an error that wraps ErrMessage.
func (m *Message) Check() error {
	checks, known := needs[m.Kind]
	if !known {
		return fmt.Errorf("%w: unknown kind %q", ErrMessage, m.Kind)
	}
	for _, c := range checks {
		if wrong := c(m); wrong != "" {
			return fmt.Errorf("%w: %s: %s", ErrMessage, m.Kind, wrong)
		}
	}
	return nil
}

// Append appends m with its newline to dst. It fails on a message that Parse would refuse.
func Append(dst []byte, m Message) ([]byte, error) {
	if err := m.Check(); err != nil {
		return dst, err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", m.Kind, err)
	}
	if len(b)+1 > MaxMessage {
		return dst, fmt.Errorf("%w: %s of %d bytes, the limit is %d", ErrMessage, m.Kind, len(b)+1, MaxMessage)
	}
	return append(append(dst, b...), '\n'), nil
}

// Parse reads one message, with or without its newline. Its errors wrap ErrMessage.
func Parse(text []byte) (Message, error) {
	var m Message
	if len(text) > MaxMessage {
		return Message{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrMessage, len(text), MaxMessage)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Message{}, fmt.Errorf("%w: text after the message", ErrMessage)
	}
	if err := m.Check(); err != nil {
		return Message{}, err
	}
	return m, nil
}

// Reader reads messages from a connection.
type Reader struct{ lines *bufio.Reader }

// NewReader returns a Reader that reads r through a buffer of its own.
func NewReader(r io.Reader) *Reader { return &Reader{lines: bufio.NewReaderSize(r, MaxMessage)} }

// Next returns the next message; io.EOF after the last whole one, io.ErrUnexpectedEOF when the connection ends
// within one, an error that wraps ErrMessage when it is none. After any error the connection is of no more use.
func (r *Reader) Next() (Message, error) {
	text, err := r.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return Message{}, fmt.Errorf("%w: longer than %d bytes", ErrMessage, MaxMessage)
	case errors.Is(err, io.EOF) && len(text) > 0:
		return Message{}, io.ErrUnexpectedEOF
	case err != nil:
		return Message{}, err
	}
	return Parse(text)
}
