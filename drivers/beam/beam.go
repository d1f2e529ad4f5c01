// Package beam tells when a nose enters and leaves a light beam.
package beam

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/settle"
)

// Settle is the default settling time. A dog's whisker or breath breaks a beam for less, a nose for more.
const Settle = 20 * time.Millisecond

// Beam is one beam; its line is active while the beam is broken. It is a bus.Sensor.
type Beam struct{ line *settle.Line }

// New returns a free beam.
func New(settling time.Duration) (*Beam, error) {
	line, err := settle.New(settling)
	if err != nil {
		return nil, fmt.Errorf("beam: %w", err)
	}
	return &Beam{line: line}, nil
}

// Start sets the level that the line has; a beam that is broken from the start gives no fact until it is free.
func (b *Beam) Start(dst []bus.Fact, level bool, _ int64) []bus.Fact {
	b.line.Start(level)
	return dst
}

// Edge takes an edge.
func (b *Beam) Edge(dst []bus.Fact, level bool, mono, bound int64) []bus.Fact {
	dst = b.Advance(dst, mono)
	b.line.Edge(level, mono, bound)
	return dst
}

// Advance gives Entered or Left when that is certain.
func (b *Beam) Advance(dst []bus.Fact, known int64) []bus.Fact {
	change, ok := b.line.Advance(known)
	if !ok {
		return dst
	}
	kind := bus.Left
	if change.Level {
		kind = bus.Entered
	}
	return append(dst, bus.Fact{Kind: kind, Mono: change.Mono, Bound: change.Bound})
}

// Due is when the line will have stood still for long enough.
func (b *Beam) Due() (int64, bool) { return b.line.Due() }

// Hold is the longest that Entered and Left may come after their stamps.
func (b *Beam) Hold() time.Duration { return b.line.Hold() }

// Pending is the stamp of the nose that may be entering or leaving.
func (b *Beam) Pending() (int64, bool) { return b.line.Pending() }

// Active tells whether the beam was broken when it last stood still.
func (b *Beam) Active() bool { return b.line.Level() }
