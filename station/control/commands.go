package control

import (
	"slices"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// Command is one row of the table of all that people may ask of the station. A new command is a new row, and its words in
// the programs that show it.
type Command struct {
	Name  string
	Roles []event.Role // that may give it; Public stands for everybody
	// Phases are those in which the engine takes it, nil for a command that does not ask it.
	Phases []trial.Phase
	// Leads is the phase that it leads to at once, "" when the session stays where it is.
	Leads trial.Phase
	// Needs are the arguments that it cannot do without, Takes those that it reads besides.
	Needs, Takes []Argument

	fits  func(s *Status) bool                                         // within its phases it makes sense now; nil for always
	event func(s *Service, r *Request, e *event.Event) *refusal.Reason // fills in the event that it asks for
	read  func(s *Service, r *Request, who Person) Response            // answers one that only reads
	act   func(s *Service, who Person) *refusal.Reason                 // does one that is no matter of the engine
}

// Roles of several commands.
var (
	everybody   = []event.Role{event.Public}
	leaders     = []event.Role{event.Assessor, event.Authority}
	mayLoad     = []event.Role{event.Loader, event.Admin}
	atTheSearch = []event.Role{event.Assessor, event.Handler}
)

// Phases of several commands.
var (
	sealed    = []trial.Phase{trial.Sealed}
	unended   = []trial.Phase{trial.Opened, trial.Loaded, trial.Sealed}
	inSession = []trial.Phase{trial.Opened, trial.Loaded, trial.Sealed, trial.Ended}
)

// table holds every command, in the order of a session.
var table = []Command{
	{Name: "open", Roles: []event.Role{event.Assessor, event.Authority, event.Admin}, Phases: []trial.Phase{trial.Idle}, Leads: trial.Opened,
		Needs: []Argument{argPlanText, argDog, argHandler, argAssessor}, Takes: []Argument{argPlanName, argRuleText, argDiscipline, argNew}, event: (*Service).opening},
	{Name: "load", Roles: mayLoad, Phases: []trial.Phase{trial.Opened}, Leads: trial.Loaded,
		event: body(event.SessionLoaded, func(*Request) any { return &event.Load{} })},
	{Name: "seal", Roles: leaders, Phases: []trial.Phase{trial.Loaded}, Leads: trial.Sealed,
		Takes: []Argument{argShare, argDice, argAlone}, event: (*Service).seed},

	{Name: "arm", Roles: []event.Role{event.Assessor}, Phases: sealed, fits: betweenRuns, event: body(event.RunArmed, nil)},
	{Name: "start", Roles: atTheSearch, Phases: sealed, fits: inRun(trial.Shown), event: body(event.RunStarted, nil)},
	{Name: "call", Roles: atTheSearch, Phases: sealed, fits: inRun(trial.Shown, trial.Searching, trial.Called),
		Takes: []Argument{argPosition, argBetween, argNowhere, argMeans}, event: (*Service).calling},
	{Name: "clear", Roles: atTheSearch, Phases: sealed, fits: inRun(trial.Shown, trial.Searching, trial.Called),
		Takes: []Argument{argMeans}, event: (*Service).allClear},
	{Name: "withdraw", Roles: atTheSearch, Phases: sealed, fits: called, Takes: []Argument{argReason}, event: body(event.CallWithdrawn, reasonOf)},
	{Name: "finish", Roles: atTheSearch, Phases: sealed, fits: inRun(trial.Searching, trial.Called), event: body(event.RunFinished, nil)},
	{Name: "observe", Roles: []event.Role{event.Assessor}, Phases: sealed, Needs: []Argument{argWhat}, Takes: []Argument{argPosition, argNote},
		event: body(event.Observed, func(r *Request) any {
			return &event.Observation{What: r.What, Position: r.Position, Note: r.Note}
		})},
	{Name: "void", Roles: leaders, Phases: sealed, fits: inRun(trial.Armed, trial.Shown, trial.Searching), Needs: []Argument{argReason},
		event: body(event.RunVoided, func(r *Request) any { return &event.Void{Why: event.Why{Reason: r.Reason}} })},

	{Name: "pause", Roles: leaders, Phases: sealed, fits: func(s *Status) bool { return s.Paused == nil },
		Takes: []Argument{argReason}, event: body(event.SessionPaused, reasonOf)},
	{Name: "resume", Roles: leaders, Phases: sealed, fits: func(s *Status) bool { return s.Paused != nil }, event: body(event.SessionResumed, nil)},
	{Name: "abort", Roles: leaders, Phases: unended, fits: func(s *Status) bool { return s.Aborted == nil },
		Takes: []Argument{argReason}, event: body(event.SessionAborted, reasonOf)},
	{Name: "date", Roles: []event.Role{event.Assessor, event.Authority, event.Admin}, Phases: inSession, fits: clockUnset,
		Needs: []Argument{argDate}, event: body(event.ClockSaid, func(r *Request) any { return &event.TimeSaid{Said: r.Date} })},
	{Name: "close", Roles: []event.Role{event.Loader, event.Assessor, event.Authority}, Phases: []trial.Phase{trial.Ended}, Leads: trial.Idle,
		Takes: []Argument{argBack, argAllBack, argNote}, event: (*Service).closing},

	{Name: "speak", Roles: []event.Role{event.Authority, event.Admin}, act: (*Service).decide},

	{Name: "status", Roles: everybody, read: (*Service).readStatus},
	{Name: "watch", Roles: everybody, read: (*Service).readStatus},
	{Name: "doctor", Roles: everybody, read: (*Service).readDevices},
	{Name: "boards", Roles: everybody, read: (*Service).readBoards},
	{Name: "list", Roles: everybody, read: (*Service).readList},
	{Name: "export", Roles: everybody, Takes: []Argument{argSession}, read: (*Service).readBundle},
}

// Commands returns the table of all commands, in the order of a session. Nobody may change it.
func Commands() []Command { return table }

// find returns the row of a command, nil when there is none.
func find(name string) *Command {
	i := slices.IndexFunc(table, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// Asks tells whether the command asks the engine for an event. Others are answered at once, whatever the phase.
func (c *Command) Asks() bool { return c.event != nil }

// MayDo tells whether somebody with these roles may give a command.
func MayDo(command string, roles []event.Role) bool {
	c := find(command)
	return c != nil && access.Holds(roles, c.Roles)
}

// orderMatters are the reasons of the engine that a session which is not far enough is refused for.
var orderMatters = []refusal.Code{trial.NoSession, trial.WrongPhase, trial.NotSealed, trial.NoRun,
	trial.NothingToWithdraw, trial.NoSearch, trial.NotShown}

// first returns the commands that have to be given before this one, in their order, when it was refused for why in a phase;
// nil where the session is far enough for it, or no command leads there.
func (c *Command) first(phase trial.Phase, why *refusal.Reason) []string {
	if !slices.Contains(orderMatters, why.Code) {
		return nil
	}
	var before []string
	for range table {
		if slices.Contains(c.Phases, phase) {
			return before
		}
		i := slices.IndexFunc(table, func(o Command) bool { return o.Leads != "" && slices.Contains(o.Phases, phase) })
		if i < 0 {
			return nil
		}
		before, phase = append(before, table[i].Name), table[i].Leads
	}
	return nil
}

// body fills in an event of a kind with what a request gives it; nil for a kind without a body.
func body(kind event.Type, of func(*Request) any) func(*Service, *Request, *event.Event) *refusal.Reason {
	return func(_ *Service, r *Request, e *event.Event) *refusal.Reason {
		e.Type = kind
		if of != nil {
			e.Body = of(r)
		}
		return nil
	}
}

func reasonOf(r *Request) any { return &event.Why{Reason: r.Reason} }

// inRun tells whether a run is in one of these states.
func inRun(states ...trial.RunState) func(*Status) bool {
	return func(s *Status) bool { return s.Run != nil && slices.Contains(states, s.Run.State) }
}

// betweenRuns tells whether the next run can be armed.
func betweenRuns(s *Status) bool {
	return s.Run == nil && s.Left > 0 && s.Paused == nil && s.Aborted == nil && s.Obstacle == nil
}

// called tells whether there is a call that might be taken back.
func called(s *Status) bool {
	return inRun(trial.Searching, trial.Called)(s) && len(s.Run.Calls) > 0
}

// clockUnset tells whether nobody has set the station's clock.
func clockUnset(s *Status) bool {
	return s.Clock != nil && (s.Clock.Last == event.Unset || s.Clock.Last == event.Holdover)
}
