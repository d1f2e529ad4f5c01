package hardware

import (
	"fmt"
	"time"

	"scentpost/simulator/world"
)

// The mechanics of a canister. Each one has its own mean travel within these limits, and each journey differs a
// little from the last.
const (
	openFastest  = 250 * time.Millisecond
	openSlowest  = 400 * time.Millisecond
	shutFastest  = 200 * time.Millisecond
	shutSlowest  = 350 * time.Millisecond
	travelJitter = 15 * time.Millisecond
	// slack is the part of a journey after which the switch of the end that was left lets go.
	slack = 20
	// way is the whole way from shut to open.
	way = int64(1_000_000)
)

// FaultKind is a way in which a canister fails.
type FaultKind string

// The kinds of faults.
const (
	Sound       FaultKind = ""             // none
	StuckClosed FaultKind = "stuck closed" // does not leave the shut end
	StuckOpen   FaultKind = "stuck open"   // does not leave the open end
	Slow        FaultKind = "slow"         // travels Factor times as long
	FallsShut   FaultKind = "falls shut"   // shuts by itself After it was open, though driven
	DeadOpened  FaultKind = "dead opened"  // the switch of the open end gives no edges any more
	DeadClosed  FaultKind = "dead closed"  // the switch of the shut end gives no edges any more
	Noisy       FaultKind = "noisy"        // After it was open its switch chatters, and edges of any line may be lost
)

// Fault is a fault of one canister. It strikes at the next movement, FallsShut also at a canister that is open.
type Fault struct {
	Kind   FaultKind
	Factor int           // Slow, from 2
	After  time.Duration // FallsShut, Noisy
}

// canister is the physical canister.
type canister struct {
	spec           Canister
	station        *Station
	opened, closed *line // nil without a switch
	open, shut     time.Duration
	chance         *world.Stream
	fault          Fault
	plume          plume

	driven   bool
	shutting bool // the line of a motor that shuts is on
	shorted  int  // how often both lines of its motor were on at once
	state    string
	from     int64 // of way, at since
	since    int64
	goal     int64
	travel   time.Duration // for the whole way
	changed  int64
	arrive   func() // these stop what is planned; never nil
	let      func()
	collapse func()
}

func newCanister(s *Station, spec Canister) *canister {
	c := &canister{spec: spec, station: s, state: "closed", arrive: nothing, let: nothing, collapse: nothing}
	c.chance = s.world.Rand("canister/" + spec.Name)
	c.open = c.chance.Between(openFastest, openSlowest)
	c.shut = c.chance.Between(shutFastest, shutSlowest)
	c.changed = s.world.Mono()
	return c
}

func nothing() {}

// drive is what the drive line does: open while it is active, shut when it is not.
func (c *canister) drive(level bool) {
	if c.driven == level {
		return
	}
	c.driven = level
	state := "close"
	if level {
		state = "open"
	}
	c.station.changed(Drive, c.spec.Position, c.spec.Name, state)
	c.collapse()
	if level {
		c.head(way)
	} else {
		c.head(0)
	}
}

// motor is what a line of a motor does, that which opens or that which shuts. With none on, or with both, it stands still.
func (c *canister) motor(opens, level bool) {
	line := &c.shutting
	if opens {
		line = &c.driven
	}
	if *line == level {
		return
	}
	*line = level
	c.collapse()
	switch {
	case c.driven && c.shutting:
		c.shorted++
		c.halt()
	case c.driven:
		c.station.changed(Drive, c.spec.Position, c.spec.Name, "open")
		c.head(way)
	case c.shutting:
		c.station.changed(Drive, c.spec.Position, c.spec.Name, "close")
		c.head(0)
	default:
		c.halt()
	}
}

// halt stops a canister where it is.
func (c *canister) halt() {
	at := c.place(c.station.world.Mono())
	c.arrive()
	c.let()
	c.arrive, c.let = nothing, nothing
	moved := c.from != c.goal
	c.from, c.goal = at, at
	if moved {
		c.turn("between")
	}
}

// head begins a journey to an end, unless a fault keeps the canister where it is.
func (c *canister) head(goal int64) {
	now := c.station.world.Mono()
	at := c.place(now)
	// The journey's length is drawn even when there is none, so that a fault does not shift later journeys.
	mean := c.shut
	if goal == way {
		mean = c.open
	}
	travel := c.chance.Around(mean, travelJitter)
	if c.fault.Kind == StuckClosed && at == 0 || c.fault.Kind == StuckOpen && at == way {
		goal = at
	}
	if c.fault.Kind == Slow {
		travel *= time.Duration(max(c.fault.Factor, 2))
	}
	c.arrive()
	c.let()
	c.from, c.since, c.goal, c.travel = at, now, goal, travel
	if at == goal {
		return
	}
	left := max(goal-at, at-goal) * int64(travel) / way
	c.arrive = c.station.world.After(time.Duration(left), c.arrived)
	c.let = c.station.world.After(travel/slack, func() { c.touch(goal == 0, false) })
	if goal == way {
		c.turn("opening")
	} else {
		c.turn("closing")
	}
	c.plume.turn(true, now)
}

// place returns where the canister is, from 0 (shut) to way (open).
func (c *canister) place(now int64) int64 {
	if c.from == c.goal {
		return c.goal
	}
	gone := (now - c.since) * way / int64(c.travel)
	if c.goal > c.from {
		return min(c.goal, c.from+gone)
	}
	return max(c.goal, c.from-gone)
}

func (c *canister) arrived() {
	c.let()
	c.from = c.goal
	c.touch(c.goal == 0, false)
	c.touch(c.goal == way, true)
	if c.goal == way {
		c.turn("open")
		c.waitToFall()
		return
	}
	c.turn("closed")
	c.plume.turn(false, c.station.world.Mono())
}

// waitToFall plans the fall of an open canister that has that fault, or its chatter.
func (c *canister) waitToFall() {
	c.collapse()
	c.collapse = nothing
	if c.state != "open" {
		return
	}
	switch c.fault.Kind {
	case FallsShut:
		c.collapse = c.station.world.After(c.fault.After, func() { c.head(0) })
	case Noisy:
		c.collapse = c.station.world.After(c.fault.After, c.station.chatter)
	}
}

// touch moves the contact of one limit switch: that of the open end, or that of the shut one.
func (c *canister) touch(open, level bool) {
	l, dead := c.closed, DeadClosed
	if open {
		l, dead = c.opened, DeadOpened
	}
	if l != nil && c.fault.Kind != dead {
		c.station.set(l, level)
	}
}

func (c *canister) turn(state string) {
	c.state, c.changed = state, c.station.world.Mono()
	c.station.changed(Travel, c.spec.Position, c.spec.Name, state)
}

// Fail gives a canister a fault, or with the zero Fault repairs it. Repairing moves nothing.
func (s *Station) Fail(name string, fault Fault) error {
	c, err := s.canister(name)
	if err != nil {
		return err
	}
	switch fault.Kind {
	case Sound, StuckClosed, StuckOpen, DeadOpened, DeadClosed:
	case Slow:
		if fault.Factor < 2 {
			return fmt.Errorf("canister %s: slow by a factor of %d: expected 2 or more", name, fault.Factor)
		}
	case FallsShut, Noisy:
		if fault.After < 0 {
			return fmt.Errorf("canister %s: %s after %s: expected 0 or more", name, fault.Kind, fault.After)
		}
	default:
		return fmt.Errorf("canister %s: unknown fault %q", name, fault.Kind)
	}
	c.fault = fault
	c.waitToFall()
	return nil
}
