// Package twin is a board in Go that speaks the protocol as the firmware does, for tests and simulations.
//
// It reads no clock and no port: bytes and levels go in with their instants, bytes come out, and what its outputs did.
package twin

import (
	"time"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// Numbers of the protocol that a board goes by.
const (
	announce  = time.Second           // between two BOARDs without a session
	resend    = 50 * time.Millisecond // until events are sent again
	patience  = 2 * time.Second       // without a valid frame: from then on they are sent again each second
	slowly    = time.Second           // that
	lapse     = 30 * time.Minute      // without a valid frame: then the session is over
	doneRoom  = 2 * 8                 // places that are kept for 8 DONE, and a LOST before each
	remembers = 8                     // commands whose results are kept
)

// Options are what a board is.
type Options struct {
	Pins  []message.Pin
	ID    message.ID
	Kind  string
	Build [8]byte
	Room  int // events that it can hold, 128 when 0
	// Micros is the board's clock: microseconds since its start at an instant of the host. It never runs backwards.
	Micros func(mono int64) uint64
}

// Change is what an output did.
type Change struct {
	Pin    string
	Driven bool // it is an output; else its pull holds it
	Level  bool
	Micros uint64
}

// Board is one board. It belongs to one goroutine.
type Board struct {
	opt   Options
	boot  uint32
	cause message.Cause
	began uint64 // what Micros showed at its start

	split    frame.Splitter
	now      int64
	heard    uint64 // when the last valid frame came, by the board's clock
	said     uint64 // when BOARD was said last
	session  uint32
	discards uint16

	config     message.Configure
	configured bool
	levels     uint64 // voltages of the inputs
	outputs    [message.MaxPins]output

	expected byte                   // number of the next command
	known    byte                   // how many before it are kept
	taken    [remembers]message.Ack // by number
	safeNo   byte
	safeSeen bool
	barred   [message.MaxPins]byte // as many commands are yet to come that a SAFE was sent behind

	beating bool
	beat    uint64 // when the last one came
	count   uint16 // of the last heartbeat of the session, once there was one
	counted bool

	events   []message.Event
	first    uint16 // number of the first
	sent     int    // how many of them are on their way
	answered uint64 // when the last EVENTS was sent, or the last HELD came
	pending  uint16 // lost, and not in the row yet
	dropped  uint16
	glitches uint16
	errors   uint16

	out     []byte
	changes []Change
}

// output is one output pin.
type output struct {
	driven  bool
	level   bool
	until   uint64 // when its longest is over, while it is not safe
	pending *message.Set
	number  byte // of the pending one
}

// New returns a board that has just started.
func New(o Options) *Board {
	if o.Room == 0 {
		o.Room = 128
	}
	b := &Board{opt: o}
	b.Reset(0, message.CausePower)
	return b
}

// Reset starts the board anew: its outputs are inputs, and it knows nothing.
func (b *Board) Reset(mono int64, cause message.Cause) {
	levels, out := b.levels, b.out
	for i := range b.outputs {
		if b.outputs[i].driven {
			b.changes = append(b.changes, Change{Pin: b.opt.Pins[i].Name, Micros: b.micros(mono)})
		}
	}
	*b = Board{opt: b.opt, boot: b.boot + 1, cause: cause, began: b.opt.Micros(mono), now: mono, levels: levels, out: out, changes: b.changes}
	b.say()
}

// micros is the board's own clock.
func (b *Board) micros(mono int64) uint64 { return b.opt.Micros(mono) - b.began }

// Boot is how often the board has started.
func (b *Board) Boot() uint32 { return b.boot }

// Take returns the bytes that it sends and what its outputs did since the last call.
func (b *Board) Take() (out []byte, changes []Change) {
	out, changes = b.out, b.changes
	b.out, b.changes = nil, nil
	return out, changes
}

func (b *Board) send(number byte, m message.Message) {
	b.out = frame.Append(b.out, message.Append(nil, byte(b.session), number, m))
}

// say sends BOARD.
func (b *Board) say() {
	now := b.micros(b.now)
	b.said = now
	m := &message.Board{Session: b.session, Boot: b.boot, Cause: b.cause, Configured: b.configured, Beating: b.beating, Named: b.opt.ID != message.NoID,
		Firmware: [3]byte{0, 0, 1}, Build: b.opt.Build, ID: b.opt.ID, Discarded: b.discards, Pins: byte(len(b.opt.Pins)), Room: uint16(b.opt.Room),
		ResolutionNS: 1000, Kind: b.opt.Kind, Time: now}
	if b.configured {
		m.Configuration = b.config.Sum()
	}
	b.send(0, m)
}

// Input gives an input another level. A pin that is no input changes nothing but what PONG would say.
func (b *Board) Input(mono int64, pin string, level bool) {
	b.now = mono
	for i, p := range b.opt.Pins {
		if p.Name != pin || b.levels>>i&1 == flag(level) {
			continue
		}
		b.levels ^= 1 << i
		if mode := b.config.Modes[i]; b.configured && (mode == message.Input || mode == message.PullUp) {
			b.note(message.Event{Kind: message.Edge, Time: b.micros(mono), Pin: byte(i), Level: level})
		}
	}
}

// Glitch is a pulse on an input that is over before anybody looked.
func (b *Board) Glitch() { b.glitches++ }

// note puts an event into the row, or counts that there is no room.
func (b *Board) note(e message.Event) {
	room := b.opt.Room
	if e.Kind == message.Edge {
		room -= doneRoom
	}
	need := 1
	if b.pending > 0 {
		need = 2
	}
	if len(b.events)+need > room {
		b.dropped++
		b.pending = uint16(min(int(b.pending)+1, 0xFFFF))
		return
	}
	if b.pending > 0 {
		b.events = append(b.events, message.Event{Kind: message.Lost, Time: e.Time, Lost: b.pending})
		b.pending = 0
	}
	b.events = append(b.events, e)
}

func flag(level bool) uint64 {
	if level {
		return 1
	}
	return 0
}
