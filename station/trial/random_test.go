package trial_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// words are what the random script is made of. Whatever needs a number gets one.
var words = []string{
	"arm", "arm", "arm", "4s", "4s", "10s", "500ms", "50s", "100s", "start", "finish", "call 1", "call 2", "call 9", "clear", "between 1 2", "nowhere",
	"withdraw", "beam 1", "beam 2", "left 2", "beam 7", "press alert", "press long", "press clear", "press start",
	"press abort", "press stuck", "press e-stop", "press nonsense", "void x", "trouble source lost", "trouble mechanical",
	"jam 1", "edges beam-1 15", "lose 2", "clock 5000", "clock 3", "observe 1", "pause", "resume", "resume", "abort", "close", "restart", "restart power cut",
	"ago 300ms press alert", "ago 300ms beam 3", "about 400ms press clear", "ago 200ms about 100ms beam 2", "ago 60s finish", "source beam 1s",
	"noise 2", "ago 300ms noise 1", "ago 300ms lose 1", "drop", "mark beam", "mark gpio", "mark nano", "veiled nano 300ms", "hold", "release", "release", "reboot",
}

// garbage is an event that nobody should send: a body of any kind, or none, under any type.
func garbage(t *rapid.T) event.Event {
	types := append([]event.Type{"", "nonsense"}, event.Types()...)
	slices.Sort(types)
	kind := rapid.SampledFrom(types).Draw(t, "type")
	e := event.Event{Type: kind, By: rapid.SampledFrom([]string{"", event.ByStation, "p-x"}).Draw(t, "by")}
	switch rapid.IntRange(0, 4).Draw(t, "body") {
	case 0:
	case 1:
		e.Body, e.Secret = event.NewBody(kind), event.NewSecret(kind)
	case 2:
		e.Body, e.Secret = event.NewBody(rapid.SampledFrom(types).Draw(t, "other")), &event.Moves{}
	case 3:
		e.Body = "text"
	case 4:
		if b := event.NewBody(kind); b != nil {
			e.Body = reflect.Zero(reflect.TypeOf(b)).Interface() // a nil pointer of the right type
		}
	}
	if kind == event.SessionRestarted || kind == event.Refused || kind == event.Late {
		e.Type = event.SessionScored // these come from the station itself, at no such moment
	}
	return e
}

// send gives garbage in one of the two ways in which events come.
func (s *theatre) send(t *rapid.T, e event.Event) {
	if rapid.Bool().Draw(t, "command") {
		s.command(e)
		return
	}
	s.fact(e)
}

// TestAnySequenceHolds drives the engine through random scripts and checks after every step what must always hold,
// and at the end that the records write themselves again.
func TestAnySequenceHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newTheatre(t)
		s.airs = []string{"in", "out"}
		s.prepare(planOf(rt), usual)
		n := rapid.IntRange(1, 60).Draw(rt, "length")
		for range n {
			before := len(s.records)
			if rapid.IntRange(0, 9).Draw(rt, "garbage") == 0 {
				s.send(rt, garbage(rt))
			} else {
				s.play(rapid.SampledFrom(words).Draw(rt, "word"))
			}
			s.holds(rt, before)
		}
		s.play("release; resume; 200s; arm; 200s; resume; arm; 200s; resume; arm; 200s; resume; arm; 200s; close")
		s.holds(rt, len(s.records))
		s.over(rt)
		s.replay()
	})
}

func planOf(t *rapid.T) string {
	src := smallPlan
	for _, change := range [][2]string{{"calls: first-ends", "calls: several"}, {"feedback: none", "feedback: per-run"}, {"mode: double", "mode: single"}} {
		if rapid.Bool().Draw(t, change[1]) {
			src = strings.Replace(src, change[0], change[1], 1)
		}
	}
	return src
}

// holds checks the state between two steps.
func (s *theatre) holds(t *rapid.T, from int) {
	v := s.stage.View()
	open := v.Run.State == trial.Armed || v.Run.State == trial.Shown || v.Run.State == trial.Searching || v.Run.State == trial.Called
	if s.open && !open {
		t.Fatalf("a canister may be open while the run is %q and the session %s", v.Run.State, v.Phase)
	}
	if s.sounded && v.Run.Index != 0 {
		t.Fatalf("something may be heard while run %d is %s", v.Run.Index, v.Run.State)
	}
	if s.airing > s.now.Mono && v.Run.State != trial.Purging {
		t.Fatalf("the air is changed for %s more while run %d is %q", time.Duration(s.airing-s.now.Mono), v.Run.Index, v.Run.State)
	}
	if s.moves != len(v.Runs()) && v.Phase != trial.Idle {
		t.Fatalf("%d runs were armed and %d moved", len(v.Runs()), s.moves)
	}
	running := 0
	for _, r := range v.Runs() {
		switch r.State {
		case trial.Completed, trial.Voided, trial.Aborted:
		default:
			running++
		}
		if v.Run.Index == r.Index {
			running = 1
		}
	}
	if running > 1 || (running == 1) != (v.Run.Index != 0) {
		t.Fatalf("%d runs are open, the active one is %d", running, v.Run.Index)
	}
	if v.Run.Index != 0 && v.Phase != trial.Sealed {
		t.Fatalf("run %d is open in a session that is %s", v.Run.Index, v.Phase)
	}
	for _, e := range s.records[min(from, len(s.records)):] { // a restart may have lost some
		if e.Session != "s1" {
			t.Fatalf("%s belongs to session %q", e.Type, e.Session)
		}
	}
}

// over checks that the session came to its end: each run exactly one, each commitment opened once.
func (s *theatre) over(t *rapid.T) {
	locked, voided, opened := map[int]int{}, map[int]int{}, map[int]int{}
	armed, ended := map[int]int{}, 0
	for _, e := range s.records {
		switch e.Type {
		case event.RunArmed:
			armed[e.Run]++
		case event.RunLocked:
			locked[e.Run]++
		case event.RunVoided:
			voided[e.Run]++
		case event.PlacementOpened:
			opened[e.Run]++
		case event.SessionEnded:
			ended++
		}
	}
	if ended != 1 {
		t.Fatalf("the session ended %d times: %s", ended, s.story(0))
	}
	for _, r := range s.stage.View().Runs() {
		want := map[trial.RunState][2]int{trial.Completed: {1, 0}, trial.Voided: {0, 1}, trial.Aborted: {0, 0}}[r.State]
		if got := [2]int{locked[r.Index], voided[r.Index]}; got != want || armed[r.Index] != 1 {
			t.Fatalf("run %d is %s, locked %d times, voided %d times, armed %d times", r.Index, r.State, got[0], got[1], armed[r.Index])
		}
	}
	for i := 1; i <= 4; i++ {
		if opened[i] != 1 {
			t.Fatalf("commitment %d was opened %d times", i, opened[i])
		}
	}
}

// TestEveryStepBeginsWithItsInput: the first record of a step is the input, what became of it, or nothing.
func TestEveryStepBeginsWithItsInput(t *testing.T) {
	became := map[event.Type][]event.Type{
		event.CallMade: {event.CallClaimed}, event.CallClaimed: {event.CallMade}, event.Edge: {event.EdgesSummed},
		event.BeamEntered: {event.Late}, event.BeamLeft: {event.Late}, event.ButtonPressed: {event.Late},
		event.RunVoided: {event.Noted},
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := newTheatre(t)
		s.prepare(planOf(rt), usual)
		for range 40 {
			s.play(rapid.SampledFrom(words).Draw(rt, "word"))
			probe := garbage(rt)
			probe.At = s.now
			s.do(s.stage.Fire(s.now))
			from := len(s.records)
			s.fact(probe)
			if len(s.records) == from {
				continue
			}
			first := s.records[from].Type
			ok := first == probe.Type || first == event.Refused
			for _, other := range became[probe.Type] {
				ok = ok || first == other
			}
			if !ok {
				rt.Fatalf("%s became %s", probe.Type, first)
			}
		}
	})
}
