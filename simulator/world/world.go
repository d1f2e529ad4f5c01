// Package world is a virtual world: one clock, one queue of what will happen and one seed for all chance in it.
//
// One goroutine runs a world and calls its methods; what the world calls back runs on that goroutine. The same
// seed and the same calls give the same history on every machine.
package world

import (
	"fmt"
	"time"

	"scentpost/station/clock"
	"scentpost/station/event"
)

// Start is what the monotonic clock of a new world shows. It is not 0, because 0 means "never" in many places.
const Start = int64(time.Second)

// Midnight of the monotonic clock: 2026-01-01T08:00:00Z, in nanoseconds since 1970.
const utcAtZero = 1_767_254_400 * int64(time.Second)

// DefaultBoot is the boot id of a world that was not given another.
const DefaultBoot = "simulated"

// callsAtOnce is how many calls one instant may hold before the world takes it for a loop that never ends.
const callsAtOnce = 1_000_000

// World is a virtual world. It implements clock.Clock.
type World struct {
	seed    uint64
	boot    string
	now     int64
	calls   clock.Calls
	atOnce  int
	streams map[string]*Stream
}

var _ clock.Clock = (*World)(nil)

// New returns a world at the instant Start, in which nothing is planned.
func New(seed uint64) *World {
	return &World{seed: seed, boot: DefaultBoot, now: Start, streams: map[string]*Stream{}}
}

// Boot makes id the boot id of the stamps that the world gives. A world that runs in real time boots anew each
// time and needs a new one; all others keep DefaultBoot.
func (w *World) Boot(id string) { w.boot = id }

// Seed returns the world's seed.
func (w *World) Seed() uint64 { return w.seed }

// Now returns the present instant, exact and marked as simulated.
func (w *World) Now() event.Stamp {
	return event.Stamp{Boot: w.boot, Mono: w.now, UTC: utcAtZero + w.now, Quality: event.Simulated}
}

// Mono returns the present instant in monotonic nanoseconds.
func (w *World) Mono() int64 { return w.now }

// At calls f at the monotonic instant mono, or next when that is past. Calls come in the order of the instants that
// they were asked for, past ones too, and calls of one instant in the order in which they were asked for.
func (w *World) At(mono int64, f func()) (stop func()) {
	c := w.calls.Add(mono, f)
	return func() { w.calls.Remove(c) }
}

// After calls f once d has passed, next when d is not positive.
func (w *World) After(d time.Duration, f func()) (stop func()) { return w.At(w.now+int64(d), f) }

// Next returns the instant of the next planned call, false when nothing is planned.
func (w *World) Next() (mono int64, planned bool) {
	first := w.calls.First()
	if first == nil {
		return 0, false
	}
	return max(first.At(), w.now), true
}

// Step goes to the next planned call and makes it. It returns false when nothing is planned.
func (w *World) Step() bool {
	c := w.calls.First()
	if c == nil {
		return false
	}
	w.calls.Remove(c)
	if c.At() > w.now {
		w.now, w.atOnce = c.At(), 0
	}
	if w.atOnce++; w.atOnce > callsAtOnce {
		panic(fmt.Sprintf("world: more than %d calls at %d ns: something plans itself again without letting time pass", callsAtOnce, w.now))
	}
	c.Make()
	return true
}

// Run makes every call up to and including the instant until, in order, and leaves the clock there. A past
// instant makes no call.
func (w *World) Run(until int64) {
	for w.within(until) {
		w.Step()
	}
	if until > w.now {
		w.now, w.atOnce = until, 0
	}
}

// within tells whether a call is planned up to an instant.
func (w *World) within(until int64) bool {
	first := w.calls.First()
	return first != nil && first.At() <= until
}

// RunFor is Run until d has passed.
func (w *World) RunFor(d time.Duration) { w.Run(w.now + int64(d)) }

// RunWhile steps as long as more tells so and something is planned, and at most until the instant limit. It
// returns false when it stopped for another reason than more.
func (w *World) RunWhile(more func() bool, limit int64) bool {
	for more() {
		if !w.within(limit) {
			return false
		}
		w.Step()
	}
	return true
}
