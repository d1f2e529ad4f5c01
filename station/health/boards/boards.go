// Package boards judges how the microcontroller boards of a station fare, by what they and their lines say of themselves.
package boards

import (
	"fmt"
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
)

// Reading is what a board and its line have come to.
type Reading struct {
	Name  string
	Up    bool
	Known bool // it said once what it is: Boot and Cause hold
	Boot  uint32
	Cause string // of its last start
	// Frames, Errors and Resends count since the daemon's start, Pings those that were measurements.
	Frames, Errors, Resends uint64
	RoundTrip, Bound        time.Duration
	DriftPPM                float64
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
	poor, loose bool
}

// Sudden are the causes of a start that somebody should do something about.
var sudden = []string{"brown-out", "watchdog"}

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
	clock := fmt.Sprintf("its instants are known to %s; an answer takes %s longer than the wire; its clock is %.0f ppm slow",
		r.Bound.Round(10*time.Microsecond), r.RoundTrip.Round(10*time.Microsecond), r.DriftPPM)
	p.Reading = r
	w.before[r.Name] = p
	return []Verdict{
		{health.BoardLine, r.Name, p.poor, line},
		{health.BoardTime, r.Name, p.loose, clock},
		{health.BoardStarted, r.Name, r.Known && slices.Contains(sudden, r.Cause), fmt.Sprintf("start %d, by: %s", r.Boot, r.Cause)},
	}
}
