// Package burst drives an output for a time that has a bound.
package burst

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
)

// Bounds are what a kind of part allows. All are durations from 0 up.
type Bounds struct {
	// What names the part in errors, such as "valve".
	What string
	// Shortest is the shortest burst that has an effect, Longest the longest that does no harm.
	Shortest, Longest time.Duration
	// Rundown is how long the effect outlasts the burst, and MaxRundown the most that a part of this kind may say.
	Rundown, MaxRundown time.Duration
	// Ceiling is the most that Longest may be for a part of this kind.
	Ceiling time.Duration
}

// Burst is one output whose safe level is off. It is a bus.Burst. It keeps no time of its own: each command carries
// its own end, which the bus keeps even when nobody asks any more.
type Burst struct {
	out    bus.Output
	bounds Bounds
}

// New returns a part that is off. The error says which bound is wrong.
func New(out bus.Output, b Bounds) (*Burst, error) {
	switch {
	case out == nil:
		return nil, fmt.Errorf("%s: no output, expected the one that the bus gave for its line", b.What)
	case b.Longest <= 0 || b.Longest > b.Ceiling:
		return nil, fmt.Errorf("%s: longest %s, expected more than 0s and at most %s", b.What, b.Longest, b.Ceiling)
	case b.Shortest < 0 || b.Shortest > b.Longest:
		return nil, fmt.Errorf("%s: shortest %s, expected from 0s to its longest, %s", b.What, b.Shortest, b.Longest)
	case b.Rundown < 0 || b.Rundown > b.MaxRundown:
		return nil, fmt.Errorf("%s: rundown %s, expected from 0s to %s", b.What, b.Rundown, b.MaxRundown)
	}
	return &Burst{out, b}, nil
}

// On starts a burst; see bus.Burst. A newer one replaces the present one with its end.
func (b *Burst) On(at int64, lasting time.Duration, done func(mono int64, err error)) error {
	if lasting < b.bounds.Shortest || lasting <= 0 || lasting > b.bounds.Longest {
		return fmt.Errorf("%s: on for %s, expected from %s to %s (change the time, or the device's limits in the configuration)",
			b.bounds.What, lasting, max(b.bounds.Shortest, 1), b.bounds.Longest)
	}
	b.out.Set(true, at, lasting, done)
	return nil
}

// Off stops it now.
func (b *Burst) Off(done func(mono int64, err error)) { b.out.Set(false, 0, 0, done) }

// Shortest is the shortest that On allows.
func (b *Burst) Shortest() time.Duration { return b.bounds.Shortest }

// Longest is the longest that On allows.
func (b *Burst) Longest() time.Duration { return b.bounds.Longest }

// Rundown is how long the effect outlasts a burst.
func (b *Burst) Rundown() time.Duration { return b.bounds.Rundown }
