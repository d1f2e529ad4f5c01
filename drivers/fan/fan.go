// Package fan runs a fan for a time, to purge the air of the station.
//
// It is switched, not controlled: on a relay or transistor, off without current. A fan runs down after it is switched
// off and moves air until it stands, so a purge is over at the end of the run-down, not of the command.
package fan

import (
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/burst"
)

// The limits of a fan.
const (
	// Shortest is the shortest run in which a fan comes up to speed (our assumption).
	Shortest = time.Second
	// Longest is the default of the longest run.
	Longest = 10 * time.Minute
	// MaxLongest is the most that Longest may be set to.
	MaxLongest = 4 * time.Hour
	// Rundown is the default of the time until it stands, and MaxRundown the most.
	Rundown    = 5 * time.Second
	MaxRundown = 2 * time.Minute
)

// Fan is one fan. It is a bus.Burst.
type Fan struct{ burst.Burst }

// New returns a fan that stands, on an output whose safe level is off. longest is from Shortest to MaxLongest, rundown
// from 0 to MaxRundown.
func New(out bus.Output, longest, rundown time.Duration) (*Fan, error) {
	b, err := burst.New(out, burst.Bounds{What: "fan", Shortest: Shortest, Longest: longest, Ceiling: MaxLongest, Rundown: rundown, MaxRundown: MaxRundown})
	if err != nil {
		return nil, err
	}
	return &Fan{*b}, nil
}
