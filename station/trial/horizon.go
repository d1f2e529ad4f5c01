package trial

import (
	"maps"
	"math"
	"slices"
	"time"

	"scentpost/station/event"
)

// Horizon keeps the engine's timers. A lock is held back until every source of facts has reported past its instant,
// or its declared lateness has run out: only then is everything there that was stamped before it. The other timers
// fire at their instants.
//
// The zero value has no sources and no timers.
type Horizon struct {
	sources map[string]*source
	timers  []Deadline // sorted by time, then by type
}

// source is where facts come from.
type source struct {
	mark     int64         // nothing earlier than this will come
	veiled   bool          // whether and when it reports may not be seen
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

// Veil has every lock wait for a source for all of its lateness, whether it reports or not. An unknown source is ignored.
func (h *Horizon) Veil(name string) {
	if s := h.sources[name]; s != nil {
		s.veiled = true
	}
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
func (h *Horizon) Due(now int64) (d Deadline, ok bool) { return h.DueBy(math.MaxInt64, now) }

// DueBy is Due for the timers set to an instant up to at.
func (h *Horizon) DueBy(at, now int64) (d Deadline, ok bool) {
	for i, d := range h.timers {
		if d.At <= min(at, now) && h.fires(d) <= now {
			h.timers = append(h.timers[:i], h.timers[i+1:]...)
			return d, true
		}
	}
	return Deadline{}, false
}

// Next returns when to look again if nothing comes in: the instant of a timer, or for a lock that is held back the
// end of the longest lateness; ok is false when there is no timer.
func (h *Horizon) Next(now int64) (at int64, ok bool) {
	for _, d := range h.timers {
		next := d.At
		if next <= now {
			next = h.fires(d)
		}
		if !ok || next < at {
			at, ok = next, true
		}
	}
	return at, ok
}

// Empty tells whether no timer is set.
func (h *Horizon) Empty() bool { return len(h.timers) == 0 }

// Waiting tells whether a lock is held back for sources that have not reported past its instant.
func (h *Horizon) Waiting(now int64) bool {
	return slices.ContainsFunc(h.timers, func(d Deadline) bool { return d.At <= now && h.fires(d) > now })
}

// Silent returns the sources that have not reported past an instant, sorted, and whether all of them are veiled.
func (h *Horizon) Silent(mono int64) (names []string, veiled bool) {
	veiled = true
	for _, name := range slices.Sorted(maps.Keys(h.sources)) {
		if s := h.sources[name]; s.mark <= mono {
			names = append(names, name)
			veiled = veiled && s.veiled
		}
	}
	return names, veiled
}

// fires returns when a timer fires: at its instant, or for a lock as much later as the slowest silent or veiled source may
// be late.
func (h *Horizon) fires(d Deadline) int64 {
	latest := d.At
	if d.Timer != event.RunLocked {
		return latest
	}
	for _, s := range h.sources {
		if s.veiled || s.mark <= d.At {
			latest = max(latest, d.At+int64(s.lateness))
		}
	}
	return latest
}
