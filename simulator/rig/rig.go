// Package rig plays microcontroller boards behind serial ports for a real daemon, with a virtual station at their pins.
//
// A board is a twin in this process, or the real firmware in simavr. Either way what the daemon opens is a serial port,
// and what passes on it is the real protocol.
package rig

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/simulator/hardware"
)

// Pin is how a pin of a board is wired to the station.
type Pin struct {
	Line      string // of the virtual station
	Output    bool
	ActiveLow bool
}

// Board is one board of a rig.
type Board struct {
	Name string
	Link string // the path of its serial port
	ID   string // at most 8 characters, "" for none
	Baud int
	Pins map[string]Pin
	// Firmware is the ELF file that runs in simavr, by Runner; "" for a twin.
	Firmware, Runner string
}

// Rig is boards that are plugged in.
type Rig struct {
	server *hardware.Server
	lines  *hardware.Connection
	boards []*plugged
	wires  map[string]wire // by the station's line
}

// wire is where a line of the station ends.
type wire struct {
	board *plugged
	pin   string
}

// core is what thinks on a board. Its methods are called on the world's goroutine.
type core interface {
	// input gives a pin another voltage.
	input(pin string, high bool)
	// unplug takes its port and its power away, plug gives it both again, the port at the same link; reset is that of
	// its reset button.
	unplug() error
	plug() error
	reset()
	// cut takes its port away and leaves it its power, join gives it a new one.
	cut() error
	join() error
	// close ends it.
	close() error
}

// What cannot be done to a board's cable.
var (
	errJoined = errors.New("it is plugged in already")
	errCut    = errors.New("it is unplugged already")
)

// plugged is a board of a rig.
type plugged struct {
	Board
	lock    *os.File // of its link
	rig     *Rig
	core    core
	outputs map[string]bus.Output // by pin
}

// Plug plugs boards in. The caller serves the station with server, and calls Close before the server ends.
func Plug(server *hardware.Server, station *hardware.Station, boards []Board) (*Rig, error) {
	lines, err := station.Connect()
	if err != nil {
		return nil, err
	}
	r := &Rig{server: server, lines: lines, wires: map[string]wire{}}
	for _, b := range boards {
		if err := r.plug(b); err != nil {
			return nil, errors.Join(fmt.Errorf("board %s: %w", b.Name, err), r.close())
		}
	}
	if err := lines.Watch(slices.Sorted(maps.Keys(r.wires)), r); err != nil {
		return nil, errors.Join(err, r.close())
	}
	for line, w := range r.wires {
		level, err := lines.Level(line)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		w.board.input(w.pin, level)
	}
	return r, nil
}

// plug takes the link of one board, wires it and starts what thinks on it.
func (r *Rig) plug(b Board) error {
	lock, err := take(b.Link)
	if err != nil {
		return err
	}
	if err := r.assemble(b, lock); err != nil {
		return errors.Join(err, lock.Close())
	}
	return nil
}

// assemble wires one board and starts what thinks on it.
func (r *Rig) assemble(b Board, lock *os.File) (err error) {
	p := &plugged{Board: b, lock: lock, rig: r, outputs: map[string]bus.Output{}}
	for _, pin := range slices.Sorted(maps.Keys(b.Pins)) {
		wiring := b.Pins[pin]
		if !wiring.Output {
			r.wires[wiring.Line] = wire{p, pin}
			continue
		}
		if p.outputs[pin], err = r.lines.Output(wiring.Line, false); err != nil {
			return err
		}
	}
	if b.Firmware != "" {
		p.core, err = newChip(p)
	} else {
		p.core, err = newTwin(p)
	}
	if err != nil {
		return err
	}
	r.boards = append(r.boards, p)
	return nil
}

// input gives a pin the voltage of a logical level.
func (p *plugged) input(pin string, level bool) { p.core.input(pin, level != p.Pins[pin].ActiveLow) }

// drove takes what an output of the board did: nobody drives it, and its pull holds it at the safe level, or somebody
// does.
func (p *plugged) drove(pin string, driven, high bool) {
	if out := p.outputs[pin]; out != nil {
		out.Set(driven && high != p.Pins[pin].ActiveLow, 0, 0, nil)
	}
}

// Edge takes an edge of the station. It implements bus.Sink.
func (r *Rig) Edge(e bus.Edge) {
	if w, wired := r.wires[e.Line]; wired {
		w.board.input(w.pin, e.Level)
	}
}

// Watermark implements bus.Sink.
func (r *Rig) Watermark(bus.Watermark) {}

// find returns a board by its name.
func (r *Rig) find(name string) (*plugged, error) {
	for _, p := range r.boards {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the rig has no board %q", name)
}

// on does something to a board on the world's goroutine.
func (r *Rig) on(name string, do func(*plugged) error) error {
	p, err := r.find(name)
	if err != nil {
		return err
	}
	answer := make(chan error, 1)
	if !r.server.Do(func() { answer <- do(p) }) {
		return errors.New("the rig has ended")
	}
	return <-answer
}

// Unplug pulls the cable of a board.
func (r *Rig) Unplug(name string) error {
	return r.on(name, func(p *plugged) error { return p.core.unplug() })
}

// Plug puts the cable of a board in again, behind the same link.
func (r *Rig) Plug(name string) error {
	return r.on(name, func(p *plugged) error { return p.core.plug() })
}

// Cut breaks the line of a board, which goes on with its power.
func (r *Rig) Cut(name string) error {
	return r.on(name, func(p *plugged) error { return p.core.cut() })
}

// Join mends the line of a board, behind the same link.
func (r *Rig) Join(name string) error {
	return r.on(name, func(p *plugged) error { return p.core.join() })
}

// Reset presses the reset button of a board.
func (r *Rig) Reset(name string) error {
	return r.on(name, func(p *plugged) error { p.core.reset(); return nil })
}

// Close unplugs all boards for good.
func (r *Rig) Close() error {
	answer := make(chan error, 1)
	if !r.server.Do(func() { answer <- r.close() }) {
		return r.close() // nobody runs the world any more
	}
	return <-answer
}

func (r *Rig) close() error {
	var failed []error
	for _, p := range r.boards {
		failed = append(failed, p.core.close(), p.lock.Close())
	}
	return errors.Join(append(failed, r.lines.Close())...)
}
