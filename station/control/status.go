package control

import (
	"slices"
	"time"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// Status is the view of a station, cut to what its reader may see. It holds codes and values: the words are of those who
// show it. Everything in it is so for everybody, but for placements, results and the verdict, and the commands.
type Status struct {
	Station   string `json:"station"`
	Epoch     string `json:"epoch"`
	Simulated bool   `json:"simulated,omitempty"`
	Size      int64  `json:"records,string"`
	// Failed says why the journal takes nothing any more, nil while it does.
	Failed *refusal.Reason `json:"failed,omitempty"`
	// Obstacle says without a session why none can be held, and between runs why the next one cannot start; nil when it can. In
	// every other state it is nil: nothing is asked of the devices then.
	Obstacle   *refusal.Reason    `json:"obstacle,omitempty"`
	Conditions []health.Condition `json:"conditions,omitempty"` // what is wrong, worst first
	// Next is what the station waits for, and Commands are those that make sense now and that the reader may give.
	Next Next `json:"next"`
	// NextIn is after how long the station goes on by itself, in milliseconds: the search is presented, times out, locks. nil
	// where it waits for people without a limit.
	NextIn   *int64   `json:"next_in_ms,omitempty"`
	Commands []string `json:"commands,omitempty"`

	Phase     trial.Phase `json:"phase"`
	Session   string      `json:"session,omitempty"`
	Plan      string      `json:"plan,omitempty"`
	Mode      event.Mode  `json:"mode,omitempty"`
	Dog       string      `json:"dog,omitempty"`
	Handler   string      `json:"handler,omitempty"`
	Positions int         `json:"positions,omitempty"`
	Scheduled int         `json:"scheduled,omitempty"`
	Reserve   int         `json:"reserve,omitempty"`
	Used      int         `json:"reserve_used,omitempty"`
	Left      int         `json:"left"`
	// Short is how many void runs had no reserve run left: with one of them no test is valid.
	Short   int        `json:"short,omitempty"`
	Paused  *event.Why `json:"paused,omitempty"`
	Aborted *event.Why `json:"aborted,omitempty"`
	// Clock is what the session's UTC is worth, nil without a session. SaidBy is a name, a reference where the name is gone.
	Clock *event.SessionClock `json:"clock,omitempty"`

	// Aids are how many aids went out, and how many of them were counted back; nil before any went out.
	Aids *Aids `json:"aids,omitempty"`

	StationHash string `json:"station_hash,omitempty"`
	// Request is what a second party is asked to sign: a note by the station's key. See blind.Request.
	Request    string           `json:"request,omitempty"`
	Seed       event.SeedSource `json:"seed,omitempty"`
	Checkpoint string           `json:"checkpoint,omitempty"`

	// Air is what the sensors of the air said when the session was sealed or its last run armed.
	Air []event.Air `json:"air,omitempty"`

	Run *RunStatus `json:"run,omitempty"`
	// Runs are all runs that were armed, or those after the first RunsKept, which are as in the state before: see Watch.
	Runs     []RunStatus    `json:"runs,omitempty"`
	RunsKept int            `json:"runs_kept,omitempty"`
	Verdict  *event.Verdict `json:"verdict,omitempty"`
}

// Aids is the count of a session's aids.
type Aids struct {
	Out int `json:"out"`
	// Back is nil until they were counted.
	Back *int `json:"back,omitempty"`
}

// Count returns the count, and whether somebody has counted.
func (a Aids) Count() (count event.AidCount, counted bool) {
	count = event.AidCount{Out: a.Out}
	if a.Back != nil {
		count.Back = *a.Back
	}
	return count, a.Back != nil
}

// RunStatus is one run in a status.
type RunStatus struct {
	Run       int              `json:"run"`
	State     trial.RunState   `json:"state"`
	event.Why                  // of a void
	Started   bool             `json:"started,omitempty"`
	Calls     []Call           `json:"calls,omitempty"`
	Locked    event.LockReason `json:"locked,omitempty"`
	LastBeam  int              `json:"last_beam,omitempty"`
	Placement []event.Slot     `json:"placement,omitempty"`
	Result    *event.RunResult `json:"result,omitempty"`
}

// Call is a call as everybody may see it.
type Call struct {
	Kind     event.CallKind `json:"kind"`
	Position int            `json:"position,omitempty"`
	Other    int            `json:"other,omitempty"` // of a call between two positions
}

// rolesIn returns the roles by which a person sees a state.
func rolesIn(state trial.Snapshot, who Person) []event.Role {
	return access.RolesIn(state, who.Name, who.Roles)
}

// Status returns the view of a state for a person.
func (s *Service) Status(state trial.Snapshot, who Person) Status {
	return s.status(state, who, rolesIn(state, who), 0)
}

// status returns the view of a state for a person who sees it by roles, without the runs up to kept.
func (s *Service) status(state trial.Snapshot, who Person, roles []event.Role, kept int) Status {
	v := state.View
	out := Status{
		Station: s.opt.Station, Epoch: state.Epoch, Simulated: s.opt.Simulated, Size: state.Size, Failed: state.Failed,
		Phase: v.Phase, Session: v.Session, Plan: v.Plan, Mode: v.Mode,
		Dog: nameOf(state, v.Team.Dog), Handler: nameOf(state, v.Team.Handler),
		Positions: v.Positions, Scheduled: v.Scheduled, Reserve: v.Reserve, Used: v.Used, Left: v.Left, Short: v.Short,
		Paused: v.Paused, Aborted: v.Aborted, Obstacle: s.obstacle(v), Conditions: s.opt.Conditions(),
		StationHash: v.StationHash, Request: string(state.Request), Seed: v.Seed, Air: v.Air, Checkpoint: string(state.Checkpoint),
	}
	if v.Session != "" {
		clock := v.Clock
		clock.SaidBy = nameOf(state, clock.SaidBy)
		out.Clock = &clock
	}
	if v.Aids > 0 {
		out.Aids = &Aids{Out: v.Aids}
		if v.Count != nil {
			out.Aids.Back = &v.Count.Back
		}
	}
	out.RunsKept = kept
	for _, r := range v.Over[kept:] {
		out.Runs = append(out.Runs, runStatus(v, r, roles))
	}
	if v.Run.Index != 0 {
		run := runStatus(v, v.Run, roles)
		out.Run, out.Runs = &run, append(out.Runs, run)
	}
	if v.Revealed && access.MaySee(access.Verdict, v.Mode, access.Revealed, roles) {
		out.Verdict = v.Verdict
	}
	out.Next, out.NextIn = next(&out), s.nextIn(v.Run)
	out.Commands = s.sensible(&out, who)
	return out
}

// nextIn is after how long a run goes on by itself, nil where it does not.
func (s *Service) nextIn(r trial.RunView) *int64 {
	if s.opt.Mono == nil || r.NextAt == 0 {
		return nil
	}
	return new(max(0, (r.NextAt-s.opt.Mono())/int64(time.Millisecond)))
}

// obstacle asks whether the station can do what comes next. Within a run nobody is told: when the answer changes would tell
// what moved.
func (s *Service) obstacle(v trial.View) *refusal.Reason {
	switch {
	case v.Phase == trial.Idle:
		return s.opt.Obstacle(readiness.Question{Positions: 1})
	case v.Phase == trial.Interrupted, v.BetweenRuns():
		return s.opt.Obstacle(readiness.Question{Positions: v.Positions, Run: true})
	}
	return nil
}

// sensible returns the commands of the table that make sense in a state and that a person may give.
func (s *Service) sensible(status *Status, who Person) (names []string) {
	if status.Failed != nil || status.Obstacle != nil && status.Phase != trial.Sealed {
		return nil
	}
	for i := range s.commands {
		c := &s.commands[i]
		if c.event != nil && access.Holds(who.Roles, c.Roles) && slices.Contains(c.Phases, status.Phase) && (c.fits == nil || c.fits(status)) {
			names = append(names, c.Name)
		}
	}
	return names
}

// nameOf returns the name behind a reference, the reference itself where the name was erased.
func nameOf(s trial.Snapshot, ref string) string {
	if name, known := s.Names[ref]; known {
		return name
	}
	return ref
}

func runStatus(v trial.View, r trial.RunView, roles []event.Role) RunStatus {
	out := RunStatus{Run: r.Index, State: r.State, Why: r.Why, Started: r.StartedAt != 0, Locked: r.Lock.Reason,
		LastBeam: r.LastBeam}
	for _, c := range r.Calls {
		out.Calls = append(out.Calls, Call{Kind: c.Kind, Position: c.Position, Other: c.Other})
	}
	stage := access.StageOf(v, r)
	if access.MaySee(access.Placement, v.Mode, stage, roles) {
		out.Placement = r.Placement.Reveal()
	}
	if r.Result != nil && access.MaySee(access.Result, v.Mode, stage, roles) {
		out.Result = r.Result
	}
	return out
}

// Next says what a station waits for: a command of the table, by its name, or one of the waits.
type Next string

// The waits.
const (
	WaitBlocked   Next = "wait-blocked"   // no session can be held: Obstacle says why
	WaitRestored  Next = "wait-restored"  // an interrupted session is being brought back
	WaitJournal   Next = "wait-journal"   // the journal failed: only a restart of the daemon helps
	WaitEnd       Next = "wait-end"       // an aborted session ends when its run is closed and purged
	WaitMoves     Next = "wait-moves"     // the canisters are being moved
	WaitLock      Next = "wait-lock"      // a call is about to lock
	WaitClosed    Next = "wait-closed"    // the canisters are being closed
	WaitPurged    Next = "wait-purged"    // the air is being purged
	WaitStartable Next = "wait-startable" // the next run cannot start: Obstacle says why
)

// The commands that a station waits for.
const (
	NextOpen   Next = "open"
	NextLoad   Next = "load"
	NextSeal   Next = "seal"
	NextArm    Next = "arm"
	NextStart  Next = "start"
	NextCall   Next = "call"
	NextResume Next = "resume"
	NextClose  Next = "close"
)

// next says what the station waits for.
func next(s *Status) Next {
	switch {
	case s.Failed != nil:
		return WaitJournal
	case s.Obstacle != nil && s.Phase != trial.Sealed:
		return WaitBlocked
	case s.Phase == trial.Interrupted:
		return WaitRestored
	case s.Phase == trial.Idle:
		return NextOpen
	case s.Phase == trial.Opened:
		return NextLoad
	case s.Phase == trial.Loaded:
		return NextSeal
	case s.Phase == trial.Ended:
		return NextClose
	case s.Aborted != nil:
		return WaitEnd
	case s.Run != nil:
		return nextInRun(s.Run.State)
	case s.Paused != nil:
		return NextResume
	case s.Obstacle != nil:
		return WaitStartable
	}
	return NextArm
}

func nextInRun(state trial.RunState) Next {
	switch state {
	case trial.Armed:
		return WaitMoves
	case trial.Shown:
		return NextStart
	case trial.Searching:
		return NextCall
	case trial.Called:
		return WaitLock
	case trial.Purging:
		return WaitPurged
	default: // locked, void, aborted
		return WaitClosed
	}
}
