package trial

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// sample asks for the air of an instant that everybody knows.
func (m *Machine) sample(at event.Stamp) {
	m.session.airAt, m.session.air = at, nil
	m.out = append(m.out, Effect{Kind: Sample, At: at.Mono})
}

// air keeps what a sensor of the air said at the instant that it was asked for. It decides nothing.
func (m *Machine) air(in event.Event) *refusal.Reason {
	s, air := &m.session, in.Body.(*event.Air)
	again := slices.ContainsFunc(s.air, func(a event.Air) bool { return a.Device == air.Device })
	switch {
	case m.phase != Sealed || in.By != event.ByStation || in.At != s.airAt:
		return inconsistent("the air is sampled when a session is sealed and when a run is armed")
	case air.Device == "" || again:
		return inconsistent("each sensor of the air is asked once")
	}
	in.Run = m.runIndex()
	m.record(in)
	s.air = append(slices.Clip(s.air), *air)
	return nil
}
