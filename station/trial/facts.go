package trial

import (
	"scentpost/station/event"
	"scentpost/station/score"
)

// onTime is what late returns for a fact that is not late.
const onTime = "on time"

// late records a fact that is stamped at or before the lock and came after it.
func (m *Machine) late(in event.Event, position int) string {
	r := m.run
	if r.taking() || r.lock.At == 0 || in.At.Mono > r.lock.At {
		return onTime
	}
	in.Run, in.Body = r.index, &event.Lateness{Type: in.Type, At: in.At.Mono, Position: position}
	in.Type = event.Late
	m.record(in)
	return ""
}

// edge keeps a raw edge from arming to closing, within the budget of its line.
func (m *Machine) edge(in event.Event) string {
	r := m.run
	if r == nil || r.state == Purging {
		return ""
	}
	device := in.Body.(*event.RawEdge).Device
	budget := m.session.opening.Settings.EdgeBudget
	r.edges[device]++
	switch n := r.edges[device]; {
	case n <= budget:
		in.Run = r.index
		m.record(in)
	case n == budget+1:
		m.derive(in, event.EdgesSummed, r.index, &event.EdgeSum{Device: device, Budget: budget})
		if r.voidable() {
			m.void(in, event.VoidEdges)
		}
	}
	return ""
}

// beam keeps a nose that entered or left a position.
func (m *Machine) beam(in event.Event) string {
	r := m.run
	if r == nil || r.state == Purging {
		return ""
	}
	position := in.Body.(*event.Beam).Position
	if m.late(in, position) != onTime {
		return ""
	}
	in.Run = r.index
	m.record(in)
	if in.Type != event.BeamEntered || !r.taking() || r.state == Armed || in.At.Mono < r.presentedAt {
		return ""
	}
	r.enter(score.Entry{Position: position, At: in.At.Mono})
	if r.state == Shown {
		m.startBy(in)
	}
	return ""
}

// enter keeps the entries in the order of their stamps: sources may report out of turn.
func (r *run) enter(e score.Entry) {
	i := len(r.entries)
	for i > 0 && r.entries[i-1].At > e.At {
		i--
	}
	r.entries = append(r.entries, score.Entry{})
	copy(r.entries[i+1:], r.entries[i:])
	r.entries[i] = e
}

// moved takes what one position's canister did up to a fixed instant of the run (see Curtain).
func (m *Machine) moved(in event.Event) string {
	r := m.run
	if r == nil {
		return "no run is in progress"
	}
	handling, moves := in.Body.(*event.Handling), in.Secret.(*event.Moves)
	in.Run = r.index
	m.record(in)
	if handling.Instant == event.Presented && (moves.Fault != "" || moves.Confirmed == 0 || moves.Confirmed > r.presentedAt) {
		r.faulty = true
	}
	return ""
}

// restarted puts a session back on its feet after the daemon came back: before the lock the run is void, after it
// the run is closed anew. A call that stood locks the run: it was made, and it is durable.
func (m *Machine) restarted(in event.Event) string {
	if m.phase == Idle {
		return "no session"
	}
	in.Run = m.runIndex()
	m.record(in)
	m.do(CloseAll)
	r := m.run
	if r == nil {
		return ""
	}
	cause := in.Body.(*event.Restart)
	switch {
	case r.state == Called:
		m.lockNow(in)
	case r.voidable():
		m.void(in, cause.Cause)
	case r.state == Purging:
		m.timer(event.RunPurged, in.At.Mono+int64(m.session.plan.Purge))
	default:
		m.timer(event.RunClosed, in.At.Mono+ms(m.session.opening.Settings.CloseMS))
	}
	return ""
}
