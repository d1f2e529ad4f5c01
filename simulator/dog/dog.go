// Package dog is who searches at a virtual station: a dog that smells what is in the air, and a handler who sees
// the lights and the dog.
//
// Neither knows anything else: what is not in the air at a position and not to be seen from outside cannot change
// what they do.
package dog

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
)

// Place is what dog and handler have before them.
type Place interface {
	// Positions returns how many positions there are.
	Positions() int
	// Beam holds a nose into a position, or takes it out.
	Beam(position int, broken bool)
	// Button presses a button or lets it go.
	Button(name string, down bool) error
	// Smell returns what is in the air at a position.
	Smell(position int) []hardware.Scent
	// See calls f at all that is seen from outside.
	See(f func(hardware.Sight))
}

// Span is a range of durations, each equally likely.
type Span struct{ Least, Most time.Duration }

func (s Span) draw(from *world.Stream) time.Duration { return from.Between(s.Least, s.Most) }

// Dog is how a dog works. Its discrimination is given as the rates at which it responds, once for each visit to a
// position; under the equal-variance model a hit rate of 0.92 with false alerts of 0.02 is a d' of 3.46.
type Dog struct {
	// Trained are the odours that the dog is trained on.
	Trained []string
	// Hit is the probability of a response where a trained odour is, FalseDistractor where another odour is,
	// FalseBlank where none is.
	Hit, FalseDistractor, FalseBlank float64
	// Threshold is the strength from which the dog smells an odour at all; see hardware.Full.
	Threshold int
	// Skip is the probability that the dog passes a position without putting its nose in.
	Skip float64
	// Walk is from one position to the next, Sniff how long the nose is in without a response, Hold how long it
	// stays in when the dog responds.
	Walk, Sniff, Hold Span
}

// Default returns a good dog: d' about 3.5 on blanks and 3 on distractors, about three seconds a position, and a
// response well over the dwell of 3 to 4 s that published systems ask for.
func Default() Dog {
	return Dog{
		Trained: []string{"tnt", "smokeless-powder"}, Hit: 0.92, FalseDistractor: 0.05, FalseBlank: 0.02,
		Threshold: hardware.Full / 10,
		Walk:      Span{1200 * time.Millisecond, 2200 * time.Millisecond},
		Sniff:     Span{900 * time.Millisecond, 1900 * time.Millisecond},
		Hold:      Span{4500 * time.Millisecond, 6500 * time.Millisecond},
	}
}

// On returns the dog trained on these odours and no others, such as the targets of a plan; as it was for none.
func (d Dog) On(odours []string) Dog {
	if len(odours) > 0 {
		d.Trained = slices.Clone(odours)
	}
	return d
}

// Check returns what is wrong with the dog, nil when nothing is.
func (d Dog) Check() error {
	var problems []error
	for _, r := range []struct {
		name string
		p    float64
	}{{"hit", d.Hit}, {"false on a distractor", d.FalseDistractor}, {"false on a blank", d.FalseBlank}, {"skip", d.Skip}} {
		if !(r.p >= 0 && r.p <= 1) {
			problems = append(problems, fmt.Errorf("dog: the rate %q is %v, expected 0 to 1", r.name, r.p))
		}
	}
	for _, t := range []struct {
		name string
		Span
	}{{"walk", d.Walk}, {"sniff", d.Sniff}, {"hold", d.Hold}} {
		if t.Least <= 0 || t.Most < t.Least {
			problems = append(problems, fmt.Errorf("dog: %s takes %s to %s, expected more than 0, the least first", t.name, t.Least, t.Most))
		}
	}
	return errors.Join(problems...)
}

// responds decides whether the dog responds to what it smells.
func (d Dog) responds(air []hardware.Scent, chance *world.Stream) bool {
	rate := d.FalseBlank
	for _, s := range air {
		if s.Strength < d.Threshold {
			continue
		}
		if slices.Contains(d.Trained, s.Odour) {
			rate = d.Hit
			break
		}
		rate = d.FalseDistractor
	}
	return chance.Happens(rate)
}

// Handler is how the person with the lead works.
type Handler struct {
	// Starts: the handler presses the start button when the ready light comes on, and lets the dog go. Otherwise
	// somebody else starts the run by command; the dog goes by Team.Go, or GoAfter the light unless that is 0.
	Starts  bool
	GoAfter time.Duration
	// Calls: the handler calls by the alert button (short: alert, long: all clear). Otherwise the call is only
	// shouted, somebody enters it, and the handler waits for the ready light to go off, at most Patience.
	Calls    bool
	Patience time.Duration
	// React is how long the handler needs to see something and to act on it.
	React Span
	// Short and Long are how long the alert button is held for an alert and for all clear.
	Short, Long time.Duration
}

// ByButton returns a handler who does all by the buttons.
func ByButton() Handler {
	return Handler{Starts: true, Calls: true, Patience: time.Minute,
		React: Span{600 * time.Millisecond, 1400 * time.Millisecond},
		Short: 200 * time.Millisecond, Long: 2500 * time.Millisecond}
}

// Check returns what is wrong with the handler, nil when nothing is.
func (h Handler) Check() error {
	if h.React.Least < 0 || h.React.Most < h.React.Least {
		return fmt.Errorf("handler: reacts in %s to %s, expected 0 or more, the least first", h.React.Least, h.React.Most)
	}
	if h.Calls && (h.Short <= 0 || h.Long <= h.Short) {
		return fmt.Errorf("handler: presses %s and %s long, expected more than 0, the short one first", h.Short, h.Long)
	}
	return nil
}
