package message

import (
	"time"

	"scentpost/firmware-bridge/frame"
)

// Hello opens a session.
type Hello struct {
	Session         uint32
	Lowest, Highest byte // the versions that the host speaks
}

// Describe asks what the pin Index is able to.
type Describe struct{ Index byte }

// Mode is what a pin is used for.
type Mode byte

// The modes.
const (
	Unused  Mode = iota
	Input        // without pull
	PullUp       // input with the board's pull-up
	OutLow       // output whose safe level is low
	OutHigh      // output whose safe level is high
)

// Output tells whether a pin of the mode is an output.
func (m Mode) Output() bool { return m == OutLow || m == OutHigh }

// Safe is the safe level of an output of the mode.
func (m Mode) Safe() bool { return m == OutHigh }

// Configure says what every pin is used for, and how long outputs hold without a heartbeat.
type Configure struct {
	BeatMS uint16 // LeastBeat to MostBeat
	Modes  [MaxPins]Mode
}

// The bounds of Configure.BeatMS.
const (
	LeastBeat = 50 * time.Millisecond
	MostBeat  = 10 * time.Second
)

const configureSize = 2 + MaxPins/2

// Set drives an output.
type Set struct {
	Pin     byte
	Level   bool   // the voltage
	At      uint64 // microseconds of the board's clock
	Longest uint32 // microseconds from when it is done
}

// The bounds of Set.At against the board's clock when the command comes.
const (
	LateAfter = 50 * time.Millisecond
	MostAhead = 60 * time.Second
)

// Safe takes outputs to their safe level.
type Safe struct {
	Pins   uint64 // bit 0 is pin 0
	Before byte   // the number of the host's next command
}

// Beat is one heartbeat.
type Beat struct{ Count uint16 }

// Ping asks for a Pong.
type Ping struct{ Cookie uint32 }

// Held acknowledges every event below Next.
type Held struct {
	Next  uint16
	Again bool // send the rest again now
}

// Nothing is a command that was taken back.
type Nothing struct{}

// Name gives a board its id.
type Name struct{ ID ID }

// ID is the id of a board, NoID when it has none.
type ID [8]byte

// NoID is what a board without an id says.
var NoID = ID{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}

// Type is TypeHello.
func (*Hello) Type() Type { return TypeHello }

func (m *Hello) append(dst []byte) []byte {
	return append(le.AppendUint32(dst, m.Session), m.Lowest, m.Highest)
}

func (m *Hello) read(r *reader) {
	m.Session, m.Lowest, m.Highest = r.u32(), r.u8(), r.u8()
	if m.Lowest > m.Highest {
		r.fail(ErrValue, "versions from %d to %d", m.Lowest, m.Highest)
	}
}

// Type is TypeDescribe.
func (*Describe) Type() Type { return TypeDescribe }

func (m *Describe) append(dst []byte) []byte { return append(dst, m.Index) }
func (m *Describe) read(r *reader)           { m.Index = r.u8() }

// Type is TypeConfigure.
func (*Configure) Type() Type { return TypeConfigure }

func (m *Configure) append(dst []byte) []byte {
	dst = le.AppendUint16(dst, m.BeatMS)
	for i := 0; i < MaxPins; i += 2 {
		dst = append(dst, byte(m.Modes[i])|byte(m.Modes[i+1])<<4)
	}
	return dst
}

// read takes every mode: a board refuses those that it is not able to with an answer, so that the host learns of it.
func (m *Configure) read(r *reader) {
	m.BeatMS = r.u16()
	for i := 0; i < MaxPins; i += 2 {
		b := r.u8()
		m.Modes[i], m.Modes[i+1] = Mode(b&0x0F), Mode(b>>4)
	}
}

// Type is TypeSet.
func (*Set) Type() Type { return TypeSet }

func (m *Set) append(dst []byte) []byte {
	dst = append(dst, m.Pin, one(m.Level))
	return le.AppendUint32(le.AppendUint64(dst, m.At), m.Longest)
}

func (m *Set) read(r *reader) {
	m.Pin, m.Level, m.At, m.Longest = r.u8(), r.bit("level"), r.u64(), r.u32()
}

// Type is TypeSafe.
func (*Safe) Type() Type { return TypeSafe }

func (m *Safe) append(dst []byte) []byte { return append(le.AppendUint64(dst, m.Pins), m.Before) }
func (m *Safe) read(r *reader)           { m.Pins, m.Before = r.u64(), r.u8() }

// Type is TypeBeat.
func (*Beat) Type() Type { return TypeBeat }

func (m *Beat) append(dst []byte) []byte { return le.AppendUint16(dst, m.Count) }
func (m *Beat) read(r *reader)           { m.Count = r.u16() }

// Type is TypePing.
func (*Ping) Type() Type { return TypePing }

func (m *Ping) append(dst []byte) []byte {
	return padded(le.AppendUint32(dst, m.Cookie), "", pongSize-4)
}

func (m *Ping) read(r *reader) {
	m.Cookie = r.u32()
	r.zeros(pongSize-4, "the filling")
}

// Type is TypeHeld.
func (*Held) Type() Type { return TypeHeld }

func (m *Held) append(dst []byte) []byte {
	return append(le.AppendUint16(dst, m.Next), one(m.Again))
}
func (m *Held) read(r *reader) { m.Next, m.Again = r.u16(), r.bit("again") }

// Type is TypeNothing.
func (*Nothing) Type() Type { return TypeNothing }

func (*Nothing) append(dst []byte) []byte { return dst }
func (*Nothing) read(*reader)             {}

// Type is TypeName.
func (*Name) Type() Type { return TypeName }

func (m *Name) append(dst []byte) []byte { return append(dst, m.ID[:]...) }
func (m *Name) read(r *reader)           { m.ID = ID(r.take(len(m.ID))) }

// Sum is what a board says of the configuration that it has: a CRC-32C over the payload.
func (m *Configure) Sum() uint32 { return frame.Sum(m.append(nil)) }
