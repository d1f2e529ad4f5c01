package control

import (
	"fmt"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// Status is the view of a station, cut to what the roles of its reader may see. Instants are seconds since the
// run was presented, so that a reader needs no clock of the station's.
type Status struct {
	Station   string `json:"station"`
	Epoch     string `json:"epoch"`
	Simulated bool   `json:"simulated,omitempty"`
	Size      int64  `json:"records,string"`
	Failed    string `json:"failed,omitempty"`
	// Blocked says why no session can be run at all, "" when they can.
	Blocked    string             `json:"blocked,omitempty"`
	Conditions []health.Condition `json:"conditions,omitempty"` // what is wrong, worst first
	// CannotStart says between runs why the next one cannot start, "" when it can.
	CannotStart string `json:"cannot_start,omitempty"`

	Phase     trial.Phase `json:"phase"`
	Session   string      `json:"session,omitempty"`
	Plan      string      `json:"plan,omitempty"`
	Mode      string      `json:"mode,omitempty"`
	Dog       string      `json:"dog,omitempty"`
	Handler   string      `json:"handler,omitempty"`
	Positions int         `json:"positions,omitempty"`
	Scheduled int         `json:"scheduled,omitempty"`
	Reserve   int         `json:"reserve,omitempty"`
	Used      int         `json:"reserve_used,omitempty"`
	Left      int         `json:"left"`
	Paused    string      `json:"paused,omitempty"`
	Aborted   string      `json:"aborted,omitempty"`
	UTC       string      `json:"utc,omitempty"` // what the session's UTC is worth, in words
	Next      string      `json:"next"`          // what can be done next

	StationHash string           `json:"station_hash,omitempty"`
	Seed        event.SeedSource `json:"seed,omitempty"`
	Checkpoint  string           `json:"checkpoint,omitempty"`

	// Air is what the sensors of the air said when the session was sealed or its last run armed.
	Air []event.Air `json:"air,omitempty"`

	Run     *RunStatus     `json:"run,omitempty"`
	Runs    []RunStatus    `json:"runs,omitempty"`
	Verdict *event.Verdict `json:"verdict,omitempty"`
}

// RunStatus is one run in a status.
type RunStatus struct {
	Run       int              `json:"run"`
	State     trial.RunState   `json:"state"`
	Reason    string           `json:"reason,omitempty"`
	Started   bool             `json:"started,omitempty"`
	Calls     []string         `json:"calls,omitempty"`
	Locked    event.LockReason `json:"locked,omitempty"`
	LastBeam  int              `json:"last_beam,omitempty"`
	Placement []event.Slot     `json:"placement,omitempty"`
	Result    *event.RunResult `json:"result,omitempty"`
}

// statusFor returns the view of a state for a person. Who handles the session's dog sees what a handler sees, whatever
// else they may be at this station.
func (s *Service) statusFor(state trial.Snapshot, who Person) Status {
	roles := who.Roles
	if who.Name != "" && who.Name == nameOf(state, state.View.Team.Handler) {
		roles = []event.Role{event.Handler}
	}
	return s.Status(state, roles)
}

// Status returns the view of a state for a reader with these roles.
func (s *Service) Status(state trial.Snapshot, roles []event.Role) Status {
	v := state.View
	out := Status{
		Station: s.opt.Station, Epoch: state.Epoch, Simulated: s.opt.Simulated, Size: state.Size, Failed: state.Failed,
		Phase: v.Phase, Session: v.Session, Plan: v.Plan, Mode: v.Mode,
		Dog: nameOf(state, v.Team.Dog), Handler: nameOf(state, v.Team.Handler),
		Positions: v.Positions, Scheduled: v.Scheduled, Reserve: v.Reserve, Used: v.Used, Left: v.Left,
		Paused: v.Paused, Aborted: v.Aborted, Blocked: s.opt.Blocked(), Conditions: s.opt.Conditions(),
		StationHash: v.StationHash, Seed: v.Seed, Air: v.Air, Checkpoint: string(state.Checkpoint),
	}
	if v.Session != "" {
		out.UTC = v.Clock.Text(func(ref string) string { return nameOf(state, ref) })
	}
	if v.Phase == trial.Sealed && v.Run.Index == 0 {
		out.CannotStart = s.opt.CannotStart(v.Positions)
	}
	out.Next = next(v, state.Failed, out.Blocked, out.CannotStart)
	for _, r := range v.Runs {
		out.Runs = append(out.Runs, runStatus(v, r, roles))
	}
	if v.Run.Index != 0 {
		run := runStatus(v, v.Run, roles)
		out.Run = &run
	}
	if v.Revealed && MaySee(FieldVerdict, v.Mode, StageRevealed, roles) {
		out.Verdict = v.Verdict
	}
	return out
}

// nameOf returns the name behind a reference, the reference itself where the name was erased.
func nameOf(s trial.Snapshot, ref string) string {
	if name, known := s.Names[ref]; known {
		return name
	}
	return ref
}

func runStatus(v trial.View, r trial.RunView, roles []event.Role) RunStatus {
	out := RunStatus{Run: r.Index, State: r.State, Reason: r.Reason, Started: r.StartedAt != 0, Locked: r.Lock.Reason,
		LastBeam: r.LastBeam}
	for _, c := range r.Calls {
		out.Calls = append(out.Calls, CallText(c))
	}
	stage := stageOf(v, r)
	if MaySee(FieldPlacement, v.Mode, stage, roles) {
		out.Placement = r.Placement.Reveal()
	}
	if r.Result != nil && MaySee(FieldResult, v.Mode, stage, roles) {
		out.Result = r.Result
	}
	return out
}

// CallText writes a call as people say it.
func CallText(c event.Call) string {
	switch c.Kind {
	case event.CallAt:
		return fmt.Sprintf("alert at %d", c.Position)
	case event.CallClear:
		return "all clear"
	case event.CallBetween:
		return fmt.Sprintf("alert between %d and %d", min(c.Position, c.Other), max(c.Position, c.Other))
	default:
		return "alert at no position"
	}
}

// next says what the station waits for.
func next(v trial.View, failed, blocked, cannotStart string) string {
	switch {
	case blocked != "":
		return "wait: " + blocked
	case v.Phase == trial.Interrupted:
		return "wait: the session is being brought back"
	case failed != "":
		return "the journal failed: restart the daemon when its disk is well"
	case v.Phase == trial.Idle:
		return "open a session"
	case v.Phase == trial.Opened:
		return "load the canisters, then `session load`"
	case v.Phase == trial.Loaded:
		return "answer the station's hash: `session seal --share` or `--dice`"
	case v.Phase == trial.Ended:
		return "count the aids back, then `session close`"
	case v.Aborted != "":
		return "wait: the session ends when the canisters are closed and the air is purged"
	}
	return nextRun(v, cannotStart)
}

func nextRun(v trial.View, cannotStart string) string {
	switch v.Run.State {
	case trial.Armed:
		return "wait: the canisters are being moved"
	case trial.Shown:
		return "start the search: by the handler's button or `session start`"
	case trial.Searching:
		return "the dog searches: enter the call"
	case trial.Called:
		return "the call is about to lock"
	case trial.Locked, trial.Voided, trial.Aborted:
		return "wait: the canisters are being closed"
	case trial.Purging:
		return "wait: the air is being purged"
	}
	if v.Paused != "" {
		return "paused (" + v.Paused + "): `session resume`"
	}
	if cannotStart != "" {
		return "the next run cannot start: " + cannotStart
	}
	return fmt.Sprintf("arm the next run: `session arm` (%d left)", v.Left)
}
