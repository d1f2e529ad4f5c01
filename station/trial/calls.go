package trial

import (
	"scentpost/station/blind"
	"scentpost/station/event"
)

// button is a press. What it stands for depends on its role, how long it was held and where the dog last was.
func (m *Machine) button(in event.Event) string {
	press := in.Body.(*event.Press)
	if press.Role == event.ButtonEStop {
		return m.emergencyStop(in)
	}
	r := m.run
	if m.phase != Sealed || r == nil {
		return "no run is in progress"
	}
	if reason := m.late(in, 0); reason != onTime {
		return ""
	}
	switch press.Role {
	case event.ButtonStart:
		in.Run = r.index
		if r.state != Shown {
			return "no run is presented"
		}
		m.record(in)
		m.startBy(in)
	case event.ButtonAbort:
		in.Run = r.index
		m.record(in)
		if r.voidable() {
			m.void(in, "abort button")
		}
		m.pauseFor(in, "abort button")
	case event.ButtonStuck:
		in.Run = r.index
		m.record(in)
		if r.voidable() {
			m.void(in, event.VoidButton)
		}
	case event.ButtonAlert, event.ButtonClear:
		return m.callByButton(in, *press)
	default:
		return "a button without a role"
	}
	return ""
}

// emergencyStop records what devices did below the engine, and takes the run and the session out of service.
func (m *Machine) emergencyStop(in event.Event) string {
	m.do(CloseAll)
	if m.phase == Idle {
		return ""
	}
	in.Run = m.runIndex()
	m.record(in)
	if m.run != nil && m.run.voidable() {
		m.void(in, event.VoidEStop)
	}
	if m.phase == Sealed {
		m.pauseFor(in, event.VoidEStop)
	}
	return ""
}

// callByButton writes the press and the call that it stands for: a short press of the alert button calls the
// position of the last beam, a long one all clear.
func (m *Machine) callByButton(in event.Event, press event.Press) string {
	r, s := m.run, &m.session
	if r.state == Armed {
		return "the run was not presented yet"
	}
	call := event.Call{Kind: event.CallAt, Position: r.positionAt(in.At.Mono), MadeBy: s.opening.Team.Handler, EnteredBy: in.By, Means: event.ByButton}
	switch {
	case press.Role == event.ButtonClear, press.HeldMS >= s.opening.Settings.LongPress:
		call.Kind, call.Position = event.CallClear, 0
	case call.Position == 0 && s.plan.Positions == 1:
		call.Position = 1
	case call.Position == 0:
		call.Kind = event.CallNowhere
	}
	in.Run = r.index
	m.record(in)
	derived := event.Event{Type: event.CallMade, Session: in.Session, Run: r.index, At: in.At, By: in.By, Body: &call}
	if r.state == Shown {
		m.startBy(in)
	}
	m.stand(derived, call)
	return ""
}

// positionAt returns the position of the last beam entered at or before mono, 0 when there was none.
func (r *run) positionAt(mono int64) int {
	for i := len(r.entries) - 1; i >= 0; i-- {
		if r.entries[i].At <= mono {
			return r.entries[i].Position
		}
	}
	return 0
}

// call is a call entered by a person.
func (m *Machine) call(in event.Event) string {
	r := m.run
	if m.phase != Sealed || r == nil {
		return "no run is in progress"
	}
	call := *in.Body.(*event.Call)
	if reason := m.checkCall(call); reason != "" {
		return reason
	}
	if r.state == Armed {
		return "the run was not presented yet"
	}
	if r.state == Shown {
		m.startBy(in)
	}
	in.Run = r.index
	m.stand(in, call)
	return ""
}

func (m *Machine) checkCall(call event.Call) string {
	n := m.session.plan.Positions
	inLine := func(p int) bool { return p >= 1 && p <= n }
	switch call.Kind {
	case event.CallAt:
		if !inLine(call.Position) {
			return "no such position"
		}
	case event.CallBetween:
		if !inLine(call.Position) || !inLine(call.Other) || call.Position == call.Other {
			return "a call between two positions names two of the line"
		}
	case event.CallClear, event.CallNowhere:
		if call.Position != 0 || call.Other != 0 {
			return "this call names no position"
		}
	default:
		return "no such call"
	}
	return ""
}

// stand lets a call count: in a first-ends plan the earliest one by its stamp locks the run, later ones are
// claims; in the others each call locks itself and all clear locks the run.
func (m *Machine) stand(in event.Event, call event.Call) {
	r := m.run
	if !r.taking() {
		m.claim(in, call)
		return
	}
	c := standing{Call: call, at: in.At, withdrawable: call.Means != event.ByButton}
	switch {
	case m.firstEnds():
		if r.state == Called && len(r.calls) > 0 {
			m.decideFirst(in, c)
			return
		}
	case r.state == Called && in.At.Mono > r.lock.At:
		m.claim(in, call)
		return
	}
	in.Type, in.Body = event.CallMade, &call
	m.record(in)
	r.calls = append(r.calls, c)
	if m.firstEnds() || call.Kind == event.CallClear {
		m.lockBy(c)
	}
}

// lockBy sets the run to lock at the instant of a call; the timer leaves an entered call its time to be
// withdrawn.
func (m *Machine) lockBy(c standing) {
	r := m.run
	r.state = Called
	r.lock = event.Lock{Reason: event.LockCall, At: c.at.Mono}
	if c.Kind == event.CallClear {
		r.lock.Reason = event.LockClear
	}
	if r.timeOutAt != 0 && c.at.Bound > 0 && abs(r.timeOutAt-c.at.Mono) <= c.at.Bound {
		r.calls[len(r.calls)-1].inconclusive = true
	}
	fires := c.at.Mono
	if c.withdrawable {
		fires += ms(m.session.opening.Settings.WithdrawMS)
	}
	m.timer(event.RunLocked, fires)
}

// decideFirst puts a second call beside the one that stands: the stamps decide which was first, and when their
// bounds overlap neither is.
func (m *Machine) decideFirst(in event.Event, c standing) {
	r := m.run
	first := &r.calls[0]
	differs := first.Kind != c.Kind || first.Position != c.Position || first.Other != c.Other
	if first.at.Overlaps(c.at) && differs {
		first.inconclusive, c.inconclusive = true, true
	}
	if c.at.Mono >= first.at.Mono {
		m.claim(in, c.Call)
		return
	}
	in.Type, in.Body = event.CallMade, &c.Call
	m.record(in)
	r.calls = append([]standing{c}, r.calls[1:]...)
	m.lockBy(c)
}

// claim records a call that came after the one that counts. It changes nothing.
func (m *Machine) claim(in event.Event, call event.Call) {
	in.Type, in.Run, in.Body = event.CallClaimed, m.run.index, &call
	m.record(in)
}

// withdraw takes an entered call back while its time runs. What is withdrawn stays in the record.
func (m *Machine) withdraw(in event.Event) string {
	r := m.run
	if m.phase != Sealed || r == nil || len(r.calls) == 0 || !r.taking() {
		return "no call that could be withdrawn"
	}
	c := r.calls[len(r.calls)-1]
	switch {
	case !c.withdrawable:
		return "a call by button stands"
	case in.At.Mono > c.at.Mono+ms(m.session.opening.Settings.WithdrawMS):
		return "the time to withdraw has run out"
	}
	in.Run = r.index
	m.record(in)
	r.calls = r.calls[:len(r.calls)-1]
	if r.state == Called {
		r.state = Searching
		r.lock = event.Lock{}
		m.timer(event.RunLocked, r.timeOutAt)
	}
	return ""
}

// observed is what the assessor saw. It may be entered until the session ends.
func (m *Machine) observed(in event.Event) string {
	if m.phase != Sealed {
		return "no sealed session"
	}
	o := in.Body.(*event.Observation)
	if o.Position < 0 || o.Position > m.session.plan.Positions {
		return "no such position"
	}
	in.Run = m.runIndex()
	m.record(in)
	if r := m.run; r != nil && r.taking() && o.Position > 0 {
		r.observed[o.Position] = true
	}
	return ""
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// firstEnds tells whether the first call ends a run of this plan.
func (m *Machine) firstEnds() bool { return m.session.plan.Calls == blind.CallsFirstEnds }
