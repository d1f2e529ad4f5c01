package trial_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// TestTheAirIsChangedInThePurgeAndAtNoOtherTime: the command is the same after every run, and ends when the interval
// does.
func TestTheAirIsChangedInThePurgeAndAtNoOtherTime(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"two runs", "arm; 4s; start; press clear; 2s; 5s; arm; 4s; start; press clear; 2s; 5s", "purge 5s, sound run-end, purge 5s, sound session-end"},
		{"a void", "arm; 4s; start; void x; 2s; 5s", "purge 5s, sound run-end"},
		{"a mechanical void", "arm; 1s; jam 1; 3s; 2s; 5s", "purge 5s, sound run-end"},
		{"an abort in the search", "arm; 4s; start; abort; 10s", "sound session-end"},
		{"an abort in the purge", "arm; 4s; start; press clear; 2s; abort; 5s", "purge 5s, sound session-end"},
		{"an abort between runs", "abort", "sound session-end"},
		{"a restart in the purge", "arm; 4s; start; press clear; 2s; 1s; restart; 4s", "purge 5s, purge 5s"},
		{"a search", "arm; 4s; start; beam 1; 10s; observe 1; 10s", ""},
		{"a pause", "pause; resume", ""},
	} {
		s := ready(t)
		s.play(c.script)
		if got := strings.Join(s.heard, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestWhatStopsTheStationStopsThePurge: an abort and an emergency stop take what changes the air to its safe state.
func TestWhatStopsTheStationStopsThePurge(t *testing.T) {
	for _, stop := range []string{"abort", "press abort", "press e-stop"} {
		s := ready(t)
		s.play("arm; 4s; start; press clear; 2s; 1s")
		if s.airing == 0 {
			t.Fatal("the air is not changed in the purge")
		}
		if s.play(stop); s.airing != 0 {
			t.Errorf("%s: the air is changed for %s more", stop, time.Duration(s.airing-s.now.Mono))
		}
	}
}

// TestNothingIsHeardOnceARunIsArmed: what still sounds is ended by the arming itself.
func TestNothingIsHeardOnceARunIsArmed(t *testing.T) {
	s := ready(t)
	s.play("arm; 4s; start; press clear; 2s; 5s")
	if !s.sounded {
		t.Fatal("nobody was called")
	}
	s.play("arm")
	if s.sounded {
		t.Error("it still sounds in the run")
	}
}

func TestAPurgeThatIsTooShortForTheStation(t *testing.T) {
	set := usual
	set.PurgeMS = 5001
	s := newTheatre(t)
	s.command(event.Event{Type: event.SessionOpened, Session: "s1", By: "p-a", Body: openingOf(smallPlan, set)})
	if got := s.refused; !got.Says(trial.PurgeTooShort) || !strings.Contains(trial.InRecord(got), "a purge of 5s is too short for the station, whose slowest device needs 5.001s") {
		t.Errorf("refused: %q", got)
	}
	set.PurgeMS = 5000
	s.command(event.Event{Type: event.SessionOpened, Session: "s1", By: "p-a", Body: openingOf(smallPlan, set)})
	if got := s.refused; got != nil {
		t.Errorf("refused: %q", got)
	}
}

// TestTheAirIsSampledAtFixedInstants: once a sensor at the seal and at each arming, and in between by nobody.
func TestTheAirIsSampledAtFixedInstants(t *testing.T) {
	s := newTheatre(t)
	s.airs = []string{"in", "out"}
	s.prepare(smallPlan, usual)
	sample := func(by string, at event.Stamp, device string) {
		s.fact(event.Event{Type: event.AirSampled, At: at, By: by, Body: &event.Air{Device: device}})
	}
	sample(event.ByStation, s.now, "in")
	sample(event.ByStation, s.now, "")
	sample("p-a", s.now, "other")
	sample(event.ByStation, s.now.Add(1), "other")
	s.play("arm; 4s; start")
	sample(event.ByStation, s.now, "other")
	s.play("press clear; 2s; 5s; arm")
	got := s.story(0)
	want := "air of in, air of out, refused, refused, refused, refused, armed 1, air of in, air of out, presented, started, refused, " +
		"call clear, lock all clear, purged, armed 2, air of in, air of out"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	runs := map[int]int{}
	for _, e := range s.records {
		if e.Type == event.AirSampled {
			runs[e.Run]++
		}
	}
	if runs[0] != 2 || runs[1] != 2 || runs[2] != 2 {
		t.Errorf("samples by run: %v", runs)
	}
	s.replay()
}

// TestTheViewShowsTheAirOfTheLatestInstant: a sensor that is gone by then is not shown with what it said before.
func TestTheViewShowsTheAirOfTheLatestInstant(t *testing.T) {
	s := newTheatre(t)
	s.airs = []string{"in", "out"}
	s.prepare(smallPlan, usual)
	s.airs = s.airs[:1]
	s.play("arm")
	if air := s.stage.View().Air; !slices.EqualFunc(air, s.airs, func(a event.Air, d string) bool { return a.Device == d }) {
		t.Errorf("the view has %+v", air)
	}
	if phase := s.stage.View().Phase; phase != trial.Sealed {
		t.Errorf("the session is %s", phase)
	}
}
