// Package circuit is a microcontroller board in virtual time: a twin that thinks, its clock, and the wire to it.
//
// Bytes travel for as long as a line of the board's speed takes, and are heard then. Nothing in it is left to chance.
package circuit

import (
	"slices"
	"time"

	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
	"scentpost/simulator/world"
)

// able are the abilities of every pin.
const able = message.AbleInput | message.AbleOutput | message.AblePullUp | message.AbleTimed

const (
	million = 1_000_000 // microseconds in a second, and what PPM are parts of
	second  = int64(time.Second)
)

// Options are what a board is.
type Options struct {
	World *world.World
	ID    string // at most 8 characters, "" for none
	Baud  int
	// PPM is how much faster its clock runs than the world's, in parts per million.
	PPM int
	// Drive hears what an output does: nobody drives it, and its pull holds it, or somebody does.
	Drive func(pin string, driven, high bool)
}

// Board is one board. One goroutine uses it, the world's.
type Board struct {
	opt   Options
	twin  *twin.Board
	stop  func() // the next tick
	began int64
	cable *Cable   // nil while it is cut
	free  [2]int64 // when the wire to the board, and the one from it, have carried what is on them
	ended bool
}

// Cable is the host's end of the wire to a board, until it is cut.
type Cable struct {
	board *Board
	hear  func(bytes []byte)
}

// New returns a board that has power and no cable.
func New(o Options) *Board {
	id := message.NoID
	if o.ID != "" {
		id = message.ID{}
		copy(id[:], o.ID)
	}
	b := &Board{opt: o, began: o.World.Mono(), stop: func() {}}
	var pins []message.Pin
	for i, name := range slices.Sorted(pinNames) {
		pins = append(pins, message.Pin{Index: byte(i), Abilities: able, Name: name})
	}
	b.twin = twin.New(twin.Options{Pins: pins, ID: id, Kind: "twin", Micros: b.micros})
	b.exchange()
	return b
}

// pinNames yields the pins that may be used of a Nano, so that a configuration for one serves the other.
func pinNames(yield func(string) bool) {
	for _, name := range []string{"D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "A0", "A1", "A2", "A3", "A4", "A5"} {
		if !yield(name) {
			return
		}
	}
}

// rate is how many microseconds the board's clock counts in a second of the world.
func (b *Board) rate() int64 { return million + int64(b.opt.PPM) }

// micros is the board's clock.
func (b *Board) micros(mono int64) uint64 {
	since := max(mono-b.began, 0)
	return uint64(since/second*b.rate() + since%second*b.rate()/second)
}

// mono is the first instant at which the board's clock shows so many microseconds.
func (b *Board) mono(micros uint64) int64 {
	whole, rest := int64(micros)/b.rate(), int64(micros)%b.rate()
	return b.began + whole*second + (rest*second+b.rate()-1)/b.rate()
}

// Input gives a pin another voltage, of which the board says at once what there is to say.
func (b *Board) Input(pin string, high bool) {
	now := b.opt.World.Mono()
	b.twin.Input(now, pin, high)
	b.twin.Tick(now)
	b.exchange()
}

// Reset starts the board anew.
func (b *Board) Reset(cause message.Cause) {
	b.twin.Reset(b.opt.World.Mono(), cause)
	b.exchange()
}

// Join puts a cable between the board and a host, which hears what the board says. As with most boards, that does not reset
// it. A cable that there was is cut.
func (b *Board) Join(hear func(bytes []byte)) *Cable {
	b.cable = &Cable{board: b, hear: hear}
	return b.cable
}

// Cut breaks the cable; the board goes on.
func (b *Board) Cut() { b.cable = nil }

// Say sends bytes to the board. One that is not there any more hears nothing.
func (c *Cable) Say(bytes []byte) {
	b := c.board
	b.carry(0, c, bytes, func() {
		b.twin.Receive(b.opt.World.Mono(), bytes)
		b.exchange()
	})
}

// carry lets bytes travel for as long as a line of the board's speed takes, and calls arrived then, unless the cable was
// cut meanwhile. A round trip that is faster than the wire would be no measurement.
func (b *Board) carry(direction int, on *Cable, bytes []byte, arrived func()) {
	if on != b.cable {
		return
	}
	at := &b.free[direction]
	*at = max(*at, b.opt.World.Mono()) + int64(len(bytes))*10*second/int64(b.opt.Baud)
	b.opt.World.At(*at, func() {
		if on == b.cable {
			arrived()
		}
	})
}

// exchange passes on what the twin says and does, and plans when it wants to be asked again.
func (b *Board) exchange() {
	out, changes := b.twin.Take()
	for _, c := range changes {
		b.opt.Drive(c.Pin, c.Driven, c.Level)
	}
	if on := b.cable; len(out) > 0 && on != nil {
		b.carry(1, on, out, func() { on.hear(out) })
	}
	b.stop()
	if b.ended {
		return
	}
	b.stop = b.opt.World.At(max(b.opt.World.Mono()+1, b.mono(b.twin.Due())), func() {
		b.twin.Tick(b.opt.World.Mono())
		b.exchange()
	})
}

// End takes the board away for good.
func (b *Board) End() {
	b.ended = true
	b.stop()
	b.Cut()
}
