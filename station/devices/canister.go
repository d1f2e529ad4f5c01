package devices

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/event"
)

// The faults that the station itself gives a move; the part of the canister has more.
const (
	FaultUnknown = "the station has no such canister at this position"
	FaultStopped = "the emergency stop is held"
	FaultNoStop  = "the emergency stop is absent"
	FaultLongest = "closed by the longest open time"
	FaultClosed  = "the station is shut down"
	// FaultLag is followed by how long: "1.2s".
	FaultLag = "the simulation was late, not the canister: the command came late by at least "
)

// canister is one canister with its drive.
type canister struct {
	name     string // of the device
	member   *member
	position int
	canister string // "1B"
	longest  time.Duration
	part     bus.Gate
	drive    bus.Drive
	rests    bool     // its drive is told when a move is over
	lines    []string // of the drive

	open    bool          // the commanded state
	moving  bool          // the command was neither confirmed nor has it failed
	owed    bool          // the command was replaced by the same once more, whose answer counts for it
	settled bool          // it was confirmed, and nothing went wrong since
	driven  int64         // when the drive changed for the latest command, 0 for not yet
	lag     time.Duration // how late the latest command came to a simulated drive, 0 for in time
	at      int64         // the instant that the latest command was given for: the same at every position
	until   int64         // when it closes by itself, while it is commanded open
	command uint64        // counts commands, so that the answer to an old one is not taken for a new one's
	faulty  [2]bool       // that it does not close, that it does not open: the sink was told so
}

// order is one change of one drive: that of a canister, or of a burst; or a job for the wires of a sensor.
type order struct {
	canister *canister
	burst    *burst
	job      func()
	command  uint64
	level    bool
	at       int64
	longest  time.Duration
	again    bool // only to make sure: its answer counts where it replaced the command itself
	rest     bool // the move is over, and has arrived where level is set
}

// overdueAfter is how long a drive may take to be told something. An output never waits; one of a kernel's driver for a
// chip on slow wires takes some milliseconds.
const overdueAfter = 100 * time.Millisecond

// alike tells whether two orders are for one drive.
func alike(a, b order) bool { return a.canister == b.canister && a.burst == b.burst }

// overdue has the other drives told what they are to do, on a goroutine of its own, when one hangs: what can be closed is.
func (s *Station) overdue(takeOver func() bool) (stop func()) {
	return s.clock.At(s.clock.Now().Mono+int64(overdueAfter), func() {
		s.apart(func() {
			if takeOver() {
				s.reports.run()
			}
		})
	})
}

// Move commands the moves of a run. Those that open start at the instant at, all at the same one whatever they
// hold, and end by themselves after longest or after the shortest longest open time of the canisters that move;
// those that close start at once. What became of each reaches the sink as one event.CanisterMoved. Move never
// waits, and may be called from within the sink.
func (s *Station) Move(at int64, longest time.Duration, moves []event.Move) {
	moves = slices.Clone(moves)
	slices.SortStableFunc(moves, func(a, b event.Move) int { return cmp.Compare(a.Position, b.Position) })
	s.change(func() {
		now := s.clock.Now().Mono
		at = max(at, now)
		longest = s.shortest(longest, moves)
		if slices.ContainsFunc(moves, func(m event.Move) bool { return m.Open }) {
			s.kept.wanted, s.lagging.heed = true, math.MaxInt64
			s.rest(nil)
		}
		fault := s.barred()
		if s.down {
			fault = FaultClosed
		}
		for _, m := range moves {
			c := s.find(m)
			switch {
			case c == nil:
				s.tellMove(m.Position, at, event.Moves{Canister: m.Canister, Open: m.Open, Fault: FaultUnknown})
			case !m.Open:
				s.close(c, now)
			case fault != "" || !c.member.here():
				fault := cmp.Or(fault, FaultAway)
				s.tellMove(m.Position, at, event.Moves{Canister: m.Canister, Open: true, Fault: fault})
			default:
				s.open(c, at, longest)
			}
		}
	})
}

// shortest is the longest open time of a run: that of the canister that may stay open least, so that all close at
// one instant and nobody learns which one it was.
func (s *Station) shortest(longest time.Duration, moves []event.Move) time.Duration {
	for _, m := range moves {
		if c := s.find(m); c != nil && (longest <= 0 || c.longest < longest) {
			longest = c.longest
		}
	}
	return longest
}

func (s *Station) find(m event.Move) *canister {
	for _, c := range s.canisters {
		if c.position == m.Position && c.canister == m.Canister {
			return c
		}
	}
	return nil
}

// CloseAll commands every canister to its safe state, now, those first that are commanded open, in position order, and what
// changes the air or sounds to off. It never waits, may be called at any time and from anywhere, and does no harm when everything is closed.
func (s *Station) CloseAll() {
	s.change(func() { s.closeAll(s.clock.Now().Mono) })
}

// closeAll closes what is commanded open first. Behind others of its position it would wait for their orders to pass on the
// wires of a carrier, and when it moves would tell how many they are.
func (s *Station) closeAll(now int64) {
	s.kept.wanted, s.lagging.heed = false, min(s.lagging.heed, now+int64(closingFor))
	var rest []*canister
	for _, c := range s.canisters {
		if !c.open {
			rest = append(rest, c)
			continue
		}
		s.close(c, now)
	}
	for _, c := range rest {
		s.close(c, now)
	}
	s.rest(nil)
}

// close drives one canister to its safe state. One that rests closed, or is on the way there, is driven again and
// not commanded anew: its move is reported once. So is one whose lines are away, for what of it may be there.
func (s *Station) close(c *canister, now int64) {
	if !c.member.here() || !c.open && (c.moving || c.settled) {
		s.drives.add(order{canister: c, command: c.command, at: now, again: true})
		return
	}
	s.command(c, order{at: now})
}

// command begins a new command of a canister; the one under way, if one is, has then failed.
func (s *Station) command(c *canister, o order) {
	s.tellMoves(c, c.part.Command(s.moves[:0], o.level, o.at)) // one that is replaced is no fault of its canister
	c.open, c.moving, c.owed, c.settled, c.at = o.level, true, false, false, o.at
	c.driven, c.lag = 0, 0
	c.command++
	o.canister, o.command = c, c.command
	s.drives.add(o)
}

func (s *Station) open(c *canister, at int64, longest time.Duration) {
	c.until = at + int64(longest)
	s.command(c, order{level: true, at: at, longest: longest})
}

// set gives an order to its drive. It runs from the queue of drives, outside the mutex: the answer may come
// before it returns.
func (s *Station) set(o order) {
	s.driving.Store(max(s.clock.Now().Mono, 1))
	defer s.driving.Store(0)
	switch {
	case o.job != nil:
		o.job()
		return
	case o.burst != nil:
		s.setBurst(o)
		return
	case o.rest:
		o.canister.drive.Rest(o.level, o.at)
		return
	case o.level && s.replaced(o):
		return // it waited for a drive that hung, and is to be closed by now
	}
	o.canister.drive.Set(o.level, o.at, o.longest, func(mono int64, err error) {
		s.change(func() { s.driven(o, mono, err) })
	})
}

// replaced tells whether a newer command of its canister has come.
func (s *Station) replaced(o order) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.command != o.canister.command
}

func (s *Station) driven(o order, mono int64, err error) {
	c := o.canister
	switch {
	case o.command != c.command:
		return // replaced by a newer command, which has said so
	case o.again && !c.owed:
		return // the command itself answers
	case errors.Is(err, bus.ErrReplaced) && !c.rests:
		c.owed = true // the device has refused nothing; a motor that was to turn does not, and that is a fault
		return
	}
	c.owed = false
	if err != nil {
		s.moved(c, c.part.Fail(s.moves[:0], s.clock.Now().Mono, err.Error()))
		return
	}
	c.driven = max(mono, 1)
	s.moved(c, c.part.Driven(s.moves[:0], mono))
}

// deadMan closes what has been open for too long, whether or not anybody above is alive to ask for it.
func (s *Station) deadMan(now int64) {
	for _, c := range s.canisters {
		if !c.open || now < c.until {
			continue
		}
		s.tellMove(c.position, c.at, event.Moves{Canister: c.canister, Open: true, Fault: FaultLongest})
		s.close(c, now)
		s.kept.wanted = false // all have the same longest time
	}
}

// Fall takes that an output went to its safe level by itself, since what carries it heard nothing of us or counted its
// longest time shorter. It implements bus.FallSink.
func (i inlet) Fall(f bus.Fall) {
	i.s.change(func() {
		f.Mono, f.Bound = i.s.past(f.Mono, f.Bound)
		for _, c := range i.s.canisters {
			if !slices.Contains(c.lines, f.Line) || !c.open || f.Mono < c.at {
				continue // of a command that is over
			}
			i.s.tellMove(c.position, c.at, event.Moves{Canister: c.canister, Open: true, Fault: f.Why.Error()})
			i.s.close(c, i.s.clock.Now().Mono)
		}
	})
}

// moved takes the facts of a canister.
func (s *Station) moved(c *canister, facts []bus.Fact) {
	excused := s.excuse(c, facts)
	s.judge(c, facts)
	s.tellMoves(c, facts)
	switch {
	case excused && !c.open:
		s.waitAgain(c)
	case len(facts) > 0:
		s.rested(c)
	}
}

// late takes that a canister whose move has failed came to rest where it should all the same: its drive has nothing more to
// do. One with a single line has nothing to be told.
func (s *Station) late(c *canister) {
	if c.rests && !c.moving && !c.settled && c.part.Resting() {
		c.settled = true
		s.rested(c)
	}
}

// tellMoves passes on the facts of a canister. All that tells which one it was lies in the secret.
func (s *Station) tellMoves(c *canister, facts []bus.Fact) {
	for _, f := range facts {
		m := event.Moves{Canister: c.canister, Open: f.Open, Commanded: f.Commanded, Fault: f.Fault}
		if f.Kind == bus.Confirmed {
			m.Confirmed = f.Mono
		}
		c.moving, c.settled = false, f.Kind == bus.Confirmed
		s.tellMove(c.position, c.at, m)
	}
	s.moves = facts[:0]
}

// rested tells the drive of a canister that a move is over, or how the canister was found.
func (s *Station) rested(c *canister) {
	if c.rests {
		s.drives.add(order{canister: c, rest: true, level: c.settled, at: s.clock.Now().Mono})
	}
}

// oneLine is the drive of a canister with one output: its safe level is closed, and it stays there.
type oneLine struct{ bus.Output }

// Rest does nothing.
func (oneLine) Rest(bool, int64) {}

// tellMove reports a move, stamped with the instant it was commanded for, which is no secret.
func (s *Station) tellMove(position int, at int64, m event.Moves) {
	s.tell(event.Event{
		Type: event.CanisterMoved, At: s.stamp(at, 0), By: event.ByStation,
		Body: &event.Handling{Position: position}, Secret: &m,
	})
}
