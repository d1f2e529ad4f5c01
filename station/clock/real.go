package clock

import (
	"sync"
	"sync/atomic"
	"time"

	"scentpost/station/event"
)

// soonest is the shortest real time that the goroutine waits: a base that stands still must not make it spin.
const soonest = 200 * time.Microsecond

// Real is a Clock over a Base that runs by itself. It owns one goroutine.
type Real struct {
	base   Base
	last   atomic.Int64  // the latest instant that was given out
	wake   chan struct{} // holds one token when the earliest call may have changed
	closed chan struct{}
	ended  chan struct{}
	once   sync.Once

	mu    sync.Mutex // guards what follows; never held while a call runs
	calls Calls
}

// New returns a running clock.
func New(base Base) (*Real, error) {
	if err := base.check(); err != nil {
		return nil, err
	}
	r := &Real{base: base, wake: make(chan struct{}, 1), closed: make(chan struct{}), ended: make(chan struct{})}
	go r.run()
	return r, nil
}

// Now returns the present instant, never one before an instant that it gave out earlier. Bound is 0: what the reading
// itself costs is below a microsecond.
func (r *Real) Now() event.Stamp {
	mono := r.mono()
	utc := r.base.UTC(mono)
	return event.Stamp{Boot: r.base.Boot, Mono: mono, UTC: utc.Nanos, UTCBound: utc.Bound, Quality: utc.Quality}
}

// mono reads the monotonic clock. A base that goes backwards, which no kernel's does, stands still instead.
func (r *Real) mono() int64 {
	mono := r.base.Mono()
	for {
		last := r.last.Load()
		if mono <= last {
			return last
		}
		if r.last.CompareAndSwap(last, mono) {
			return mono
		}
	}
}

// Resume goes on with the map of an earlier process, and never before its last instant; see Resumer.
func (r *Real) Resume(last event.Stamp) {
	for was := r.last.Load(); last.Boot == r.base.Boot && was < last.Mono && !r.last.CompareAndSwap(was, last.Mono); {
		was = r.last.Load()
	}
	if r.base.Resume != nil {
		r.base.Resume(last)
	}
}

// At calls f at mono; see Clock. After Close nothing is called any more.
func (r *Real) At(mono int64, f func()) (stop func()) {
	r.mu.Lock()
	c := r.calls.Add(mono, f)
	first := r.calls.First() == c
	r.mu.Unlock()
	if first {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls.Remove(c)
	}
}

// Close ends the clock and waits for a call that runs. It must not be called from within one.
func (r *Real) Close() error {
	r.once.Do(func() { close(r.closed) })
	<-r.ended
	return nil
}

func (r *Real) run() {
	defer close(r.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f, wait := r.next()
		if f != nil {
			f()
			wait = 0
		}
		timer.Reset(wait)
		select {
		case <-r.closed:
			return
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// next takes out a call that is due, or returns how much real time to wait for one.
func (r *Real) next() (f func(), wait time.Duration) {
	now := r.base.Mono()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls.First()
	if c == nil {
		return nil, time.Hour
	}
	if c.at <= now {
		r.calls.Remove(c)
		return c.f, 0
	}
	left := float64(c.at-now) / r.base.Scale
	return nil, max(soonest, time.Duration(min(left, float64(time.Hour))))
}
