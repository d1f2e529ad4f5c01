package trial

import (
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/score"
)

// run is one search of the line, from arming to the end of its purge.
type run struct {
	index     int
	used      int // which placement of its commitment is presented
	placement event.Placement
	state     RunState
	outcome   RunState // Completed, Voided or Aborted once it ended
	reason    string   // of the void

	moveAt, presentedAt int64
	startedAt           int64 // 0 when the search was not started
	timeOutAt           int64
	lock                event.Lock

	calls    []standing
	entries  []score.Entry
	observed map[int]bool
	last     int // the position of the last beam, 0 before one
	lastAt   int64
	edges    map[string]int
	faulty   bool // a canister was not where it should be when the run was presented
}

// standing is a call that stands.
type standing struct {
	event.Call
	at           event.Stamp
	inconclusive bool
	withdrawable bool
}

// voidable tells whether danger to the trial still voids the run: no call stands and nothing is locked.
func (r *run) voidable() bool { return r.state == Armed || r.state == Shown || r.state == Searching }

// taking tells whether the run still takes facts: those stamped at or before its lock.
func (r *run) taking() bool { return r.voidable() || r.state == Called }

// arm fixes the instant at which all canisters of the run move together.
func (m *Machine) arm(in event.Event) string {
	s := &m.session
	switch {
	case s.aborted != "":
		return "the session is being aborted"
	case s.paused != "":
		return "the session is paused: " + s.paused
	case m.run != nil:
		return "a run is in progress"
	}
	next := s.next[0]
	s.next = s.next[1:]
	set := s.opening.Settings
	moveAt := in.At.Mono + ms(set.LeadMS)
	r := &run{
		index:       next.index,
		used:        next.used,
		placement:   m.placements(next.index)[next.used],
		state:       Armed,
		moveAt:      moveAt,
		presentedAt: moveAt + ms(set.TravelMS),
		observed:    map[int]bool{},
		edges:       map[string]int{},
	}
	m.run = r
	s.runs = append(s.runs, r)
	in.Run = r.index
	in.Body = &event.Arming{MoveAt: r.moveAt, PresentedAt: r.presentedAt}
	m.record(in)
	if to := servedTo(s.opening.Mode); to != nil {
		m.derive(in, event.PlacementShown, r.index, &event.Shown{To: to})
	}
	m.out = append(m.out, Effect{Kind: Move, Run: r.index, At: r.moveAt, Moves: opens(r.placement),
		Open: time.Duration(ms(set.OpenMS))})
	m.timer(event.RunPresented, r.presentedAt)
	return ""
}

// servedTo returns who is served the placement of a run before the reveal, in each mode.
func servedTo(mode string) []event.Role {
	switch mode {
	case "open":
		return []event.Role{event.Public}
	case "single":
		return []event.Role{event.Assessor}
	default:
		return nil
	}
}

// opens returns the movement of each position: every one is handled in every run, blanks included.
func opens(p event.Placement) []event.Move {
	moves := make([]event.Move, 0, p.Len())
	for _, slot := range p.Reveal() {
		moves = append(moves, event.Move{Position: slot.Position, Canister: slot.Canister, Open: true})
	}
	return moves
}

// presented announces the line at its fixed instant, never at the last confirmation. A canister that was not
// confirmed by then voids the run.
func (m *Machine) presented(in event.Event) string {
	r := m.run
	if r == nil || r.state != Armed || in.At.Mono != r.presentedAt {
		return "no run to be presented at this instant"
	}
	in.Run = r.index
	m.record(in)
	if r.faulty {
		m.void(in, event.VoidMechanical)
		return ""
	}
	r.state = Shown
	m.light(LightReady, true)
	return ""
}

// started begins the search. A dog that enters before anybody says so starts it too.
func (m *Machine) started(in event.Event) string {
	r := m.run
	if r == nil || r.state != Shown {
		return "no run is presented"
	}
	if in.At.Mono < r.presentedAt {
		return "the run was not presented yet"
	}
	r.state = Searching
	r.startedAt = in.At.Mono
	r.timeOutAt = r.startedAt + int64(m.session.plan.Limits.Run)
	in.Run = r.index
	m.record(in)
	m.timer(event.RunLocked, r.timeOutAt)
	return ""
}

// startBy starts a search that a fact shows to have begun.
func (m *Machine) startBy(in event.Event) {
	m.started(event.Event{Type: event.RunStarted, Session: in.Session, At: in.At, By: in.By})
}

func (m *Machine) finished(in event.Event) string {
	r := m.run
	if r == nil || (r.state != Searching && r.state != Called) {
		return "no search is under way"
	}
	in.Run = r.index
	m.record(in)
	if r.state == Searching {
		r.lock = event.Lock{Reason: event.LockFinished, At: in.At.Mono}
		r.state = Called
		m.timer(event.RunLocked, in.At.Mono)
	}
	return ""
}

// lock closes the run to further facts. Its timer fires once every source has reported past the instant.
func (m *Machine) lock(in event.Event) string {
	r := m.run
	if r == nil || (r.state != Searching && r.state != Called) {
		return "no run that could lock"
	}
	if r.state == Searching {
		if in.At.Mono < r.timeOutAt {
			return "the search has time left"
		}
		r.lock = event.Lock{Reason: event.LockTimeOut, At: r.timeOutAt}
	}
	m.lockNow(in)
	return ""
}

// lockNow writes the lock that r.lock describes, with in as its cause: the record's stamp is when the lock fell, the
// body's the instant up to which facts count.
func (m *Machine) lockNow(in event.Event) {
	r := m.run
	for _, c := range r.calls {
		r.lock.Inconclusive = r.lock.Inconclusive || c.inconclusive
	}
	lock := r.lock
	in.Type, in.Run, in.Body, in.Secret, in.By = event.RunLocked, r.index, &lock, nil, event.ByStation
	m.record(in)
	r.state = Locked
	m.checkpoint(CheckpointLock)
	m.light(LightAck, true)
	m.endSearch(in.At.Mono)
}

// endSearch closes every canister at once and sets the instant at which that is written.
func (m *Machine) endSearch(mono int64) {
	m.do(CloseAll)
	m.do(StopTimers)
	m.light(LightReady, false)
	m.timer(event.RunClosed, mono+ms(m.session.opening.Settings.CloseMS))
}

// voided takes the run out, by a person's command or for a mechanical fault that fell on the public grid.
func (m *Machine) voided(in event.Event) string {
	r := m.run
	void := in.Body.(*event.Void)
	switch {
	case r == nil:
		return "no run is in progress"
	case !r.voidable() && in.By == event.ByStation:
		return "" // once a call stands a fault is an annotation, and one of a canister stays sealed
	case !r.voidable():
		return "nothing voids a run once a call stands: the authority may invalidate it later, with a reason"
	case void.Reason == "":
		return "a void needs a reason"
	}
	m.voidBy(in, void.Reason)
	return ""
}

// void takes the run out for a reason of the station's own.
func (m *Machine) void(in event.Event, reason string) {
	in.By, in.Secret = event.ByStation, nil
	m.voidBy(in, reason)
}

func (m *Machine) voidBy(in event.Event, reason string) {
	r, s := m.run, &m.session
	in.Type, in.Session, in.Run = event.RunVoided, s.id, r.index
	in.Body = &event.Void{Reason: reason, When: "before the lock"}
	m.record(in)
	r.state, r.reason = Voided, reason
	m.endSearch(in.At.Mono)
	m.replace(r)
	if reason == event.VoidMechanical {
		if s.mechanical++; s.mechanical == 2 {
			m.pauseFor(in, "second mechanical void")
		}
	}
}

// replace puts the next reserve run in the place of a voided one. The reserve run's placement of the same
// composition is used.
func (m *Machine) replace(r *run) {
	s := &m.session
	if s.reserves >= s.plan.Reserve {
		s.shortBy++
		return
	}
	s.reserves++
	want := blind.CompositionOf(r.placement)
	for used, c := range s.plan.Compositions() {
		if c == want {
			s.next = append([]nextRun{{index: s.plan.Runs + s.reserves, used: used}}, s.next...)
			return
		}
	}
}

// closed is the fixed instant after the end of the search at which what the canisters did is written.
func (m *Machine) closed(in event.Event) string {
	r := m.run
	if r == nil || (r.state != Locked && r.state != Voided && r.state != Aborted) {
		return "no run to be closed"
	}
	in.Run = r.index
	m.record(in)
	r.outcome = r.state
	if r.state == Locked {
		r.outcome = Completed
	}
	r.state = Purging
	if r.outcome == Completed && m.session.plan.Feedback == "per-run" {
		m.out = append(m.out, Effect{Kind: Open, Run: r.index})
		m.openPlacement(in, r.index)
		m.scoreRun(in, r)
	}
	if m.session.aborted != "" {
		m.endRun()
		m.finish(in)
		return ""
	}
	m.timer(event.RunPurged, in.At.Mono+int64(m.session.plan.Purge))
	return ""
}

// purged ends the interval in which the air clears; then comes the next run, or the end.
func (m *Machine) purged(in event.Event) string {
	r := m.run
	if r == nil || r.state != Purging {
		return "no run is being purged"
	}
	in.Run = r.index
	m.record(in)
	m.endRun()
	if len(m.session.next) == 0 || m.session.aborted != "" {
		m.finish(in)
	}
	return ""
}

func (m *Machine) endRun() {
	m.run.state = m.run.outcome
	m.run = nil
}

func ms(n int) int64 { return int64(n) * int64(time.Millisecond) }
