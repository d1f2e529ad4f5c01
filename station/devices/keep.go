package devices

import (
	"time"

	"scentpost/drivers/bus"
)

// keep is what keeps the outputs of carriers alive that fall back without us, such as those of a board, and tells the bus
// when somebody waits for its inputs.
type keep struct {
	keeper    bus.Keeper // nil when nothing of the bus falls back
	every     time.Duration
	attendant bus.Attendant // nil when the bus does not want to know
	attends   bool          // a canister is commanded open: somebody waits for noses
	stop      func()        // the next heartbeat
}

// newKeep looks whether a bus is to be kept alive.
func newKeep(b bus.Bus) (k keep) {
	k.attendant, _ = b.(bus.Attendant)
	if keeper, falls := b.(bus.Keeper); falls {
		k.keeper, k.every = keeper, keeper.BeatEvery()
	}
	if k.every == 0 {
		k.keeper = nil
	}
	return k
}

// beat gives a heartbeat and asks the clock for the next one. It comes from the clock's loop, which also closes what was
// open for too long, and goes through the state and the orders to the drives: where any of the three hangs, the boards
// hear nothing and close by themselves.
func (s *Station) beat() {
	alive := false
	s.change(func() { alive = !s.down })
	if !alive {
		return
	}
	if since := s.driving.Load(); !s.drives.hangs() && (since == 0 || s.clock.Now().Mono-since <= int64(s.kept.every)) {
		s.kept.keeper.Beat()
	}
	next := s.clock.At(s.clock.Now().Mono+int64(s.kept.every), s.beat)
	s.mu.Lock()
	s.kept.stop = next
	over := s.down
	s.mu.Unlock()
	if over {
		next()
	}
}

// attended tells the bus when the first canister is to open, and when the last one is closed again: between the two
// somebody waits for noses. It takes note under the mutex and returns what is to be told after it.
func (s *Station) attended() (tell func()) {
	open := false
	for _, c := range s.canisters {
		open = open || c.open
	}
	if s.kept.attendant == nil || open == s.kept.attends {
		return nil
	}
	s.kept.attends = open
	return func() { s.kept.attendant.Attend(open) }
}
