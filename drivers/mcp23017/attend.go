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
	first chan struct{}
	stop  func()
}

// Attend looks after the chip until Close: while it is there it polls it at every instant of a grid, and while it is away
// it looks for it. Wires that owe the answer to a look make it away, as nothing can be driven over them. What it returns
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
		e.do(polling, e.visit)
	}
}

// visit polls the chip, or looks for it. It runs on the goroutine that owns the wires.
func (e *Expander) visit() {
	if e.Err() == nil {
		e.poll()
	} else if err := e.Begin(); err == nil {
		e.poll()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.since = 0
	select {
	case <-e.first:
	default:
		close(e.first)
	}
}
