package event

import (
	"fmt"
	"io"
	"log/slog"
)

// Kind says what a presentation is: a target, a distractor or a blank.
type Kind string

// The kinds of a presentation (DOMAIN: target odour, non-target odour, carrier without odour).
const (
	Target     Kind = "target"
	Distractor Kind = "distractor"
	Blank      Kind = "blank"
)

// Slot is what stands at one position in one run.
type Slot struct {
	Position int    `json:"position"` // from 1
	Canister string `json:"canister"` // "1B"
	Kind     Kind   `json:"kind"`
	Odour    string `json:"odour"` // "blank" for a blank
}

// Placement is what stands at each position of one run. It prints, logs and marshals as "sealed": only Reveal
// gives its slots, and a reader who looks for leaks looks for calls of Reveal.
type Placement struct{ slots []Slot }

// NewPlacement returns a placement of the slots, which must be in position order.
func NewPlacement(slots []Slot) Placement { return Placement{slots: slots} }

// Reveal returns the slots in position order. The caller must not change them.
func (p Placement) Reveal() []Slot { return p.slots }

// Len returns the number of positions, which is public.
func (p Placement) Len() int { return len(p.slots) }

// IsZero tells whether there is no placement.
func (p Placement) IsZero() bool { return p.slots == nil }

// Hidden is what a sealed value prints as.
const Hidden = "sealed"

// String returns "sealed".
func (Placement) String() string { return Hidden }

// GoString returns "sealed".
func (Placement) GoString() string { return Hidden }

// Format writes "sealed" for every verb.
func (Placement) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, Hidden) }

// MarshalText returns "sealed"; encoders of JSON, YAML and XML use it.
func (Placement) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// LogValue returns "sealed".
func (Placement) LogValue() slog.Value { return slog.StringValue(Hidden) }

// Sealed wraps a value that may not be seen before the reveal; it prints, logs and marshals as "sealed".
type Sealed[T any] struct{ value T }

// Seal wraps v.
func Seal[T any](v T) Sealed[T] { return Sealed[T]{value: v} }

// Reveal returns the wrapped value.
func (s Sealed[T]) Reveal() T { return s.value }

// String returns "sealed".
func (Sealed[T]) String() string { return Hidden }

// GoString returns "sealed".
func (Sealed[T]) GoString() string { return Hidden }

// Format writes "sealed" for every verb.
func (Sealed[T]) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, Hidden) }

// MarshalText returns "sealed".
func (Sealed[T]) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// LogValue returns "sealed".
func (Sealed[T]) LogValue() slog.Value { return slog.StringValue(Hidden) }
