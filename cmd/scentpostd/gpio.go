package main

import (
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/linux"
	"scentpost/station/assembly"
	"scentpost/station/clock"
	"scentpost/station/devices"
	"scentpost/station/health"
)

// tryMachine opens the lines and buses of this machine once, with what carries more lines. What of them is absent is no
// failure: its devices are looked for.
func (s *station) tryMachine() (err error) {
	kernel, err := linux.NewClock()
	if err != nil {
		return err
	}
	if s.keeper == nil { // what it has seen of the clock outlives an attempt that fails
		s.keeper = clock.NewKeeper(kernel, s.cfg.Clock.Floor)
		s.Keep(s.keeper, 1)
	}
	lines, err := s.machine()
	if err != nil {
		return err
	}
	return s.connect(lines, s.keeper.Base(), nil)
}

// machine returns the lines of this machine, joined with those of its carriers.
func (s *station) machine() (bus.Bus, error) {
	own, err := linux.OpenMachine(linux.Options{Wiring: s.wiring(), OnState: s.chipIs, OnAlone: s.alone()}, s.busIs)
	if err != nil {
		return nil, err
	}
	return s.join(own)
}

// wired is a bus that has I2C buses beside its lines.
type wired interface {
	bus.Bus
	Wires(name string) (bus.Wires, error)
	// Mono is the clock of its edges.
	Mono() int64
}

// join joins lines with those of the carriers that the configuration puts beside them, when each of these was looked for
// or the time for it is over. When it fails it closes what it was given.
func (s *station) join(own wired) (bus.Bus, error) {
	reach := devices.Machine{Wires: own.Wires, Port: linux.OpenSerial, Now: own.Mono, Chance: mathrand.Uint32}
	return s.Join(own, reach, func(carriers []carrier.Carrier) {
		limit := time.NewTimer(assembly.FirstLook)
		defer limit.Stop()
		for _, c := range carriers {
			select {
			case <-c.Looked:
			case <-limit.C:
				limit.Reset(0) // nor is any other waited for
			}
		}
	})
}

// wiring is how the lines of this machine are wired. A line that a chip asks with is pulled up and active when it is low,
// as an open drain is, unless the configuration says otherwise.
func (s *station) wiring() map[string]linux.Wiring {
	wiring := map[string]linux.Wiring{}
	for _, d := range s.cfg.Devices {
		if d.Interrupt != "" {
			wiring[d.Interrupt] = linux.Wiring{ActiveLow: true, Bias: linux.BiasUp}
		}
	}
	for line, w := range s.cfg.Driver.Wiring {
		wiring[line] = linux.Wiring{ActiveLow: w.ActiveLow, Bias: linux.Bias(w.Bias)}
	}
	return wiring
}

// busIs hears that an I2C bus is off or hangs, and nil when it is neither any more; it must not wait.
func (s *station) busIs(name string, err error) {
	if err == nil {
		s.conditions.Clear(health.DeviceAbsent, name)
		return
	}
	s.conditions.Raise(health.DeviceAbsent, name, err.Error())
}

// chipIs hears that a GPIO chip went or came back; it must not wait. What that means for a run is the devices' to say.
func (s *station) chipIs(state linux.State) {
	if state.Up {
		s.conditions.Clear(health.DeviceAbsent, state.Chip)
		return
	}
	evidence := state.Err.Error()
	if len(state.Outputs) > 0 {
		evidence += "; unknown: the level of " + strings.Join(state.Outputs, ", ")
	}
	s.conditions.Raise(health.DeviceAbsent, state.Chip, evidence)
}

// alone returns what hears which lines have a request to themselves; it must not wait.
func (s *station) alone() func(lines []string) {
	var before []string
	return func(lines []string) {
		for _, line := range before {
			if !slices.Contains(lines, line) {
				s.conditions.Clear(health.LineAlone, s.deviceOn(line))
			}
		}
		for _, line := range lines {
			s.conditions.Raise(health.LineAlone, s.deviceOn(line), fmt.Sprintf("line %s has no other input of the station beside it on its chip", line))
		}
		before = lines
	}
}

// deviceOn names the device that a line is of, or the line when there is none.
func (s *station) deviceOn(line string) string {
	for _, d := range s.cfg.Devices {
		for _, own := range d.Lines {
			if own == line {
				return d.Name
			}
		}
		if d.Interrupt == line {
			return d.Name
		}
	}
	return line
}
