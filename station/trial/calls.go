package trial

import (
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
)

// standing is a call that stands.
type standing struct {
	event.Call
	at event.Stamp
	// unclear is set when error bounds leave open whether the call was first or in time.
	unclear bool
	// adrift is set when error bounds leave open at which position a button's call was made.
	adrift bool
	// withdrawable is set for calls that a person entered.
	withdrawable bool
	// byBeam is set for a button's call at the position of the last beam.
	byBeam bool
}

// call is a call entered by a person.
func (m *Machine) call(in event.Event) *refusal.Reason {
	if m.phase != Sealed || m.run == nil {
		return refusal.New(NoRun)
	}
	call := *in.Body.(*event.Call)
	if reason := m.checkCall(call); reason != nil {
		return reason
	}
	if m.run.early(in.At) {
		return refusal.New(NotPresented)
	}
	in.Run = m.run.index
	m.stand(in, standing{Call: call, at: in.At, withdrawable: call.Means != event.ByButton})
	return nil
}

func (m *Machine) checkCall(call event.Call) *refusal.Reason {
	n := m.session.plan.Positions
	inLine := func(p int) bool { return p >= 1 && p <= n }
	switch call.Kind {
	case event.CallAt:
		if !inLine(call.Position) || call.Other != 0 {
			return m.noPosition(call.Position)
		}
	case event.CallBetween:
		if !inLine(call.Position) || !inLine(call.Other) || call.Position == call.Other {
			return refusal.New(NeedsTwoPositions, "positions", n)
		}
	case event.CallClear, event.CallNowhere:
		if call.Position != 0 || call.Other != 0 {
			return refusal.New(NamesNoPosition)
		}
	default:
		return inconsistent("no such call")
	}
	return nil
}

// stand lets a call count. What is stamped after the run ended by another call, by the handler or by its time-out is
// a claim, however early it arrived. In a first-ends plan the earliest call by its stamp locks the run; in the
// others each call locks itself and all clear locks the run.
func (m *Machine) stand(in event.Event, c standing) {
	r := m.run
	if !r.taking() {
		m.claim(in, c.Call)
		return
	}
	if m.firstEnds() && r.state == Called && len(r.calls) > 0 {
		m.decideFirst(in, c)
		return
	}
	if end := r.end(); end != 0 {
		within := c.at.Bound > 0 && abs(end-c.at.Mono) <= c.at.Bound
		if c.at.Mono > end {
			r.doubt = r.doubt || within
			m.claim(in, c.Call)
			return
		}
		c.unclear = within
	}
	m.makeCall(in, c)
	if r.state == Shown {
		m.startBy(in)
	}
	r.calls = append(r.calls, c)
	if m.firstEnds() || c.Kind == event.CallClear {
		m.lockBy(c)
	}
}

// end returns the instant after which nothing counts for the run as things stand, 0 when there is none yet.
func (r *run) end() int64 {
	if r.state == Called {
		return r.lock.At
	}
	return r.timeOutAt
}

func (m *Machine) makeCall(in event.Event, c standing) {
	in.Type, in.Body = event.CallMade, &c.Call
	m.record(in)
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
	fires := c.at.Mono
	if c.withdrawable && !r.settled {
		fires += ms(m.session.opening.Settings.WithdrawMS)
	}
	m.lockTimer(fires)
}

// lockTimer asks for the lock to fall at an instant, and no earlier.
func (m *Machine) lockTimer(at int64) {
	m.run.locksAt = at
	m.timer(event.RunLocked, at)
}

// decideFirst puts a second call beside the one that stands: the stamps decide which was first, and when their
// bounds overlap neither is.
func (m *Machine) decideFirst(in event.Event, c standing) {
	r := m.run
	first := &r.calls[0]
	differs := first.Kind != c.Kind || first.Position != c.Position || first.Other != c.Other
	if first.at.Overlaps(c.at) && differs {
		first.unclear, c.unclear = true, true
	}
	if c.at.Mono >= first.at.Mono {
		m.claim(in, c.Call)
		return
	}
	m.makeCall(in, c)
	r.calls[0] = c
	m.lockBy(c)
}

// claim records a call that came after the one that counts. It changes nothing.
func (m *Machine) claim(in event.Event, call event.Call) {
	in.Type, in.Run, in.Body = event.CallClaimed, m.run.index, &call
	m.record(in)
}

// withdraw takes the last entered call back while its time runs. What is withdrawn stays in the record; the run goes
// on if it was this call that was going to lock it.
func (m *Machine) withdraw(in event.Event) *refusal.Reason {
	r := m.run
	switch {
	case m.phase != Sealed || r == nil || len(r.calls) == 0:
		return refusal.New(NothingToWithdraw)
	case !r.taking():
		return refusal.New(CallLocked)
	}
	c, limit := r.calls[len(r.calls)-1], ms(m.session.opening.Settings.WithdrawMS)
	switch {
	case !c.withdrawable:
		return refusal.New(CalledByButton)
	case r.settled:
		return refusal.New(SearchStopped)
	case in.At.Mono > c.at.Mono+limit:
		return refusal.New(WithdrawTooLate, "limit", time.Duration(limit))
	}
	in.Run = r.index
	m.record(in)
	r.calls = r.calls[:len(r.calls)-1]
	if r.state == Called && r.lock.Reason != event.LockFinished && r.lock.At == c.at.Mono && (m.firstEnds() || c.Kind == event.CallClear) {
		r.state = Searching
		r.lock = event.Lock{}
		m.lockTimer(r.timeOutAt)
	}
	return nil
}

// settle lets what was called stand without its time to be withdrawn: the search was stopped behind it.
func (m *Machine) settle() {
	r := m.run
	r.settled = true
	m.lockTimer(r.lock.At)
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// firstEnds tells whether the first call ends a run of this plan.
func (m *Machine) firstEnds() bool { return m.session.plan.Calls == blind.CallsFirstEnds }
