package hardware

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// Clocking is what the wall clock of a virtual station does.
type Clocking string

// What it may do. All but ClockExact give the station the wall clock of a machine, whose UTC is not marked as simulated.
const (
	ClockExact   Clocking = "exact"   // nothing: UTC is exact, and marked as simulated
	ClockUnset   Clocking = "unset"   // nobody sets it: it shows 1970
	ClockServed  Clocking = "served"  // a time server keeps it
	ClockStepped Clocking = "stepped" // as served; in the second run it is set an hour on, in the third back again
	ClockLost    Clocking = "lost"    // as served; in the first run the time server is lost
)

// Clockings are all of them.
var Clockings = []Clocking{ClockExact, ClockUnset, ClockServed, ClockStepped, ClockLost}

const (
	// served is how well the time server of a station knows the time.
	served = 5 * time.Millisecond
	// inMidRun is how long after the ready light the clock does something.
	inMidRun = 2 * time.Second
	// readyLight is the light that is on while a line stands open.
	readyLight = "ready"
)

// Clock gives the station a wall clock that does as told. It returns nil for ClockExact, which "" stands for.
func (s *Station) Clock(does Clocking) (*world.Kernel, error) {
	if does == "" {
		does = ClockExact
	}
	if !slices.Contains(Clockings, does) {
		var all []string
		for _, c := range Clockings {
			all = append(all, string(c))
		}
		return nil, fmt.Errorf("clock %q: expected one of %s", does, strings.Join(all, ", "))
	}
	if does == ClockExact {
		return nil, nil
	}
	k := world.NewKernel(s.world)
	if does == ClockUnset {
		return k, nil
	}
	k.Serve(served)
	runs := 0
	s.Subscribe(func(c Change) {
		if c.What == Lamp && c.Name == readyLight && c.State == "on" {
			runs++
			run := runs
			s.world.After(inMidRun, func() { does.inRun(k, run) })
		}
	})
	return k, nil
}

func (does Clocking) inRun(k *world.Kernel, run int) {
	switch {
	case does == ClockLost && run == 1:
		k.Lose()
	case does == ClockStepped && run == 2:
		k.Set(time.Hour)
	case does == ClockStepped && run == 3:
		k.Set(-time.Hour)
	}
}

// Machine lets the server tell of a machine's wall clock, which it does whenever that changes. It must be called before
// Serve.
func (s *Server) Machine(k *world.Kernel) {
	s.machine = k
	k.Changed = func() {
		if s.client != nil {
			s.client.send(virtual.Message{Kind: virtual.Clock, Wall: s.wall()})
		}
	}
}

// wall is what the machine's wall clock shows, nil where UTC is exact.
func (s *Server) wall() *virtual.Wall {
	if s.machine == nil {
		return nil
	}
	synced, maxError, _ := s.machine.Sync()
	mono := s.machine.Mono()
	return &virtual.Wall{Mono: mono, Offset: s.machine.UTC() - mono, Synced: synced, MaxError: maxError}
}
