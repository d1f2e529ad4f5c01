package trial

import (
	"scentpost/station/event"
	"scentpost/station/refusal"
)

// button is a press. What it stands for depends on its role, how long it was held and where the dog last was.
func (m *Machine) button(in event.Event) *refusal.Reason {
	press := in.Body.(*event.Press)
	switch press.Role {
	case event.ButtonEStop:
		return m.emergencyStop(in)
	case event.ButtonAbort, event.ButtonStuck:
		return m.stopButton(in, press.Role)
	case event.ButtonStart, event.ButtonAlert, event.ButtonClear:
	default:
		return inconsistent("a button without a role")
	}
	r := m.run
	if m.phase != Sealed || r == nil {
		return refusal.New(NoRun)
	}
	if m.late(in, 0, string(press.Role)) {
		return nil
	}
	if press.Role != event.ButtonStart {
		return m.callByButton(in, *press)
	}
	in.Run = r.index
	if reason := r.startable(in.At); reason != nil {
		return reason
	}
	m.record(in)
	m.startBy(in)
	return nil
}

// emergencyStop records what devices did below the engine, and takes the run and the session out of service.
func (m *Machine) emergencyStop(in event.Event) *refusal.Reason {
	m.do(CloseAll)
	if m.phase == Idle {
		return nil
	}
	in.Run = m.runIndex()
	m.record(in)
	m.danger(in, event.CauseEStop)
	if m.phase == Sealed {
		m.pauseFor(in, event.CauseEStop)
	}
	return nil
}

// stopButton ends the search: the abort button takes everything to its safe state and pauses the session as well, between
// runs too. A press counts whenever it comes, since it is about safety.
func (m *Machine) stopButton(in event.Event, role event.ButtonRole) *refusal.Reason {
	if m.phase != Sealed || (m.run == nil && role == event.ButtonStuck) {
		return refusal.New(NoRun)
	}
	in.Run = m.runIndex()
	m.record(in)
	if role == event.ButtonStuck {
		m.danger(in, event.CauseButton)
		return nil
	}
	m.do(CloseAll)
	m.danger(in, event.CauseAbortButton)
	m.pauseFor(in, event.CauseAbortButton)
	return nil
}

// callByButton writes the press and the call that it stands for: a short press of the alert button calls the
// position of the last beam, a long one all clear.
func (m *Machine) callByButton(in event.Event, press event.Press) *refusal.Reason {
	r, s := m.run, &m.session
	if r.early(in.At) {
		return refusal.New(NotPresented)
	}
	c := standing{
		Call: event.Call{Kind: event.CallClear, MadeBy: s.opening.Team.Handler, EnteredBy: in.By, Means: event.ByButton},
		at:   in.At,
	}
	if press.Role == event.ButtonAlert && press.HeldMS < s.opening.Settings.LongPress {
		c.byBeam = true
		m.aim(&c)
	}
	in.Run = r.index
	m.record(in)
	derived := event.Event{Type: event.CallMade, Session: in.Session, Run: r.index, At: in.At, By: in.By}
	m.stand(derived, c)
	return nil
}

// aim gives a button's call the position of the last beam that was entered before it, and tells whether that
// changed the call.
func (m *Machine) aim(c *standing) (changed bool) {
	position, adrift := m.run.positionAt(c.at)
	if m.session.plan.Positions == 1 {
		position, adrift = 1, false
	}
	kind := event.CallAt
	if position == 0 {
		kind = event.CallNowhere
	}
	changed = c.Kind != kind || c.Position != position
	c.Kind, c.Position, c.adrift = kind, position, adrift
	return changed
}

// reaim looks again at the calls by button when a beam has reported an entry from before them: sources report in
// their own time, and stamps decide where the dog was.
func (m *Machine) reaim(in event.Event) {
	r := m.run
	for i := range r.calls {
		c := &r.calls[i]
		if c.byBeam && m.aim(c) {
			call := c.Call
			m.derive(event.Event{At: c.at}, event.CallMade, r.index, &call)
		}
	}
}

// positionAt returns the position of the last beam entered at or before a stamp, 0 when there was none. It is
// adrift when error bounds leave open whether another position was entered before it.
func (r *run) positionAt(at event.Stamp) (position int, adrift bool) {
	near := func(n nose) bool { return n.bound+at.Bound > 0 && abs(n.At-at.Mono) <= n.bound+at.Bound }
	n := len(r.noses)
	for n > 0 && r.noses[n-1].At > at.Mono {
		n--
	}
	if n > 0 {
		position = r.noses[n-1].Position
		before := 0
		if n > 1 {
			before = r.noses[n-2].Position
		}
		adrift = near(r.noses[n-1]) && before != position
	}
	for _, later := range r.noses[n:] {
		adrift = adrift || (near(later) && later.Position != position)
	}
	return position, adrift
}
