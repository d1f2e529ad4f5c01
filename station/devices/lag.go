package devices

import (
	"fmt"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/event"
	"scentpost/station/health"
)

const (
	// inTimeFor is how long no command may come late, in the station's time, until the condition is over: a few runs.
	inTimeFor = 10 * time.Minute
	// closingFor is how long after they are closed it matters when commands come: longer than any canister takes.
	closingFor = 2 * time.Minute
)

// lagging is how late a simulation is. It goes by when commands come, and never by what a canister did with one: it is public.
type lagging struct {
	heed   int64 // until when it matters: from the moves of a run on until they are closed again
	holds  bool  // the condition
	most   time.Duration
	latest int64 // when the latest command came late
	void   int64 // the instant of the moves whose run was void by it
}

// Lag takes that a command came late to a simulated line. It implements bus.LagSink.
//
// Where a canister was to open, the run is void: its canisters do not open together. That is told at once and in public, since
// each position gets one such command whatever is drawn. Where one was to close, it is waited for; see excuse.
func (i inlet) Lag(l bus.Lag) {
	i.s.change(func() {
		if i.s.clock.Now().Mono > i.s.lagging.heed {
			return // everything rests
		}
		i.s.tellLate(l.By)
		for _, c := range i.s.canisters {
			if !c.moving || !slices.Contains(c.lines, l.Line) {
				continue
			}
			c.lag = max(c.lag, l.By)
			if c.open && i.s.lagging.void != c.at {
				i.s.lagging.void = c.at
				i.s.tell(event.Event{Type: event.RunVoided, At: i.s.clock.Now(), By: event.ByStation, Body: &event.Void{Why: event.Why{Cause: event.CauseSimulation}}})
			}
		}
	})
}

// tellLate says by how much commands come late, when that is news.
func (s *Station) tellLate(by time.Duration) {
	l := &s.lagging
	l.latest = s.clock.Now().Mono
	if l.holds && by <= l.most {
		return
	}
	l.holds, l.most = true, by
	s.condition(health.SimulationLate, OnVirtual, fmt.Sprintf("commands come to the virtual station up to %s of its time after their instants", rounded(by)))
}

// tellInTime says that commands have come in time for long enough.
func (s *Station) tellInTime() {
	if l := &s.lagging; l.holds && s.clock.Now().Mono-l.latest >= int64(inTimeFor) {
		l.holds, l.most = false, 0
		s.over(health.SimulationLate, OnVirtual)
	}
}

// excuse finds the moves among the facts of a canister that did not arrive in time since the simulation was late, and has
// them say so.
func (s *Station) excuse(c *canister, facts []bus.Fact) (excused bool) {
	lag := c.lag
	if c.driven == 0 {
		lag = max(lag, time.Duration(s.clock.Now().Mono-c.at))
	}
	for i := range facts {
		if facts[i].Overdue && c.lag > 0 {
			facts[i].Fault = FaultLag + rounded(lag)
			excused = true
		}
	}
	return excused
}

// waitAgain gives a canister its whole time to close, from now on, after its command came late: one that does not arrive then
// is at fault. Nothing is sent, so that what goes to the station does not depend on it.
func (s *Station) waitAgain(c *canister) {
	now := s.clock.Now().Mono
	c.lag, c.moving, c.settled = 0, true, false
	s.tellMoves(c, c.part.Command(s.moves[:0], false, now))
	if c.driven != 0 {
		s.moved(c, c.part.Driven(s.moves[:0], c.driven))
	}
}

// rounded writes a lateness in tenths of a second.
func rounded(by time.Duration) string { return by.Round(100 * time.Millisecond).String() }
