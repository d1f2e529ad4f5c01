package trial_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// last returns the latest record of a kind.
func (s *theatre) last(kind event.Type) event.Event {
	s.t.Helper()
	for _, e := range slices.Backward(s.records) {
		if e.Type == kind {
			return e
		}
	}
	s.t.Fatalf("no %s: %s", kind, s.story(0))
	return event.Event{}
}

// after returns how long after the run was to be presented the latest record of a kind is stamped.
func (s *theatre) after(kind event.Type) time.Duration {
	s.t.Helper()
	presented := s.last(event.RunArmed).Body.(*event.Arming).PresentedAt
	return time.Duration(s.last(kind).At.Mono - presented)
}

// searched is a run of the small plan from its arming to the start of its search, half a second after it is presented.
const searched = "arm; 4s; start; "

// TestTheStageDecides plays one script for each decision beside the engine, and reads the story that the records tell, the
// sources that were silent at each lock, and when the run ended, after it was presented.
func TestTheStageDecides(t *testing.T) {
	const end = 40*time.Second + 500*time.Millisecond // of a search that nothing ends before its time-out
	for _, c := range []struct {
		rule, script, want, silent string
		ends                       time.Duration
	}{
		// Sources that say nothing.
		{"a silent source", "source gpio 50ms; " + searched + "41s", "void source lost", "gpio", end},
		{"a source that has reported up to the end", "source gpio 50ms; " + searched + "40s; mark gpio; 1s", "void source lost", "gpio", end},
		{"a source that has reported past the end", "source gpio 50ms; " + searched + "40s; 1ns; mark gpio; 1s", "lock time-out", "", end + 1},
		{"a source that reports when its time is over", "source gpio 50ms; " + searched + "40s; 50ms; mark gpio; 1s", "void source lost", "gpio", end},
		{"a source that reports just in time", "source gpio 50ms; " + searched + "40s; 49ms; mark gpio; 1s", "lock time-out", "", end + 49*time.Millisecond},
		{"the slowest source is waited for", "source a 50ms; source b 200ms; " + searched + "40s; 1ms; mark a; 1s", "void source lost", "b", end},
		{"silence after the handler's word", "source gpio 50ms; " + searched + "1s; finish; 1s", "finished, void source lost", "gpio", 1500 * time.Millisecond},
		{"a call locks on silence", "source gpio 50ms; " + searched + "1s; press clear; 1s", "call clear, lock all clear", "gpio", 1550 * time.Millisecond},
		{"a veiled source is waited for each time", "veiled nano 300ms; " + searched + "40s; 1ms; mark nano; 1s", "lock time-out", "", end + 300*time.Millisecond},
		{"a veiled source reports late", "veiled nano 300ms; " + searched + "40s; 299ms; mark nano; 1s", "lock time-out", "", end + 300*time.Millisecond},
		{"a veiled source that is silent", "veiled nano 300ms; " + searched + "41s", "void mechanical", "nano", end},
		{"a silent source beside a veiled one", "source gpio 50ms; veiled nano 300ms; " + searched + "41s", "void source lost", "gpio+nano", end},
		{"a call waits for a veiled source", "veiled nano 300ms; " + searched + "1s; press clear; 1s", "call clear, lock all clear", "nano", 1800 * time.Millisecond},
		{"a call told late locks when its sources have reported", "source gpio 1s; " + searched + "1s; ago 600ms press clear; mark gpio; 1s", "call clear, lock all clear", "", 1500 * time.Millisecond},
		// Sources and edges that are lost.
		{"a source is lost", searched + "1s; trouble source lost", "void source lost", "-", 1500 * time.Millisecond},
		{"a source lost since before the end", "source gpio 1s; " + searched + "40500ms; ago 600ms trouble source lost", "void source lost", "-", end},
		{"a source lost since the end", "source gpio 1s; " + searched + "40500ms; ago 500ms trouble source lost", "void source lost", "-", end},
		{"a source lost after the end", "source gpio 1s; " + searched + "40500ms; ago 499ms trouble source lost; mark gpio; 1s", "noted source lost, lock time-out", "", end + 500*time.Millisecond},
		{"facts dropped in a search", searched + "1s; drop", "void source lost", "-", 1500 * time.Millisecond},
		{"facts dropped before the end, it may be", "source gpio 1s; " + searched + "40500ms; drop", "void source lost", "-", end},
		{"facts dropped after a call", searched + "1s; call 1; drop; 3s", "call 1, noted source lost, lock call", "", 4500 * time.Millisecond},
		{"edges lost in a search", searched + "1s; ago 300ms lose 1", "edges of gpio lost, void edges lost", "-", 1500 * time.Millisecond},
		{"edges lost since before the end", "source gpio 1s; " + searched + "40500ms; ago 600ms lose 1", "edges of gpio lost, void edges lost", "-", end},
		// What a canister does, or makes lost.
		{"a canister at fault", searched + "1s; jam 1; 1s", "void mechanical", "-", 2 * time.Second},
		{"a canister at fault on the grid", searched + "500ms; jam 1; 1s", "void mechanical", "-", 2 * time.Second},
		{"a canister at fault, seen once", searched + "1s; jam 1; 100ms; jam 2; 1s", "void mechanical", "-", 2 * time.Second},
		{"a canister at fault, looked for late", searched + "1s; jam 1; stall 1m; 0s", "void mechanical", "-", 2 * time.Second},
		{"a canister at fault before a call", searched + "1s; jam 1; 100ms; press clear; 1s", "call clear, lock all clear", "", 1600 * time.Millisecond},
		{"a canister at fault after the lock", searched + "1s; press clear; 10ms; jam 1; 1s", "call clear, lock all clear", "", 1500 * time.Millisecond},
		{"a canister at fault as the search ends", searched + "39800ms; jam 1; 1s", "lock time-out", "", end},
		{"edges that a limit switch made lost", searched + "1s; noise 1; 1s", "void mechanical", "-", 2 * time.Second},
		{"a call locks over such edges", searched + "1s; call 1; ago 10m noise 1; 3s", "call 1, lock call", "", 4500 * time.Millisecond},
		{"such edges from before the end, the lock first", "source gpio 400ms; " + searched + "40100ms; ago 200ms noise 1; 300ms", "void mechanical", "-", end},
		{"such edges from before the end, the grid first", "source gpio 1s; " + searched + "40100ms; ago 200ms noise 1; 400ms", "void mechanical", "-", end},
		{"such edges from the end", "source gpio 400ms; " + searched + "40100ms; ago 100ms noise 1; mark gpio; 1s", "void mechanical", "-", end},
		{"such edges from after the end", "source gpio 400ms; " + searched + "40100ms; ago 99ms noise 1; mark gpio; 1s", "lock time-out", "", end + 100*time.Millisecond},
		{"such edges, and earlier ones told later", "source gpio 400ms; " + searched + "40100ms; noise 1; ago 200ms noise 1; 1s", "void mechanical", "-", end},
		{"such edges, and later ones told later", "source gpio 400ms; " + searched + "40100ms; ago 200ms noise 1; noise 1; 1s", "void mechanical", "-", end},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t, "reserve: 2", "reserve: 3")
			from := len(s.records)
			s.play(c.script)
			if got, want := s.story(from), begun+", "+c.want; got != want {
				t.Errorf("script %s\n got %s\nwant %s", c.script, got, want)
			}
			ended := event.RunVoided
			if strings.Contains(c.want, "lock") {
				ended = event.RunLocked
			}
			if got := s.after(ended); got != c.ends {
				t.Errorf("the run ended at %s, want %s", got, c.ends)
			}
			if s.silent == nil {
				s.silent = []string{"-"}
			}
			if got := strings.Join(s.silent, ","); got != c.silent || s.open {
				t.Errorf("silent at the locks: %q, want %q; a canister open: %t", got, c.silent, s.open)
			}
			s.play("20s")
			s.replay()
		})
	}
}

// TestTheStageDecidesBetweenRuns: with no run there is nothing that could be void.
func TestTheStageDecidesBetweenRuns(t *testing.T) {
	s := ready(t)
	from := len(s.records)
	s.play("drop; lose 1; noise 1; jam 1; trouble source lost; 10s; arm; 4s")
	if got := s.story(from); got != shown {
		t.Errorf("got %s, want %s", got, shown)
	}
	idle := newTheatre(t)
	idle.play("drop; lose 1; noise 1; jam 1; trouble source lost; 10s")
	if len(idle.records) > 0 {
		t.Errorf("without a session: %s", idle.story(0))
	}
}

// TestFixedInstantsAreFixed: what is due is stamped with its instant, however late the owner of the stage looks.
func TestFixedInstantsAreFixed(t *testing.T) {
	s := ready(t)
	from := len(s.records)
	s.play("arm; stall 10s; 0s; start; void x; stall 30s; 0s; 0s")
	if got, want := s.story(from), begun+", void x, purged"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	void := s.after(event.RunVoided)
	if presented, closed, purged := s.after(event.RunPresented), s.after(event.RunClosed), s.after(event.RunPurged); presented != 0 ||
		closed != void+1500*time.Millisecond || purged != closed+5*time.Second {
		t.Errorf("presented at %s, void at %s, closed at %s, purged at %s", presented, void, closed, purged)
	}
}

// TestNoiseBeforeThePresentation: the presentation itself finds it.
func TestNoiseBeforeThePresentation(t *testing.T) {
	s := ready(t)
	from := len(s.records)
	s.play("arm; 3s; noise 1; 400ms")
	if got := s.story(from); got != "armed 1" {
		t.Errorf("before it: %s", got)
	}
	s.play("1s")
	if got, want := s.story(from), shown+", void mechanical"; got != want || s.after(event.RunVoided) != 0 {
		t.Errorf("got %s at %s, want %s", got, s.after(event.RunVoided), want)
	}
}

// TestFaultsVoidOnTheGrid: whenever a canister's fault is told, and whatever else is, the run is void at the next instant of
// the public grid, which begins as it is presented. Until then nothing is done for it.
func TestFaultsVoidOnTheGrid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		set := usual
		set.GridMS = rapid.IntRange(1, 3000).Draw(rt, "grid")
		s := newTheatre(t)
		s.prepare(smallPlan, set)
		s.play("arm; 3500ms")
		s.pass(time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(rt, "fault")))
		told := s.now.Mono - s.last(event.RunArmed).Body.(*event.Arming).PresentedAt
		from := len(s.records)
		s.play(rapid.SampledFrom([]string{"jam 1", "jam 2", "noise 4", "jam 1; jam 2", "jam 3; noise 1"}).Draw(rt, "what"))
		if len(s.records) > from || !s.open {
			rt.Fatalf("it is seen at once: %s, open %t", s.story(from), s.open)
		}
		grid := int64(set.GridMS) * int64(time.Millisecond)
		want := time.Duration((told/grid + 1) * grid)
		if next, ok := s.stage.Next(s.now.Mono); !ok || next != s.now.Mono-told+int64(want) {
			rt.Fatalf("told at %s, looks again at %d (%t)", time.Duration(told), next, ok)
		}
		if rapid.Bool().Draw(rt, "in steps") {
			s.pass(time.Duration(rapid.Int64Range(0, grid).Draw(rt, "step")))
		}
		s.pass(time.Duration(grid))
		if got := s.after(event.RunVoided); got != want || s.last(event.RunVoided).Body.(*event.Void).Cause != event.CauseMechanical || s.open {
			rt.Fatalf("told at %s, void at %s, want %s; open %t", time.Duration(told), got, want, s.open)
		}
	})
}

// TestTheGridOfAnEarlierRun voids no later one: a grid may be wider than a run is long.
func TestTheGridOfAnEarlierRun(t *testing.T) {
	set := usual
	set.GridMS = 30_000
	s := newTheatre(t)
	s.prepare(smallPlan, set)
	from := len(s.records)
	s.play("arm; 4s; jam 1; 1s; void x; 7s; arm; 4s; start; 30s")
	if got, want := s.story(from), shown+", void x, purged, armed 3, presented, started"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMovesThatTheJournalHeldBack: all canisters of a run move at their instant, or none does and the run is void.
func TestMovesThatTheJournalHeldBack(t *testing.T) {
	for _, c := range []struct {
		rule, script, want string
		open               bool
	}{
		{"in time", "hold; arm; 1999ms; release; 2s", shown, true},
		{"at their instant", "hold; arm; 2s; release; 2s", shown, true},
		{"too late", "hold; arm; 2s; 1ns; release; 2s", "armed 1, void late sync", false},
		{"past the presentation", "hold; arm; 6s; release; 2s", "armed 1, void late sync", false},
		{"of a run that is void", "hold; arm; 1s; void x; 500ms; release; 500ms", "armed 1, void x", false},
		{"of a run that is over", "hold; arm; 500ms; void x; 7s; release; 4s", "armed 1, void x, purged", false},
		{"of two runs", "hold; arm; 500ms; void x; 7s; arm; 1s; release; 4s", "armed 1, void x, purged, armed 3, presented", true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t)
			from := len(s.records)
			s.play(c.script)
			if got := s.story(from); got != c.want || s.open != c.open {
				t.Errorf("script %s\n got %s, open %t\nwant %s, open %t", c.script, got, s.open, c.want, c.open)
			}
			s.replay()
		})
	}
}

// TestMovesOfAnEarlierRunReleaseNothing: what is held back of the run in progress stays held back.
func TestMovesOfAnEarlierRunReleaseNothing(t *testing.T) {
	s := ready(t)
	from := len(s.records)
	s.play("hold; arm; 500ms; void x; 7s; arm; 500ms")
	first := slices.IndexFunc(s.parked, func(e trial.Effect) bool { return e.Kind == trial.Move })
	if may, instead := s.stage.Release(s.now, &s.parked[first]); may || len(instead) > 0 {
		t.Errorf("the moves of a void run: %t, %d effects", may, len(instead))
	}
	s.play("4s")
	if got, want := s.story(from), "armed 1, void x, purged, armed 3, void late sync"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWhatTheJournalHeldBackMayBeOutOfPlace: a purge that a stop took back, and a sound in the next run.
func TestWhatTheJournalHeldBackMayBeOutOfPlace(t *testing.T) {
	const purging = "arm; 4s; start; press clear; hold; 2s; "
	for _, c := range []struct{ rule, script, want string }{
		{"a purge", purging + "1s; release", "purge 3.5s"},
		{"a purge and an abort", purging + "1s; abort; release", ""},
		{"a purge and the abort button", purging + "1s; press abort; release", ""},
		{"a purge and an e-stop", purging + "1s; press e-stop; release", ""},
		{"a purge and a restart", "arm; 4s; start; press clear; 2s; hold; 1s; restart; 1s", "purge 5s, purge 5s"},
		{"a sound between runs", "arm; 4s; start; press clear; 2s; hold; 6s; release", "purge 5s, sound run-end"},
		{"a sound in a run", "arm; 4s; start; press clear; 2s; hold; 6s; arm; release", "purge 5s"},
	} {
		s := ready(t)
		s.play(c.script)
		if got := strings.Join(s.heard, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

// TestALateCauseClosesFromNow: a button that sticks is stamped with its press and told seconds later. The run is void as of
// the press, but the canisters stood open until it was told.
func TestALateCauseClosesFromNow(t *testing.T) {
	closing := time.Duration(usual.CloseMS) * time.Millisecond
	for _, c := range []struct{ late, from time.Duration }{
		{0, 0}, {100 * time.Millisecond, 0}, {249 * time.Millisecond, 0}, // it takes some time to tell anything
		{250 * time.Millisecond, 250 * time.Millisecond}, {5 * time.Second, 5 * time.Second},
	} {
		s := ready(t)
		s.play("arm; 4s; start; 6s; ago " + c.late.String() + " press stuck; 20s")
		pressed := 6500*time.Millisecond - c.late
		if void, closed := s.after(event.RunVoided), s.after(event.RunClosed); void != pressed || closed != pressed+c.from+closing {
			t.Errorf("told %s late: void at %s, closed at %s; want %s and %s", c.late, void, closed, pressed, pressed+c.from+closing)
		}
		if purged, closed := s.after(event.RunPurged), s.after(event.RunClosed); purged != closed+5*time.Second {
			t.Errorf("told %s late: closed at %s, purged at %s", c.late, closed, purged)
		}
	}
}

// TestNothingIsDueBeforeNext: between two calls nothing happens before the instant that Next names, and at it something does,
// or a lock begins to wait. So it does not matter how often the stage is asked.
func TestNothingIsDueBeforeNext(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := []string{"source gpio 200ms", "veiled nano 300ms"}
		for range rapid.IntRange(1, 30).Draw(rt, "length") {
			script = append(script, rapid.SampledFrom(words).Draw(rt, "word"))
		}
		calm, eager := ready(t), ready(t)
		eager.eager = rapid.Int64Range(10e6, 500e6).Draw(rt, "step")
		for _, word := range script {
			calm.play(word)
			eager.play(word)
		}
		if !slices.EqualFunc(calm.records, eager.records, func(a, b event.Event) bool { return told(a) == told(b) }) {
			rt.Fatalf("asked more often it comes to something else:\n%s\n%s", calm.story(0), eager.story(0))
		}
	})
}

// told is all that a record says.
func told(e event.Event) string {
	return fmt.Sprint(e.Type, e.Session, e.Run, e.At, e.By) + fmt.Sprintf("%+v %+v", e.Body, e.Secret)
}

// TestUTCGoesByTheMapInForce: the map changes when the stage is told to look, and never because something else comes in.
func TestUTCGoesByTheMapInForce(t *testing.T) {
	s := ready(t)
	was := s.now
	s.now.UTC += 3600e9
	s.play("arm; 4s; beam 1")
	for _, e := range s.records[len(s.records)-3:] {
		if !e.At.SameMap(was) {
			t.Errorf("%s goes by a map that the stage has not seen: %+v", e.Type, e.At)
		}
	}
	from := len(s.records)
	s.do(s.stage.Look(s.now))
	s.now.UTCBound = 77
	s.do(s.stage.Look(s.now)) // the same map, known less well
	s.play("press clear; 0s")
	if got := len(s.records) - from; got != 4 || s.records[from].Type != event.ClockFixed || s.records[from].Body.(*event.ClockFix).StepNS != 3600e9 {
		t.Errorf("%d records, first %s %+v", got, s.records[from].Type, s.records[from].Body)
	}
	if at := s.last(event.RunLocked).At; !at.SameMap(s.now) || at.UTCBound != 77 {
		t.Errorf("after the look: %+v, now %+v", at, s.now)
	}
	if at := s.stage.Date(event.Stamp{Mono: s.now.Mono - 5, Bound: 3}); at.Mono != s.now.Mono-5 || at.Bound != 3 || !at.SameMap(s.now) {
		t.Errorf("dated %+v", at)
	}
	s.replay()
}

// TestASessionBeginsWithTheMapInForce: outside a session a look leaves no record, and opening one looks.
func TestASessionBeginsWithTheMapInForce(t *testing.T) {
	s := newTheatre(t)
	s.play("clock 100; quality unset; 1s")
	s.now.UTC += 7e9
	s.prepare(smallPlan, usual)
	if first := s.records[0]; first.Type != event.SessionOpened || !first.At.SameMap(s.now) {
		t.Errorf("it begins with %s at %+v, now %+v", first.Type, first.At, s.now)
	}
	s.now.UTC += 7e9
	s.command(event.Event{Type: event.SessionOpened, Session: "s2", By: "p-a", Body: openingOf(smallPlan, usual)})
	if s.refused == nil || s.last(event.Refused).At.SameMap(s.now) {
		t.Errorf("an opening that is refused: %v at %+v", s.refused, s.last(event.Refused).At)
	}
	s.replay()
}

// TestComingBack tells why a session was interrupted, and under which configuration the station goes on.
func TestComingBack(t *testing.T) {
	for _, c := range []struct {
		rule, before string
		cause        event.Cause
		config       string
		boot         bool // another one
		want         string
	}{
		{"the program", searched, event.CauseRestart, "", false, "restarted, void daemon restarted"},
		{"the machine", searched, event.CauseRestart, "", true, "restarted, void power cut"},
		{"the journal", searched, event.CauseJournal, "", false, "restarted, void journal failed"},
		{"the journal, and then the machine", searched, event.CauseJournal, "", true, "restarted, void journal failed"},
		{"another configuration", searched, event.CauseRestart, "ab", false, "restarted, void daemon restarted, aborted " + string(event.CauseConfig)},
		{"another configuration in an abort", searched + "abort rain; ", event.CauseRestart, "ab", false, "restarted"},
		{"another configuration after the end", "abort rain; ", event.CauseRestart, "ab", false, "restarted"},
		{"another configuration after the last run", searched + "press clear; 10s; " + searched + "press clear; 10s", event.CauseRestart, "ab", false, "restarted"},
		{"another configuration between runs", "", event.CauseRestart, "ab", false, "restarted, aborted " + string(event.CauseConfig) + ", ended aborted, opened 1, opened 2, opened 3, opened 4"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t)
			s.play(c.before)
			if c.boot {
				s.now.Boot, s.now.Mono = "b2", 1e9
			}
			from := len(s.records)
			s.restart(c.cause, c.config)
			if got := s.story(from); got != c.want || s.open {
				t.Errorf("got %s, want %s; open %t", got, c.want, s.open)
			}
			if fixed := s.records[from].Type == event.ClockFixed; fixed != c.boot {
				t.Errorf("it begins with %s", s.records[from].Type)
			}
			if got := s.last(event.SessionRestarted).Body.(*event.Restart); got.SameBoot == c.boot {
				t.Errorf("the same boot: %t", got.SameBoot)
			}
			s.play("10s")
			s.replay()
		})
	}
	closed := ready(t)
	closed.play("abort; close")
	from := len(closed.records)
	closed.restart(event.CauseRestart, "ab")
	if len(closed.records) > from {
		t.Errorf("a session that is closed: %s", closed.story(from))
	}
}

// TestComingBackForgetsTheCanisters: what they did before is not known, and their record says so.
func TestComingBackForgetsTheCanisters(t *testing.T) {
	s := ready(t)
	s.play(searched + "jam 1; restart; 2s")
	moves := 0
	for _, e := range s.records[slices.IndexFunc(s.records, func(e event.Event) bool { return e.Type == event.SessionRestarted }):] {
		if m, ok := e.Secret.(*event.Moves); ok {
			moves++
			if m.Fault != "not known: the daemon restarted" || m.Open || m.Confirmed != 0 {
				t.Errorf("%+v", *m)
			}
		}
	}
	if moves != 3 {
		t.Errorf("%d positions were written", moves)
	}
}

// TestEffectsWaitOrAreSafe: what leads to the safe state waits for nothing, and what anybody can see waits.
func TestEffectsWaitOrAreSafe(t *testing.T) {
	waits := []trial.EffectKind{trial.Move, trial.Purge, trial.Sound, trial.Light}
	safe := []trial.EffectKind{trial.CloseAll, trial.Hush}
	for kind := trial.Record; kind <= trial.Heard; kind++ {
		e := trial.Effect{Kind: kind}
		if e.Waits() != slices.Contains(waits, kind) || e.Safe() != slices.Contains(safe, kind) {
			t.Errorf("effect %d waits %t, is safe %t", kind, e.Waits(), e.Safe())
		}
	}
}
