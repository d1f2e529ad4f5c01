// Package mcp23017 offers the pins of a Microchip MCP23017 port expander on I2C as a bus.Bus.
//
// Source: Microchip, MCP23017/MCP23S17 data sheet, DS20001952C (2016); pins A7 and B7 by DS20001952D (2022).
//
// What it can and cannot do. An output holds its level without us: when the daemon dies, an open canister stays open
// until the daemon is back and Begin makes every pin an input, where the external pull takes it to the safe level. That
// is why a canister behind it needs `hold_on_loss: accepted` in the configuration. An input is stamped by the line that
// the chip's INT pin is wired to; a change while another one waits to be read gets the time between as its bound, and a
// pulse that is over before the chip is read leaves nothing, not even a gap in the count. Buttons and limit switches
// can live with that, beams belong on the board's own lines.
package mcp23017

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
)

// Host is what an expander needs of whoever owns the wires and the time.
type Host interface {
	// Now is the bus's monotonic clock in nanoseconds.
	Now() int64
	// At calls f at or after mono; stop keeps it from being called, if it still can.
	At(mono int64, f func()) (stop func())
	// Do runs job soon, one job at a time and in order, on the one goroutine that owns the wires. It never waits:
	// a transfer on wires that hang cannot be called off. It fails when too many jobs wait, and after the end.
	Do(job func()) error
}

// Options say what is wired to a chip.
type Options struct {
	// Name stands in errors and is the source of the edges.
	Name string
	// Address is FirstAddress to LastAddress.
	Address uint16
	// Pins are the lines by name.
	Pins map[string]Pin
	// Lateness is what Sources declares: the time from one Poll to the next, and that of a transfer.
	Lateness time.Duration
}

// Expander is one chip. It is a bus.Bus. None of its methods but Begin waits for the wires: those go through Host.Do.
type Expander struct {
	chip i2c.Dev
	host Host
	name string
	pins map[string]Pin
	late time.Duration

	// written is what the registers hold by what was written to them. It belongs to the goroutine that owns the wires:
	// what is wanted may be ahead of it.
	written plan

	mu      sync.Mutex // guards what follows; never held over a transfer
	alive   bool       // Begin succeeded, and no transfer failed since
	closed  bool
	fault   error // why it is not alive
	outputs map[int]*output
	watched map[int]string // lines by pin
	sink    bus.Sink
	known   bool   // levels were read once
	levels  uint16 // as they were read last, on the wire
	read    int64  // when
	seq     uint64
	waiting [jobs]bool // jobs that were given to the host and not begun

	attended
	presence
}

// job is a kind of work on the wires. One of a kind waits at a time, since the next would find nothing more to do; so
// wires that hang gather no queue.
type job int

const (
	flushing job = iota
	configuring
	asking
	polling
	jobs
)

// do gives work to the host, unless such work waits already. What the host does not take is done when the chip is found
// again, its outputs at their safe level: until then it is away.
func (e *Expander) do(kind job, work func()) {
	e.mu.Lock()
	waits := e.waiting[kind]
	e.waiting[kind] = true
	e.mu.Unlock()
	if waits {
		return
	}
	err := e.host.Do(func() {
		e.mu.Lock()
		e.waiting[kind] = false
		e.mu.Unlock()
		work()
	})
	if err == nil {
		return
	}
	e.mu.Lock()
	e.waiting[kind] = false
	if kind == polling {
		e.since = 0 // no answer is owed to a look that was not taken
		if !e.closed {
			e.schedule(e.host.Now())
		}
	}
	e.mu.Unlock()
	e.lose(e.fail("ask its wires", err))
}

// The errors of an expander, to be tested with errors.Is.
var (
	// ErrSettings: the chip does not hold what was written to it, as after a dip of its supply.
	ErrSettings = errors.New("the chip does not hold its settings (they are written again; if it recurs, check supply, RESET pin and address)")
	// ErrOver: the time of a command was over before the wires took it.
	ErrOver = errors.New("its time was over before it could be done")
	// ErrTaken: the line was given away already.
	ErrTaken = errors.New("the line is in use: one line serves one device")
	// ErrInput: pins that may be outputs only.
	ErrInput = errors.New("pins A7 and B7 may be outputs only (data sheet, edition D): use another pin")
)

// New returns a chip that nobody has talked to yet: an absent one is no reason not to start. Call Begin, through the
// goroutine that owns the wires, until it succeeds.
func New(wires i2c.Bus, host Host, o Options) (*Expander, error) {
	if o.Address < FirstAddress || o.Address > LastAddress {
		return nil, fmt.Errorf("mcp23017 %s: address 0x%02X, expected 0x%02X to 0x%02X (by the pins A2, A1, A0)", o.Name, o.Address, FirstAddress, LastAddress)
	}
	if o.Name == "" || o.Lateness <= 0 {
		return nil, fmt.Errorf("mcp23017 %q: a name and a lateness above 0s are expected, got %s", o.Name, o.Lateness)
	}
	taken := map[int]string{}
	for _, line := range slices.Sorted(maps.Keys(o.Pins)) {
		n := o.Pins[line].Number
		if n < 0 || n >= pins {
			return nil, fmt.Errorf("mcp23017 %s: line %s: pin %d, expected 0 to %d", o.Name, line, n, pins-1)
		}
		if other, twice := taken[n]; twice {
			return nil, fmt.Errorf("mcp23017 %s: lines %s and %s are on one pin: give each its own", o.Name, other, line)
		}
		taken[n] = line
	}
	return &Expander{
		chip: i2c.Dev{Bus: wires, Addr: o.Address}, host: host, name: o.Name, pins: maps.Clone(o.Pins), late: o.Lateness,
		outputs: map[int]*output{}, watched: map[int]string{}, fault: bus.ErrGone,
	}, nil
}

func (e *Expander) fail(doing string, err error) error {
	return fmt.Errorf("mcp23017 %s at 0x%02X: %s: %w", e.name, e.chip.Addr, doing, err)
}

// Err is why the chip is away, nil while it is there. Whoever owns the wires calls Begin again when it is not nil.
func (e *Expander) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fault
}

// Begin finds the chip and sets it up. Every pin becomes an input first, so that what was left open falls to its
// external pull; then each output gets its safe level in the latch before it gets its direction. Commands that were
// under way are over. It waits for the wires, so it is called on the goroutine that owns them.
func (e *Expander) Begin() error {
	e.mu.Lock()
	closed, again := e.closed, e.alive
	e.mu.Unlock()
	if again {
		e.lose(bus.ErrGone)
	}
	if closed {
		return e.fail("begin", bus.ErrClosed)
	}
	err := e.write([]byte{bankedIOCON, 0}, []byte{regIOCON, settings}, both(regIODIR, 0xFFFF),
		[]byte{regIPOL, 0, 0, 0, 0, 0, 0, 0, 0}) // and GPINTEN, DEFVAL, INTCON behind it
	if err == nil {
		err = e.configure()
	}
	if err != nil {
		err = e.fail("set it up", err)
		e.lose(err)
		return err
	}
	e.mu.Lock()
	e.alive, e.fault, e.known = true, nil, false // what was before tells of no edge
	e.mu.Unlock()
	e.look(0, 0)
	e.tell()
	return e.Err()
}

// lose notes that the chip is away. What was under way fails with bus.ErrGone, and what is wanted from then on is the
// safe level. What the chip holds is not known then, and may be open: unless nothing can be done over its wires, it is
// looked for at once.
func (e *Expander) lose(err error) {
	if !errors.Is(err, bus.ErrGone) {
		err = fmt.Errorf("%w: %w", bus.ErrGone, err)
	}
	e.mu.Lock()
	if e.closed {
		err = fmt.Errorf("%w: %w", bus.ErrClosed, err)
	}
	hurries := e.alive && !e.finding && !errors.Is(err, ErrHangs)
	e.alive, e.fault = false, err
	var answers []func()
	for _, o := range e.outputs {
		answers = append(answers, o.drop(err))
		o.want = o.safe
	}
	e.mu.Unlock()
	for _, answer := range answers {
		answer()
	}
	e.tell()
	if hurries {
		e.hurry()
	}
}

// write makes transfers up to the first that fails.
func (e *Expander) write(transfers ...[]byte) error {
	for _, t := range transfers {
		if err := e.chip.Tx(t, nil); err != nil {
			return err
		}
	}
	return nil
}

// plan is what the registers are to be.
type plan struct{ direction, pull, interrupt, latch uint16 }

// plan needs the lock.
func (e *Expander) plan() plan {
	// A pin without a line is pulled up: one that floats draws current, and on A7 and B7 its changes harm the wires.
	p := plan{direction: 0xFFFF, pull: 0xFFFF}
	for _, pin := range e.pins {
		if !pin.PullUp {
			p.pull &^= 1 << pin.Number
		}
	}
	for n, o := range e.outputs {
		p.direction &^= 1 << n
		if o.want != o.activeLow {
			p.latch |= 1 << n
		}
	}
	for n := range e.watched {
		p.interrupt |= 1 << n
	}
	return p
}

// configure writes the plan in the order that never shows a wrong level, and checks it.
func (e *Expander) configure() error {
	e.mu.Lock()
	p := e.plan()
	e.mu.Unlock()
	err := e.write(both(regGPPU, p.pull), both(regOLAT, p.latch), both(regIODIR, p.direction), both(regGPINTEN, p.interrupt))
	if err != nil {
		return err
	}
	e.written = p
	return e.verify()
}

// verify reads back what was written and does not change by being read.
func (e *Expander) verify() error {
	p := e.written
	var low [regIOCON + 1]byte
	var latch [2]byte
	if err := e.chip.Tx([]byte{regIODIR}, low[:]); err != nil {
		return err
	}
	if err := e.chip.Tx([]byte{regOLAT}, latch[:]); err != nil {
		return err
	}
	want := [regIOCON + 1]byte{
		regIODIR: byte(p.direction), regIODIR + 1: byte(p.direction >> 8),
		regGPINTEN: byte(p.interrupt), regGPINTEN + 1: byte(p.interrupt >> 8), regIOCON: settings,
	}
	if low != want || word(latch[:]) != p.latch {
		return ErrSettings
	}
	return nil
}

// Sources names the chip as what stamps edges.
func (e *Expander) Sources() map[string]time.Duration {
	return map[string]time.Duration{e.name: e.late}
}

// Close commands every output to its safe level and ends the rest. It does not wait for the wires: whoever owns them
// does the jobs that are left before it gives them back.
func (e *Expander) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	if e.stop != nil {
		e.stop()
	}
	var answers []func()
	for _, o := range e.outputs {
		answers = append(answers, o.drop(bus.ErrClosed))
		o.want = o.safe
	}
	e.mu.Unlock()
	for _, answer := range answers {
		answer()
	}
	e.do(flushing, e.flush)
	return nil
}
