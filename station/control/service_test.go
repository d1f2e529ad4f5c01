package control

import (
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/history"
	"scentpost/station/readiness"
	"scentpost/station/record"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// inbox is a host that remembers what it is given and answers as it is told.
type inbox struct {
	state    trial.Snapshot
	got      []event.Event
	answer   trial.Answer
	watchers chan func(trial.Snapshot)
}

func newInbox(v trial.View) *inbox {
	return &inbox{state: trial.Snapshot{View: v, Epoch: "e1"}, answer: trial.Answer{Seq: 7}, watchers: make(chan func(trial.Snapshot), 100)}
}

func (i *inbox) Submit(e event.Event, done func(trial.Answer)) {
	i.got = append(i.got, e)
	done(i.answer)
}

func (i *inbox) Snapshot() trial.Snapshot { return i.state }

func (i *inbox) Watch(f func(trial.Snapshot)) (stop func()) {
	i.watchers <- f
	return func() {}
}

// archive is a journal with one session.
type archive struct {
	err error
}

func (a archive) Export(session string, names bool) (history.Export, error) {
	e := history.Export{Name: "bundle-" + session + ".zip", Bundle: text("zip"), Rest: text("{}\n")}
	if session == "damaged" {
		e.Damage = history.Damage{Session: session, Missing: []int64{7}}
	}
	return e, a.err
}

// text writes a text.
func text(of string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, of)
		return err
	}
}

func (a archive) PutAside() ([]history.Aside, error) {
	return []history.Aside{{Draft: 1, Sessions: 3}}, nil
}

func (a archive) Sessions() ([]history.Listed, error) {
	return []history.Listed{{Line: history.Line{ID: "s1", How: "completed"}}}, a.err
}

var people = []Person{
	{Name: "Ada", Roles: []event.Role{event.Assessor}},
	{Name: "Hari", Roles: []event.Role{event.Handler}},
	{Name: "Lola", Roles: []event.Role{event.Loader}},
}

func newTestService(t testing.TB, i Inbox) *Service {
	t.Helper()
	s, err := New(Options{Site: "site", Station: "line-1", Simulated: true, People: people, Inbox: i, Archive: archive{},
		Speak: func(string) *refusal.Reason { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do asks a service as the person that the request names, as the public when it names nobody.
func do(s *Service, r Request) (got Response) {
	answered := 0
	who, _ := s.Person(r.As)
	s.Do(who, r, func(r Response) { got = r; answered++ })
	if answered != 1 {
		panic(r.Command + " was answered more or less than once")
	}
	return got
}

func shortPlan(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../configs/plans/short.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryCommandBecomesItsEvent goes each command's happy path.
func TestEveryCommandBecomesItsEvent(t *testing.T) {
	view := trial.View{Phase: trial.Sealed, Session: "s1", Positions: 3, Aids: 12, Team: event.Team{Handler: "p-1"}}
	call := func(c event.Call) *event.Call { c.MadeBy, c.EnteredBy = "p-1", "Ada"; return &c }
	for name, c := range map[string]struct {
		request Request
		kind    event.Type
		body    any
	}{
		"load":         {Request{Command: "load", As: "Lola"}, event.SessionLoaded, &event.Load{}},
		"seal alone":   {Request{Command: "seal", Alone: true}, event.SessionSealed, &event.Seed{Source: event.Alone}},
		"seal by dice": {Request{Command: "seal", Dice: " 1 2\n3  4 5 6"}, event.SessionSealed, &event.Seed{Source: event.Dice, Dice: "1 2 3 4 5 6"}},
		"arm":          {Request{Command: "arm"}, event.RunArmed, nil},
		"start":        {Request{Command: "start", As: "Hari"}, event.RunStarted, nil},
		"call":         {Request{Command: "call", Position: 3}, event.CallMade, call(event.Call{Kind: event.CallAt, Position: 3, Means: event.ByVoice})},
		"call between": {Request{Command: "call", Position: 1, Between: 2, Means: "panel"}, event.CallMade, call(event.Call{Kind: event.CallBetween, Position: 1, Other: 2, Means: event.ByPanel})},
		"call nowhere": {Request{Command: "call", Nowhere: true, Means: "voice"}, event.CallMade, call(event.Call{Kind: event.CallNowhere, Means: event.ByVoice})},
		"clear":        {Request{Command: "clear"}, event.CallMade, call(event.Call{Kind: event.CallClear, Means: event.ByVoice})},
		"withdraw":     {Request{Command: "withdraw", Reason: "three, no, four"}, event.CallWithdrawn, &event.Why{Reason: "three, no, four"}},
		"finish":       {Request{Command: "finish"}, event.RunFinished, nil},
		"observe":      {Request{Command: "observe", What: "hesitation", Position: 2, Note: "n"}, event.Observed, &event.Observation{What: "hesitation", Position: 2, Note: "n"}},
		"void":         {Request{Command: "void", Reason: "rain"}, event.RunVoided, &event.Void{Why: event.Why{Reason: "rain"}}},
		"pause":        {Request{Command: "pause", Reason: "rain"}, event.SessionPaused, &event.Why{Reason: "rain"}},
		"resume":       {Request{Command: "resume"}, event.SessionResumed, nil},
		"abort":        {Request{Command: "abort", Reason: "ill"}, event.SessionAborted, &event.Why{Reason: "ill"}},
		"close":        {Request{Command: "close", As: "Lola", AllBack: true, Note: "all there"}, event.SessionClosed, &event.AidCount{Out: 12, Back: 12, Remark: "all there"}},
		"close, few":   {Request{Command: "close", As: "Lola", Back: new(11)}, event.SessionClosed, &event.AidCount{Out: 12, Back: 11}},
	} {
		in := newInbox(view)
		if c.request.As == "" {
			c.request.As = "Ada"
		}
		got := do(newTestService(t, in), c.request)
		if !got.OK || got.Seq != 7 || got.Status == nil || got.Status.Session != "s1" || len(in.got) != 1 {
			t.Errorf("%s: %+v after %d events", name, got, len(in.got))
			continue
		}
		if e := in.got[0]; e.Type != c.kind || e.By != c.request.As || !reflect.DeepEqual(e.Body, c.body) {
			t.Errorf("%s: became %s by %s with %+v", name, e.Type, e.By, e.Body)
		}
	}
}

func TestOpeningASession(t *testing.T) {
	in := newInbox(trial.View{Phase: trial.Idle})
	plan := shortPlan(t)
	got := do(newTestService(t, in), Request{Command: "open", As: "Ada", PlanName: "short.yaml", Plan: plan, Dog: "Rex", Handler: "Hana", Assessor: "Guest", Rule: "rule", New: true})
	if !got.OK || len(in.got) != 1 {
		t.Fatalf("%+v", got)
	}
	o := in.got[0].Body.(*event.Opening)
	roles := map[string][]event.Role{}
	for _, p := range o.People {
		roles[p.Ref] = p.Roles
	}
	if o.Plan != plan || o.Name != "short.yaml" || o.Mode != "double" || len(o.PlanHash) != 64 || o.Rule != "rule" || o.Team.Dog != "Rex" ||
		o.Team.Handler != "Hana" || o.Laws.Draw != blind.DrawLaw || o.Laws.Engine != trial.Law {
		t.Errorf("it opens with %+v", o)
	}
	if len(roles) != 5 || !reflect.DeepEqual(roles["Hana"], []event.Role{event.Handler}) || !reflect.DeepEqual(roles["Guest"], []event.Role{event.Assessor}) {
		t.Errorf("there are present %v", roles)
	}
}

// A two-party seal needs the answer of an authority that the station knows.
func TestSealingWithAnAuthority(t *testing.T) {
	private, verifier, err := record.NewKey(strings.NewReader(strings.Repeat("k", 64)), "authority")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := blind.Answer(private, blind.Request(blind.Binding{}, nil, [32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	in := newInbox(trial.View{Phase: trial.Loaded})
	s, err := New(Options{Simulated: true, People: people, Authorities: []string{verifier}, Inbox: in, Archive: archive{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := do(s, Request{Command: "seal", As: "Ada", Share: answer}); !got.OK {
		t.Fatal(got.Refused)
	}
	seed := in.got[0].Body.(*event.Seed)
	if seed.Source != event.TwoParty || seed.Key != verifier || !strings.HasSuffix(answer, seed.Signature) || len(seed.Signature) != 128 {
		t.Errorf("the seed is %+v", seed)
	}
	if got := do(newTestService(t, in), Request{Command: "seal", As: "Ada", Share: answer}); got.OK || !strings.Contains(got.Refused.Error(), "none of this station's 0 authorities") {
		t.Errorf("an authority that nobody knows: %+v", got)
	}
}

// TestWhatARequestIsRefusedFor reads codes and values.
func TestWhatARequestIsRefusedFor(t *testing.T) {
	view := trial.View{Phase: trial.Sealed, Session: "s1", Positions: 3, Aids: 12}
	plan := shortPlan(t)
	for name, c := range map[string]struct {
		request Request
		says    string
	}{
		"the public":           {Request{Command: "arm", As: "nobody"}, "speaker-unknown (command arm, roles assessor)"},
		"another role":         {Request{Command: "arm", As: "Hari"}, "role-lacking (command arm, person Hari, roles assessor)"},
		"another role, at all": {Request{Command: "arm", As: "Hari", Dog: "Rex"}, "role-lacking"},
		"no command":           {Request{}, "command-unknown"},
		"a plan of junk":       {Request{Command: "open", Plan: "\x00\x01", Dog: "D", Handler: "H", Assessor: "A"}, "plan-refused (detail :1:"},
		"a rule beyond reach":  {Request{Command: "open", Plan: plan + "\nrule: a-rule\n", Rule: string(ruleOf("  - {name: it, value: targets, at_least: 99}")), Dog: "D", Handler: "H", Assessor: "A"}, "at least 99 needed, at most 3 reached"},
		"share and dice":       {Request{Command: "seal", Share: "ab", Dice: "1 2 3 4 5"}, "seal-twice"},
		"no answer":            {Request{Command: "seal"}, "seal-unanswered"},
		"a blank answer":       {Request{Command: "seal", Share: " \n", Dice: "\t"}, "seal-unanswered"},
		"share, and alone":     {Request{Command: "seal", Share: "ab", Alone: true}, "seal-twice"},
		"dice, and alone":      {Request{Command: "seal", Dice: "1 2 3 4 5", Alone: true}, "seal-twice"},
		"few dice":             {Request{Command: "seal", Dice: "1"}, "dice-refused (detail 1 dice are too few"},
		"a share of junk":      {Request{Command: "seal", Share: "xyz"}, "share-refused (detail the authority's answer is not hexadecimal"},
		"an unsigned share":    {Request{Command: "seal", Share: strings.Repeat("ab", 32)}, "has 64 digits: want 136"},
		"a short answer":       {Request{Command: "seal", Share: "abcd"}, "digits"},
		"a call at none":       {Request{Command: "call"}, "call-unplaced"},
		"between one":          {Request{Command: "call", Position: 2, Between: 2}, "between-itself"},
		"a call by smoke":      {Request{Command: "call", Position: 1, Means: "smoke"}, "means-unknown (means smoke)"},
		"a void of no reason":  {Request{Command: "void"}, "argument-missing (argument reason, command void)"},
		"a date that is none":  {Request{Command: "date", Date: "yesterday"}, "no-date (detail \"yesterday\" is no date"},
		"aids not counted":     {Request{Command: "close"}, "back-uncounted (out 12)"},
		"aids counted twice":   {Request{Command: "close", Back: new(12), AllBack: true}, "back-twice"},
	} {
		in := newInbox(view)
		if c.request.As == "" {
			c.request.As = "Ada"
		}
		got := do(newTestService(t, in), c.request)
		if got.OK || got.Refused == nil || !strings.Contains(got.Refused.Error(), c.says) || len(in.got) != 0 {
			t.Errorf("%s: %v after %d events, want %q", name, got.Refused, len(in.got), c.says)
		}
	}
}

// TestWhatTheHostRefuses: a refusal names its record, a station that takes nothing has none.
func TestWhatTheHostRefuses(t *testing.T) {
	in := newInbox(trial.View{})
	s := newTestService(t, in)
	for _, answer := range []trial.Answer{{Seq: 9, Refused: refusal.New(trial.CalledByButton)}, {Seq: -1, Refused: refusal.New("journal-failed")}} {
		in.answer = answer
		if got := do(s, Request{Command: "start", As: "Hari"}); got.OK || got.Refused != answer.Refused || got.Seq != max(answer.Seq, 0) || got.First != nil {
			t.Errorf("%+v: %+v", answer, got)
		}
	}
}

// TestABundleOfASessionUnderWayIsMarked: it is not whole.
func TestABundleOfASessionUnderWayIsMarked(t *testing.T) {
	for _, c := range []struct {
		phase trial.Phase
		asked string
		want  bool
	}{
		{trial.Sealed, "", true}, {trial.Sealed, "s2", true}, {trial.Sealed, "s1", false}, {trial.Interrupted, "", true},
		{trial.Loaded, "", true}, {trial.Ended, "", false}, {trial.Idle, "", false}, {trial.Idle, "s2", false},
	} {
		s := newTestService(t, newInbox(trial.View{Phase: c.phase, Session: "s2"}))
		if got := do(s, Request{Command: "export", Session: c.asked}); !got.OK || got.Unfinished != c.want {
			t.Errorf("%s, asked for %q: %+v", c.phase, c.asked, got)
		}
	}
	idle := newTestService(t, newInbox(trial.View{Phase: trial.Idle}))
	if got := do(idle, Request{Command: "export"}); got.Unfinished {
		t.Errorf("without a session: %+v", got)
	}
}

// TestTwoExportsAtATime: a third is refused until one of the two has been written, and one that failed takes no place.
func TestTwoExportsAtATime(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	export := func() Response { return do(s, Request{Command: "export"}) }
	first, second := export(), export()
	if !first.OK || !second.OK {
		t.Fatalf("%+v, %+v", first, second)
	}
	for range 3 {
		if got := export(); got.OK || !got.Refused.Says(ExportsBusy) {
			t.Errorf("a third beside two: %+v", got)
		}
		first.Done()
		if first = export(); !first.OK {
			t.Errorf("a third after one: %+v", first)
		}
	}
	first.Done()
	second.Done()
	s.opt.Archive = archive{err: errors.New("no session")}
	for range 3 {
		if got := export(); !got.Refused.Says(RecordsUnread) {
			t.Errorf("an export that fails: %+v", got)
		}
	}
}

func TestReadingTheArchive(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	if got := do(s, Request{Command: "list"}); !got.OK || len(got.List) != 1 || len(got.PutAside) != 1 {
		t.Errorf("%+v", got)
	}
	if got := do(s, Request{Command: "export", Session: "s1"}); !got.OK || got.Name != "bundle-s1.zip" || got.Export == nil || got.Damage != nil {
		t.Errorf("%+v", got)
	}
	s.opt.Archive = archive{err: errors.New("no session")}
	for _, command := range []string{"list", "export"} {
		if got := do(s, Request{Command: command}); got.OK || !got.Refused.Says(RecordsUnread) || got.Refused.Value("detail") != "no session" {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

// TestAnObstacleIsToldToEverybody, with what is wrong.
func TestAnObstacleIsToldToEverybody(t *testing.T) {
	var set health.Set
	set.Raise(health.DeviceAbsent, "virtual-station", "nobody listens", event.Stamp{UTC: 1})
	s, err := New(Options{Inbox: newInbox(trial.View{Phase: trial.Idle}), Archive: archive{}, Conditions: set.Snapshot,
		Obstacle: func(readiness.Question) *refusal.Reason { return refusal.New("devices-absent", "device", "beam-1") }})
	if err != nil {
		t.Fatal(err)
	}
	got := do(s, Request{Command: "status"}).Status
	if !got.Obstacle.Says("devices-absent") || got.Next != WaitBlocked || len(got.Conditions) != 1 || got.Conditions[0].Evidence != "nobody listens" {
		t.Errorf("%+v", got)
	}
}
