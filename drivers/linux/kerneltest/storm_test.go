//go:build linux

package kerneltest

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// flap toggles a line an even number of times, so many times a second, and leaves it as it was: low. It returns between
// which instants the first edge was.
func (s *site) flap(line string, n, hz int) (before, after int64) {
	ticks := time.NewTicker(time.Second / time.Duration(hz))
	defer ticks.Stop()
	for i := range n {
		<-ticks.C
		if i == 0 {
			before = s.clock.Mono()
		}
		s.pull(line, i%2 == 0)
		if i == 0 {
			after = s.clock.Mono()
		}
	}
	return before, after
}

// TestStationInStorms: a button that bounces is one press, and a beam that flaps at 1 kHz costs nothing but records
// until the budget of its line is spent; then the run is void.
func TestStationInStorms(t *testing.T) {
	inGuest(t)
	const budget = 200
	s := newSite(t, options{budget: budget})
	s.serve()
	s.seal()
	var before, after int64 // around the first edge of the button that bounces
	for i, c := range []struct {
		name               string
		play               func()
		state, cause, call string
	}{
		{"a button that bounces", func() {
			before, after = s.flap("button.alert", 20, 4000)
			s.press("button.alert", 150*time.Millisecond)
			s.flap("button.alert", 20, 4000)
		}, "completed", "", "alert at 1"},
		{"a beam that flaps", func() {
			s.flap("beam2", budget, 1000)
			s.press("beam1", 800*time.Millisecond)
			s.press("button.alert", 150*time.Millisecond)
		}, "completed", "", "alert at 1"},
		{"more edges than the budget", func() { s.flap("beam2", budget+2, 1000) }, "void", "edge budget spent", ""},
	} {
		s.search()
		s.press("beam1", 800*time.Millisecond)
		c.play()
		_, got := s.untilEnd(i + 1)
		if got.State != c.state || got.Cause != c.cause || strings.Join(got.calls(), ", ") != c.call {
			t.Errorf("%s: %+v, want %s with %q because of %q", c.name, got, c.state, c.call, c.cause)
		}
	}
	s.tell("Assessor", "abort", "the test has seen enough")
	presses := 0
	for _, l := range s.export() {
		if l.Run != 1 || l.Type != "button.pressed" || l.By != "button-alert" {
			continue
		}
		presses++
		if l.Mono < before || l.Mono > after {
			t.Errorf("%d ns after the first bounce: %s", l.Mono-after, l.text)
		}
	}
	if presses != 1 {
		t.Errorf("the button that bounced was pressed %d times, want once", presses)
	}
}

// burstLines are eight lines of sensors: all of which none ends a run by itself when it is pressed for a moment only.
var burstLines = []string{"beam1", "beam2", "button.alert", "button.start", "burst.1", "burst.2", "burst.3", "burst.4"}

// burstButtons are the devices on the lines that only this test has.
const burstButtons = `  - {name: burst-1, type: button, role: start, line: burst.1}
  - {name: burst-2, type: button, role: start, line: burst.2}
  - {name: burst-3, type: button, role: alert, line: burst.3}
  - {name: burst-4, type: button, role: alert, line: burst.4}
`

// TestStationKeepsItsBudget plays 10,000 edges in bursts on 8 lines in a run: of each line the record has as many as the
// budget allows and one summary, and the run is void.
func TestStationKeepsItsBudget(t *testing.T) {
	inGuest(t)
	const budget, edges, burst = 20, 10_000, 200
	s := newSite(t, options{budget: budget, more: burstButtons, inputs: burstLines[4:]})
	s.serve()
	s.seal()
	s.present()
	level := map[string]bool{}
	for i := range edges {
		line := burstLines[i%len(burstLines)]
		level[line] = !level[line]
		s.pull(line, level[line])
		if i%burst == burst-1 {
			<-time.After(20 * time.Millisecond)
		}
	}
	_, got := s.untilEnd(1)
	if got.State != "void" || got.Cause != "edge budget spent" {
		t.Errorf("after the bursts: %+v, want void", got)
	}
	s.tell("Assessor", "abort", "the test has seen enough")
	kept, summed := map[string]int{}, map[string]int{}
	for _, l := range s.export() {
		var of struct {
			Device string
			Budget int
		}
		switch l.Type {
		case "edge":
			s.body(l, &of)
			kept[of.Device]++
		case "edges.summed":
			s.body(l, &of)
			summed[of.Device]++
			if of.Budget != budget {
				t.Errorf("%s, want a budget of %d", l.text, budget)
			}
		}
	}
	for _, d := range []string{"beam-1", "beam-2", "button-alert", "button-start", "burst-1", "burst-2", "burst-3", "burst-4"} {
		if kept[d] != budget || summed[d] != 1 {
			t.Errorf("%s: %d edges and %d summaries in the record, want %d and 1", d, kept[d], summed[d], budget)
		}
	}
	t.Log(fmt.Sprint(kept, summed))
}

// stuckAfter is how long a button may be held by default.
const stuckAfter = 5 * time.Second

// TestStationWithAStuckButton: a button that is held longer than a hand holds it is no call but the end of the run, and
// one that is held from boot on is none either, nor is its release.
func TestStationWithAStuckButton(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{alertLow: true}) // which nobody pulls up: it is held from boot on
	s.serve()
	<-time.After(stuckAfter + time.Second)
	s.seal()
	arm := exec.Command("/scentpost", "session", "arm", "--as", "Assessor", "--socket", s.path("scentpost.sock"))
	if said, err := arm.CombinedOutput(); err == nil || !strings.Contains(string(said), "a button is stuck (button-alert)") {
		t.Errorf("a run is armed with a button that is held: %v\n%s", err, said)
	}
	s.pull("button.alert", true) // let go
	s.startable()
	s.search()
	s.press("beam1", 800*time.Millisecond)
	_, got := s.untilEnd(1)
	if got.State != "completed" || len(got.Calls) != 0 || got.Locked != "time-out" {
		t.Errorf("a button that was held from boot and let go before the run: %+v, want no call", got)
	}
	s.search()
	s.press("beam1", 800*time.Millisecond)
	s.pull("button.alert", false)
	_, got = s.untilEnd(2)
	if got.State != "void" || got.Cause != "stuck button" || len(got.Calls) != 0 {
		t.Errorf("a button that sticks: %+v, want it void and no call", got)
	}
	s.pull("button.alert", true)
	s.startable()
	s.search()
	s.press("beam1", 800*time.Millisecond)
	s.pull("button.alert", false)
	<-time.After(150 * time.Millisecond)
	s.pull("button.alert", true)
	_, got = s.untilEnd(3)
	if got.State != "completed" || len(got.Calls) != 1 {
		t.Errorf("a button that works again: %+v, want its call", got)
	}
	s.tell("Assessor", "abort", "the test has seen enough")
	s.checkClosed(s.export())
}

// checkClosed checks that what the record says was closed had closed by then, in runs that were void for a cause told late
// too.
func (s *site) checkClosed(lines []line) {
	s.Helper()
	moves, closed := s.moves(lines), 0
	for _, l := range lines {
		var at struct{ Instant string }
		if l.Type != "canister.moved" {
			continue
		}
		if s.body(l, &at); at.Instant != "closed" {
			continue
		}
		closed++
		if m := moves[l.ID]; m.Open || m.Confirmed == 0 || m.Confirmed > l.Mono {
			s.Errorf("%s: %+v, want it confirmed closed by then", l.text, m)
		}
	}
	if closed == 0 {
		s.Error("nothing was closed")
	}
}
