package trial

import (
	"scentpost/station/dwell"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/score"
)

// nose is a nose that a beam saw enter, or that the assessor saw.
type nose struct {
	score.Entry
	bound int64
}

// early tells whether a stamp lies before the run was presented.
func (r *run) early(at event.Stamp) bool { return r.state == Armed || at.Mono < r.presentedAt }

// late records a fact that is stamped at or before the lock and came after it. It tells whether it was. Instants of
// two boots cannot be compared: what comes in another boot than the search's is behind it.
func (m *Machine) late(in event.Event, position int, detail string) bool {
	r := m.run
	if r.taking() || r.lock.Reason == "" || in.At.Mono > r.lock.At || in.At.Boot != r.boot {
		return false
	}
	in.Run, in.Body = r.index, &event.Lateness{Type: in.Type, At: in.At.Mono, Position: position, Detail: detail}
	in.Type = event.Late
	m.record(in)
	return true
}

// edge keeps a raw edge from arming to closing, within the budget of its line.
func (m *Machine) edge(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil || r.state == Purging {
		return nil
	}
	device := in.Body.(*event.RawEdge).Device
	spent, budget := r.count(device), m.session.opening.Settings.EdgeBudget
	switch {
	case *spent < budget:
		*spent++
		in.Run = r.index
		m.record(in)
	case *spent == budget:
		in.Type, in.By, in.Body = event.EdgesSummed, event.ByStation, &event.EdgeSum{Device: device, Budget: budget}
		return m.summed(in)
	}
	return nil
}

// summed stands for the edge that is one too many; what its line still does is not kept.
func (m *Machine) summed(in event.Event) *refusal.Reason {
	r, sum := m.run, in.Body.(*event.EdgeSum)
	if r == nil || r.state == Purging || in.By != event.ByStation {
		return refusal.New(NoRun)
	}
	spent := r.count(sum.Device)
	if sum.Budget != m.session.opening.Settings.EdgeBudget || *spent != sum.Budget {
		return inconsistent("the budget of this line is not spent")
	}
	*spent++
	in.Run = r.index
	m.record(in)
	m.danger(in, event.CauseEdges)
	return nil
}

// lost takes that edges are missing, once a run, or once more where only that voids it. Before the lock that voids the run;
// after it, it is a note.
func (m *Machine) lost(in event.Event) *refusal.Reason {
	r := m.run
	switch {
	case r == nil || r.state == Voided || r.state == Aborted || r.state == Purging:
		return nil
	case r.lossy && !r.voidableBy(in.At.Mono):
		return nil
	case in.By != event.ByStation:
		return inconsistent("only the station knows what it lost")
	}
	r.lossy = true
	in.Run = r.index
	m.record(in)
	if r.voidableBy(in.At.Mono) {
		m.void(in, event.CauseLost)
	}
	return nil
}

// line counts the raw edges of one line in a run.
type line struct {
	device string
	edges  int
}

// count returns the counter of a line. A station has few lines, and one that speaks mostly speaks again.
func (r *run) count(device string) *int {
	for i := range r.lines {
		if r.lines[i].device == device {
			if i > 0 {
				r.lines[i], r.lines[i-1] = r.lines[i-1], r.lines[i]
				i--
			}
			return &r.lines[i].edges
		}
	}
	r.lines = append(r.lines, line{device: device})
	return &r.lines[len(r.lines)-1].edges
}

// beam keeps a nose that entered or left a position. Only positions of the plan count: a station may have more.
func (m *Machine) beam(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil || r.state == Purging {
		return nil
	}
	position := in.Body.(*event.Beam).Position
	if m.late(in, position, "") {
		return nil
	}
	in.Run = r.index
	m.record(in)
	inLine := position >= 1 && position <= m.session.plan.Positions
	if !inLine || !r.taking() || r.early(in.At) {
		return nil
	}
	entered := in.Type == event.BeamEntered
	r.passes = append(r.passes, dwell.Pass{Position: position, Entered: entered, At: in.At.Mono, Bound: in.At.Bound})
	if !entered {
		return nil
	}
	r.noses = insert(r.noses, nose{Entry: score.Entry{Position: position, At: in.At.Mono}, bound: in.At.Bound})
	if r.state == Shown {
		m.startBy(in)
	}
	m.reaim(in)
	return nil
}

// insert keeps noses in the order of their stamps: sources may report out of turn.
func insert(noses []nose, n nose) []nose {
	i := len(noses)
	for i > 0 && noses[i-1].At > n.At {
		i--
	}
	noses = append(noses, nose{})
	copy(noses[i+1:], noses[i:])
	noses[i] = n
	return noses
}

// observed is what the assessor saw. It may be entered until the session ends.
func (m *Machine) observed(in event.Event) *refusal.Reason {
	o := in.Body.(*event.Observation)
	switch {
	case m.phase != Sealed:
		return refusal.New(NotSealed)
	case o.Position < 0 || o.Position > m.session.plan.Positions:
		return m.noPosition(o.Position)
	case o.What != "change of behaviour" && o.What != "final response" && o.What != "hesitation":
		return refusal.New(UnknownObservation, "what", o.What)
	}
	in.Run = m.runIndex()
	m.record(in)
	if r := m.run; r != nil && r.taking() && !r.early(in.At) && o.Position > 0 {
		r.seen = append(r.seen, nose{Entry: score.Entry{Position: o.Position, At: in.At.Mono}})
	}
	return nil
}

// noted is a fault of the station that can void nothing any more: an annotation.
func (m *Machine) noted(in event.Event) *refusal.Reason {
	if m.run == nil || in.By != event.ByStation {
		return refusal.New(NoRun)
	}
	in.Run = m.run.index
	m.record(in)
	return nil
}

// restarted puts a session back on its feet after the daemon came back: before the lock the run is void, after it
// the run is closed anew. A call that stood locks the run: it was made, and it is durable.
func (m *Machine) restarted(in event.Event) *refusal.Reason {
	if m.phase == Idle {
		return refusal.New(NoSession)
	}
	if in.By != event.ByStation {
		return inconsistent("only the station knows that it restarted")
	}
	in.Run = m.runIndex()
	m.record(in)
	m.do(CloseAll)
	m.do(StopTimers)
	r := m.run
	if r == nil {
		return nil
	}
	cause := in.Body.(*event.Restart).Cause
	if cause == "" {
		cause = event.CauseRestart
	}
	switch {
	case r.state == Called:
		m.lockNow(in)
	case r.voidable():
		m.void(in, cause)
	case r.state == Purging:
		m.purge(in.At.Mono)
	default:
		m.fixedTimer(event.RunClosed, in.At.Mono+ms(m.session.opening.Settings.CloseMS))
	}
	return nil
}
