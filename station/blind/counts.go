package blind

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scentpost/station/strict"
)

// counts checks the numbers, each by itself and with one another.
func (c *checker) counts() {
	p := c.p
	sound := c.number("positions", p.Positions, 1, MaxPositions)
	sound = c.number("runs", p.Runs, 1, MaxRuns) && sound
	c.optional("reserve", p.Reserve, MaxReserve)
	c.optional("balance.same_position_in_a_row", p.Balance.SamePositionInARow, MaxRuns)
	c.odours("targets.odours", p.Targets.Odours, nil)
	c.odours("distractors.odours", p.Distractors.Odours, p.Targets.Odours)
	if !c.doc.Has("targets.per_run") {
		c.doc.Problem("targets.per_run", "add targets: {odours: [...], per_run: 0..1}", "is missing")
		return
	}
	c.anyOdour("targets.odours", p.Targets.Odours, p.Targets.PerRun)
	c.anyOdour("distractors.odours", p.Distractors.Odours, p.Distractors.PerRun)
	if !sound {
		return
	}
	if p.Form == FormGoNoGo && p.Positions != 1 {
		c.doc.Problem("positions", "write positions: 1", "gonogo presents at one position; more are not supported yet")
		return
	}
	c.fit()
}

// fit checks that the ranges of targets and distractors fit the line and each other.
func (c *checker) fit() {
	p := c.p
	run, session := p.Targets.PerRun, p.Targets.PerSession
	switch {
	case run.Max > p.Positions:
		c.doc.Problem("targets.per_run", "", "%d targets in a run do not fit %d positions", run.Max, p.Positions)
	case p.Distractors.PerRun.Max > p.Positions:
		c.doc.Problem("distractors.per_run", "", "%d distractors in a run do not fit %d positions", p.Distractors.PerRun.Max, p.Positions)
	case run.Max+p.Distractors.PerRun.Min > p.Positions:
		c.doc.Problem("distractors.per_run", "lower one of them, or add positions",
			"%d targets and %d distractors in a run do not fit %d positions", run.Max, p.Distractors.PerRun.Min, p.Positions)
	case p.Reserve > 0 && p.Reserve*p.countCompositions() > MaxPlacements:
		c.doc.Problem("reserve", "fewer reserve runs, or narrower ranges of targets and distractors",
			"%d reserve runs of %s are more than %d placements to commit to",
			p.Reserve, compositionsText(p.countCompositions()), MaxPlacements)
	}
	low, high := p.Runs*run.Min, p.Runs*run.Max
	switch {
	case session != nil && (session.Min < low || session.Max > high):
		c.doc.Problem("targets.per_session", fmt.Sprintf("write a range within %s", Range{low, high}),
			"%s targets cannot be had from %d runs of %s", session, p.Runs, run)
	case p.SessionTargets().Max > MaxTargets:
		c.doc.Problem("targets.per_run", "fewer runs, or fewer targets in a run",
			"%d targets in one session, and %d are the most", p.SessionTargets().Max, MaxTargets)
	}
}

// number checks a count that must be given.
func (c *checker) number(path string, n, low, high int) bool {
	switch {
	case !c.doc.Has(path):
		c.doc.Problem(path, "add "+path+": N", "is missing")
	case c.doc.Kind(path) != strict.Int:
		return false // has its problem already
	case n < low || n > high:
		c.doc.Problem(path, "", "%d is out of range: from %d to %d", n, low, high)
	default:
		return true
	}
	return false
}

// optional checks a count that may be left out.
func (c *checker) optional(path string, n, high int) {
	if n < 0 || n > high {
		c.doc.Problem(path, "", "%d is out of range: from 0 to %d", n, high)
	}
}

// anyOdour checks that there are odours where a run may hold one.
func (c *checker) anyOdour(path string, list []string, perRun Range) {
	switch {
	case perRun.Max == 0 || len(list) > 0:
	case !c.doc.Has(path):
		c.doc.Problem(path, "add odours: [...]", "is missing")
	case c.doc.Kind(path) == strict.Sequence:
		c.doc.Problem(path, "name one, or write per_run: 0", "the list is empty")
	}
}

// odours checks a list of odours: good names, none twice, none that stands for something else.
func (c *checker) odours(path string, list, others []string) {
	if len(list) > MaxOdours {
		c.doc.Problem(path, "", "%d odours, and %d are the most", len(list), MaxOdours)
		return
	}
	for i, odour := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case odour == "" && c.doc.Kind(at) != strict.Text:
			// has its problem already
		case badName(odour, MaxOdourName) != "":
			c.doc.Problem(at, "", "%s", badName(odour, MaxOdourName))
		case strings.Contains(odour, odourSeparator):
			c.doc.Problem(at, "write it without", "%s holds a comma, which stands between the odours of a composition", strict.Quote(odour))
		case odour == BlankOdour:
			c.doc.Problem(at, "blanks fill the positions that are left", "%q is the carrier without odour", odour)
		case slices.Contains(list[:i], odour):
			c.doc.Problem(at, "take one away", "%s is in the list twice", strict.Quote(odour))
		case slices.Contains(others, odour):
			c.doc.Problem(at, "take it out of one of them", "%s is a target as well", strict.Quote(odour))
		}
	}
}

// times checks the durations.
func (c *checker) times() {
	const longest = time.Hour // of anything in a run: nobody searches a line for so long
	for _, one := range []struct {
		path      string
		value     time.Duration
		low       time.Duration
		mayBeLeft bool
	}{
		{"limits.run", c.p.Limits.Run, time.Second, false},
		{"limits.dwell", c.p.Limits.Dwell, 50 * time.Millisecond, false},
		{"purge", c.p.Purge, 0, true},
	} {
		switch {
		case !c.doc.Has(one.path) && one.mayBeLeft:
		case !c.doc.Has(one.path):
			c.doc.Problem(one.path, "add "+one.path[strings.LastIndex(one.path, ".")+1:]+": 3s or the like", "is missing")
		case one.value == 0 && c.doc.Kind(one.path) != strict.Text:
			// has its problem already
		case one.value < one.low || one.value > longest:
			c.doc.Problem(one.path, "", "%s is out of range: from %s to %s", one.value, one.low, longest)
		case one.value%time.Millisecond != 0:
			c.doc.Problem(one.path, "", "%s is finer than a millisecond", one.value)
		}
	}
	if run, dwell := c.p.Limits.Run, c.p.Limits.Dwell; run > 0 && dwell >= run {
		c.doc.Problem("limits.dwell", "make it shorter than limits.run", "a dwell of %s leaves no time in a run of %s", dwell, run)
	}
}

func compositionsText(n int) string {
	if n > MaxPlacements {
		return fmt.Sprintf("more than %d compositions", MaxPlacements)
	}
	return fmt.Sprintf("%d compositions", n)
}
