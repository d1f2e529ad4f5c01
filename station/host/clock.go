package host

import (
	"scentpost/station/clock"
	"scentpost/station/event"
)

// The UTC of everything that the host writes goes by one map from monotonic time, which h.utc stands for: any stamp
// that was made by it. The clock may change its map at any moment; the host takes the new one over only when it is told
// to look, with a record of it when a session is active. So between two clock.fixed UTC is a function of the monotonic
// time, whatever the wall clock did, and in whichever order facts of several sources come in.

// LookAtClock lets the host look whether the clock's map has changed. Whoever looks after the clock calls it at a steady
// pace: a look that came with whatever else comes in would tell when a canister moved. It may be called from any
// goroutine.
func (h *Host) LookAtClock() { h.inbox.push(input{kind: inClock}) }

// look takes over the clock's map when it is another than the one in force. The map in force when a session opens
// needs no record of its own: the stamp of session.opened holds it.
func (h *Host) look() {
	now := h.opt.Clock.Now()
	was := h.utc
	if now.SameMap(was) {
		h.utc.UTCBound = now.UTCBound
		return
	}
	h.utc = now
	if _, active := h.machine.Session(); !active || h.failed != nil {
		return
	}
	fix := event.ClockFix{Quality: now.Quality, NewBoot: now.Boot != was.Boot}
	if !fix.NewBoot {
		fix.StepNS = now.Offset() - was.Offset()
	}
	h.step(event.Event{Type: event.ClockFixed, At: now, By: event.ByStation, Body: &fix})
}

// now returns the present instant by the map in force.
func (h *Host) now() event.Stamp { return h.date(h.opt.Clock.Now()) }

// date gives a stamp the UTC that the map in force has for its instant.
func (h *Host) date(at event.Stamp) event.Stamp {
	dated := h.utc.AtMono(at.Mono)
	dated.Bound = at.Bound
	return dated
}

// resume goes on with the map of an interrupted session, given its last stamp. What the clock says now is another map
// when it was stepped meanwhile, and always when the boot is new.
func (h *Host) resume(last event.Stamp) {
	if c, can := h.opt.Clock.(clock.Resumer); can {
		c.Resume(last)
	}
	h.utc = last
	h.look()
}
