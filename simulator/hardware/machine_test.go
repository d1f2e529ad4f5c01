package hardware

import (
	"fmt"
	"testing"
	"time"

	"scentpost/simulator/world"
)

// TestClockings plays four runs by the ready light and looks at the wall clock after each.
func TestClockings(t *testing.T) {
	for does, want := range map[Clocking]string{
		ClockUnset:   "-1h0m0s false, -1h0m0s false, -1h0m0s false, -1h0m0s false",
		ClockServed:  "0s true, 0s true, 0s true, 0s true",
		ClockStepped: "0s true, 1h0m0s false, 0s false, 0s false",
		ClockLost:    "0s false, 0s false, 0s false, 0s false",
	} {
		w := world.New(1)
		s, err := New(w, Layout{Lights: []Light{{Name: readyLight, Line: "ready"}}})
		if err != nil {
			t.Fatal(err)
		}
		truth := w.Now().UTC
		k, err := s.Clock(does)
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		k.Changed = func() { changed++ }
		lines, err := s.Connect()
		if err != nil {
			t.Fatal(err)
		}
		out, err := lines.Output("ready", false)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i := range 4 {
			out.Set(true, 0, 0, nil)
			w.RunFor(3 * time.Second)
			out.Set(false, 0, 0, nil)
			w.RunFor(time.Second)
			off := time.Duration(k.UTC() - truth - (w.Mono() - world.Start))
			if does == ClockUnset { // it shows 1970
				off = -time.Hour
				if k.UTC() != w.Mono() {
					t.Errorf("a clock that nobody set shows %s", time.Unix(0, k.UTC()))
				}
			}
			synced, _, _ := k.Sync()
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(off, " ", synced)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", does, got, want)
		}
		if (changed > 0) != (does == ClockStepped || does == ClockLost) {
			t.Errorf("%s: changed %d times", does, changed)
		}
	}
	s, err := New(world.New(1), Layout{Lights: []Light{{Name: readyLight, Line: "ready"}}})
	if err != nil {
		t.Fatal(err)
	}
	if k, err := s.Clock(ClockExact); k != nil || err != nil {
		t.Errorf("exact: %v, %v", k, err)
	}
	if _, err := s.Clock("wrong"); err == nil {
		t.Error("a clocking that there is not")
	}
}
