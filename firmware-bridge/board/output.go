package board

import (
	"errors"
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
)

// output is one output of the board. Its safe level is off: that is what its mode told the board.
type output struct {
	board *Board
	pin   string
	// held is set while it is on for as long as it likes; renew is when that is said again. The board's mutex guards them.
	held  bool
	renew int64
}

// Output asks for an output; see bus.Bus. Only off can be its safe level, as the wiring of a board says what that means.
func (b *Board) Output(line string, safe bool) (bus.Output, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.opt.Pins[line]
	switch {
	case !known || !p.Output:
		return nil, b.unknown(line, "output")
	case safe:
		return nil, fmt.Errorf("board %s: %s: an output of a board is safe when it is off: say active_low where the wiring is the other way round", b.opt.Name, line)
	case b.outputs[line] != nil:
		return nil, fmt.Errorf("board %s: %s is in use: one line serves one device", b.opt.Name, line)
	}
	o := &output{board: b, pin: line}
	b.outputs[line] = o
	return o, nil
}

// Set drives the output; see bus.Output.
func (o *output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	b := o.board
	if !level {
		b.safe([]string{o.pin}, done)
		return
	}
	b.mu.Lock()
	if why := b.deaf(); why != nil {
		b.mu.Unlock()
		if done != nil {
			done(0, why)
		}
		return
	}
	now := b.opt.Now()
	o.held = longest == 0
	if o.held {
		longest, o.renew = hold, max(at, now)+int64(hold)/2
	}
	b.link.Set(now, o.pin, level != b.opt.Pins[o.pin].ActiveLow, at, longest, b.await(done))
	b.flush()
	b.mu.Unlock()
}

// deaf is why the board hears no command now, nil when it does. The caller holds the mutex.
func (b *Board) deaf() error {
	switch {
	case b.closed:
		return bus.ErrClosed
	case !b.up:
		return b.why
	}
	return nil
}

// await notes who is to be called for a token. The caller holds the mutex.
func (b *Board) await(done func(mono int64, err error)) (token uint64) {
	b.token++
	if done != nil {
		b.waits[b.token] = done
	}
	return b.token
}

// safe takes outputs to their safe level, in one message. One of a board that is away is there by itself, as far as
// anybody can say: its heartbeat is gone.
func (b *Board) safe(pins []string, done func(mono int64, err error)) {
	b.mu.Lock()
	tokens := map[string]uint64{}
	for _, pin := range pins {
		b.outputs[pin].held = false
	}
	if why := b.deaf(); why != nil {
		b.mu.Unlock()
		if done != nil {
			done(0, why)
		}
		return
	}
	for _, pin := range pins {
		tokens[pin] = b.await(done)
	}
	if len(tokens) > 0 {
		b.link.Safe(b.opt.Now(), tokens)
	}
	b.flush()
	b.mu.Unlock()
}

// renewal says again that outputs may stay on, and returns when that is due next. The caller holds the mutex.
func (b *Board) renewal(now int64) (due int64, any bool) {
	for _, o := range b.outputs {
		if !o.held {
			continue
		}
		if now >= o.renew {
			o.renew = now + int64(hold)/2
			b.link.Set(now, o.pin, !b.opt.Pins[o.pin].ActiveLow, now, hold, b.await(nil))
			b.flush()
		}
		if !any || o.renew < due {
			due, any = o.renew, true
		}
	}
	return due, any
}

// finish calls who waits for a command.
func (b *Board) finish(f link.Fact) {
	b.mu.Lock()
	done := b.waits[f.Token]
	delete(b.waits, f.Token)
	b.mu.Unlock()
	if done == nil {
		return
	}
	err := f.Err
	switch {
	case errors.Is(err, link.ErrReplaced):
		err = bus.ErrReplaced
	case errors.Is(err, link.ErrDown):
		err = fmt.Errorf("board %s: %w: %w", b.opt.Name, bus.ErrGone, err)
	case err != nil:
		err = fmt.Errorf("board %s: %w", b.opt.Name, err)
	}
	done(f.Mono, err)
}
