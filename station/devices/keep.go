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
	wanted    bool          // canisters were commanded open, and nobody closed them since: somebody waits for noses
	attends   bool          // the bus was told so
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

// attended tells the bus when canisters are to open, and when all are closed again: between the two somebody waits for noses.
// A canister that fails changes nothing of it, as how often boards report would tell when that was. It takes note under the
// mutex and returns what is to be told after it.
func (s *Station) attended() (tell func()) {
	wanted := s.kept.wanted
	if s.kept.attendant == nil || wanted == s.kept.attends {
		return nil
	}
	s.kept.attends = wanted
	return func() { s.kept.attendant.Attend(wanted) }
}
