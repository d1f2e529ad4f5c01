package trial

import (
	"strings"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// clockFixed annotates the session with a change of the map from monotonic time to UTC. It voids nothing: order and
// durations never use UTC. (A lost monotonic base does; it comes as a restart of another boot.)
func (m *Machine) clockFixed(in event.Event) *refusal.Reason {
	switch {
	case m.phase == Idle:
		return refusal.New(NoSession)
	case in.By != event.ByStation:
		return inconsistent("only the station knows what its clock does")
	}
	in.Run = m.runIndex()
	m.keep(in)
	if m.run == nil {
		return nil
	}
	for i := range m.run.calls { // a call may be written once more, when a beam reports from before it
		if at := &m.run.calls[i].at; at.Boot == in.At.Boot {
			bound := at.Bound
			*at = in.At.AtMono(at.Mono)
			at.Bound = bound
		}
	}
	return nil
}

// clockSaid is what a named person says that the time is. A clock that somebody set needs nobody's word.
func (m *Machine) clockSaid(in event.Event) *refusal.Reason {
	said := in.Body.(*event.TimeSaid)
	switch _, err := said.Time(); {
	case m.phase == Idle:
		return refusal.New(NoSession)
	case err != nil:
		return refusal.New(NoDate, refusal.Detail, err)
	case !strings.HasPrefix(in.By, event.PersonPrefix):
		return refusal.New(PersonUnnamed)
	case in.At.Quality != event.Unset && in.At.Quality != event.Holdover:
		return refusal.New(ClockSet)
	}
	in.Run = m.runIndex()
	m.keep(in)
	return nil
}

// keep records what changes the worth of the session's UTC.
func (m *Machine) keep(in event.Event) {
	m.session.clock.Take(&in)
	m.record(in)
}
