package verify

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// played is a session on a real stage, whose effects the test performs: canisters move as told.
type played struct {
	*station
	stage   *trial.Stage
	from    int64
	written []event.Event // by the stage, before change
	// change may alter a record that the engine writes: a station that lies and signs.
	change func(e *event.Event)
	// noise is how often the dog walks past position 2 in the first run.
	noise int
	// during is called in each run, when the dog has left position 1.
	during func(run int)
}

// do performs what the stage asks for. All is durable at once.
func (p *played) do(effects []trial.Effect) {
	p.t.Helper()
	var move *trial.Effect
	for i := range effects {
		switch e := effects[i]; e.Kind {
		case trial.Record:
			p.write(&e.Event)
			p.append(e.Event)
		case trial.Open:
			p.open(e.Run, e.Event.At, p.write)
		case trial.Checkpoint:
			p.checkpoint(e.Name)
		case trial.Move:
			move = &e
		}
	}
	if move != nil {
		p.move(move)
	}
}

// write keeps what the stage writes, and lies about it.
func (p *played) write(e *event.Event) {
	p.written = append(p.written, *e)
	if p.change != nil {
		p.change(e)
	}
}

// move has every canister of a run arrive.
func (p *played) move(e *trial.Effect) {
	if may, _ := p.stage.Release(p.now, e); !may {
		p.t.Fatal("the canisters may not move")
	}
	for _, m := range e.Moves {
		p.do(p.stage.Fact(p.now, event.Event{Type: event.CanisterMoved, At: p.now, Body: &event.Handling{Position: m.Position},
			Secret: &event.Moves{Canister: m.Canister, Open: true, Commanded: e.At, Confirmed: e.At + 1e6}}))
	}
}

// fire fires the next timer; it tells whether there was one.
func (p *played) fire() bool {
	next, ok := p.stage.Next(p.now.Mono)
	if ok {
		p.now = p.now.AtMono(max(next, p.now.Mono))
		p.do(p.stage.Fire(p.now))
	}
	return ok
}

// command gives a command of a person, a while after what came before.
func (p *played) command(t event.Type, by string, body, secret any) {
	p.t.Helper()
	p.now = p.now.Add(2e8)
	effects, refused := p.stage.Command(p.now, event.Event{Type: t, Session: p.session, By: by, Body: body, Secret: secret})
	if refused != nil {
		p.t.Logf("refused %s: %s", t, refused)
	}
	p.do(effects)
}

// fact tells what a device says, a while after what came before.
func (p *played) fact(t event.Type, by string, body any) {
	p.now = p.now.Add(2e8)
	p.do(p.stage.Fact(p.now, event.Event{Type: t, At: p.now, By: by, Body: body}))
}

// restart brings the session back from what was written.
func (p *played) restart(cause event.Cause) {
	p.t.Helper()
	p.stage = trial.NewStage(p.log.Station, p.log.Epoch, p.now)
	player := p.stage.Player()
	for i, e := range p.written {
		if err := player.Play(p.from+int64(i), e); err != nil {
			p.t.Fatal(err)
		}
	}
	p.do(p.stage.Resume(p.now, trial.Back{Last: p.written[len(p.written)-1].At, Cause: cause}))
}

// play runs a session of small runs: a call, an all clear, a time-out, and one that is voided and replaced.
func play(t testing.TB, feedback string, change func(p *played)) (*played, record.Bundle) {
	t.Helper()
	s := newStation(t, 4)
	s.session = "s-9"
	p := &played{station: s, from: 1}
	if change != nil {
		change(p)
	}
	p.stage = trial.NewStage(s.log.Station, s.log.Epoch, p.now)
	src := strings.Replace(smallPlan, "runs: 2", "runs: 3", 1)
	src = strings.Replace(src, "feedback: none", "feedback: "+feedback, 1)
	plan, err := blind.ParsePlan("small.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	handler := p.person("Agron")
	hash := sha256.Sum256([]byte(src))
	p.command(event.SessionOpened, handler, &event.Opening{Name: "small.yaml", Plan: src, PlanHash: hexOf(hash), Mode: "double",
		Team: event.Team{Dog: p.person("Rex"), Handler: handler}, Beams: []int{1, 2, 3}, Simulated: true,
		Settings: event.Settings{LeadMS: 500, TravelMS: 300, CloseMS: 300, GridMS: 1000, LongPress: 800, EdgeBudget: 50, OpenMS: 60000},
		Draft:    event.Draft, Laws: trial.Laws()}, nil)
	b := blind.Binding{Station: p.log.Station, Epoch: p.log.Epoch, SetUp: setUp, PlanHash: hash}
	_, load, filling := blind.Load(b, p.openings(), plan.Loading(), [32]byte{1}, [32]byte{3})
	p.command(event.SessionLoaded, "p-99999999999999999999999999999999", load, filling)
	p.command(event.SessionSealed, handler, &event.Seed{Source: event.Dice, Dice: "1 2 3 4 5 6"}, &event.NonceSeed{Seed: hexOf([32]byte{2})})
	for run := 0; p.stage.View().Phase == trial.Sealed; run++ {
		if run > 9 {
			t.Fatal("the session does not end")
		}
		p.search(run, handler)
	}
	out := p.stage.View().Aids
	p.command(event.SessionClosed, handler, &event.AidCount{Out: out, Back: out - 1}, nil)
	return p, p.bundle(p.from)
}

// search is one run: what the dog and the handler do goes in turn.
func (p *played) search(run int, handler string) {
	p.command(event.RunArmed, handler, nil, nil)
	p.fire() // presented
	p.fact(event.BeamEntered, "beam-1", &event.Beam{Position: 1})
	p.fact(event.BeamLeft, "beam-1", &event.Beam{Position: 1})
	if p.during != nil {
		p.during(run)
	}
	switch run {
	case 0:
		for range p.noise {
			p.now = p.now.Add(1000)
			p.do(p.stage.Fact(p.now, event.Event{Type: event.BeamLeft, At: p.now, By: "beam-2", Body: &event.Beam{Position: 2}}))
		}
		p.fact(event.ButtonPressed, "button-1", &event.Press{Role: event.ButtonAlert, HeldMS: 100})
	case 1:
		p.command(event.RunVoided, handler, &event.Void{Why: event.Why{Reason: "a cat"}}, nil)
	case 2:
		p.fact(event.RunPresented, event.ByStation, nil) // makes no sense now
		p.command(event.CallMade, handler, &event.Call{Kind: event.CallClear, MadeBy: handler, EnteredBy: handler, Means: event.ByVoice}, nil)
	}
	for p.fire() {
	}
}

func TestARealSessionIsRunAgain(t *testing.T) {
	for _, feedback := range []string{"none", "per-run"} {
		_, b := play(t, feedback, nil)
		r := Members(membersOf(t, b), Options{})
		if !r.Consistent || r.Replay != ReplayChecked || r.Seed != "dice" || r.Result.State != history.Closed {
			t.Fatalf("feedback %s: %s, %v", feedback, r.Replay, r.Problems)
		}
		how := fmt.Sprint(len(r.Result.Runs))
		for _, run := range r.Result.Runs {
			how += " " + string(run.How)
		}
		if want := "4 completed voided completed completed"; how != want {
			t.Errorf("feedback %s: runs are %q, want %q", feedback, how, want)
		}
	}
}

// TestBytesOfARealBundle is TestEveryByteCounts over a whole session, at some of its bytes.
func TestBytesOfARealBundle(t *testing.T) {
	_, b := play(t, "none", nil)
	everyByte(t, b, 211)
}

// TestWhatTheEngineWouldNotWriteIsNamed lets a station with a good key change what its engine says.
func TestWhatTheEngineWouldNotWriteIsNamed(t *testing.T) {
	once := func(t event.Type, change func(e *event.Event)) func(e *event.Event) {
		done := false
		return func(e *event.Event) {
			if e.Type == t && !done {
				done = true
				change(e)
			}
		}
	}
	for name, c := range map[string]struct {
		kind   event.Type
		change func(e *event.Event)
		want   string
	}{
		"the lock's instant": {event.RunLocked, func(e *event.Event) {
			lock := *e.Body.(*event.Lock)
			lock.At++
			e.Body = &lock
		}, "the engine writes run.locked"},
		"the call's position": {event.CallMade, func(e *event.Event) {
			call := *e.Body.(*event.Call)
			call.Position = 3
			e.Body = &call
		}, "the engine writes call.made"},
		"a run's result": {event.RunScored, func(e *event.Event) {
			result := *e.Body.(*event.RunResult)
			result.Result = "splendid"
			e.Body = &result
		}, "the engine writes run.scored"},
		"the verdict": {event.SessionScored, func(e *event.Event) {
			verdict := *e.Body.(*event.Verdict)
			verdict.Verdict = "pass with honours"
			e.Body = &verdict
		}, "the engine writes session.scored"},
		"a stamp":                   {event.RunPresented, func(e *event.Event) { e.At = e.At.Add(1) }, "the engine writes refused"},
		"the instant of an opening": {event.Opened, func(e *event.Event) { e.At = e.At.Add(1) }, "is opened here with other words"},
		"the author of a derivation": {event.SessionEnded, func(e *event.Event) { e.By = "p-somebody" },
			"the engine writes session.ended"},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := play(t, "none", func(p *played) { p.change = once(c.kind, c.change) })
			r := Members(membersOf(t, b), Options{})
			wantNo(t, r, c.want)
			if r.Replay == ReplayChecked {
				t.Error("the replay is said to be checked")
			}
		})
	}
}

// TestACheckpointLeftOutIsNamed: who takes one out of the bundle and writes the manifest anew is told by the engine,
// which asks for one at every lock.
func TestACheckpointLeftOutIsNamed(t *testing.T) {
	_, b := play(t, "none", nil)
	for i := range len(b.Checkpoints) - 1 {
		short := b
		short.Checkpoints = append(append([]record.Checkpoint{}, b.Checkpoints[:i]...), b.Checkpoints[i+1:]...)
		wantNo(t, Members(membersOf(t, short), Options{}), fmt.Sprintf("checkpoint of %d records", b.Checkpoints[i].Size))
	}
	twice := b
	twice.Checkpoints = append(append([]record.Checkpoint{}, b.Checkpoints...), b.Checkpoints[len(b.Checkpoints)-1])
	wantNo(t, Members(membersOf(t, twice), Options{}), record.MemberCheckpoints)
}

// TestAnUnknownLawIsNotJudged: whoever names a law of his own choice gets no verdict.
func TestAnUnknownLawIsNotJudged(t *testing.T) {
	known := trial.Laws()
	for _, c := range []struct {
		laws event.Laws
		want string
	}{
		{event.Laws{Draw: 9, Engine: known.Engine, Score: known.Score}, "made under law 9 of the draw, this program has law 1: use the version that wrote it"},
		{event.Laws{Draw: known.Draw, Engine: 99, Score: known.Score}, "made under law 99 of the engine, this program has law 1: use the version that wrote it"},
		{event.Laws{Draw: known.Draw, Engine: known.Engine, Score: 7}, "made under law 7 of the score, this program has law 1: use the version that wrote it"},
	} {
		_, b := play(t, "none", func(p *played) {
			p.change = func(e *event.Event) {
				if o, ok := e.Body.(*event.Opening); ok {
					o.Laws = c.laws
				}
			}
		})
		wantUnjudged(t, Members(membersOf(t, b), Options{}), c.want)
	}
}

// wantUnjudged checks that a report says nothing but why the bundle was not judged.
func wantUnjudged(t testing.TB, r Report, want string) {
	t.Helper()
	var unknown *event.UnknownLaw
	if !errors.As(r.Unjudged, &unknown) || r.Unjudged.Error() != want {
		t.Fatalf("not judged because of %v, want %s", r.Unjudged, want)
	}
	if r.Unjudged = nil; !reflect.DeepEqual(r, Report{Problems: []record.Fault{}}) {
		t.Errorf("and yet it says %+v", r)
	}
}

// otherDraft is a bundle as another draft might write it: nothing but the place of the draft's number is as it is now.
func otherDraft(t testing.TB, data string) []byte {
	t.Helper()
	epoch := `{"specversion":"2.0","type":"scentpost.epoch.began","new":[null,1.5],"data":` + data + `}`
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	for name, text := range map[string]string{record.MemberEpoch: epoch, "witness.json": "{}", "records.cbor": "x"} {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// TestAnotherDraftIsNotJudged: a draft may have any form, and says its number.
func TestAnotherDraftIsNotJudged(t *testing.T) {
	next := event.Draft + 1
	wantUnjudged(t, Verify(otherDraft(t, fmt.Sprintf(`{"draft":%d,"more":{}}`, next)), Options{}),
		fmt.Sprintf("made under draft %d, this program reads draft %d: use the version that wrote it", next, event.Draft))
	wantUnjudged(t, Verify(otherDraft(t, `{"site":"s"}`), Options{}),
		fmt.Sprintf("made under draft 1, this program reads draft %d: use the version that wrote it", event.Draft))
	for _, data := range []string{fmt.Sprintf(`{"draft":%d}`, event.Draft), `{"draft":0}`, `{"draft":-1}`, `{"draft":"3"}`, `{"draft":1e99}`, `[3]`, `3`} {
		if r := Verify(otherDraft(t, data), Options{}); r.Unjudged != nil || r.Consistent || len(r.Problems) == 0 {
			t.Errorf("%s: %+v", data, r)
		}
	}
	if r := Verify(otherDraft(t, `{"draft":3}`), Options{Limits: record.Limits{Zip: 10}}); r.Unjudged != nil || r.Consistent {
		t.Errorf("beyond the limits: %+v", r)
	}
}

// TestADraftThatIsSignedIsNotJudgedEither: a station of another draft whose bundle happens to have today's form.
func TestADraftThatIsSignedIsNotJudgedEither(t *testing.T) {
	_, b := unrevealed(t, 1)
	next := fmt.Appendf(nil, `"draft":%d`, event.Draft+1)
	b.Epoch = bytes.Replace(b.Epoch, fmt.Appendf(nil, `"draft":%d`, event.Draft), next, 1)
	members := membersOf(t, b)
	if r := Members(members, Options{}); r.Unjudged == nil || r.Consistent {
		t.Errorf("%+v", r)
	}
	i := slices.IndexFunc(members, func(m record.Member) bool { return m.Name == record.MemberEpoch })
	members[i].Data = bytes.Replace(members[i].Data, next, fmt.Appendf(nil, `"draft":%d`, event.Draft+2), 1)
	wantNo(t, Members(members, Options{}), record.MemberEpoch) // damaged on the way: the manifest lists another hash
}
