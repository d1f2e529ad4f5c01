// Package buzzer sounds a buzzer for a short time.
//
// A self-sounding buzzer on a transistor is meant: off without current. There are no sounds during a search, since a
// sound that depends on anything is a cue to dog and handler; the part cannot know when a search is on, so whoever calls
// On decides, by public facts alone.
package buzzer

import (
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/burst"
)

// The limits of a buzzer.
const (
	// Shortest is the shortest sound that people notice (our assumption).
	Shortest = 20 * time.Millisecond
	// Longest is the default of the longest sound.
	Longest = 2 * time.Second
	// MaxLongest is the most that Longest may be set to: what sounds longer is an alarm, and a dog that hears it
	// is not tested.
	MaxLongest = 10 * time.Second
)

// Buzzer is one buzzer. It is a bus.Burst.
type Buzzer struct{ burst.Burst }

// New returns a silent buzzer on an output whose safe level is off. longest is from Shortest to MaxLongest.
func New(out bus.Output, longest time.Duration) (*Buzzer, error) {
	b, err := burst.New(out, burst.Bounds{What: "buzzer", Shortest: Shortest, Longest: longest, Ceiling: MaxLongest})
	if err != nil {
		return nil, err
	}
	return &Buzzer{*b}, nil
}
