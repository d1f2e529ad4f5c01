package yard

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/simulator/circuit"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/assembly"
	"scentpost/station/boards"
)

const (
	// handOver is how long what a board says takes through a converter that gathers nothing.
	handOver = 100 * time.Microsecond
	// reopenEvery is the pause between two attempts to open a port.
	reopenEvery = time.Second
	// mostPPM is how far a board's clock may be off: that of a ceramic resonator, as most of them have.
	mostPPM = 3000
)

// Board is a microcontroller board of a yard, with its cable. It goes on whether the station's program runs or not.
type Board struct {
	world   *world.World
	circuit *circuit.Board
	plugged bool
	port    *port // of the program that runs; nil before it opened one
}

// furnish builds the boards of the configuration, with power and cable. How far their clocks are off the public seed says.
func (y *Yard) furnish() {
	y.Boards = map[string]*Board{}
	for _, one := range boards.List(y.opt.Config) {
		b := &Board{world: y.World, plugged: true}
		var bench *hardware.Board
		low := func(pin string) bool {
			return y.opt.Config.Driver.Wiring[one.Name+carrier.Colon+pin].ActiveLow
		}
		ppm := y.World.Rand("clock of board "+one.Name).Below(2*mostPPM+1) - mostPPM
		if said, ok := y.opt.Clocks[one.Name]; ok {
			ppm = said
		}
		b.circuit = circuit.New(circuit.Options{World: y.World, ID: one.ID, Baud: one.Baud, PPM: ppm,
			Drive: func(pin string, driven, high bool) { bench.Drive(pin, driven && high != low(pin)) }})
		input := func(pin string, level bool) { b.circuit.Input(pin, level != low(pin)) }
		bench = y.Hardware.Solder(one.Name, input)
		for _, pin := range bench.Pins() {
			input(pin, bench.Level(pin))
		}
		y.Boards[one.Name] = b
	}
}

// Unplug pulls the cable, and the power with it; one that is unplugged stays so.
func (b *Board) Unplug() {
	b.plugged = false
	b.circuit.Cut()
	b.circuit.Reset(message.CausePower)
	if b.port != nil {
		b.port.fail()
	}
}

// Plug puts the cable in again: the board starts anew.
func (b *Board) Plug() {
	b.plugged = true
	b.circuit.Reset(message.CausePower)
}

// Reset starts the board anew for a cause, with its cable in.
func (b *Board) Reset(cause message.Cause) { b.circuit.Reset(cause) }

// Report is how the board is to the program that runs. It tells the placement.
func (b *Board) Report() pinbus.Report { return b.port.Report() }

// Attend has the board asked for the time more often, or not, out of turn, which no station does.
func (b *Board) Attend(on bool) { b.port.Attend(on) }

// port is what the station's program has of a board: its pins, over a port that it opens again. It implements bus.Keeper
// and bus.Attendant. Like package board it tells from calls of its own; one goroutine runs them all here, the world's.
type port struct {
	world   *world.World
	board   *Board
	pins    *pinbus.Machine
	cable   *circuit.Cable // nil while the port is not open
	tells   []func()       // in order; a call that tells them is planned
	stop    func()         // the next tick
	reopens func()         // stops the next attempt to open it
	looked  chan struct{}  // closed when the board was looked for
	ended   bool
}

var (
	_ bus.Keeper    = (*port)(nil)
	_ bus.Attendant = (*port)(nil)
)

// makeBoard makes the bus of a board. It implements catalog.BoardMaker.
func (y *Yard) makeBoard(o pinbus.Options) (carrier.Carrier, error) {
	pins, err := pinbus.New(o)
	if err != nil {
		return carrier.Carrier{}, err
	}
	p := &port{world: y.World, board: y.Boards[o.Name], pins: pins, stop: func() {}, reopens: func() {}, looked: make(chan struct{})}
	p.board.port = p
	p.open()
	return carrier.Carrier{Name: o.Name, Bus: p, Looked: p.looked}, nil
}

// open opens the port, or says that it is not there and tries again.
func (p *port) open() {
	if !p.board.plugged {
		p.fail()
		return
	}
	var own *circuit.Cable
	own = p.board.circuit.Join(func(said []byte) {
		p.world.After(handOver, func() {
			if own == p.cable {
				p.with(func(pins *pinbus.Machine, now int64) { pins.Receive(now, said) })
			}
		})
	})
	p.cable = own
	p.with((*pinbus.Machine).Open)
}

// fail says that the port is not there, and tries to open it later.
func (p *port) fail() {
	p.cable = nil
	p.reopens()
	p.reopens = p.world.After(reopenEvery, p.open)
	p.with(func(pins *pinbus.Machine, now int64) { pins.Shut(now, fmt.Errorf("%w: unplugged", bus.ErrGone)) })
}

// with does something with the pins, and sees to what they say, tell and want.
func (p *port) with(do func(pins *pinbus.Machine, now int64)) {
	if p.ended {
		return
	}
	do(p.pins, p.world.Mono())
	out, tells := p.pins.Take()
	if len(out) > 0 && p.cable != nil {
		p.cable.Say(out)
	}
	if len(p.tells) == 0 && len(tells) > 0 {
		p.world.After(0, p.deliver)
	}
	p.tells = append(p.tells, tells...)
	p.stop()
	if at, any := p.pins.Due(); any {
		p.stop = p.world.At(at, func() { p.with((*pinbus.Machine).Tick) })
	}
	select {
	case <-p.looked:
	default:
		if p.pins.Looked() {
			close(p.looked)
		}
	}
}

// deliver tells what there is to tell. What is told may bring more, which is told by another call.
func (p *port) deliver() {
	tells := p.tells
	p.tells = nil
	for _, tell := range tells {
		if !p.ended {
			tell()
		}
	}
}

// Watch implements bus.Bus.
func (p *port) Watch(lines []string, sink bus.Sink) (err error) {
	p.with(func(pins *pinbus.Machine, now int64) { err = pins.Watch(now, lines, sink) })
	return err
}

// Output implements bus.Bus.
func (p *port) Output(line string, safe bool) (bus.Output, error) {
	return pin{p, line}, p.pins.Output(line, safe)
}

// pin is one output of a board.
type pin struct {
	port *port
	line string
}

// Set implements bus.Output.
func (o pin) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	deaf := bus.ErrClosed
	o.port.with(func(pins *pinbus.Machine, now int64) { deaf = pins.Set(now, o.line, level, at, longest, done) })
	if deaf != nil && done != nil {
		done(0, deaf)
	}
}

// Level implements bus.Bus.
func (p *port) Level(line string) (bool, error) { return p.pins.Level(line) }

// Sources implements bus.Bus.
func (p *port) Sources() map[string]time.Duration { return p.pins.Sources() }

// BeatEvery implements bus.Keeper.
func (p *port) BeatEvery() time.Duration { return p.pins.BeatEvery() }

// Beat implements bus.Keeper.
func (p *port) Beat() { p.with((*pinbus.Machine).Beat) }

// Attend implements bus.Attendant.
func (p *port) Attend(on bool) {
	p.with(func(pins *pinbus.Machine, _ int64) { pins.Attend(on) })
}

// Report says how the board is.
func (p *port) Report() pinbus.Report { return p.pins.Report() }

// Close lets go of the port without a word, as a program that is killed does: a yard has no other end.
func (p *port) Close() error {
	p.ended, p.cable = true, nil
	p.stop()
	p.reopens()
	p.board.circuit.Cut()
	p.board.port = nil
	return nil
}

// look waits until the boards were looked for, or the time for it is over.
func (y *Yard) look(carriers []carrier.Carrier) {
	looked := func(c carrier.Carrier) bool {
		select {
		case <-c.Looked:
			return true
		default:
			return false
		}
	}
	limit := y.World.Mono() + int64(assembly.FirstLook)
	for _, c := range carriers {
		if _, board := c.Bus.(*port); board {
			y.World.RunWhile(func() bool { return !looked(c) }, limit)
		}
	}
}
