package config

import (
	"scentpost/station/templates"
)

import "time"

// timing checks the station's numbers, each by itself and with one another.
func (r *reader) timing() {
	t := r.file.Timing
	r.out.Timing = Timing(t)
	sound := true
	for _, one := range []struct {
		key      string
		value    time.Duration
		from, to time.Duration
	}{
		{"lead", t.Lead, 500 * time.Millisecond, 10 * time.Minute},
		{"travel", t.Travel, 50 * time.Millisecond, time.Minute},
		{"close", t.Close, 50 * time.Millisecond, time.Minute},
		{"grid", t.Grid, 100 * time.Millisecond, time.Minute},
		{"withdraw", t.Withdraw, 0, 30 * time.Second},
		{"long_press", t.LongPress, 300 * time.Millisecond, 10 * time.Second},
		{"open", t.Open, 5 * time.Second, time.Hour},
	} {
		path := "timing." + one.key
		switch {
		case one.value < one.from || one.value > one.to:
			r.doc.Problem(path, "", "%s is out of range: from %s to %s", one.value, one.from, one.to)
			sound = false
		case one.value%time.Millisecond != 0:
			r.doc.Problem(path, "", "%s is finer than a millisecond", one.value)
		}
	}
	if t.EdgeBudget < 10 || t.EdgeBudget > maxBudget {
		r.doc.Problem("timing.edge_budget", "", "%d is out of range: from 10 to %d", t.EdgeBudget, maxBudget)
	}
	if sound && t.Open <= t.Travel+t.Close+t.Withdraw {
		r.doc.Problem("timing.open", "make it longer than a run", "%s leaves no time to search: travel, close and withdraw take %s",
			t.Open, t.Travel+t.Close+t.Withdraw)
	}
}

// gateTimes compares a canister's own times, given or by default, with those that trials go by.
func (r *reader) gateTimes(at string, d Device) {
	if travel, known := d.Values.Durations[templates.SettingTravel]; known {
		if wait := min(r.out.Timing.Travel, r.out.Timing.Close); travel > wait {
			r.doc.Problem(at+"."+templates.SettingTravel, "make timing.travel and timing.close longer, or this shorter",
				"a move may take %s, and a trial waits only %s", travel, wait)
		}
	}
	if longest, known := d.Values.Durations[templates.SettingLongest]; known && longest < r.out.Timing.Open {
		r.doc.Problem(at+"."+templates.SettingLongest, "make this longer, or timing.open shorter",
			"the canister closes by itself after %s, and timing.open is %s", longest, r.out.Timing.Open)
	}
}
