// Package shutter watches one canister's shutter move, by a limit switch at either end. What drives it is not its business:
// one line whose off means closed, such as a solenoid's, or a motor with a line for each way.
package shutter

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/settle"
)

// The roles of the lines of a shutter.
const (
	Drive  = "drive"  // output; safe level: closed
	Opened = "opened" // input, active while the shutter is wholly open
	Closed = "closed" // input, active while it is wholly closed
)

// The defaults of a shutter.
const (
	Settle = 20 * time.Millisecond
	Travel = 800 * time.Millisecond
)

// MaxTravel is the longest time that a shutter may be given for a move.
const MaxTravel = time.Minute

// The faults of a shutter.
const (
	FaultNotOpened = "did not open in time"
	FaultNotClosed = "did not close in time"
	FaultBoth      = "both limit switches are active"
	FaultReplaced  = "replaced before it was confirmed"
	FaultFell      = "left the open end by itself"
	FaultRose      = "left the closed end by itself"
)

// Shutter is one shutter. It is a bus.Gate. A move is confirmed by the first edge at which its own limit switch
// is active and the other one is not; bouncing there counts only when the switch then stays away.
type Shutter struct {
	travel time.Duration
	limits [2]limit // the closed end, the open end

	open      bool // the commanded state
	moving    bool // commanded and neither confirmed nor failed
	driven    bool // the drive changed for the command
	resting   bool // confirmed, and there since
	deadline  int64
	commanded int64 // when the drive changed, 0 before
}

// limit is one limit switch: its raw level decides arrival, its settled level decides loss.
type limit struct {
	line        *settle.Line
	raw         bool
	since       int64 // the stamp of the latest change of raw
	bound       int64
	faultAtLoss string
}

// New returns a shutter that is commanded closed and of unknown place. A move that is not confirmed within travel
// has failed.
func New(settling, travel time.Duration) (*Shutter, error) {
	if travel <= 0 || travel > MaxTravel {
		return nil, fmt.Errorf("shutter: travel limit %s, expected more than 0s and at most %s", travel, MaxTravel)
	}
	s := &Shutter{travel: travel}
	for i, fault := range []string{FaultRose, FaultFell} {
		line, err := settle.New(settling)
		if err != nil {
			return nil, fmt.Errorf("shutter: %w", err)
		}
		s.limits[i] = limit{line: line, faultAtLoss: fault}
	}
	return s, nil
}

// end is the limit switch at the commanded end, other the one at the far end.
func (s *Shutter) end() *limit   { return &s.limits[index(s.open)] }
func (s *Shutter) other() *limit { return &s.limits[index(!s.open)] }

func index(open bool) int {
	if open {
		return 1
	}
	return 0
}

// Start gives the levels of the limit switches. A shutter that is closed rests; one that is not is left to the
// command that closes it.
func (s *Shutter) Start(dst []bus.Fact, mono int64, limits map[string]bool) []bus.Fact {
	for i, role := range []string{Closed, Opened} {
		s.limits[i].line.Start(limits[role])
		s.limits[i].raw, s.limits[i].since = limits[role], mono
	}
	s.open, s.moving = false, false
	s.resting = s.arrived()
	return dst
}

func (s *Shutter) arrived() bool { return s.end().raw && !s.other().raw }

// Resting tells whether the shutter was confirmed at its commanded end and is still there.
func (s *Shutter) Resting() bool { return s.resting && !s.moving }

// Command says that a move is to start at the instant at; a command under way fails first. A move to where the
// shutter rests already is confirmed when its drive has changed.
func (s *Shutter) Command(dst []bus.Fact, open bool, at int64) []bus.Fact {
	dst = s.Fail(dst, at, FaultReplaced)
	s.resting = s.resting && s.open == open
	s.open, s.moving, s.driven, s.commanded = open, true, false, 0
	s.deadline = at + int64(s.travel)
	return dst
}

// Driven says that the drive changed at mono.
func (s *Shutter) Driven(dst []bus.Fact, mono int64) []bus.Fact {
	s.driven, s.commanded = true, mono
	if s.moving && s.arrived() {
		return s.confirm(dst, max(mono, s.end().since, s.other().since))
	}
	return dst
}

// Fail ends the command under way, if one is, with a fault stamped mono.
func (s *Shutter) Fail(dst []bus.Fact, mono int64, fault string) []bus.Fact {
	if !s.moving {
		return dst
	}
	s.moving = false
	return append(dst, s.fact(bus.Failed, mono, 0, fault))
}

// Limit takes an edge of the limit switch of a role; other roles are ignored.
func (s *Shutter) Limit(dst []bus.Fact, role string, level bool, mono, bound int64) []bus.Fact {
	if role != Opened && role != Closed {
		return dst
	}
	dst = s.Advance(dst, mono)
	l := &s.limits[index(role == Opened)]
	l.line.Edge(level, mono, bound)
	if l.raw != level {
		l.raw, l.since, l.bound = level, mono, bound
	}
	switch {
	case s.moving && s.driven && s.arrived():
		return s.confirm(dst, mono)
	case !s.moving && !s.resting && !s.open && s.arrived(): // its closing has failed, and it rests closed all the same
		s.resting = true
		s.end().line.Start(true)
	}
	return dst
}

func (s *Shutter) confirm(dst []bus.Fact, mono int64) []bus.Fact {
	s.moving, s.resting = false, true
	s.end().line.Start(true) // it arrived: only leaving again for the settling time is a loss
	return append(dst, s.fact(bus.Confirmed, mono, s.end().bound, ""))
}

func (s *Shutter) fact(kind bus.FactKind, mono, bound int64, fault string) bus.Fact {
	return bus.Fact{Kind: kind, Mono: mono, Bound: bound, Open: s.open, Commanded: s.commanded, Fault: fault}
}

// Advance gives Failed when a move was not confirmed in time, or when a resting shutter left its end.
func (s *Shutter) Advance(dst []bus.Fact, known int64) []bus.Fact {
	for i := range s.limits {
		l := &s.limits[i]
		change, ok := l.line.Advance(known)
		if atEnd := l == s.end(); !ok || !s.resting || change.Level == atEnd {
			continue
		}
		fault := l.faultAtLoss
		if change.Level {
			fault = FaultBoth
		}
		s.resting = false
		dst = append(dst, s.fact(bus.Failed, change.Mono, change.Bound, fault))
	}
	if !s.moving || known < s.deadline {
		return dst
	}
	s.moving = false
	failed := s.fact(bus.Failed, s.deadline, 0, FaultNotClosed)
	failed.Overdue = true
	switch {
	case s.end().raw && s.other().raw:
		failed.Fault, failed.Overdue = FaultBoth, false
	case s.open:
		failed.Fault = FaultNotOpened
	}
	return append(dst, failed)
}

// Due is the earliest of the move's deadline and the settling of the limit switches.
func (s *Shutter) Due() (int64, bool) {
	due, ok := s.deadline, s.moving
	for i := range s.limits {
		if d, moving := s.limits[i].line.Due(); moving && (!ok || d < due) {
			due, ok = d, true
		}
	}
	return due, ok
}
