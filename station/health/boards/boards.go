// Package boards judges how the microcontroller boards of a station fare, by what they and their lines say of themselves.
package boards

import (
	"fmt"
	"math"
	"slices"
	"time"

	"scentpost/station/health"
)

const (
	// poorOf is that one in so many frames went wrong: a line that is well loses none. wellOf is when that is over.
	poorOf, wellOf = 100, 400
	// leastWrong are the fewest that are looked at: a frame that is cut when a port opens means nothing.
	leastWrong = 8
	// garbage is how many pieces that are no frames, without a frame among them, are another speed or another program.
	garbage = 4
	// looseFrom is how uncertain the instants of a board may be: half of what a beam that a nose breaks lasts at least
	// would be far more, but two boards' beams must not change their order. tightFrom is when that is over.
	looseFrom, tightFrom = 2 * time.Millisecond, time.Millisecond
	// wrongFrom is how far a board's clock may be off, in ppm. Ceramic resonators, which most boards have, are given with
	// 0.5 % when new and 0.2 to 0.3 % more over temperature (Murata, CERALOCK); age and the rest stay within 1 %. rightTo is
	// when that is over.
	wrongFrom, rightTo = 10_000, 9_500
	// unsteadyFrom is how often the pings of a board may contradict each other between two looks: of a clock that is steady
	// they do not, but for a step of the host's rate.
	unsteadyFrom = 2
)

// Reading holds the counters and clock figures of a board and its line.
type Reading struct {
	Name  string
	Up    bool
	Known bool // it said once what it is: Boot and Cause hold
	Boot  uint32
	Cause string // of its last start
	Opens uint64 // of its port, which is a start of many boards
	// Frames, Errors and Resends count since the daemon's start, and Contradicting the times that pings contradicted each other.
	Frames, Errors, Resends uint64
	Contradicting           uint64
	RoundTrip, Bound        time.Duration
	DriftPPM, SlackPPM      float64 // SlackPPM is how far DriftPPM may be off
}

// Verdict says of one condition of a board whether it holds.
type Verdict struct {
	Code     health.Code
	On       string
	Holds    bool
	Evidence string
}

// Watch remembers what was read before, so that counters become rates. Its zero value has read nothing. It belongs to
// one goroutine.
type Watch struct{ before map[string]past }

type past struct {
	Reading
	poor, loose, wrong, alone bool // alone: its last start was by itself
}

// Sudden are the causes of a start that somebody should do something about. Of a board whose boot loader hides the cause, it is
// one in which its port stayed open.
var (
	sudden = []string{"brown-out", "watchdog"}
	hidden = "unknown"
)

// Judge says which conditions of a board hold.
func (w *Watch) Judge(r Reading) []Verdict {
	if w.before == nil {
		w.before = map[string]past{}
	}
	p := w.before[r.Name]
	frames, errors, resends := r.Frames-p.Frames, r.Errors-p.Errors, r.Resends-p.Resends
	noise := !r.Up && frames == 0 && errors >= garbage
	wrong, of := errors+resends, uint64(poorOf)
	if p.poor {
		of = wellOf
	}
	switch {
	case noise:
		p.poor = true
	case frames > 0 || r.Up:
		p.poor = wrong*of > frames && (p.poor || wrong >= leastWrong)
	default: // it is away, and says nothing: that is another condition
		p.poor = false
	}
	limit := looseFrom
	if p.loose {
		limit = tightFrom
	}
	p.loose = r.Up && r.Bound > limit
	line := fmt.Sprintf("%d frames came since the last look, %d pieces were none, %d were sent again", frames, errors, resends)
	if noise {
		line = fmt.Sprintf("%d pieces came since the last look and not one frame: its firmware was probably built for another speed, or another program is on it", errors)
	}
	clock := fmt.Sprintf("its instants are known to %s; an answer takes %s longer than the wire; %s",
		r.Bound.Round(10*time.Microsecond), r.RoundTrip.Round(10*time.Microsecond), off(r.DriftPPM))
	rate := p.rate(r)
	started := p.started(r)
	p.Reading = r
	w.before[r.Name] = p
	return []Verdict{
		{health.BoardLine, r.Name, p.poor, line},
		{health.BoardTime, r.Name, p.loose, clock},
		{health.BoardClock, r.Name, p.wrong, rate},
		{health.BoardStarted, r.Name, p.alone, started},
	}
}

// started notes whether the last start of a board was by itself, and says what is known of it.
func (p *past) started(r Reading) (evidence string) {
	if r.Cause != hidden || !r.Known {
		p.alone = r.Known && slices.Contains(sudden, r.Cause)
		return fmt.Sprintf("start %d, by: %s", r.Boot, r.Cause)
	}
	if again := p.Known && p.Boot != r.Boot; again || !p.Known {
		p.alone = again && p.Opens == r.Opens
	}
	return fmt.Sprintf("start %d, while its port stayed open; its boot loader hides the cause", r.Boot)
}

// rate judges how fast a board's clock runs, and says what was seen.
func (p *past) rate(r Reading) (evidence string) {
	contradicting := r.Contradicting - p.Contradicting
	limit, often := float64(wrongFrom), uint64(unsteadyFrom)
	if p.wrong {
		limit, often = rightTo, 1
	}
	p.wrong = r.Up && (math.Abs(r.DriftPPM)-r.SlackPPM > limit || contradicting >= often)
	if contradicting > 0 {
		return fmt.Sprintf("its answers contradicted each other %d times since the last look: its clock is not steady, or off by more than can be measured", contradicting)
	}
	return fmt.Sprintf("%s, and a resonator that is well is off by %d at most", off(r.DriftPPM), wrongFrom)
}

// off puts into words how far a clock is off.
func off(ppm float64) string {
	if ppm < 0 {
		return fmt.Sprintf("its clock is %.0f ppm fast", -ppm)
	}
	return fmt.Sprintf("its clock is %.0f ppm slow", ppm)
}
