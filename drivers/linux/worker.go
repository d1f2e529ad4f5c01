//go:build linux

package linux

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"scentpost/drivers/bus"
)

const (
	// jobsMost is how many jobs may wait for one bus: a few for each chip of the 112 that one can carry, each of which
	// asks again and again whatever became of its last job.
	jobsMost = 256
	// hangsAfter is how long a job may take before its bus is said to hang. A kernel gives up on one transfer after a
	// second, and a job makes no more of them when one fails.
	hangsAfter = 3 * time.Second
	// lastJobs bounds how long the end of a bus waits for the jobs that take its outputs to their safe level.
	lastJobs = 500 * time.Millisecond
)

// worker is the one goroutine that makes the transfers of a bus, as they cannot be called off. Whoever waits for a chip
// waits for that goroutine alone.
type worker struct {
	name    string
	onState func(err error)
	mono    func() int64
	last    func()        // gives the bus back, when the last job is done
	news    chan struct{} // there is a job, or the end has come
	ended   chan struct{}

	mu     sync.Mutex // guards what follows; held over no job and no callback
	jobs   []func()
	closed bool
	given  bool // up: the jobs that are left are nobody's
	state  error
	told   error
	tells  bool // somebody is telling the state
}

// newWorker returns a worker whose goroutine runs.
func newWorker(name string, onState func(error), mono func() int64, last func()) *worker {
	if onState == nil {
		onState = func(error) {}
	}
	if mono == nil {
		mono = monotonic
	}
	w := &worker{name: name, onState: onState, mono: mono, last: last, news: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// String is the name of the bus.
func (w *worker) String() string { return w.name }

// Now is the kernel's monotonic clock; see bus.Wires.
func (w *worker) Now() int64 { return w.mono() }

// At calls f at or after mono; see bus.Wires.
func (w *worker) At(mono int64, f func()) (stop func()) {
	timer := time.AfterFunc(max(time.Duration(mono-w.Now()), 0), f)
	return func() { timer.Stop() }
}

// Do runs job soon; see bus.Wires.
func (w *worker) Do(job func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return fmt.Errorf("%s: %w", w.name, bus.ErrClosed)
	case len(w.jobs) >= jobsMost:
		return fmt.Errorf("%s: %w", w.name, bus.ErrBusy)
	}
	w.jobs = append(w.jobs, job)
	w.knock()
	return nil
}

func (w *worker) knock() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// run is the goroutine that owns the bus.
func (w *worker) run() {
	defer close(w.ended)
	for {
		job, more := w.next()
		if job == nil {
			if !more {
				break
			}
			<-w.news
			continue
		}
		hangs := time.AfterFunc(hangsAfter, func() {
			w.is(fmt.Errorf("%s has not answered for %s: %w", w.name, hangsAfter, ErrHangs))
		})
		job()
		if !hangs.Stop() {
			w.is(nil)
		}
	}
	w.last()
}

// next takes the next job; nil when there is none, and more tells whether another one may come.
func (w *worker) next() (job func(), more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) == 0 || w.given {
		return nil, !w.closed
	}
	job = w.jobs[0]
	w.jobs[0] = nil
	if w.jobs = w.jobs[1:]; len(w.jobs) == 0 {
		w.jobs = nil // its array would only grow
	}
	return job, true
}

// is tells what the bus is, when that is news: one call at a time, and the latest last.
func (w *worker) is(state error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	if w.tells {
		return
	}
	w.tells = true
	for fmt.Sprint(w.state) != fmt.Sprint(w.told) {
		now := w.state
		w.told = now
		w.mu.Unlock()
		w.onState(now)
		w.mu.Lock()
	}
	w.tells = false
}

// Close makes the jobs that wait, and gives the bus back. It waits for wires that hang for a moment only, and then leaves
// them to themselves. It must not be called from a job.
func (w *worker) Close() error {
	w.mu.Lock()
	w.closed = true
	w.knock()
	w.mu.Unlock()
	limit := time.NewTimer(lastJobs)
	defer limit.Stop()
	select {
	case <-w.ended:
		return nil
	case <-limit.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	left := len(w.jobs)
	w.given, w.jobs = true, nil
	return fmt.Errorf("%s: closed while a transfer hangs, with %d more jobs to do: what it drives stays as it is: %w", w.name, left, ErrHangs)
}

// ErrHangs: a transfer does not end.
var ErrHangs = errors.New("the wires hang (does a chip hold SDA or SCL low? power it off and on)")
