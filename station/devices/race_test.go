package devices

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/clock"
	"scentpost/station/event"
)

// live is a bus whose answers, edges and marks come from goroutines of their own, and a sink that checks order.
type live struct {
	mono    atomic.Int64
	sink    bus.Sink
	answers chan func()
	station atomic.Pointer[Station]

	mu     sync.Mutex // guards what follows
	busy   bool
	mark   int64
	events int
	wrong  []string
	open   map[string]bool
}

func (l *live) Watch(_ []string, sink bus.Sink) error { l.sink = sink; return nil }
func (l *live) Level(string) (bool, error)            { return false, nil }
func (l *live) Sources() map[string]time.Duration     { return map[string]time.Duration{"gpio": 0} }
func (l *live) Close() error                          { return nil }

func (l *live) Output(line string, _ bool) (bus.Output, error) { return liveOutput{l, line}, nil }

type liveOutput struct {
	*live
	line string
}

func (o liveOutput) Set(level bool, _ int64, _ time.Duration, done func(int64, error)) {
	o.mu.Lock()
	o.open[o.line] = level
	o.mu.Unlock()
	if done != nil {
		o.answers <- func() { done(o.mono.Add(1), nil) }
	}
}

func (l *live) begin() func() {
	l.mu.Lock()
	if l.busy {
		l.wrong = append(l.wrong, "two calls of the sink at once")
	}
	l.busy = true
	l.mu.Unlock()
	return func() { l.mu.Lock(); l.busy = false; l.mu.Unlock() }
}

func (l *live) Event(e event.Event) {
	defer l.begin()()
	l.mu.Lock()
	l.events++
	if (e.Type == event.BeamEntered || e.Type == event.BeamLeft) && e.At.Mono < l.mark {
		l.wrong = append(l.wrong, fmt.Sprintf("%s stamped %d after mark %d", e.Type, e.At.Mono, l.mark))
	}
	l.mu.Unlock()
	if s := l.station.Load(); s != nil && e.Type == event.BeamLeft {
		s.CloseAll() // from within the sink
	}
}

func (l *live) Watermark(_ string, mono int64) {
	defer l.begin()()
	l.mu.Lock()
	l.mark = mono
	l.mu.Unlock()
}

// Edges, marks, answers, timers and commands come from goroutines of their own: nothing deadlocks, the sink is
// called by one at a time, a fact comes before the mark that passes it, and closed is the last word.
func TestManyGoroutines(t *testing.T) {
	l := &live{answers: make(chan func(), 1<<16), open: map[string]bool{}}
	l.mono.Store(1)
	c, err := clock.New(clock.Simulated("b", 1000, func() int64 { return l.mono.Load() }, func(m int64) int64 { return m }))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(layout(), l, c, l)
	if err != nil {
		t.Fatal(err)
	}
	var apart, wg sync.WaitGroup
	s.apart = func(f func()) { apart.Go(f) } // drives are overdue on a clock that runs as fast as this one
	l.station.Store(s)
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case f := <-l.answers:
				f()
			case <-stop:
				return
			}
		}
	})
	var work sync.WaitGroup
	work.Go(func() { // the bus's goroutine
		for i := range 3000 {
			line := fmt.Sprint("beam", 1+i%6)
			l.sink.Edge(bus.Edge{Line: line, Level: i/6%2 == 0, Mono: l.mono.Add(9 * ms), Source: "gpio", Seq: uint64(i + 1)})
			l.sink.Watermark(bus.Watermark{Source: "gpio", Mono: l.mono.Load()})
		}
	})
	for range 3 {
		work.Go(func() {
			for i := range 500 {
				s.Move(l.mono.Load(), time.Second, run("ABABAB"))
				if i%3 == 0 {
					s.CloseAll()
				}
				s.Light("ready", i%2 == 0, 0)
			}
		})
	}
	work.Wait()
	s.CloseAll()
	close(stop)
	wg.Wait()
	c.Close() // its goroutine, or one of those apart, may be the one that tells what is left
	apart.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.wrong[:min(5, len(l.wrong))] {
		t.Error(w)
	}
	for line, open := range l.open {
		if open && line != "lamp" {
			t.Errorf("%s is open after CloseAll", line)
		}
	}
	if l.events < 3000 {
		t.Errorf("%d events", l.events)
	}
}
