//go:build linux

package kerneltest

import (
	"testing"
	"time"
)

// flap toggles a line n times, so many times a second, and leaves it low.
func (s *site) flap(line string, n, hz int) {
	ticks := time.NewTicker(time.Second / time.Duration(hz))
	defer ticks.Stop()
	for i := range n {
		<-ticks.C
		s.pull(line, i%2 == 0)
	}
	s.pull(line, false)
}

// TestStorms: a button that bounces is one press, a beam that flaps costs nothing but records until the budget of
// the run is used up, and a button that sticks is no call.
func TestStorms(t *testing.T) {
	inGuest(t)
	s := newSite(t)
	s.serve()
	w := s.watch()
	st := s.open(w)
	for _, c := range []struct {
		name        string
		play        func()
		state, call string
	}{
		{"a button that bounces", func() {
			s.flap("button.alert", 20, 4000)
			s.press("button.alert", 150*time.Millisecond)
			s.flap("button.alert", 20, 4000)
		}, "completed", "alert at 1"},
		{"a beam that flaps", func() {
			s.flap("beam2", 1000, 1000)
			s.press("beam1", 800*time.Millisecond)
			s.press("button.alert", 150*time.Millisecond)
		}, "completed", "alert at 1"},
		{"more edges than the budget", func() { s.flap("beam2", 2500, 1000) }, "void", ""},
	} {
		n := len(st.Runs) + 1
		s.tell("Assessor", "arm")
		s.until(w, "the presentation", func(st status) bool { return st.Run != nil && st.Run.State == "presented" })
		s.press("button.start", 100*time.Millisecond)
		s.until(w, "the search", func(st status) bool { return st.Run != nil && st.Run.State == "searching" })
		s.press("beam1", 800*time.Millisecond)
		c.play()
		st = s.until(w, "the end of the run", func(st status) bool { return between(st) && len(st.Runs) == n })
		got := st.Runs[n-1]
		t.Logf("%s: %+v", c.name, got)
		if got.State != c.state || c.call != "" && (len(got.Calls) != 1 || got.Calls[0] != c.call) {
			t.Errorf("%s: %+v, want %s with %q", c.name, got, c.state, c.call)
		}
	}
}
