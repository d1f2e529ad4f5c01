// Package button tells when a button is pressed, how long it was held, and when it is stuck.
package button

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/settle"
)

// The defaults of a button, and the least sensible time to take a button for stuck.
const (
	Settle   = 20 * time.Millisecond
	Stuck    = 5 * time.Second
	MinStuck = 500 * time.Millisecond
)

// Button is one button; its line is active while it is pressed. It is a bus.Sensor. A press is told when the
// button is let go, since only then it is known how long it was.
type Button struct {
	line  *settle.Line
	stuck time.Duration
	// emergency buttons are told at their first active edge, and may be held for ever.
	emergency bool

	held  bool // pressed, and nothing told of it yet
	press settle.Change
}

// New returns a button that is Stuck when it is held for that long.
func New(settling, stuck time.Duration) (*Button, error) {
	line, err := settle.New(settling)
	if err != nil {
		return nil, fmt.Errorf("button: %w", err)
	}
	if stuck < MinStuck {
		return nil, fmt.Errorf("button: stuck after %s, expected at least %s", stuck, MinStuck)
	}
	return &Button{line: line, stuck: stuck}, nil
}

// NewEmergency returns an emergency stop: Pressed comes at the first active edge, with no settling, and again
// only after it was let go for the settling time.
func NewEmergency(settling time.Duration) (*Button, error) {
	line, err := settle.New(settling)
	if err != nil {
		return nil, fmt.Errorf("emergency stop: %w", err)
	}
	return &Button{line: line, emergency: true}, nil
}

// Start sets the level that the line has. A button that is down from the start counts as pressed at mono.
func (b *Button) Start(dst []bus.Fact, level bool, mono int64) []bus.Fact {
	b.line.Start(level)
	b.held = false
	if !level {
		return dst
	}
	return b.down(dst, settle.Change{Level: true, Mono: mono})
}

// Edge takes an edge.
func (b *Button) Edge(dst []bus.Fact, level bool, mono, bound int64) []bus.Fact {
	dst = b.Advance(dst, mono)
	if b.emergency && level && !b.line.Level() && !b.line.Moving() {
		// A stop that turns out to be a bounce is still a stop: it costs a run, the other error may cost a nose.
		b.line.Start(true)
		return append(dst, bus.Fact{Kind: bus.Pressed, Mono: mono, Bound: bound})
	}
	b.line.Edge(level, mono, bound)
	return dst
}

// Advance gives Pressed when the button was let go, Stuck when it was held for too long.
func (b *Button) Advance(dst []bus.Fact, known int64) []bus.Fact {
	if change, ok := b.line.Advance(known); ok {
		if change.Level {
			dst = b.down(dst, change)
		} else {
			dst = b.up(dst, change)
		}
	}
	if b.held && !b.line.Moving() && known >= b.press.Mono+int64(b.stuck) {
		b.held = false
		dst = append(dst, bus.Fact{Kind: bus.Stuck, Mono: b.press.Mono, Bound: b.press.Bound, Held: b.stuck})
	}
	return dst
}

func (b *Button) down(dst []bus.Fact, press settle.Change) []bus.Fact {
	if b.emergency {
		return append(dst, bus.Fact{Kind: bus.Pressed, Mono: press.Mono, Bound: press.Bound})
	}
	b.held, b.press = true, press
	return dst
}

func (b *Button) up(dst []bus.Fact, release settle.Change) []bus.Fact {
	if !b.held {
		return dst
	}
	b.held = false
	held := time.Duration(release.Mono - b.press.Mono)
	return append(dst, bus.Fact{Kind: bus.Pressed, Mono: b.press.Mono, Bound: b.press.Bound, Held: held})
}

// Due is when the line will have stood still, or when the button will be stuck.
func (b *Button) Due() (int64, bool) {
	if due, ok := b.line.Due(); ok {
		return due, true
	}
	return b.press.Mono + int64(b.stuck), b.held
}

// Hold is the longest that Pressed may come after its stamp: a button that is let go just before it is stuck.
func (b *Button) Hold() time.Duration {
	if b.emergency {
		return 0
	}
	return b.stuck + b.line.Hold()
}

// Pending is the stamp of the press that may yet be told. An emergency stop is never pending: it was told.
func (b *Button) Pending() (int64, bool) {
	if b.emergency {
		return 0, false
	}
	if b.held {
		return b.press.Mono, true
	}
	return b.line.Pending()
}

// Active tells whether the button is down: for an emergency stop from its first active edge on, else when it
// last stood still.
func (b *Button) Active() bool { return b.line.Level() }
