package mcp23017

import (
	"time"

	"scentpost/drivers/bus"
)

// output is one pin that the chip drives. Its fields are guarded by the expander's lock.
type output struct {
	expander  *Expander
	safe      bool
	activeLow bool

	want  bool                        // the logical level to be in the latch
	due   bool                        // want is the level of the command under way
	done  func(mono int64, err error) // of the command under way
	stops []func()                    // its timers
	turn  uint64                      // counts commands, so that a timer of an old one does nothing
}

// Output asks for a line as an output; see bus.Bus. It does not wait for the chip: until it is there, the line is where
// its external pull holds it, and Set to another level than the safe one fails with bus.ErrGone.
func (e *Expander) Output(line string, safe bool) (bus.Output, error) {
	pin, ok := e.pins[line]
	if !ok {
		return nil, e.fail("output "+line, bus.ErrUnknownLine)
	}
	o := &output{expander: e, safe: safe, activeLow: pin.ActiveLow, want: safe}
	e.mu.Lock()
	closed, taken := e.closed, e.outputs[pin.Number] != nil || e.watched[pin.Number] != ""
	if !closed && !taken {
		e.outputs[pin.Number] = o
	}
	e.mu.Unlock()
	switch {
	case closed:
		return nil, e.fail("output "+line, bus.ErrClosed)
	case taken:
		return nil, e.fail("output "+line, ErrTaken)
	}
	e.do(configuring, e.reconfigure)
	return o, nil
}

// reconfigure writes the plan anew, when the chip is there; Begin does it otherwise.
func (e *Expander) reconfigure() {
	e.mu.Lock()
	alive := e.alive
	e.mu.Unlock()
	if !alive {
		return
	}
	if err := e.configure(); err != nil {
		e.lose(e.fail("set up a line", err))
		return
	}
	e.look(0, 0)
}

// drop ends the command under way and returns its answer, to be given without the lock.
func (o *output) drop(err error) (answer func()) {
	o.turn++
	for _, stop := range o.stops {
		stop()
	}
	done := o.done
	o.done, o.stops, o.due = nil, nil, false
	if done == nil {
		return func() {}
	}
	return func() { done(0, err) }
}

// Set drives the line; see bus.Output. All outputs of a chip lie in one latch, which is written as it is wanted at that
// moment: a command to close that waits behind one to open closes at the first writing, and the opening never shows.
// One to close while the chip is away fails, and has it looked for at once.
func (o *output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	e := o.expander
	now := e.host.Now()
	e.mu.Lock()
	answer := o.drop(bus.ErrReplaced)
	refused := error(nil)
	switch {
	case e.closed:
		refused = bus.ErrClosed
	case !e.alive:
		refused = e.fault
	}
	if refused != nil { // the safe level stays wanted, for when the chip is back
		e.mu.Unlock()
		answer()
		if done != nil {
			done(0, refused)
		}
		if level == o.safe {
			e.hurry()
		}
		return
	}
	o.done = done
	turn, start := o.turn, max(at, now)
	if level != o.safe && longest > 0 {
		o.stops = append(o.stops, e.host.At(start+int64(longest), func() { o.expire(turn) }))
	}
	if level != o.safe && at > now {
		o.stops = append(o.stops, e.host.At(at, func() { o.begin(turn, level) }))
		e.mu.Unlock()
		answer()
		return
	}
	o.want, o.due = level, true
	e.mu.Unlock()
	answer()
	e.do(flushing, e.flush)
}

// begin is the instant of a command that was for later.
func (o *output) begin(turn uint64, level bool) {
	o.expander.mu.Lock()
	if o.turn != turn {
		o.expander.mu.Unlock()
		return
	}
	o.want, o.due = level, true
	o.expander.mu.Unlock()
	o.expander.do(flushing, o.expander.flush)
}

// expire is the end of the longest time of a command.
func (o *output) expire(turn uint64) {
	o.expander.mu.Lock()
	if o.turn != turn {
		o.expander.mu.Unlock()
		return
	}
	answer := o.drop(ErrOver) // a command that was done has been answered
	o.want = o.safe
	o.expander.mu.Unlock()
	answer()
	o.expander.do(flushing, o.expander.flush)
}

// flush writes the latch as it is wanted now, checks it, and answers the commands that it did.
func (e *Expander) flush() {
	e.mu.Lock()
	alive, latch := e.alive, e.plan().latch
	turns := map[*output]uint64{}
	for _, o := range e.outputs {
		if o.done != nil && o.due {
			turns[o] = o.turn
		}
	}
	e.mu.Unlock()
	if !alive {
		return // what was under way has been answered by lose
	}
	err := e.write(both(regOLAT, latch))
	if err == nil {
		e.written.latch = latch
		err = e.verify()
	}
	if err != nil {
		e.lose(e.fail("drive its outputs", err))
		return
	}
	now := e.host.Now()
	var answers []func(int64, error)
	e.mu.Lock()
	for o, turn := range turns {
		if o.turn == turn && o.done != nil {
			answers = append(answers, o.done)
			o.done = nil
		}
	}
	e.mu.Unlock()
	for _, done := range answers {
		done(now, nil)
	}
}
