// Package valve opens a valve for a time, to purge a position with clean air.
//
// A normally closed solenoid valve on a relay or transistor is meant: without current it is closed, which is the safe
// state. It takes the valve some 20 to 50 ms to shift, so a shorter opening moves no air (our assumption, for valves of
// the size that olfactometers use; a data sheet of the valve at hand says it better).
package valve

import (
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/burst"
)

// The limits of a valve.
const (
	// Shortest is the shortest opening that moves air.
	Shortest = 50 * time.Millisecond
	// Longest is the default of the longest opening: a purge takes seconds, and a valve that forgets to close
	// empties the bottle and heats its coil.
	Longest = time.Minute
	// MaxLongest is the most that Longest may be set to.
	MaxLongest = 30 * time.Minute
)

// Valve is one purge valve. It is a bus.Burst.
type Valve struct{ burst.Burst }

// New returns a closed valve on an output whose safe level is off. longest is from Shortest to MaxLongest.
func New(out bus.Output, longest time.Duration) (*Valve, error) {
	b, err := burst.New(out, burst.Bounds{What: "valve", Shortest: Shortest, Longest: longest, Ceiling: MaxLongest})
	if err != nil {
		return nil, err
	}
	return &Valve{*b}, nil
}
