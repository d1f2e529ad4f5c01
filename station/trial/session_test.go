package trial_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestOpeningIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *event.Opening, set *event.Settings)
		want   string
	}{
		"a plan that is none":       {func(o *event.Opening, _ *event.Settings) { o.Plan = "plan: [" }, "the plan is refused"},
		"another hash":              {func(o *event.Opening, _ *event.Settings) { o.PlanHash = strings.Repeat("0", 64) }, "the plan's hash"},
		"another mode":              {func(o *event.Opening, _ *event.Settings) { o.Mode = "single" }, `mode is "single" and the plan's is "double"`},
		"another law":               {func(o *event.Opening, _ *event.Settings) { o.Laws.Draw++ }, "laws"},
		"no grid":                   {func(_ *event.Opening, set *event.Settings) { set.GridMS = 0 }, "lack a grid"},
		"a lead below zero":         {func(_ *event.Opening, set *event.Settings) { set.LeadMS = -1 }, "below zero"},
		"a run longer than it may":  {func(_ *event.Opening, set *event.Settings) { set.OpenMS = 44_500 }, "a run of 40s does not fit into the 44.5s"},
		"a witness that cannot be":  {nil, "asks for a witness (paper)"},
		"an opening without its id": {func(o *event.Opening, _ *event.Settings) { o.Name = "" }, "needs an id"},
	} {
		t.Run(name, func(t *testing.T) {
			set, src, session := usual, smallPlan, "s1"
			if c.change == nil {
				src += "witness: paper\n"
			}
			o := openingOf(src, set)
			if c.change != nil {
				c.change(o, &o.Settings)
			}
			if o.Name == "" {
				session = ""
			}
			m := trial.New("line-1", "e1")
			if effects := m.Step(event.Event{Type: event.SessionOpened, Session: session, Body: o}); len(effects) != 0 {
				t.Errorf("a session that never began leaves %d effects", len(effects))
			}
			if got := m.Refusal(); got == nil || !strings.Contains(trial.InRecord(got), c.want) {
				t.Errorf("refused with %v, want %q", got, c.want)
			}
			if _, active := m.Session(); active {
				t.Error("the session is active")
			}
		})
	}
}

// authority returns the verifier key of somebody who signed nothing.
func authority(t *testing.T) string {
	t.Helper()
	_, verifier, err := note.GenerateKey(strings.NewReader(strings.Repeat("a", 64)), "authority")
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func TestSealIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		e    event.Event
		want string
	}{
		"an unknown source": {event.Event{Type: event.SessionSealed, Body: &event.Seed{Source: "stars"}, Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}}, "unknown source"},
		"no dice":           {event.Event{Type: event.SessionSealed, Body: &event.Seed{Source: event.Dice}, Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}}, "no dice"},
		"short nonces":      {event.Event{Type: event.SessionSealed, Body: &event.Seed{Source: event.Alone}, Secret: &event.NonceSeed{Seed: "05"}}, "not 32 bytes"},
		"no share":          {event.Event{Type: event.SessionSealed, Body: &event.Seed{Source: event.TwoParty}, Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}}, "no verifier key"},
		"a share unsigned":  {event.Event{Type: event.SessionSealed, Body: &event.Seed{Source: event.TwoParty, Key: authority(t), Signature: strings.Repeat("05", 64)}, Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}}, "not one of authority over this station's request"},
		"loaded again":      {event.Event{Type: event.SessionLoaded, Body: &event.Load{}, Secret: &event.Filling{}}, "cannot load"},
		"opened again":      {event.Event{Type: event.SessionOpened, Session: "s2", Body: openingOf(smallPlan, usual)}, "another session is active"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.prepare(smallPlan, usual)
			m := trial.New("line-1", "e1")
			for _, e := range s.records[:2] { // opened, loaded
				m.Step(e)
			}
			effects := m.Step(c.e)
			if len(effects) != 1 || effects[0].Event.Type != event.Refused || effects[0].Event.Session != "s1" {
				t.Fatalf("the refusal is not the one record of the session: %+v", effects)
			}
			if got := effects[0].Event.Body.(*event.Refusal).Reason; !strings.Contains(got, c.want) || got != trial.InRecord(m.Refusal()) {
				t.Errorf("refused with %q, want %q", got, c.want)
			}
			if m.View().Phase != trial.Loaded {
				t.Errorf("the session is %s", m.View().Phase)
			}
		})
	}
}

func TestModesDiscloseAsTheySay(t *testing.T) {
	for mode, want := range map[string]string{
		"double": "armed 1", "single": "armed 1, shown to [assessor]", "open": "armed 1, shown to [public]",
	} {
		s := ready(t, "mode: double", "mode: "+mode)
		from := len(s.records)
		s.play("arm")
		if got := s.story(from); got != want {
			t.Errorf("%s: %s, want %s", mode, got, want)
		}
		s.replay()
	}
}

func TestFeedbackOpensARunWhenItIsClosed(t *testing.T) {
	s := ready(t, "feedback: none", "feedback: per-run")
	from := len(s.records)
	s.play("arm; 4s; void x; 10s; arm; 4s; press clear; 2s")
	want := "armed 1, presented, void x, purged, armed 3, presented, call clear, started, lock all clear, opened 3"
	if got := s.story(from); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if v := s.stage.View(); v.Runs()[0].Result != nil || v.Runs()[1].Result == nil {
		t.Error("the result of the run that is open is not shown, or that of a void is")
	}
	s.replay()
}

// TestACallBehindTheLockIsNotScored: an all clear with an earlier stamp comes after a call that stood already.
func TestACallBehindTheLockIsNotScored(t *testing.T) {
	for script, want := range map[string]int{"press alert; ago 100ms press clear": -1, "press alert; 50ms; press clear": 1100} {
		s := ready(t, "calls: first-ends", "calls: several", "feedback: none", "feedback: per-run")
		s.play("source beam 1s; arm; 4s; start; 1s; beam 1; 100ms; " + script + "; 3s")
		result := s.stage.View().Runs()[0].Result
		if result == nil {
			t.Fatalf("%s: no result: %s", script, s.story(0))
		}
		alerts := 0
		for _, p := range result.Presentations {
			if p.Outcome == event.Hit || p.Outcome == event.FalseAlert {
				alerts++
			}
		}
		if (alerts > 0) != (want > 0) || (want > 0 && result.SinceStartMS != want) {
			t.Errorf("%s: %d alerts, the first call %d ms after the start", script, alerts, result.SinceStartMS)
		}
	}
}

// TestLightsTellNothingOfTheCall: ready from presented to the end, one acknowledgement at each lock.
func TestLightsTellNothingOfTheCall(t *testing.T) {
	for script, want := range map[string]string{
		"arm; 4s; press clear; 9s":        "[ready true ack true ready false]",
		"arm; 4s; beam 1; press alert;9s": "[ready true ack true ready false]",
		"arm; 4s; start; 50s":             "[ready true ack true ready false]",
		"arm; 4s; void x; 9s":             "[ready true ready false]",
	} {
		s := ready(t)
		s.play(script)
		if got := fmt.Sprint(s.lights); got != want {
			t.Errorf("%s: %s, want %s", script, got, want)
		}
	}
}

// TestGoldenTypes holds a small session to the number, types and order of its records.
func TestGoldenTypes(t *testing.T) {
	const golden = "testdata/session.golden"
	s := ready(t, "runs: 2", "runs: 3")
	s.play("arm; 4s; beam 1; left 1; 1s; beam 2; press alert; 10s; arm; 3s; jam 1; 20s; arm; 4s; start; 50s; arm; 4s; clear; 2s; withdraw; clear; 20s; close")
	var b strings.Builder
	for _, e := range s.records {
		fmt.Fprintln(&b, e.Run, e.Type)
	}
	fmt.Fprintln(&b, "checkpoints", s.points)
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the records have changed (a change of what the engine writes is a new law):\n%s", b.String())
	}
	s.replay()
}

// TestEveryPlacementWritesTheSameRecords plays one script over many draws: records differ in what is sealed alone.
func TestEveryPlacementWritesTheSameRecords(t *testing.T) {
	var want string
	for draw := range 20 {
		s := newTheatre(t)
		s.prepare(strings.Replace(smallPlan, "plan: Small", "plan: Small "+string(rune('a'+draw)), 1), usual)
		from := len(s.records)
		s.play("arm; 4s; beam 1; 1s; beam 3; press alert; 10s; arm; 4s; void x; 10s")
		var b strings.Builder
		for _, e := range s.records[from:] {
			fmt.Fprintln(&b, e.Type, e.Run, e.At.Mono, e.By, fmt.Sprintf("%+v", e.Body))
		}
		got := b.String()
		if draw == 0 {
			want = got
		}
		if got != want {
			t.Fatalf("draw %d is told from the first:\n%s", draw, got)
		}
	}
}

// TestAidsAreCountedBack: the count is held to what went out, blanks not counted, and what is missing stays in the view.
func TestAidsAreCountedBack(t *testing.T) {
	s := ready(t)
	s.play("abort")
	out := s.stage.View().Aids
	if out != 6 {
		t.Fatalf("%d aids went out, of three positions with two aids and a blank each", out)
	}
	count := func(c event.AidCount) { s.command(event.Event{Type: event.SessionClosed, By: "p-loader", Body: &c}) }
	for _, c := range []struct {
		count event.AidCount
		want  refusal.Code
	}{
		{event.AidCount{Out: 9, Back: 9}, trial.Inconsistent}, // with the blanks
		{event.AidCount{Out: 0, Back: 0}, trial.Inconsistent},
		{event.AidCount{Out: 6, Back: 7}, trial.BackImpossible},
		{event.AidCount{Out: 6, Back: -1}, trial.BackImpossible},
	} {
		count(c.count)
		if v := s.stage.View(); !s.refused.Says(c.want) || v.Phase != trial.Ended || v.Count != nil {
			t.Errorf("%+v: %v, the session is %s", c.count, s.refused, v.Phase)
		}
	}
	count(event.AidCount{Out: 6, Back: 4, Remark: "two lie in the van"})
	v := s.stage.View()
	if s.refused != nil || v.Phase != trial.Idle || v.Count == nil || v.Count.Missing() != 2 || v.Count.Text() != "4 of 6 aids back, 2 MISSING" {
		t.Errorf("%v, %+v", s.refused, v.Count)
	}
	s.replay()

	early := newTheatre(t)
	early.command(event.Event{Type: event.SessionOpened, Session: "s1", By: "p-assessor", Body: openingOf(smallPlan, usual)})
	early.play("abort; close")
	if v := early.stage.View(); v.Phase != trial.Idle || v.Aids != 0 || v.Count.Text() != "no aids went out" {
		t.Errorf("before the loading: %+v", v.Count)
	}
}
