package trial_test

import (
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// TestTheClock plays what the wall clock does to a session: it annotates, and only a lost monotonic base voids.
func TestTheClock(t *testing.T) {
	for _, c := range []struct{ rule, script, want string }{
		{"an hour on and back again", "arm; 4s; start; clock 3600000; 1s; beam 1; clock -3600000; 1s; press alert; 2s", begun + ", call 1, lock call"},
		{"a time-out over a step", "arm; 4s; start; clock 3600000; 39s; clock -7200000; 1s", begun + ", lock time-out"},
		{"a call that stands when a beam reports late", "source beam 1s; arm; 4s; start; beam 1; 1s; press alert; clock 3600000; ago 500ms beam 2; 2s",
			begun + ", call 1, call 2, lock call"},
		{"a time-out over a reboot", "arm; 4s; start; reboot; 10s; arm", begun + ", restarted, void power cut, purged, armed 3"},
		{"a nose after a reboot is not late", "arm; 4s; start; beam 1; press alert; 100ms; reboot; beam 2; 10s", begun + ", call 1, lock call, restarted, purged"},
		{"a press after a reboot is not late", "arm; 4s; start; press clear; 100ms; reboot; press alert", begun + ", call clear, lock all clear, restarted, refused"},
		{"a person's word for a clock that nobody set", "say 2027-03-04; quality unset; say 2027-03-04; say yesterday; quality synced; say 2027-03-04; quality holdover; say 2027-03-04T10:00Z",
			"refused, said 2027-03-04, refused, refused, said 2027-03-04T10:00Z"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := ready(t)
			from := len(s.records)
			s.play(c.script)
			if got := s.story(from); got != c.want {
				t.Errorf("script %s\n got %s\nwant %s", c.script, got, c.want)
			}
			s.replay()
		})
	}
}

// TestAStepChangesNoDuration plays the same run with and without steps of the wall clock.
func TestAStepChangesNoDuration(t *testing.T) {
	result := func(script string) *event.RunResult {
		s := ready(t, "feedback: none", "feedback: per-run")
		s.play(script)
		for _, e := range s.records {
			if r, ok := e.Body.(*event.RunResult); ok {
				return r
			}
		}
		t.Fatalf("no result: %s", s.story(0))
		return nil
	}
	calm := result("arm; 4s; start; 1s; beam 1; 4s; left 1; 1s; press alert; 10s")
	wild := result("arm; clock 5000; 4s; start; clock -3600000; 1s; beam 1; clock 7200000; 4s; left 1; clock -1; 1s; press alert; clock -9999999; 10s")
	if calm.SinceStartMS != wild.SinceStartMS || calm.LatencyMS != wild.LatencyMS || len(calm.Responses) != 1 || len(wild.Responses) != 1 || calm.Responses[0] != wild.Responses[0] {
		t.Errorf("calm %+v, wild %+v", calm, wild)
	}
	if calm.SinceStartMS != 6000 || calm.LatencyMS != 5000 || calm.Responses[0].LastedMS != 4000 {
		t.Errorf("%+v", calm)
	}
}

func TestOnlyTheStationFixesItsClockAndOnlyPeopleSay(t *testing.T) {
	s := ready(t)
	s.play("quality unset")
	s.command(event.Event{Type: event.ClockFixed, By: "p-a", Body: &event.ClockFix{}})
	s.command(event.Event{Type: event.ClockSaid, By: event.ByStation, Body: &event.TimeSaid{Said: "2027-03-04"}})
	if got := s.story(len(s.records) - 2); got != "refused, refused" {
		t.Error(got)
	}
	idle := newTheatre(t)
	idle.play("clock 100; say 2027-03-04")
	if len(idle.records) > 0 || !idle.refused.Says(trial.NoSession) {
		t.Errorf("outside a session: %d records, %q", len(idle.records), idle.refused)
	}
}

func TestTheViewSaysWhatUTCIsWorth(t *testing.T) {
	s := newTheatre(t)
	s.now.Quality = event.Unset
	s.prepare(smallPlan, usual)
	text := func() string { return s.stage.View().Clock.Text(func(ref string) string { return "<" + ref + ">" }) }
	if got := text(); got != "never set" {
		t.Error(got)
	}
	s.play("say 2027-03-04")
	if got := text(); got != "as said by <p-a>: 2027-03-04" {
		t.Error(got)
	}
	s.play("quality synced; clock 3600000; clock -1000")
	if got, want := text(), "as said by <p-a>: 2027-03-04; the clock was set in mid-session (synchronised, within 0s); UTC stepped 2 times, at most by +1h0m0s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.play("quality unset; reboot")
	if got := text(); strings.Contains(got, "2027-03-04") {
		t.Errorf("what was said of another boot stands: %s", got)
	}
}
