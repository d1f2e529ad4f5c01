package mcp23017

import (
	"errors"
	"fmt"

	"scentpost/drivers/bus"
)

// Watch sends the edges of lines to sink; see bus.Bus. It does not wait for the chip.
func (e *Expander) Watch(lines []string, sink bus.Sink) error {
	asked := map[int]string{}
	for _, line := range lines {
		pin, ok := e.pins[line]
		switch {
		case !ok:
			return e.fail("watch "+line, bus.ErrUnknownLine)
		case OutputOnly[pin.Number]:
			return e.fail("watch "+line, ErrInput)
		}
		asked[pin.Number] = line
	}
	if err := e.watch(asked, sink); err != nil {
		return err
	}
	e.do(configuring, e.reconfigure)
	e.tell()
	return nil
}

func (e *Expander) watch(asked map[int]string, sink bus.Sink) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return e.fail("watch its lines", bus.ErrClosed)
	case e.sink != nil:
		return e.fail("watch its lines", errors.New("they are watched already: ask for all in one go"))
	}
	for n, line := range asked {
		if e.outputs[n] != nil {
			return e.fail("watch "+line, ErrTaken)
		}
	}
	e.watched, e.sink = asked, sink
	return nil
}

// Level is the level of a line when the chip was read last; see bus.Bus. bus.ErrGone while the chip is away.
func (e *Expander) Level(line string) (bool, error) {
	pin, ok := e.pins[line]
	if !ok {
		return false, e.fail("level of "+line, bus.ErrUnknownLine)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.alive || !e.known {
		return false, e.fail("level of "+line, bus.ErrGone)
	}
	return (e.levels>>pin.Number&1 == 1) != pin.ActiveLow, nil
}

// Interrupt says that the line of the chip's INT pin became active at mono, give or take bound. It does not wait. While
// one waits to be read, the chip holds its line, and another one can only be a bounce of it.
func (e *Expander) Interrupt(mono, bound int64) { e.do(asking, func() { e.ask(mono, bound) }) }

// Poll reads the chip without being asked by it, checks that it holds its settings, and gives a watermark. Whoever owns
// the wires calls it at regular instants: it finds the change that a lost interrupt left behind, and a chip that was
// reset. It does not wait.
func (e *Expander) Poll() { e.do(polling, e.poll) }

func (e *Expander) poll() {
	e.mu.Lock()
	alive := e.alive
	e.mu.Unlock()
	if !alive {
		return
	}
	if err := e.verify(); err != nil {
		e.lose(e.fail("look after it", err))
		return
	}
	e.ask(0, 0)
	e.mu.Lock()
	alive, read, sink := e.alive, e.read, e.sink
	e.mu.Unlock()
	if alive && sink != nil {
		sink.Watermark(bus.Watermark{Source: e.name, Mono: read})
	}
}

// ask reads the chip when it is there.
func (e *Expander) ask(mono, bound int64) {
	e.mu.Lock()
	alive := e.alive
	e.mu.Unlock()
	if alive {
		e.look(mono, bound)
	}
}

// look reads what interrupted, what was captured at that moment and what is now, in this order and in one transfer: the
// chip lets go of its interrupt while the last two are read, and what changes behind them asks anew.
func (e *Expander) look(mono, bound int64) {
	var b [6]byte // INTFA, INTFB, INTCAPA, INTCAPB, GPIOA, GPIOB
	if err := e.chip.Tx([]byte{regINTF}, b[:]); err != nil {
		e.lose(e.fail("read its inputs", err))
		return
	}
	now := e.host.Now()
	e.mu.Lock()
	edges := e.edges(b, interrupted{mono, bound, now})
	sink := e.sink
	e.mu.Unlock()
	for _, edge := range edges {
		sink.Edge(edge)
	}
}

// interrupted is when the chip asked (0: it did not) and when it had been read.
type interrupted struct{ mono, bound, now int64 }

// edges takes a reading and returns what changed: first what the chip captured, then what changed behind it. It needs
// the lock.
func (e *Expander) edges(b [6]byte, at interrupted) []bus.Edge {
	flags, captured, present := word(b[0:2]), word(b[2:4]), word(b[4:6])
	before, since := e.levels, e.read
	first := !e.known
	e.levels, e.read, e.known = present, max(at.now, since), true
	if first || e.sink == nil {
		return nil
	}
	caught := before
	for port := range 2 {
		if mask := uint16(0xFF) << (8 * port); flags&mask != 0 {
			caught = caught&^mask | captured&mask
		}
	}
	stamp, bound, late := at.mono, at.bound, at.now-at.mono+at.bound
	switch {
	case at.mono <= since || at.mono > at.now:
		// It asked before the last reading, which took what it asked for, or not at all: what is seen now happened
		// at some time since.
		stamp, bound, late = at.now, at.now-since, at.now-since
	case flags&0xFF != 0 && flags>>8 != 0:
		// Both ports have captured, and the line tells when the first of them did, but not which one that was.
		bound = late
	}
	return append(e.changed(before, caught, stamp, bound), e.changed(caught, present, at.now, late)...)
}

// changed returns the edges of the watched pins between two readings, by pin.
func (e *Expander) changed(from, to uint16, mono, bound int64) []bus.Edge {
	var out []bus.Edge
	for n := range pins {
		line, ok := e.watched[n]
		if !ok || (from^to)>>n&1 == 0 {
			continue
		}
		e.seq++
		level := (to>>n&1 == 1) != e.pins[line].ActiveLow
		out = append(out, bus.Edge{Line: line, Level: level, Mono: mono, Bound: bound, Source: e.name, Seq: e.seq})
	}
	return out
}

// String names the chip.
func (e *Expander) String() string { return fmt.Sprintf("mcp23017 %s at 0x%02X", e.name, e.chip.Addr) }
