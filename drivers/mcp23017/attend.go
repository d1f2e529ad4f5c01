package mcp23017

import (
	"errors"
	"fmt"
	"time"
)

const (
	// findEvery is the pause between two looks for a chip that is away.
	findEvery = time.Second
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
	e.every, e.first = every, make(chan struct{})
	e.mu.Unlock()
	e.attend()
	return e.first
}

// attend looks after the chip now, and again at the next instant of the grid.
func (e *Expander) attend() {
	now := e.host.Now()
	next := (now/int64(e.every) + 1) * int64(e.every)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.stop = e.host.At(next, e.attend)
	hangs := e.since != 0 && now-e.since >= int64(patience)
	asks := e.since == 0 && (e.alive || now >= e.tries)
	if asks {
		e.since, e.tries = now, now+int64(findEvery)
	}
	e.mu.Unlock()
	switch {
	case hangs:
		e.lose(e.fail(fmt.Sprintf("no answer for %s", patience), ErrHangs))
	case asks:
		e.do(polling, func() { e.visit(true) })
	}
}

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
		e.since, e.tries = now, now+int64(findEvery)
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
