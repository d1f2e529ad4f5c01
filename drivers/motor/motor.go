// Package motor drives a canister's shutter by a motor with a line for each way: one that opens and one that closes.
//
// Both lines are off while it rests, and never on at once: a line is switched on only when the other one was confirmed
// off and a pause is over, so that the two halves of a bridge do not meet (the data sheets of common bridge chips ask for
// microseconds, those of relays for some 10 ms; the pause is our assumption with room). The bus ends by itself what a line
// was switched on for: opening after the longest time of a move, closing after Patience times as long, since a slow
// canister is better closed late than left open. A line is switched off when the move has arrived.
package motor

import (
	"fmt"
	"sync"
	"time"

	"scentpost/drivers/bus"
)

// The roles of the lines of a motor; the limit switches are those of its shutter.
const (
	Open  = "open"  // output: moves towards open while it is on
	Close = "close" // output: moves towards closed while it is on
)

// Pause is how long both lines are off before the motor turns the other way.
const Pause = 50 * time.Millisecond

// Patience is how many times the longest time of a move a closing is driven for, should it not arrive.
const Patience = 4

// MaxTravel is the longest time that a move may be given.
const MaxTravel = time.Minute

// Motor is one motor. It is a bus.Drive, and its safe state is reached by a move: it is driven closed until its limit
// switch or its time is over, then off.
type Motor struct {
	ways   map[bool]bus.Output // by whether it opens
	travel time.Duration

	mu      sync.Mutex // guards what follows, and is held while a line is switched on
	command uint64     // counts commands: an answer to an old one switches nothing on
	open    bool       // where it was sent last
	moving  bool       // it was sent, and nobody said yet that the move is over
	arrived bool       // it rests there
	since   int64      // when its line went on, 0 while it is not known to be on
	least   int64      // how long it is on at least, in nanoseconds
	turning *turning   // the command that waits for the other line to be off, nil when none does
}

// turning is a command whose other line is not known to be off yet.
type turning struct {
	turns bool  // the motor was sent the other way before
	moved int64 // since when it moved that way, 0 when it did not
	done  func(mono int64, err error)
	over  bool // the same command came again, and answers for both
}

// New returns a motor at rest, of which nobody knows where it is, on two outputs whose safe level is off. travel is the
// longest time that a move may take, from more than 0 to MaxTravel.
func New(open, shut bus.Output, travel time.Duration) (*Motor, error) {
	switch {
	case open == nil || shut == nil:
		return nil, fmt.Errorf("motor: an output is missing, expected those of its lines %s and %s", Open, Close)
	case travel <= 0 || travel > MaxTravel:
		return nil, fmt.Errorf("motor: travel limit %s, expected more than 0s and at most %s", travel, MaxTravel)
	}
	return &Motor{ways: map[bool]bus.Output{true: open, false: shut}, travel: travel}, nil
}

// Set sends it towards open or closed, at the instant at when it opens and at once when it closes; see bus.Output. It
// moves for the longest time of a move at most. Where it is on the way already, or rests, it is not sent anew. An opened
// one does not close by itself after longest: whoever has it opened closes it.
func (m *Motor) Set(open bool, at int64, _ time.Duration, done func(mono int64, err error)) {
	if done == nil {
		done = func(int64, error) {}
	}
	m.mu.Lock()
	t := &turning{turns: m.open != open, done: done}
	switch {
	case t.turns && m.moving:
		t.moved = m.since
	case t.turns:
	case m.turning != nil: // said once more: who switches the other line off again takes the first one's answer
		t.follow(m.turning)
	case m.moving || m.arrived:
		m.mu.Unlock()
		m.ways[!open].Set(false, 0, 0, done) // it is off: this only makes sure
		return
	}
	m.command++
	command := m.command
	m.open, m.moving, m.arrived, m.since, m.least, m.turning = open, true, false, 0, 0, t
	m.mu.Unlock()
	if !open {
		at = 0
	}
	m.ways[!open].Set(false, 0, 0, func(mono int64, err error) { m.off(command, t, at, mono, err) })
}

// follow takes what is known and who waits from the same command before it.
func (t *turning) follow(first *turning) {
	mine := t.done
	first.over = true
	t.turns, t.moved = first.turns, first.moved
	t.done = func(mono int64, err error) {
		first.done(mono, err)
		mine(mono, err)
	}
}

// off takes what became of switching the other line off, and switches on the one of the command.
func (m *Motor) off(command uint64, t *turning, at, mono int64, err error) {
	m.mu.Lock()
	over, open := t.over, m.open
	if m.turning == t {
		m.turning = nil
	}
	m.mu.Unlock()
	switch {
	case over:
	case err != nil:
		m.fail(command)
		t.done(0, err)
	case t.turns:
		m.turn(command, t.moved, mono)
		m.start(command, open, max(at, mono+int64(Pause)), t.done)
	default:
		m.start(command, open, at, t.done)
	}
}

// turn notes that a move was turned back which had its line on from an instant (0: it had not) to another. A limit switch
// stays active for a while after the shutter has left it, so that one which says at once that it is back proves nothing:
// the way back takes as long as the way there, and half as long again where the motor is slower that way (our assumption).
func (m *Motor) turn(command uint64, from, to int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.command == command && from != 0 {
		m.least = min((to-from)*3/2, int64(m.travel))
	}
}

// fail notes that a command moves nothing.
func (m *Motor) fail(command uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.command == command {
		m.moving = false
	}
}

// start switches a line on for its command, unless a newer one came meanwhile. It holds the mutex while it does, so that
// a newer command cannot come between; the answer is given after it, since whoever hears it may command at once.
func (m *Motor) start(command uint64, open bool, at int64, done func(mono int64, err error)) {
	tell := func(mono int64, err error) {
		if err != nil {
			m.fail(command)
		} else {
			m.begun(command, mono)
		}
		done(mono, err)
	}
	held := answer{done: tell}
	m.mu.Lock()
	current := m.command == command
	if current {
		m.ways[open].Set(true, at, m.most(open), held.give)
	}
	m.mu.Unlock()
	if !current {
		done(0, bus.ErrReplaced)
		return
	}
	held.let()
}

// most is how long a line may be on.
func (m *Motor) most(open bool) time.Duration {
	if open {
		return m.travel
	}
	return Patience * m.travel
}

// begun notes when the line of a command went on.
func (m *Motor) begun(command uint64, mono int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.command == command {
		m.since = mono
	}
}

// Rest switches both lines off when the move has arrived, or when an opening has failed. A closing that has not arrived in
// time goes on, and so does a move that was turned back and arrives too soon; the bus ends both.
func (m *Motor) Rest(arrived bool, mono int64) {
	m.mu.Lock()
	open, left := m.open, int64(0)
	if arrived && m.since != 0 { // its line is on, so that no command of it is pending
		left = m.since + m.least - mono
	}
	late := !arrived && !open && m.since != 0
	m.command++
	command := m.command
	m.moving, m.arrived, m.least = false, arrived, 0
	if !late {
		m.since = 0
	}
	m.mu.Unlock()
	m.ways[!open].Set(false, 0, 0, nil)
	if late {
		return
	}
	if left <= 0 {
		m.ways[open].Set(false, 0, 0, nil)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.command == command {
		m.ways[open].Set(true, 0, time.Duration(left), nil)
	}
}

// answer holds back an answer until it may be given.
type answer struct {
	done func(mono int64, err error)

	mu   sync.Mutex // guards the rest
	free bool
	come bool
	mono int64
	err  error
}

// give gives the answer, or keeps it until let.
func (a *answer) give(mono int64, err error) {
	a.mu.Lock()
	free := a.free
	a.come, a.mono, a.err = true, mono, err
	a.mu.Unlock()
	if free {
		a.done(mono, err)
	}
}

// let lets the answer out, now if it has come.
func (a *answer) let() {
	a.mu.Lock()
	a.free = true
	come, mono, err := a.come, a.mono, a.err
	a.mu.Unlock()
	if come {
		a.done(mono, err)
	}
}
