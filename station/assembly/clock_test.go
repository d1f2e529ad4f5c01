package assembly

import (
	"errors"
	"slices"
	"testing"
	"time"

	"scentpost/simulator/world"
	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

func TestClockConditions(t *testing.T) {
	stepped := trial.View{Phase: trial.Sealed, Clock: event.SessionClock{Steps: 2, LargestNS: int64(-time.Hour)}}
	over := stepped
	over.Phase = trial.Idle
	for name, c := range map[string]struct {
		state *clock.State
		view  trial.View
		code  health.Code
		want  string
	}{
		"simulated":                   {code: ""},
		"simulated, stepped":          {view: stepped, code: health.ClockStepped, want: "UTC stepped 2 times, at most by -1h0m0s"},
		"stepped in the last session": {view: over},
		"synchronised":                {state: &clock.State{Quality: event.Synced, Bound: time.Second}},
		"unset":                       {state: &clock.State{Quality: event.Unset}, code: health.ClockUnset, want: "no time server has set it since this machine started, or it was set by hand after that"},
		"not allowed to ask":          {state: &clock.State{Quality: event.Unset, Err: errors.New("EPERM")}, code: health.ClockUnset, want: "the kernel does not say how good its clock is: EPERM"},
		"held over for an hour":       {state: &clock.State{Quality: event.Holdover, Bound: time.Second, SinceSync: time.Hour}},
		"held over for two days":      {state: &clock.State{Quality: event.Holdover, Bound: 18 * time.Second, SinceSync: 48*time.Hour + time.Minute}, code: health.ClockHoldover, want: "it was last synchronised 48h0m0s ago; it may be 18s off"},
		"held over from before":       {state: &clock.State{Quality: event.Holdover, Bound: 18 * time.Second, SinceSync: -1}, code: health.ClockHoldover, want: "it was not synchronised since this daemon started; it may be 18s off"},
		"a bad time server":           {state: &clock.State{Quality: event.Synced, Bound: 18 * time.Second}, code: health.ClockHoldover, want: "its time server is as bad; it may be 18s off"},
	} {
		got := clockConditions(c.state, c.view)
		if len(got) != min(len(c.code), 1) || got[c.code] != c.want {
			t.Errorf("%s: %v, want %s: %s", name, got, c.code, c.want)
		}
	}
}

// TestTheClockIsWatched: conditions come and go with the clock, are raised once for each thing that is said, and the
// host hears of a map that has changed.
func TestTheClockIsWatched(t *testing.T) {
	w := world.New(1)
	s := newStation(t, w)
	s.gate.before.View.Phase = trial.Idle
	k := world.NewKernel(w)
	s.Keep(clock.NewKeeper(k, 0), 1)
	var watch clockWatch
	check := func(when string, another bool, want ...health.Code) {
		t.Helper()
		w.RunFor(clockEvery)
		keeper := s.kept.Load().Keeper
		keeper.Look()
		if watch.changed(keeper) != another || watch.changed(keeper) {
			t.Errorf("%s: that the map changed is seen: %v", when, !another)
		}
		for range 5 {
			w.RunFor(clockEvery)
			if pause := watch.look(s); pause != clockEvery {
				t.Errorf("%s an idle station looks again after %s", when, pause)
			}
		}
		var got []health.Code
		for _, c := range s.conditions.All() {
			got = append(got, c.Code)
			if c.Times != 1 {
				t.Errorf("%s: %s was raised %d times", when, c.Code, c.Times)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("after the boot", true, health.ClockUnset)
	k.Serve(time.Millisecond)
	check("with a time server", true)
	k.Lose()
	check("without one again", true)
	w.RunFor(48 * time.Hour)
	check("two days later", false, health.ClockHoldover)
	k.Set(time.Hour)
	check("set by hand", true, health.ClockUnset)
	s.gate.before.View.Phase = trial.Opened
	if pause := watch.look(s); pause != clockInSession {
		t.Errorf("in a session it is looked again after %s", pause)
	}
}
