package boards

import (
	"strings"
	"testing"
	"time"

	"scentpost/station/health"
)

// held are the conditions that hold, with what is said of them.
func held(all []Verdict) map[health.Code]string {
	h := map[health.Code]string{}
	for _, v := range all {
		if v.Holds {
			h[v.Code] = v.Evidence
		}
	}
	return h
}

// TestEachCondition comes with its evidence, and goes when its cause does.
func TestEachCondition(t *testing.T) {
	var w Watch
	total := Reading{Name: "nano-1", Up: true, Known: true, Boot: 3, Cause: "power", Bound: 200 * time.Microsecond}
	for i, step := range []struct {
		name                    string
		up                      bool
		frames, errors, resends uint64 // since the step before
		bound                   time.Duration
		cause                   string
		want                    health.Code
		says                    string
	}{
		{"well", true, 1000, 0, 0, time.Millisecond / 5, "power", "", ""},
		{"a frame that was cut at the opening", true, 20, 1, 2, time.Millisecond / 5, "power", "", ""},
		{"noise on the line", true, 200, 5, 8, time.Millisecond / 5, "power", health.BoardLine, "200 frames came since the last look, 5 pieces were none, 8 were sent again"},
		{"less noise", true, 1000, 2, 2, time.Millisecond / 5, "power", health.BoardLine, "1000 frames"},
		{"none", true, 1000, 1, 1, time.Millisecond / 5, "power", "", ""},
		{"a converter that gathers", true, 1000, 0, 0, 8 * time.Millisecond, "power", health.BoardTime, "known to 8ms"},
		{"a little less", true, 1000, 0, 0, 3 * time.Millisecond / 2, "power", health.BoardTime, "known to 1.5ms"},
		{"none", true, 1000, 0, 0, time.Millisecond / 2, "power", "", ""},
		{"the supply broke down", true, 1000, 0, 0, time.Millisecond / 5, "brown-out", health.BoardStarted, "start 3, by: brown-out"},
		{"its program hung", true, 1000, 0, 0, time.Millisecond / 5, "watchdog", health.BoardStarted, "watchdog"},
		{"the reset button", true, 1000, 0, 0, time.Millisecond / 5, "reset pin", "", ""},
		{"unplugged", false, 0, 0, 3, time.Second, "power", "", ""},
		{"another speed", false, 0, 40, 3, time.Second, "power", health.BoardLine, "another speed"},
		{"unplugged again", false, 0, 0, 3, time.Second, "power", "", ""},
	} {
		total.Up, total.Bound, total.Cause = step.up, step.bound, step.cause
		total.Frames, total.Errors, total.Resends = total.Frames+step.frames, total.Errors+step.errors, total.Resends+step.resends
		got := held(w.Judge(total))
		evidence, holds := got[step.want]
		if (step.want == "") != (len(got) == 0) || step.want != "" && (len(got) != 1 || !holds || !strings.Contains(evidence, step.says)) {
			t.Errorf("step %d, %s: %q, want %s: %q", i, step.name, got, step.want, step.says)
		}
	}
}

// TestAStartThatABootLoaderHides: it was by itself when the port stayed open, until a start that was not.
func TestAStartThatABootLoaderHides(t *testing.T) {
	var w Watch
	for i, step := range []struct {
		boot  uint32
		opens uint64
		cause string
		holds bool
	}{
		{7, 1, "unknown", false}, {7, 1, "unknown", false}, {8, 1, "unknown", true}, {8, 1, "unknown", true}, {8, 2, "unknown", true},
		{9, 3, "unknown", false}, {10, 3, "unknown", true}, {11, 3, "power", false}, {12, 3, "watchdog", true}, {13, 4, "unknown", false},
	} {
		got := held(w.Judge(Reading{Name: "a", Up: true, Known: true, Boot: step.boot, Opens: step.opens, Cause: step.cause}))
		if evidence, holds := got[health.BoardStarted]; holds != step.holds || holds && step.cause == "unknown" && !strings.Contains(evidence, "boot loader hides") {
			t.Errorf("step %d: %q", i, got)
		}
	}
}

// TestBoardsAreApart: the counters of one are not those of another, and a board that never said what it is started by
// nothing that is known.
func TestBoardsAreApart(t *testing.T) {
	var w Watch
	w.Judge(Reading{Name: "a", Up: true, Frames: 1000})
	if got := held(w.Judge(Reading{Name: "b", Up: true, Frames: 2000, Errors: 10, Cause: "watchdog"})); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := held(w.Judge(Reading{Name: "a", Up: true, Frames: 1010, Errors: 10})); len(got) != 1 {
		t.Errorf("%q", got)
	}
	for _, v := range w.Judge(Reading{Name: "a"}) {
		if v.On != "a" || !health.Known(v.Code) {
			t.Errorf("%+v", v)
		}
	}
}

// TestAWrongClock: what is surely off by more than a resonator can be, and what contradicts itself, with some way between
// where it begins and where it ends.
func TestAWrongClock(t *testing.T) {
	var w Watch
	for i, step := range []struct {
		name          string
		up            bool
		drift, slack  float64
		contradicting uint64 // since the daemon's start
		says          string // "" where all is well
	}{
		{"nothing is known yet", true, 0, 20_000, 0, ""},
		{"a resonator in winter", true, 9_900, 20, 0, ""},
		{"off by more, or not", true, 10_500, 1_000, 0, ""},
		{"off by more, for certain", true, 10_500, 20, 0, "its clock is 10500 ppm slow, and a resonator that is well is off by 10000 at most"},
		{"a little less", true, 9_800, 20, 0, "9800 ppm slow"},
		{"well", true, 9_400, 20, 0, ""},
		{"fast", true, -12_000, 20, 0, "its clock is 12000 ppm fast"},
		{"away", false, -12_000, 20, 0, ""},
		{"well again", true, -300, 20, 0, ""},
		{"the host's rate was stepped once", true, -300, 20, 1, ""},
		{"unsteady", true, 0, 20_000, 5, "contradicted each other 4 times since the last look"},
		{"still a little", true, 0, 20_000, 6, "contradicted each other 1 times"},
		{"steady", true, -300, 20, 6, ""},
	} {
		got := held(w.Judge(Reading{Name: "nano-1", Up: step.up, DriftPPM: step.drift, SlackPPM: step.slack, Contradicting: step.contradicting}))
		evidence, holds := got[health.BoardClock]
		if holds != (step.says != "") || !strings.Contains(evidence, step.says) || len(got) > 1 {
			t.Errorf("step %d, %s: %q, want %q", i, step.name, got, step.says)
		}
	}
}
