package mcp23017

import (
	"errors"
	"fmt"
	"time"
)

const (
	// findEvery is the pause between two looks for a chip that is away. What it holds is not known, so it is short at first.
	findEvery = time.Second
	// findFor is how long, and findLater the pause after that. The machine's own lines wake an idle station up on that grid.
	findFor   = time.Minute
	findLater = 5 * time.Second
	// patience is how long the wires may owe the answer to a look before the chip is said to be away: a kernel gives up
	// on one transfer after a second.
	patience = 2 * time.Second
)

// ErrHangs: the wires owe an answer.
var ErrHangs = errors.New("the wires do not answer (does a chip hold SDA or SCL low?)")

// attended is the look after a chip again and again. The expander's lock guards it.
type attended struct {
	every time.Duration
	since int64 // when the look that is under way was asked for, 0 when none is
	tries int64 // when the next look for a chip that is away is due
	went  int64 // when it went, or was wanted at once
	turn  int64 // the number of the timer that runs: one that was set before says nothing
	// hurried is set when a look is wanted at once while one is under way, which may have seen the chip already, and
	// finding while the look under way is for a chip that was away: one that it loses again waits its turn.
	hurried, finding bool

	first chan struct{}
	stop  func()
}

// Attend looks after the chip until Close: while it is there it polls it at every instant of a grid, and while it is away
// it looks for it: at once when it was lost or when something is to be closed, then again and again. Wires that owe the answer to a look make it away, as nothing can be driven over them. What it returns
// is closed when the chip was looked for the first time, found or not. It is called once.
func (e *Expander) Attend(every time.Duration) (looked <-chan struct{}) {
	e.mu.Lock()
	e.every, e.first, e.went = every, make(chan struct{}), e.host.Now()
	e.mu.Unlock()
	e.attend(0)
	return e.first
}

// attend looks after the chip now, and again when it is due.
func (e *Expander) attend(turn int64) {
	now := e.host.Now()
	e.mu.Lock()
	if e.closed || turn != e.turn {
		e.mu.Unlock()
		return
	}
	hangs := e.since != 0 && now-e.since >= int64(patience)
	asks := e.since == 0 && (e.alive || now >= e.tries)
	if asks {
		e.asked(now)
	}
	e.schedule(now)
	e.mu.Unlock()
	switch {
	case hangs:
		e.lose(e.fail(fmt.Sprintf("no answer for %s", patience), ErrHangs))
	case asks:
		e.do(polling, func() { e.visit(true) })
	}
}

// asked notes that a look is asked for now. The caller holds the lock.
func (e *Expander) asked(now int64) {
	if e.alive {
		e.went = now
	}
	e.since, e.tries = now, now+int64(findEvery)
	if now-e.went >= int64(findFor) {
		e.tries = after(now, findLater)
	}
}

// schedule has attend called when it is due. A chip that is away needs nobody before its next look, unless the wires owe an
// answer. The caller holds the lock.
func (e *Expander) schedule(now int64) {
	next := e.tries
	switch owed := e.since + int64(patience); {
	case e.alive:
		next = after(now, e.every)
	case e.since != 0 && now < owed:
		next = owed
	case next <= now:
		next = after(now, findEvery)
	}
	if e.stop != nil {
		e.stop()
	}
	e.turn++
	turn := e.turn
	e.stop = e.host.At(next, func() { e.attend(turn) })
}

// after is the first instant of a grid after now.
func after(now int64, every time.Duration) int64 { return (now/int64(every) + 1) * int64(every) }

// hurry looks for a chip that is attended and away at once: what it holds open is closed when it is found, and not
// before.
func (e *Expander) hurry() {
	now := e.host.Now()
	e.mu.Lock()
	asks := e.every > 0 && !e.closed
	if asks && e.since != 0 {
		e.hurried, asks = true, false
	}
	if asks {
		e.went = now
		e.asked(now)
		e.schedule(now)
	}
	e.mu.Unlock()
	if asks {
		e.do(polling, func() { e.visit(false) })
	}
}

// visit looks for the chip when it is away, and polls it at an instant of the grid: what is looked for at once gives no
// mark, which would tell when. It runs on the goroutine that owns the wires.
func (e *Expander) visit(onGrid bool) {
	e.mu.Lock()
	e.finding = !e.alive
	finds := e.finding
	e.mu.Unlock()
	var err error
	if finds {
		err = e.Begin()
	}
	if err == nil && onGrid {
		e.poll()
	}
	e.mu.Lock()
	hurried := e.hurried && !e.alive
	e.since, e.hurried, e.finding = 0, false, false
	if (finds || !e.alive) && !e.closed {
		e.schedule(e.host.Now())
	}
	select {
	case <-e.first:
	default:
		close(e.first)
	}
	e.mu.Unlock()
	if hurried {
		e.hurry()
	}
}
