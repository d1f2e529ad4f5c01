package trial

import (
	"maps"
	"math"
	"slices"
	"time"

	"scentpost/station/event"
)

// horizon keeps the engine's timers. A lock is held back until every source of facts has reported past its instant,
// or its declared lateness has run out: only then is everything there that was stamped before it. The other timers
// fire at their instants.
//
// The zero value has no sources and no timers.
type horizon struct {
	sources map[string]*source
	timers  []deadline // sorted by time, then by type
}

// source is where facts come from.
type source struct {
	mark     int64         // nothing earlier than this will come
	veiled   bool          // whether and when it reports may not be seen
	lateness time.Duration // how long after an instant its facts may take; past that they are late
}

// deadline is a timer of the engine.
type deadline struct {
	timer event.Type
	at    int64 // monotonic nanoseconds
}

// declare adds a source of facts, and how late they may be. Every lock waits for all of a veiled source's lateness, whether
// it reports or not.
func (h *horizon) declare(name string, lateness time.Duration, veiled bool) {
	if h.sources == nil {
		h.sources = map[string]*source{}
	}
	h.sources[name] = &source{mark: math.MinInt64, lateness: lateness, veiled: veiled}
}

// mark notes that nothing stamped earlier than mono will come from a source. An unknown source is ignored: its
// facts were never waited for.
func (h *horizon) mark(name string, mono int64) {
	if s := h.sources[name]; s != nil && mono > s.mark {
		s.mark = mono
	}
}

// set sets a timer, in the place of an earlier one of its type.
func (h *horizon) set(timer event.Type, at int64) {
	h.stop(timer)
	d := deadline{timer, at}
	i := 0
	for i < len(h.timers) && before(h.timers[i], d) {
		i++
	}
	h.timers = append(h.timers, deadline{})
	copy(h.timers[i+1:], h.timers[i:])
	h.timers[i] = d
}

func before(a, b deadline) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return a.timer < b.timer
}

// stop forgets a timer.
func (h *horizon) stop(timer event.Type) {
	for i, d := range h.timers {
		if d.timer == timer {
			h.timers = append(h.timers[:i], h.timers[i+1:]...)
			return
		}
	}
}

// clear forgets every timer.
func (h *horizon) clear() { h.timers = h.timers[:0] }

// due takes out the first timer set to an instant up to at that may fire at the instant now; ok is false when none may.
func (h *horizon) due(at, now int64) (d deadline, ok bool) {
	for i, d := range h.timers {
		if d.at <= min(at, now) && h.fires(d) <= now {
			h.timers = append(h.timers[:i], h.timers[i+1:]...)
			return d, true
		}
	}
	return deadline{}, false
}

// next returns when to look again if nothing comes in: the instant of a timer, or for a lock that is held back the
// end of the longest lateness; ok is false when there is no timer.
func (h *horizon) next(now int64) (at int64, ok bool) {
	for _, d := range h.timers {
		next := d.at
		if next <= now {
			next = h.fires(d)
		}
		if !ok || next < at {
			at, ok = next, true
		}
	}
	return at, ok
}

// waiting tells whether a lock is held back for sources that have not reported past its instant.
func (h *horizon) waiting(now int64) bool {
	return slices.ContainsFunc(h.timers, func(d deadline) bool { return d.at <= now && h.fires(d) > now })
}

// silent returns the sources that have not reported past an instant, sorted, and whether all of them are veiled.
func (h *horizon) silent(mono int64) (names []string, veiled bool) {
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
func (h *horizon) fires(d deadline) int64 {
	latest := d.at
	if d.timer != event.RunLocked {
		return latest
	}
	for _, s := range h.sources {
		if s.veiled || s.mark <= d.at {
			latest = max(latest, d.at+int64(s.lateness))
		}
	}
	return latest
}
