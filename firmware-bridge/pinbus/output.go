package pinbus

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
)

// output is one output of the board. Its safe level is off: that is what its mode told the board.
type output struct {
	held  bool  // it is on for as long as it likes
	renew int64 // when that is said again
}

// Output asks for an output; see bus.Bus. Only off can be its safe level, as the wiring of a board says what that means.
func (m *Machine) Output(line string, safe bool) error {
	p, known := m.opt.Pins[line]
	switch {
	case !known || !p.Output:
		return m.unknown(line, "output")
	case safe:
		return fmt.Errorf("board %s: %s: an output of a board is safe when it is off: say active_low where the wiring is the other way round", m.opt.Name, line)
	case m.outputs[line] != nil:
		return fmt.Errorf("board %s: %s is in use: one line serves one device", m.opt.Name, line)
	}
	m.outputs[line] = &output{}
	return nil
}

// Set drives an output that was asked for; see bus.Output. It returns why the board hears no command now: then done is not
// called.
func (m *Machine) Set(now int64, line string, level bool, at int64, longest time.Duration, done func(mono int64, err error)) error {
	if !level {
		return m.safe(now, []string{line}, done)
	}
	if why := m.deaf(); why != nil {
		return why
	}
	o := m.outputs[line]
	o.held = longest == 0
	if o.held {
		longest, o.renew = hold, max(at, now)+int64(hold)/2
	}
	m.link.Set(now, line, level != m.opt.Pins[line].ActiveLow, at, longest, m.await(done))
	m.flush(now)
	return nil
}

// deaf is why the board hears no command now, nil when it does.
func (m *Machine) deaf() error {
	switch {
	case m.closed:
		return bus.ErrClosed
	case !m.up:
		return m.why
	}
	return nil
}

// await notes who is to be called for a token.
func (m *Machine) await(done func(mono int64, err error)) (token uint64) {
	m.token++
	if done != nil {
		m.waits[m.token] = done
	}
	return m.token
}

// safe takes outputs to their safe level, in one message. One of a board that is away is there by itself, as far as anybody
// can say: its heartbeat is gone.
func (m *Machine) safe(now int64, lines []string, done func(mono int64, err error)) error {
	for _, line := range lines {
		m.outputs[line].held = false
	}
	if why := m.deaf(); why != nil {
		return why
	}
	tokens := map[string]uint64{}
	for _, line := range lines {
		tokens[line] = m.await(done)
	}
	if len(tokens) > 0 {
		m.link.Safe(now, tokens)
		m.flush(now)
	}
	return nil
}

// Close takes every output to its safe level, and takes no command any more. Busy tells when the board has said so.
func (m *Machine) Close(now int64) {
	_ = m.safe(now, slices.Sorted(maps.Keys(m.outputs)), nil) // a board that is away falls back by itself
	m.closed = true
}

// renew says again that outputs may stay on.
func (m *Machine) renew(now int64) {
	for _, line := range slices.Sorted(maps.Keys(m.outputs)) {
		if o := m.outputs[line]; o.held && now >= o.renew {
			o.renew = now + int64(hold)/2
			m.link.Set(now, line, !m.opt.Pins[line].ActiveLow, now, hold, m.await(nil))
		}
	}
}

// finish tells who waits for a command.
func (m *Machine) finish(f link.Fact) {
	done := m.waits[f.Token]
	delete(m.waits, f.Token)
	if done == nil {
		return
	}
	err := f.Err
	switch {
	case errors.Is(err, link.ErrReplaced):
		err = bus.ErrReplaced
	case errors.Is(err, link.ErrDown):
		err = fmt.Errorf("board %s: %w: %w", m.opt.Name, bus.ErrGone, err)
	case err != nil:
		err = fmt.Errorf("board %s: %w", m.opt.Name, err)
	}
	m.later(func() { done(f.Mono, err) })
}
