package trial

import (
	"math"
	"time"

	"scentpost/station/event"
)

// Horizon holds the engine's timers back until every source of facts has reported past their instant, or its
// declared lateness has run out: only then is everything there that was stamped before it.
//
// The zero value has no sources and no timers.
type Horizon struct {
	sources map[string]*source
	timers  []Deadline // sorted by time, then by type
}

// source is where facts come from.
type source struct {
	mark     int64         // nothing earlier than this will come
	lateness time.Duration // how long after an instant its facts may take; past that they are late
}

// Deadline is a timer of the engine.
type Deadline struct {
	Timer event.Type
	At    int64 // monotonic nanoseconds
}

// Source declares a source of facts and how late they may be.
func (h *Horizon) Source(name string, lateness time.Duration) {
	if h.sources == nil {
		h.sources = map[string]*source{}
	}
	h.sources[name] = &source{mark: math.MinInt64, lateness: lateness}
}

// Mark notes that nothing stamped earlier than mono will come from a source. An unknown source is ignored: its
// facts were never waited for.
func (h *Horizon) Mark(name string, mono int64) {
	if s := h.sources[name]; s != nil && mono > s.mark {
		s.mark = mono
	}
}

// Set sets a timer, in the place of an earlier one of its type.
func (h *Horizon) Set(timer event.Type, at int64) {
	h.Stop(timer)
	d := Deadline{Timer: timer, At: at}
	i := 0
	for i < len(h.timers) && before(h.timers[i], d) {
		i++
	}
	h.timers = append(h.timers, Deadline{})
	copy(h.timers[i+1:], h.timers[i:])
	h.timers[i] = d
}

func before(a, b Deadline) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	return a.Timer < b.Timer
}

// Stop forgets a timer.
func (h *Horizon) Stop(timer event.Type) {
	for i, d := range h.timers {
		if d.Timer == timer {
			h.timers = append(h.timers[:i], h.timers[i+1:]...)
			return
		}
	}
}

// Clear forgets every timer.
func (h *Horizon) Clear() { h.timers = h.timers[:0] }

// Due takes out the first timer that may fire at the instant now; ok is false when none may.
func (h *Horizon) Due(now int64) (d Deadline, ok bool) {
	if len(h.timers) == 0 || h.opens(h.timers[0].At) > now {
		return Deadline{}, false
	}
	d = h.timers[0]
	h.timers = append(h.timers[:0], h.timers[1:]...)
	return d, true
}

// Next returns the instant at which the first timer may fire if no source reports any more; ok is false when
// there is no timer.
func (h *Horizon) Next() (at int64, ok bool) {
	if len(h.timers) == 0 {
		return 0, false
	}
	return h.opens(h.timers[0].At), true
}

// opens returns when a timer set for the instant at may fire: then, or as much later as the slowest silent source
// may be late.
func (h *Horizon) opens(at int64) int64 {
	latest := at
	for _, s := range h.sources {
		if s.mark <= at {
			latest = max(latest, at+int64(s.lateness))
		}
	}
	return latest
}
