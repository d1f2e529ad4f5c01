// Package settle finds the changes of a line that bounces.
package settle

import (
	"fmt"
	"time"
)

// MaxSettle is the longest settling time that a part may ask for; a nose that comes and goes is slower than this.
const MaxSettle = time.Second

// patience is how many settling times a line may bounce before its first edge is no longer taken for the
// beginning: a switch bounces for a few milliseconds, a storm of a second is no switch.
const patience = 20

// Change is a change of the line that lasted, stamped with its first edge.
type Change struct {
	Level       bool
	Mono, Bound int64
}

// Line is one line that bounces. A change counts when the level then stood for the settling time; its stamp is
// that of the first edge, so that settling costs delay and no accuracy.
type Line struct {
	settle time.Duration

	level  bool // when it last stood still
	moving bool
	raw    bool  // after the latest edge
	last   int64 // the latest edge
	first  Change
}

// New returns a line that is inactive. settle is at least 0, which believes every edge, and at most MaxSettle.
func New(settle time.Duration) (*Line, error) {
	if settle < 0 || settle > MaxSettle {
		return nil, fmt.Errorf("settling time %s, expected 0s to %s", settle, MaxSettle)
	}
	return &Line{settle: settle}, nil
}

// Start sets the level that the line stands at.
func (l *Line) Start(level bool) { l.level, l.raw, l.moving = level, level, false }

// Hold is the longest that a change may come after its stamp.
func (l *Line) Hold() time.Duration { return (patience + 1) * l.settle }

// Level is the level at which the line last stood still.
func (l *Line) Level() bool { return l.level }

// Moving tells whether the line changed and has not stood still since.
func (l *Line) Moving() bool { return l.moving }

// Edge takes an edge. The caller has Advanced to mono before. An edge stamped before the one before it is taken
// for simultaneous.
func (l *Line) Edge(level bool, mono, bound int64) {
	if l.moving && mono < l.last {
		mono = l.last
	}
	if !l.moving && level == l.level {
		return // the edge before it was lost, or it was too short to see
	}
	if !l.moving || mono-l.first.Mono > int64(patience*l.settle) {
		l.first = Change{Mono: mono, Bound: bound}
	}
	l.moving, l.raw, l.last = true, level, mono
}

// Advance returns the change that is certain once every edge stamped before known has been given.
func (l *Line) Advance(known int64) (Change, bool) {
	if due, ok := l.Due(); !ok || known < due {
		return Change{}, false
	}
	l.moving = false
	if l.raw == l.level {
		return Change{}, false
	}
	l.level = l.raw
	l.first.Level = l.raw
	return l.first, true
}

// Due is when the line will have stood still for long enough; not ok while it stands.
func (l *Line) Due() (mono int64, ok bool) { return l.last + int64(l.settle), l.moving }

// Pending is the stamp that a change under way would have.
func (l *Line) Pending() (mono int64, ok bool) { return l.first.Mono, l.moving }
