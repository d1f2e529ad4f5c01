// Package blueprint is the smallest honest part, to be copied: a door contact.
//
// To add a part, copy this folder and rename the package, write what yours does in place of the door's, move template.yaml
// to the device templates, and give both a row in the catalogue: CONTRIBUTING.md has the steps. This sentence becomes the
// data sheet, with its edition, and the accuracy. The part is not in the catalogue itself.
//
// What makes it a part: it is pure. Edges and the time come in, facts go out; it reads no clock, sleeps nowhere and owns
// no goroutine, so that a test plays a day in a millisecond and a simulation plays the same code. What can be wrong is
// refused when it is made, not later.
package blueprint

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/settle"
)

// Settle is the default settling time. A magnetic contact bounces for some 10 ms, a door for longer.
const Settle = 50 * time.Millisecond

// Door is one door; its line is active while the door is open. It is a bus.Sensor.
type Door struct{ line *settle.Line }

// New returns a door that is shut. settling is from 0 to settle.MaxSettle.
func New(settling time.Duration) (*Door, error) {
	line, err := settle.New(settling)
	if err != nil {
		return nil, fmt.Errorf("door: %w", err)
	}
	return &Door{line}, nil
}

// Start sets the level that the line has. A door that is open from the start gives no fact until it is shut.
func (d *Door) Start(dst []bus.Fact, level bool, _ int64) []bus.Fact {
	d.line.Start(level)
	return dst
}

// Edge takes an edge.
func (d *Door) Edge(dst []bus.Fact, level bool, mono, bound int64) []bus.Fact {
	dst = d.Advance(dst, mono)
	d.line.Edge(level, mono, bound)
	return dst
}

// Advance gives Entered or Left when the door has opened or shut for certain, with the stamp of the first edge.
func (d *Door) Advance(dst []bus.Fact, known int64) []bus.Fact {
	change, ok := d.line.Advance(known)
	if !ok {
		return dst
	}
	kind := bus.Left
	if change.Level {
		kind = bus.Entered
	}
	return append(dst, bus.Fact{Kind: kind, Mono: change.Mono, Bound: change.Bound})
}

// Due is when Advance will have something to do. Whoever keeps the time calls it then, so the part needs no timer.
func (d *Door) Due() (int64, bool) { return d.line.Due() }

// Hold is the longest that a fact may come after its stamp. The engine waits for so long before it decides.
func (d *Door) Hold() time.Duration { return d.line.Hold() }

// Pending is the stamp of the change that may be under way.
func (d *Door) Pending() (int64, bool) { return d.line.Pending() }

// Active tells whether the door was open when it last stood still.
func (d *Door) Active() bool { return d.line.Level() }
