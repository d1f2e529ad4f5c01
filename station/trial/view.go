package trial

import (
	"slices"

	"scentpost/station/blind"
	"scentpost/station/event"
)

// View is what the engine knows of the active session, as a value that does not change. It holds what must not
// be shown before the reveal in sealed form; who may see what is decided in package control.
type View struct {
	Phase     Phase
	Session   string
	Plan      string
	Mode      event.Mode
	Feedback  string
	Positions int
	Team      event.Team
	People    []event.Person
	Scheduled int                // runs of the plan
	Reserve   int                // reserve runs of the plan
	Used      int                // reserve runs used
	Left      int                // runs still to be armed
	Short     int                // void runs that no reserve run was left for
	Paused    *event.Why         // nil when not paused
	Aborted   *event.Why         // nil when not aborted
	Clock     event.SessionClock // what the session's UTC is worth

	Aids        int             // that went out
	Count       *event.AidCount // nil until they were counted back
	StationHash string
	// Request is what a second party is asked to sign (blind.Request), "" once the session is sealed.
	Request string
	Seed    event.SeedSource
	Air     []event.Air // as its sensors said when the session was sealed or the last run armed
	Run     RunView     // the active run; Index 0 between runs
	// Over are the runs before it, in their order. A later view of the session has the same ones first, as long as it has
	// the same Revision.
	Over     []RunView
	Revision int // how often a result was added to runs that were over
	Revealed bool
	Verdict  *event.Verdict
}

// RunView is one run.
type RunView struct {
	Index       int
	State       RunState
	event.Why   // of a void
	PresentedAt int64
	StartedAt   int64
	TimeOutAt   int64
	NextAt      int64 // when the station goes on by itself, monotonic; 0 for never. A lock may wait longer for its sources.
	Lock        event.Lock
	Calls       []event.Call
	LastBeam    int
	Placement   event.Placement  // sealed
	Result      *event.RunResult // nil until it is revealed
}

// BetweenRuns tells whether the next run of a sealed session could be armed. Only then it may be told whether the station can
// start one: within a run, when that changes would tell what moved.
func (v View) BetweenRuns() bool { return v.Phase == Sealed && v.Run.Index == 0 }

// Runs returns every run that was armed, the active one last.
func (v View) Runs() []RunView {
	if v.Run.Index == 0 {
		return v.Over
	}
	return append(slices.Clip(v.Over), v.Run)
}

// View returns what is known now. It takes no longer after many runs than after few.
func (m *Machine) View() View {
	s := &m.session
	v := View{Phase: m.phase}
	if m.phase == Idle && s.id == "" {
		return v
	}
	v.Session, v.Plan, v.Mode, v.Feedback = s.id, s.plan.Name, s.opening.Mode, s.plan.Feedback
	v.Positions, v.Team, v.People = s.plan.Positions, s.opening.Team, s.opening.People
	v.Scheduled, v.Reserve, v.Used, v.Left = s.plan.Runs, s.plan.Reserve, s.reserves, len(s.next)
	v.Short = s.shortBy
	v.Paused, v.Aborted, v.Clock = s.paused, s.aborted, s.clock
	v.Aids = s.aids
	if s.counted {
		count := s.count
		v.Count = &count
	}
	v.Air = s.air
	v.StationHash, v.Seed = s.load.StationHash, s.seed.Source
	if m.phase == Loaded {
		v.Request = s.request()
	}
	v.Revealed = m.phase == Ended || (m.phase == Idle && s.verdict != nil)
	v.Verdict = s.verdict
	for len(s.views) < len(s.runs) && s.runs[len(s.views)] != m.run {
		s.views = append(s.views, m.runView(s.runs[len(s.views)]))
	}
	v.Over, v.Revision = slices.Clip(s.views), s.revision
	if m.run != nil {
		v.Run = m.runView(m.run)
	}
	return v
}

// nextAt is the instant at which a run goes on by itself. It follows from public instants alone.
func (r *run) nextAt() int64 {
	switch r.state {
	case Armed:
		return r.presentedAt
	case Shown:
		return r.startUntil
	case Searching:
		return r.timeOutAt
	case Called:
		return r.locksAt
	case Completed, Voided, Aborted:
		if r.outcome != "" {
			return 0
		}
	}
	return r.due
}

func (m *Machine) runView(r *run) RunView {
	v := RunView{
		Index: r.index, State: r.state, Why: r.why, PresentedAt: r.presentedAt, StartedAt: r.startedAt,
		TimeOutAt: r.timeOutAt, NextAt: r.nextAt(), Lock: r.lock, Placement: r.placement, Result: m.session.results[r.index],
	}
	for _, c := range r.calls {
		v.Calls = append(v.Calls, c.Call)
	}
	if n := len(r.noses); n > 0 {
		v.LastBeam = r.noses[n-1].Position
	}
	return v
}

// Session returns the id of the active session and whether there is one.
func (m *Machine) Session() (id string, active bool) { return m.session.id, m.phase != Idle }

// Loading returns what is needed to load the session: its plan's own loading and what the station's share is bound to.
func (m *Machine) Loading() ([]event.Loaded, blind.Binding) {
	return m.session.plan.Loading(), m.session.binding
}

// Plan returns the plan of the active session, or of the latest one.
func (m *Machine) Plan() blind.Plan { return m.session.plan }

// movable tells whether the canisters of a run may still move: it is the one in progress, and nothing has taken it out.
func (m *Machine) movable(run int) bool {
	return m.run != nil && m.run.index == run && m.run.voidable()
}

// ends returns the instant at which the search of the run in progress ends, by its time-out or by the handler's word; ok is
// false when there is none that danger could still void. Its lock may wait for sources long after it.
func (m *Machine) ends() (mono int64, ok bool) {
	if m.run == nil {
		return 0, false
	}
	return m.run.ends()
}
