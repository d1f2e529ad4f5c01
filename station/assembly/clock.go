package assembly

import (
	"fmt"
	"time"

	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// longOff is how far a clock may be off before somebody is told: by then records of two stations, or of a station and
// a camera, cannot be laid side by side any more. At the drift that is assumed it takes a day without a time server.
const longOff = 10 * time.Second

// clockWatch looks after the clock of the machine, in the same round as the machine's other vitals.
type clockWatch struct {
	mapped event.Stamp            // by the map that was last seen
	told   map[health.Code]string // what is raised, with its evidence
}

// look looks at the clock, raises and clears its conditions, and lets the host look too: at a map that has changed, and
// in a session always, so that the bound of its stamps is that of the hour. It says when to look again.
func (w *clockWatch) look(s *Station) time.Duration {
	view := s.gate.Snapshot().View
	var state *clock.State
	keeper := s.kept.Load()
	if keeper != nil {
		keeper.Look()
		now := keeper.State()
		state = &now
		changed := w.changed(keeper.Keeper)
		if h := s.gate.behind(); h != nil && (changed || view.Phase != trial.Idle) {
			h.LookAtClock()
		}
	}
	w.tell(s, clockConditions(state, view))
	if keeper != nil && view.Phase != trial.Idle {
		return max(leastPause, time.Duration(float64(clockInSession)/keeper.scale))
	}
	return clockEvery
}

// changed tells whether the keeper's map is another than when it was last asked.
func (w *clockWatch) changed(keeper *clock.Keeper) bool {
	base := keeper.Base()
	mono := base.Mono()
	utc := keeper.UTC(mono)
	now := event.Stamp{Boot: base.Boot, Mono: mono, UTC: utc.Nanos, Quality: utc.Quality}
	was := w.mapped
	w.mapped = now
	return !now.SameMap(was)
}

// tell raises what is new and clears what is over. What stays as it was is not raised again and again.
func (w *clockWatch) tell(s *Station, found map[health.Code]string) {
	if w.told == nil {
		w.told = map[health.Code]string{}
	}
	for _, code := range []health.Code{health.ClockUnset, health.ClockHoldover, health.ClockStepped} {
		evidence, holds := found[code]
		before, held := w.told[code]
		switch {
		case holds && (!held || before != evidence):
			s.conditions.Raise(code, "", evidence)
			w.told[code] = evidence
		case !holds && held:
			s.conditions.Clear(code, "")
			delete(w.told, code)
		}
	}
}

// clockConditions says what is wrong with a clock, with the evidence; state is nil where the clock is simulated.
func clockConditions(state *clock.State, view trial.View) map[health.Code]string {
	found := map[health.Code]string{}
	if view.Clock.Steps > 0 && view.Phase != trial.Idle {
		found[health.ClockStepped] = view.Clock.StepText()
	}
	switch {
	case state == nil:
	case state.Quality == event.Unset && state.Err != nil:
		found[health.ClockUnset] = "the kernel does not say how good its clock is: " + state.Err.Error()
	case state.Quality == event.Unset:
		found[health.ClockUnset] = "no time server has set it since this machine started, or it was set by hand after that"
	case state.Bound > longOff:
		found[health.ClockHoldover] = fmt.Sprintf("%s; it may be %s off", lastSync(state.SinceSync), state.Bound.Round(time.Second))
	}
	return found
}

func lastSync(ago time.Duration) string {
	switch {
	case ago < 0:
		return "it was not synchronised since this daemon started"
	case ago < time.Minute:
		return "its time server is as bad"
	}
	return fmt.Sprintf("it was last synchronised %s ago", ago.Round(time.Hour))
}
