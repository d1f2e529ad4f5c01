package trial

import (
	"slices"
	"time"

	"scentpost/station/blind"
	"scentpost/station/dwell"
	"scentpost/station/event"
	"scentpost/station/refusal"
)

// run is one search of the line, from arming to the end of its purge.
type run struct {
	index     int
	used      int // which placement of its commitment is presented
	placement event.Placement
	state     RunState
	outcome   RunState  // Completed, Voided or Aborted once it ended
	why       event.Why // of the void
	boot      string    // that the instants of the search count in

	presentedAt int64
	startedAt   int64 // 0 when the search was not started
	startUntil  int64 // a search that starts later would outlive the longest open time
	timeOutAt   int64 // 0 before the start
	locksAt     int64 // the lock falls no earlier
	due         int64 // the next fixed instant
	lock        event.Lock
	doubt       bool // error bounds leave open whether a call that does not count came in time
	settled     bool // what was called may not be withdrawn any more

	calls  []standing
	noses  []nose       // entries that beams saw, by their stamps
	passes []dwell.Pass // entries and leavings, as they came
	seen   []nose       // where the assessor saw the dog
	lines  []line       // raw edges by line
	lossy  bool         // edges are missing
	faulty bool         // a canister was not where it should be when the run was presented
}

// voidable tells whether danger to the trial still voids the run: no call stands and nothing is locked.
func (r *run) voidable() bool { return r.state == Armed || r.state == Shown || r.state == Searching }

// ends returns the instant at which the search of a run ends, or ended by itself or by the handler's word while the lock
// waits for sources; ok is false before the search, and once a call locks it.
func (r *run) ends() (mono int64, ok bool) {
	switch {
	case r.state == Searching:
		return r.timeOutAt, true
	case r.state == Called && r.lock.Reason == event.LockFinished:
		return r.lock.At, true
	}
	return 0, false
}

// voidableBy tells whether danger that is stamped mono voids the run: it is not locked, and the search had not ended by
// then, whenever the danger is told. Where a call locks the run nothing voids it any more, not even what was before the call:
// the call was made on what was smelled, and voiding it for a fault that nobody had noticed would give a second try.
func (r *run) voidableBy(mono int64) bool {
	if end, ok := r.ends(); ok {
		return mono <= end
	}
	return r.voidable()
}

// taking tells whether the run still takes facts: those stamped at or before its lock.
func (r *run) taking() bool { return r.voidable() || r.state == Called }

// arm fixes the instant at which all canisters of the run move together.
func (m *Machine) arm(in event.Event) *refusal.Reason {
	s := &m.session
	switch {
	case s.aborted != nil:
		return refusal.New(BeingAborted)
	case s.paused != nil:
		return refusal.New(Paused, "why", s.paused)
	case m.run != nil:
		return refusal.New(RunInProgress, "run", m.run.index)
	case len(s.next) == 0:
		return refusal.New(NoRunLeft)
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
		boot:        in.At.Boot,
		presentedAt: moveAt + ms(set.TravelMS),
		startUntil:  moveAt + ms(set.OpenMS-set.WithdrawMS) - int64(s.plan.Limits.Run),
	}
	m.run = r
	s.runs = append(s.runs, r)
	in.Run = r.index
	in.Body = &event.Arming{MoveAt: moveAt, PresentedAt: r.presentedAt}
	m.record(in)
	m.do(Hush)
	if to := servedTo(s.opening.Mode); to != nil {
		m.derive(in, event.PlacementShown, r.index, &event.Shown{To: to})
	}
	m.out = append(m.out, Effect{Kind: Move, Run: r.index, At: moveAt, Moves: opens(r.placement),
		For: time.Duration(ms(set.OpenMS))})
	m.fixedTimer(event.RunPresented, r.presentedAt)
	m.sample(in.At)
	return nil
}

// servedTo returns who is served the placement of a run before the reveal, in each mode.
func servedTo(mode event.Mode) []event.Role {
	switch mode {
	case event.ModeOpen:
		return []event.Role{event.Public}
	case event.ModeSingle:
		return []event.Role{event.Assessor}
	default:
		return nil
	}
}

// presented announces the line at its fixed instant, never at the last confirmation. A canister that was not
// confirmed by then voids the run.
func (m *Machine) presented(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil || r.state != Armed || in.At.Mono != r.presentedAt {
		return inconsistent("no run to be presented at this instant")
	}
	in.Run = r.index
	m.record(in)
	if r.faulty {
		m.void(in, event.CauseMechanical)
		return nil
	}
	r.state = Shown
	m.light(LightReady, true)
	m.timer(event.RunVoided, r.startUntil)
	return nil
}

// started begins the search. A dog that enters before anybody says so starts it too.
func (m *Machine) started(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil {
		return refusal.New(NotShown)
	}
	if reason := r.startable(in.At); reason != nil {
		return reason
	}
	r.state = Searching
	r.startedAt = in.At.Mono
	r.timeOutAt = r.startedAt + int64(m.session.plan.Limits.Run)
	in.Run = r.index
	m.record(in)
	m.do(StopTimers)
	m.lockTimer(r.timeOutAt)
	return nil
}

// startable returns why the search of a run cannot start at an instant, nil when it can.
func (r *run) startable(at event.Stamp) *refusal.Reason {
	switch {
	case r.state == Armed || r.early(at):
		return refusal.New(NotPresented)
	case r.state == Searching || r.state == Called:
		return refusal.New(SearchBegun)
	case r.state != Shown:
		return refusal.New(SearchOver)
	}
	return nil
}

// startBy starts a search that a fact shows to have begun.
func (m *Machine) startBy(in event.Event) {
	m.started(event.Event{Type: event.RunStarted, Session: in.Session, At: in.At, By: in.By})
}

// finished is the handler's word that the search is over. What was called or ran out before it stands.
func (m *Machine) finished(in event.Event) *refusal.Reason {
	r := m.run
	switch {
	case r == nil || (r.state != Searching && r.state != Called):
		return refusal.New(NoSearch)
	case in.At.Mono < r.startedAt:
		return refusal.New(SearchNotBegun)
	}
	in.Run = r.index
	m.record(in)
	if r.state == Searching && in.At.Mono <= r.timeOutAt {
		r.lock = event.Lock{Reason: event.LockFinished, At: in.At.Mono}
		r.state = Called
		m.lockTimer(in.At.Mono)
	}
	return nil
}

// lock closes the run to further facts. Its timer fires once every source has reported past the instant.
func (m *Machine) lock(in event.Event) *refusal.Reason {
	r := m.run
	switch {
	case r == nil || (r.state != Searching && r.state != Called):
		return inconsistent("no run that could lock")
	case in.At.Mono < r.locksAt:
		return inconsistent("the search has time left")
	case r.state == Searching:
		r.lock = event.Lock{Reason: event.LockTimeOut, At: r.timeOutAt}
	}
	m.lockNow(in)
	return nil
}

// lockNow writes the lock that r.lock describes, with in as its cause: the record's stamp is when the lock fell, the
// body's the instant up to which facts count.
func (m *Machine) lockNow(in event.Event) {
	r := m.run
	r.lock.Inconclusive = r.doubt
	for _, c := range r.calls {
		r.lock.Inconclusive = r.lock.Inconclusive || ((c.unclear || c.adrift) && c.at.Mono <= r.lock.At)
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
	m.fixedTimer(event.RunClosed, mono+ms(m.session.opening.Settings.CloseMS))
}

// voided takes the run out: by a person's command, for a fault of the station, or because nobody started it.
func (m *Machine) voided(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil {
		return refusal.New(NoRun)
	}
	if in.Body == nil {
		if r.state != Shown || in.At.Mono < r.startUntil {
			return inconsistent("no run whose time to be started ran out")
		}
		m.void(in, event.CauseUnstarted)
		return nil
	}
	why := in.Body.(*event.Void).Why
	switch {
	case !attributed(in, why):
		return anothersCause()
	case !why.Given():
		return refusal.New(ReasonMissing)
	case r.voidableBy(in.At.Mono):
		m.voidBy(in, why)
		return nil
	case in.By != event.ByStation && r.why.Given():
		return refusal.New(VoidAlready)
	case in.By != event.ByStation:
		return refusal.New(VoidTooLate)
	case why.Cause != event.CauseMechanical: // a canister's fault stays sealed
		in.Type, in.Body = event.Noted, &why
		return m.noted(in)
	}
	return nil
}

// danger takes the run out for a cause that is no canister's. Where a call stands already the search is over, and
// the call cannot be taken back any more.
func (m *Machine) danger(in event.Event, cause event.Cause) {
	switch r := m.run; {
	case r == nil:
	case r.voidableBy(in.At.Mono):
		m.void(in, cause)
	case r.state == Called:
		m.settle()
	}
}

// void takes the run out for a cause of the station.
func (m *Machine) void(in event.Event, cause event.Cause) {
	in.By, in.Secret = event.ByStation, nil
	m.voidBy(in, event.Why{Cause: cause})
}

func (m *Machine) voidBy(in event.Event, why event.Why) {
	r, s := m.run, &m.session
	in.Type, in.Session, in.Run = event.RunVoided, s.id, r.index
	in.Body = &event.Void{Why: why, When: "before the lock"}
	m.record(in)
	r.state, r.why, r.lock = Voided, why, event.Lock{}
	m.endSearch(in.At.Mono)
	m.replace(r)
	if why.Cause == event.CauseMechanical {
		if s.mechanical++; s.mechanical >= mechanicalVoids {
			m.pauseFor(in, event.CauseMechanicalVoids)
		}
	}
}

// mechanicalVoids is the number of a session's mechanical void that pauses it, as each one after it does.
const mechanicalVoids = 2

// replace puts the next reserve run in the place of a voided one. The reserve run's placement of the same
// composition is used.
func (m *Machine) replace(r *run) {
	s := &m.session
	used := slices.Index(s.plan.Compositions(), s.plan.CompositionOf(r.placement))
	if s.reserves >= s.plan.Reserve || used < 0 {
		s.shortBy++
		return
	}
	s.reserves++
	s.next = append([]nextRun{{index: s.plan.Runs + s.reserves, used: used}}, s.next...)
}

// closed is the fixed instant after the end of the search at which what the canisters did is written. It comes later
// where the cause of the end was told long after its stamp: the canisters were not closed before.
func (m *Machine) closed(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil || r.instant() != event.ClosedAgain || in.At.Mono < r.due {
		return inconsistent("no run to be closed at this instant")
	}
	in.Run = r.index
	m.record(in)
	r.outcome = r.state
	if r.state == Locked {
		r.outcome = Completed
	}
	r.state = Purging
	if r.outcome == Completed && m.session.plan.Feedback == blind.FeedbackPerRun {
		m.openBodies(in, r.index)
		m.openPlacement(in, r.index)
		m.scoreRun(in, r)
	}
	if m.session.aborted != nil {
		m.endRun()
		m.finish(in)
		return nil
	}
	m.purge(in.At.Mono)
	return nil
}

// purged ends the interval in which the air clears; then comes the next run, or the end.
func (m *Machine) purged(in event.Event) *refusal.Reason {
	r := m.run
	if r == nil || r.state != Purging || in.At.Mono != r.due {
		return inconsistent("no run is being purged until this instant")
	}
	in.Run = r.index
	m.record(in)
	m.endRun()
	if len(m.session.next) == 0 || m.session.aborted != nil {
		m.finish(in)
		return nil
	}
	m.sound(SoundRunEnd)
	return nil
}

func (m *Machine) endRun() {
	m.run.state = m.run.outcome
	m.run = nil
}

func ms(n int) int64 { return int64(n) * int64(time.Millisecond) }
