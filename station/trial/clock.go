package trial

import (
	"strings"

	"scentpost/station/event"
)

// clockFixed annotates the session with a change of the map from monotonic time to UTC. It voids nothing: order and
// durations never use UTC. (A lost monotonic base does; it comes as a restart of another boot.)
func (m *Machine) clockFixed(in event.Event) string {
	switch {
	case m.phase == Idle:
		return "no session"
	case in.By != event.ByStation:
		return "only the station knows what its clock does"
	}
	in.Run = m.runIndex()
	m.keep(in)
	if m.run == nil {
		return ""
	}
	for i := range m.run.calls { // a call may be written once more, when a beam reports from before it
		if at := &m.run.calls[i].at; at.Boot == in.At.Boot {
			bound := at.Bound
			*at = in.At.AtMono(at.Mono)
			at.Bound = bound
		}
	}
	return ""
}

// clockSaid is what a named person says that the time is. A clock that somebody set needs nobody's word.
func (m *Machine) clockSaid(in event.Event) string {
	said := in.Body.(*event.TimeSaid)
	switch _, err := said.Time(); {
	case m.phase == Idle:
		return "no session: open one, then say what the time is"
	case err != nil:
		return err.Error()
	case !strings.HasPrefix(in.By, event.PersonPrefix):
		return "only a named person can say what the time is"
	case in.At.Quality != event.Unset && in.At.Quality != event.Holdover:
		return "the station's clock is set: nobody needs to say what the time is"
	}
	in.Run = m.runIndex()
	m.keep(in)
	return ""
}

// keep records what changes the worth of the session's UTC.
func (m *Machine) keep(in event.Event) {
	m.session.clock.Take(&in)
	m.record(in)
}
