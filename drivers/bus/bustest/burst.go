package bustest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"scentpost/drivers/bus"
)

// Burst is a kind of part that works for a bounded time, with the limits that it documents.
type Burst struct {
	// What begins its errors, such as "valve".
	What string
	// New makes a part on an output, with the longest time that it may be on.
	New func(out bus.Output, longest time.Duration) (bus.Burst, error)
	// Shortest is the shortest time for which it works. Longest is the usual longest one, and MaxLongest the most that the
	// longest one may be set to.
	Shortest, Longest, MaxLongest time.Duration
}

// Check tries what every bus.Burst must do: it rests when it is made, works for every time within its limits and for no
// other, ends when it is told to, and never goes on without an end. The error names everything that it does otherwise.
func (b Burst) Check() error {
	return errors.Join(b.checkLimits(), b.checkNew())
}

// checkLimits tries times at either side of each limit.
func (b Burst) checkLimits() error {
	out := &switched{}
	part, err := b.New(out, b.Longest)
	if err != nil {
		return fmt.Errorf("%s: its usual longest time %s is refused: %w", b.What, b.Longest, err)
	}
	var wrong []error
	if len(out.sets) > 0 {
		wrong = append(wrong, fmt.Errorf("%s: it moves before it is told to", b.What))
	}
	if part.Shortest() != b.Shortest || part.Longest() != b.Longest {
		wrong = append(wrong, fmt.Errorf("%s: it says that it works for %s to %s, want %s to %s", b.What, part.Shortest(), part.Longest(), b.Shortest, b.Longest))
	}
	for lasting, works := range map[time.Duration]bool{
		b.Shortest - 1: false, b.Shortest: true, b.Longest: true, b.Longest + 1: false, 0: false, -time.Second: false,
	} {
		wrong = append(wrong, b.tryOn(part, out, lasting, works))
	}
	answered := 0
	part.Off(func(int64, error) { answered++ })
	part.Off(nil)
	if !slices.Equal(out.sets, []string{"off", "off"}) || answered != 1 {
		wrong = append(wrong, fmt.Errorf("%s: switched off twice, its output was told %q and %d of 1 answers came", b.What, out.sets, answered))
	}
	return errors.Join(wrong...)
}

// tryOn starts the part once, and forgets what its output was told.
func (b Burst) tryOn(part bus.Burst, out *switched, lasting time.Duration, works bool) error {
	const at = 9
	var want []string
	if works {
		want = []string{fmt.Sprintf("on at %d for %s", at, lasting)}
	}
	answers := 0
	err := part.On(at, lasting, func(int64, error) { answers++ })
	told := out.sets
	out.sets = nil
	switch {
	case (err == nil) != works || !slices.Equal(told, want) || answers != len(want):
		return fmt.Errorf("%s: on for %s: its output was told %q, want %q; %d answers; error: %v", b.What, lasting, told, want, answers, err)
	case err != nil && !strings.HasPrefix(err.Error(), b.What+": "):
		return fmt.Errorf("%s: on for %s: the error does not say of which part it is: %w", b.What, lasting, err)
	}
	return nil
}

// checkNew tries longest times at either side of each limit.
func (b Burst) checkNew() error {
	var wrong []error
	for longest, fits := range map[time.Duration]bool{0: false, b.Shortest - 1: false, b.Shortest: true, b.MaxLongest: true, b.MaxLongest + 1: false} {
		if _, err := b.New(&switched{}, longest); (err == nil) != fits {
			wrong = append(wrong, fmt.Errorf("%s: made with the longest time %s: error %v", b.What, longest, err))
		}
	}
	if _, err := b.New(nil, b.Longest); err == nil {
		wrong = append(wrong, fmt.Errorf("%s: made without an output", b.What))
	}
	return errors.Join(wrong...)
}

// switched is an output that notes what it is told and answers at once.
type switched struct{ sets []string }

// Set notes the command.
func (s *switched) Set(level bool, at int64, longest time.Duration, done func(int64, error)) {
	told := "off"
	if level {
		told = fmt.Sprintf("on at %d for %s", at, longest)
	}
	s.sets = append(s.sets, told)
	if done != nil {
		done(at, nil)
	}
}
