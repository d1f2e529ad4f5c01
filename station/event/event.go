// Package event holds the words that every other package of the station speaks: events with their stamps, the
// typed bodies of each kind of event, and the placement that may not be seen.
//
// It imports the standard library only and decides nothing.
package event

import (
	"strings"
	"time"
)

// Type names one kind of event, as it stands in the record ("run.armed"). The kinds and their bodies are
// listed in the table of types.go.
type Type string

// Event is one thing that happened, with the time it happened at. It is the engine's input and, once numbered,
// a record.
type Event struct {
	// Type is the kind of event; it fixes the Go type of Body and Secret.
	Type Type
	// Session is the id of the session that the event belongs to, empty outside one.
	Session string
	// Run is the index of the run, from 1; reserve runs are numbered after the scheduled ones. 0 outside a run.
	Run int
	// At is when it happened, which is not when it was received.
	At Stamp
	// By is who caused it: the reference of a person ("p-..."), a device ("beam-3"), or "station".
	By string
	// Body is the public body, a pointer to the struct that the table of types.go names; nil where there is none.
	Body any
	// Secret is the body that tells the placement, published only when it is opened; nil where there is none.
	Secret any
}

// PersonPrefix begins the references that stand for people in the record, DogPrefix those of dogs: a dog that is called as its
// handler is another than the handler.
const (
	PersonPrefix = "p-"
	DogPrefix    = "d-"
)

// refDigits is how many hexadecimal digits come after the prefix of a reference.
const refDigits = 32

// IsReference tells whether a text is a reference of a person or dog, or looks like one.
func IsReference(text string) bool {
	digits, person := strings.CutPrefix(text, PersonPrefix)
	if !person {
		var dog bool
		if digits, dog = strings.CutPrefix(text, DogPrefix); !dog {
			return false
		}
	}
	return len(digits) == refDigits && strings.Trim(digits, "0123456789abcdef") == ""
}

// ByStation is the By of what the station itself decided.
const ByStation = "station"

// Quality says how far the UTC of a stamp can be trusted.
type Quality string

// The qualities of a clock, from none to best; Simulated marks virtual time.
const (
	Unset     Quality = "unset"
	Holdover  Quality = "holdover"
	Synced    Quality = "synced"
	Simulated Quality = "simulated"
)

// Stamp is an instant with its error. Order and durations come from Mono alone; UTC is for people.
type Stamp struct {
	// Boot is the id of the boot that Mono counts in.
	Boot string
	// Mono is nanoseconds since boot (CLOCK_MONOTONIC).
	Mono int64
	// Bound is how far Mono may be from the true instant, in nanoseconds.
	Bound int64
	// UTC is nanoseconds since 1970-01-01T00:00:00Z.
	UTC int64
	// UTCBound is how far UTC may be off, in nanoseconds; meaningless when Quality is Unset.
	UTCBound int64
	// Quality says how far UTC can be trusted.
	Quality Quality
}

// Time returns the stamp's UTC as a time.Time.
func (s Stamp) Time() time.Time { return time.Unix(0, s.UTC).UTC() }

// Add returns the stamp d later: Mono and UTC move together, the errors stay.
func (s Stamp) Add(d time.Duration) Stamp {
	s.Mono += int64(d)
	s.UTC += int64(d)
	return s
}

// AtMono returns the stamp moved to the monotonic instant mono of the same boot.
func (s Stamp) AtMono(mono int64) Stamp { return s.Add(time.Duration(mono - s.Mono)) }

// Sub returns the duration from t to s by the monotonic clock. It means nothing across boots.
func (s Stamp) Sub(t Stamp) time.Duration { return time.Duration(s.Mono - t.Mono) }

// Overlaps tells whether the error bounds of two stamps leave their order open.
func (s Stamp) Overlaps(t Stamp) bool {
	gap := s.Mono - t.Mono
	if gap < 0 {
		gap = -gap
	}
	return gap <= s.Bound+t.Bound
}
