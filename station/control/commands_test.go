package control

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

var everyPhase = []trial.Phase{trial.Idle, trial.Opened, trial.Loaded, trial.Sealed, trial.Ended, trial.Interrupted}

// asked is a request for each command of the table, the event that it becomes, and who may give it, as it is written for people.
func asked(t testing.TB) map[string]struct {
	request Request
	kind    event.Type // "" for one that asks the engine for nothing
	roles   string
} {
	const all = "handler assessor loader authority admin public"
	return map[string]struct {
		request Request
		kind    event.Type
		roles   string
	}{
		"open":     {Request{Plan: shortPlan(t), PlanName: "short.yaml", Dog: "Rex", Handler: "Hari", Assessor: "Ada"}, event.SessionOpened, "assessor authority admin"},
		"load":     {Request{}, event.SessionLoaded, "loader admin"},
		"seal":     {Request{Alone: true}, event.SessionSealed, "assessor authority"},
		"arm":      {Request{}, event.RunArmed, "assessor"},
		"start":    {Request{}, event.RunStarted, "assessor handler"},
		"call":     {Request{Position: 2}, event.CallMade, "assessor handler"},
		"clear":    {Request{}, event.CallMade, "assessor handler"},
		"withdraw": {Request{Reason: "slip"}, event.CallWithdrawn, "assessor handler"},
		"finish":   {Request{}, event.RunFinished, "assessor handler"},
		"observe":  {Request{What: "hesitation"}, event.Observed, "assessor"},
		"void":     {Request{Reason: "rain"}, event.RunVoided, "assessor authority"},
		"pause":    {Request{Reason: "rain"}, event.SessionPaused, "assessor authority"},
		"resume":   {Request{}, event.SessionResumed, "assessor authority"},
		"abort":    {Request{Reason: "ill"}, event.SessionAborted, "assessor authority"},
		"date":     {Request{Date: "2027-03-04"}, event.ClockSaid, "assessor authority admin"},
		"close":    {Request{AllBack: true}, event.SessionClosed, "loader assessor authority"},
		"speak":    {Request{}, "", "authority admin"},
		"status":   {Request{}, "", all},
		"watch":    {Request{}, "", all},
		"doctor":   {Request{}, "", all},
		"boards":   {Request{}, "", all},
		"list":     {Request{}, "", all},
		"export":   {Request{}, "", all},
	}
}

// TestEveryCommandOfEveryRoleInEveryPhase walks the table: who may not is refused whatever the phase, and leaves no trace; who
// may asks the engine for one event of the command's kind, which decides; what asks it for nothing is answered at once.
func TestEveryCommandOfEveryRoleInEveryPhase(t *testing.T) {
	want := asked(t)
	if len(Commands()) != len(want) {
		t.Errorf("the table has %d commands, this test knows %d", len(Commands()), len(want))
	}
	for _, c := range Commands() {
		w, known := want[c.Name]
		if !known || c.Asks() != (w.kind != "") || c.Asks() != (c.Phases != nil) {
			t.Fatalf("%s: in this test %v, it asks the engine %v, its phases are %v", c.Name, known, c.Asks(), c.Phases)
		}
		for _, role := range everyRole {
			for _, phase := range everyPhase {
				who := Person{Name: "Tess", Roles: []event.Role{role}}
				if role == event.Public {
					who = Person{}
				}
				may := slices.Contains(strings.Fields(w.roles), string(role))
				if MayDo(c.Name, who.Roles) != may {
					t.Errorf("%s may %s: want %v", role, c.Name, may)
				}
				walk(t, c, who, phase, w.request, may)
			}
		}
	}
	for _, name := range []string{"", "shutdown", "OPEN"} {
		for _, role := range everyRole {
			if MayDo(name, []event.Role{role}) {
				t.Errorf("%s may %q", role, name)
			}
		}
	}
}

// walk gives one command as one person in one phase.
func walk(t *testing.T, c Command, who Person, phase trial.Phase, r Request, may bool) {
	t.Helper()
	r.Command = c.Name
	in := newInbox(trial.View{Phase: phase, Positions: 3, Aids: 12})
	var got Response
	newTestService(t, in).Do(who, r, func(r Response) { got = r })
	about := fmt.Sprintf("%s by %q in phase %s: %+v, %d events", c.Name, who.Roles, phase, got.Refused, len(in.got))
	switch {
	case !may:
		if got.OK || len(in.got) != 0 || got.Status != nil || !(got.Refused.Says(RoleLacking) || who.Name == "" && got.Refused.Says(SpeakerUnknown)) {
			t.Error(about)
		}
	case !c.Asks():
		if !got.OK || len(in.got) != 0 || got.Refused != nil {
			t.Error(about)
		}
	default:
		if !got.OK || len(in.got) != 1 || in.got[0].Type != asked(t)[c.Name].kind || in.got[0].By != who.Name || got.Seq != 7 {
			t.Error(about)
		}
		if why := trial.Malformed(in.got[0]); why != nil {
			t.Errorf("%s: the engine cannot read it: %v", about, why)
		}
	}
}

// TestWhatComesFirst: where the session is not far enough, the refusal names the commands that lead there, in their order; and
// following them leads there.
func TestWhatComesFirst(t *testing.T) {
	wrong := refusal.New(trial.WrongPhase)
	for _, c := range Commands() {
		for _, phase := range everyPhase {
			first := c.first(phase, wrong)
			if slices.Contains(c.Phases, phase) && first != nil {
				t.Errorf("%s in phase %s: %v first", c.Name, phase, first)
			}
			at := phase
			for _, name := range first {
				before := find(name)
				if !slices.Contains(before.Phases, at) {
					t.Fatalf("%s in phase %s: %v first, and %s is not for phase %s", c.Name, phase, first, name, at)
				}
				at = before.Leads
			}
			if first != nil && !slices.Contains(c.Phases, at) {
				t.Errorf("%s in phase %s: %v lead to phase %s", c.Name, phase, first, at)
			}
		}
	}
	for _, c := range []struct {
		phase   trial.Phase
		command string
		why     refusal.Code
		want    string
	}{
		{trial.Idle, "arm", trial.NotSealed, "open load seal"},
		{trial.Idle, "call", trial.NoRun, "open load seal"},
		{trial.Idle, "load", trial.WrongPhase, "open"},
		{trial.Idle, "seal", trial.WrongPhase, "open load"},
		{trial.Idle, "date", trial.NoSession, "open"},
		{trial.Idle, "abort", trial.NothingToAbort, ""},
		{trial.Idle, "resume", trial.NotPaused, ""},
		{trial.Opened, "arm", trial.NotSealed, "load seal"},
		{trial.Opened, "seal", trial.WrongPhase, "load"},
		{trial.Loaded, "void", trial.NotSealed, "seal"},
		{trial.Sealed, "arm", trial.RunInProgress, ""},
		{trial.Sealed, "call", trial.NoRun, ""},
		{trial.Sealed, "open", trial.SessionActive, ""},
		{trial.Ended, "arm", trial.NotSealed, "close open load seal"},
		{trial.Interrupted, "arm", trial.NotSealed, ""},
	} {
		in := newInbox(trial.View{Phase: c.phase})
		in.answer = trial.Answer{Seq: 9, Refused: refusal.New(c.why)}
		r := asked(t)[c.command].request
		r.Command = c.command
		var got Response
		newTestService(t, in).Do(Person{Name: "All", Roles: everyRole}, r, func(r Response) { got = r })
		if got.OK || !got.Refused.Says(c.why) || strings.Join(got.First, " ") != c.want || got.Seq != 9 {
			t.Errorf("%s of a session that is %s: %+v, want %q first", c.command, c.phase, got, c.want)
		}
	}
}

// TestEveryArgument of a request is in the list, under its own name, and each command refuses those that it does not read and
// asks for those that it needs.
func TestEveryArgument(t *testing.T) {
	var r Request
	kind := reflect.TypeOf(r)
	if kind.NumField() != len(arguments)+1 { // and the command itself
		t.Errorf("a request has %d fields, the list %d arguments", kind.NumField(), len(arguments))
	}
	for _, a := range arguments {
		r = Request{}
		fill(a, &r)
		i := 0
		for i < kind.NumField() && reflect.ValueOf(r).Field(i).IsZero() {
			i++
		}
		if name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); name != a.Name || !a.given(&r) || a.given(&Request{}) {
			t.Errorf("argument %s is field %s", a.Name, name)
		}
		for _, c := range Commands() {
			is := func(b Argument) bool { return a.Name == b.Name }
			reads := slices.ContainsFunc(c.Needs, is) || slices.ContainsFunc(c.Takes, is) || a.Name == "as"
			r := asked(t)[c.Name].request
			r.Command = c.Name
			fill(a, &r)
			if _, why := r.command(); why.Says(ArgumentUnused) == reads {
				t.Errorf("%s with %s: %v", c.Name, a.Name, why)
			}
		}
	}
	for _, c := range Commands() {
		for _, need := range c.Needs {
			r := asked(t)[c.Name].request
			r.Command = c.Name
			reflect.ValueOf(need.at(&r)).Elem().SetZero()
			if _, why := r.command(); !why.Says(ArgumentMissing) || why.Value("argument") != need.Name || why.Value("command") != c.Name {
				t.Errorf("%s without %s: %v", c.Name, need.Name, why)
			}
		}
	}
}

// fill gives a request an argument.
func fill(a Argument, r *Request) {
	switch value := a.at(r).(type) {
	case *string:
		*value = "2027-03-04"
	case *int:
		*value = 1
	case *bool:
		*value = true
	case **int:
		*value = new(1)
	}
}

// TestTheCommandsThatMakeSense: what is offered to a person is what the table says for the state, the roles and nothing else.
func TestTheCommandsThatMakeSense(t *testing.T) {
	running := func(state trial.RunState, calls ...event.Call) trial.View {
		return trial.View{Phase: trial.Sealed, Session: "s1", Left: 2, Clock: event.SessionClock{Last: event.Synced},
			Run: trial.RunView{Index: 1, State: state, Calls: calls}}
	}
	between := trial.View{Phase: trial.Sealed, Session: "s1", Left: 2, Clock: event.SessionClock{Last: event.Unset}}
	paused, aborted, used := between, between, between
	paused.Paused, aborted.Aborted, used.Left = &event.Why{Reason: "rain"}, &event.Why{Reason: "ill"}, 0
	for name, c := range map[string]struct {
		view     trial.View
		roles    []event.Role
		obstacle *refusal.Reason
		want     string
	}{
		"no session":               {trial.View{Phase: trial.Idle}, everyRole, nil, "open"},
		"a session behind":         {trial.View{Phase: trial.Idle, Session: "s0"}, everyRole, nil, "open"},
		"opened":                   {trial.View{Phase: trial.Opened, Session: "s1"}, everyRole, nil, "load abort"},
		"loaded":                   {trial.View{Phase: trial.Loaded, Session: "s1"}, everyRole, nil, "seal abort"},
		"between runs":             {between, everyRole, nil, "arm observe pause abort date"},
		"between runs, a handler":  {between, []event.Role{event.Handler}, nil, ""},
		"between runs, a loader":   {between, []event.Role{event.Loader}, nil, ""},
		"between runs, the public": {between, nil, nil, ""},
		"a run that cannot start":  {between, everyRole, refusal.New("rain"), "observe pause abort date"},
		"paused":                   {paused, everyRole, nil, "observe resume abort date"},
		"aborted":                  {aborted, everyRole, nil, "observe pause date"},
		"no run left":              {used, everyRole, nil, "observe pause abort date"},
		"armed":                    {running(trial.Armed), everyRole, nil, "observe void pause abort"},
		"presented":                {running(trial.Shown), everyRole, nil, "start call clear observe void pause abort"},
		"presented, a handler":     {running(trial.Shown), []event.Role{event.Handler}, nil, "start call clear"},
		"searching":                {running(trial.Searching), everyRole, nil, "call clear finish observe void pause abort"},
		"called":                   {running(trial.Called, event.Call{Kind: event.CallClear}), everyRole, nil, "call clear withdraw finish observe pause abort"},
		"locked":                   {running(trial.Locked), everyRole, nil, "observe pause abort"},
		"purging":                  {running(trial.Purging), everyRole, nil, "observe pause abort"},
		"ended":                    {trial.View{Phase: trial.Ended, Session: "s1"}, everyRole, nil, "close"},
		"interrupted":              {trial.View{Phase: trial.Interrupted, Session: "s1"}, everyRole, nil, ""},
		"no session can be held":   {trial.View{Phase: trial.Idle}, everyRole, refusal.New("rain"), ""},
		"starting":                 {trial.View{Phase: trial.Interrupted, Session: "s1"}, everyRole, refusal.New("rain"), ""},
	} {
		in := newInbox(c.view)
		s, err := New(Options{Inbox: in, Archive: archive{}, Obstacle: func(readiness.Question) *refusal.Reason { return c.obstacle }})
		if err != nil {
			t.Fatal(err)
		}
		status := s.Status(in.state, Person{Name: "All", Roles: c.roles})
		if got := strings.Join(status.Commands, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		in.state.Failed = refusal.New("journal-failed")
		if status := s.Status(in.state, Person{Name: "All", Roles: c.roles}); len(status.Commands) != 0 {
			t.Errorf("%s, with a journal that failed: %q", name, status.Commands)
		}
	}
}

// TestWhatComesNext in each state.
func TestWhatComesNext(t *testing.T) {
	running := func(state trial.RunState) trial.View {
		return trial.View{Phase: trial.Sealed, Run: trial.RunView{Index: 1, State: state}}
	}
	why := refusal.New("why")
	for _, c := range []struct {
		view             trial.View
		failed, obstacle *refusal.Reason
		want             Next
	}{
		{trial.View{Phase: trial.Idle}, nil, nil, NextOpen},
		{trial.View{Phase: trial.Idle}, nil, why, WaitBlocked},
		{trial.View{Phase: trial.Interrupted}, nil, why, WaitBlocked},
		{trial.View{Phase: trial.Interrupted}, nil, nil, WaitRestored},
		{trial.View{Phase: trial.Sealed}, why, nil, WaitJournal},
		{trial.View{Phase: trial.Sealed}, why, why, WaitJournal},
		{trial.View{Phase: trial.Idle}, why, why, WaitJournal},
		{trial.View{Phase: trial.Opened}, nil, nil, NextLoad},
		{trial.View{Phase: trial.Loaded}, nil, nil, NextSeal},
		{trial.View{Phase: trial.Sealed, Left: 4}, nil, nil, NextArm},
		{trial.View{Phase: trial.Sealed, Paused: &event.Why{Reason: "rain"}}, nil, nil, NextResume},
		{trial.View{Phase: trial.Sealed, Aborted: &event.Why{Reason: "ill"}}, nil, nil, WaitEnd},
		{trial.View{Phase: trial.Ended}, nil, nil, NextClose},
		{running(trial.Armed), nil, nil, WaitMoves},
		{running(trial.Shown), nil, nil, NextStart},
		{running(trial.Searching), nil, nil, NextCall},
		{running(trial.Called), nil, nil, WaitLock},
		{running(trial.Locked), nil, nil, WaitClosed},
		{running(trial.Voided), nil, nil, WaitClosed},
		{running(trial.Aborted), nil, nil, WaitClosed},
		{running(trial.Purging), nil, nil, WaitPurged},
		{trial.View{Phase: trial.Sealed, Left: 4}, nil, why, WaitStartable},
		{trial.View{Phase: trial.Sealed, Paused: &event.Why{Reason: "rain"}}, nil, why, NextResume},
		{running(trial.Shown), nil, why, NextStart},
	} {
		s, err := New(Options{Inbox: newInbox(c.view), Archive: archive{}, Obstacle: func(readiness.Question) *refusal.Reason { return c.obstacle }})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Status(trial.Snapshot{View: c.view, Failed: c.failed}, Person{}).Next; got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.view.Phase, c.view.Run.State, got, c.want)
		}
		if !strings.HasPrefix(string(c.want), "wait-") && find(string(c.want)) == nil {
			t.Errorf("%s is no command of the table", c.want)
		}
	}
}

// TestTheStateBesideARefusal: what the station waits for, without the runs that are over, and whole by itself: a client that knows
// no state before it reads it.
func TestTheStateBesideARefusal(t *testing.T) {
	v := trial.View{Phase: trial.Sealed, Session: "s1", Left: 2, Over: []trial.RunView{{Index: 1, State: trial.Completed}, {Index: 2, State: trial.Voided}}}
	in := newInbox(v)
	in.answer = trial.Answer{Seq: 9, Refused: refusal.New(trial.NotPaused)}
	got := do(newTestService(t, in), Request{Command: "resume", As: "Ada"})
	if got.Status == nil || got.Status.Next != NextArm || got.Status.RunsKept != 0 || got.Status.Runs != nil {
		t.Errorf("%+v", got.Status)
	}
}
