package trial

import (
	"slices"

	"scentpost/station/event"
)

// curtain keeps what the canisters of a run did until the fixed instants at which it may be written: one sealed
// record a position, in position order, whatever happened behind. When a canister is late, jams or falls shut is
// thereby never seen in the order, number or time of records.
//
// The zero value is a drawn curtain with nothing behind it.
type curtain struct {
	run   int
	moves []event.Moves // by position, from position 1
	fault bool          // one of them is not where it should be
	lost  *int64        // since when facts are missing that a canister may have made lost, nil when none are
}

// begin starts a run whose canisters are about to be moved, in position order.
func (c *curtain) begin(run int, moves []event.Move) {
	c.run, c.fault, c.lost = run, false, nil
	c.moves = c.moves[:0]
	for _, m := range moves {
		c.moves = append(c.moves, event.Moves{Canister: m.Canister, Open: m.Open})
	}
}

// close notes that every canister of the run was commanded to its safe state.
func (c *curtain) close() {
	for i := range c.moves {
		c.moves[i] = event.Moves{Canister: c.moves[i].Canister, Fault: c.moves[i].Fault}
	}
}

// report takes what the devices say of one canister. A canister that the run does not use speaks for its position
// only when it is at fault.
func (c *curtain) report(position int, moves event.Moves) {
	if position < 1 || position > len(c.moves) {
		return
	}
	at := &c.moves[position-1]
	switch fault := at.Fault; {
	case moves.Canister == at.Canister:
		*at = moves
		if at.Fault == "" {
			at.Fault = fault
		}
	case at.Fault == "" && moves.Fault != "":
		at.Fault = moves.Canister + ": " + moves.Fault
	}
	c.fault = c.fault || moves.Fault != ""
}

// lose notes that facts of beams or buttons may be missing since the instant from, and that it was perhaps a canister that
// made them lost: nothing of it may be seen but what a canister's fault lets. What there is to say of it stands for what is
// known of every canister from now on.
func (c *curtain) lose(from int64, why string) {
	if c.lost == nil || from < *c.lost {
		c.lost = &from
	}
	c.fault = true
	for i := range c.moves {
		if c.moves[i].Fault == "" {
			c.moves[i].Fault = why
		}
	}
}

// misses tells whether facts may be missing that are stamped at or before an instant.
func (c *curtain) misses(by int64) bool { return c.lost != nil && *c.lost <= by }

// faulty tells whether a canister of the run is not where it should be, or facts were lost that one may have made lost.
func (c *curtain) faulty() bool { return c.fault }

// release returns what is written at an instant of the run: one event a position, in position order.
func (c *curtain) release(instant event.Instant, at event.Stamp, session string) []event.Event {
	events := make([]event.Event, 0, len(c.moves))
	for i, moves := range c.moves {
		events = append(events, event.Event{
			Type: event.CanisterMoved, Session: session, Run: c.run, At: at, By: event.ByStation,
			Body:   &event.Handling{Position: i + 1, Instant: instant},
			Secret: &moves,
		})
	}
	return events
}

// restore puts the canisters of a run behind the curtain again after a restart; what they did before it is not
// known.
func (c *curtain) restore(run int, placement event.Placement) {
	c.begin(run, opens(placement))
	for i := range c.moves {
		c.moves[i].Fault = "not known: the daemon restarted"
	}
}

// instantOf returns the instant of a run that a timer stands for, "" for a timer that writes no sealed facts.
func instantOf(timer event.Type) event.Instant {
	switch timer {
	case event.RunPresented:
		return event.Presented
	case event.RunClosed:
		return event.ClosedAgain
	case event.RunPurged:
		return event.PurgedAgain
	}
	return ""
}

// lift returns the events that a timer's firing brings, in order: the sealed facts of its instant, then the
// firing itself.
func (c *curtain) lift(timer event.Type, at event.Stamp, session string) []event.Event {
	firing := event.Event{Type: timer, Session: session, At: at, By: event.ByStation}
	instant := instantOf(timer)
	if instant == "" {
		return []event.Event{firing}
	}
	return append(slices.Clip(c.release(instant, at, session)), firing)
}
