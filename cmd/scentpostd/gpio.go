package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"scentpost/drivers/linux"
	"scentpost/station/clock"
	"scentpost/station/devices"
	"scentpost/station/health"
)

// tryGPIO opens the lines of this machine once.
func (s *station) tryGPIO() (err error) {
	kernel, err := linux.NewClock()
	if err != nil {
		return err
	}
	wiring := map[string]linux.Wiring{}
	for line, w := range s.cfg.Driver.Wiring {
		wiring[line] = linux.Wiring{ActiveLow: w.ActiveLow, Bias: linux.Bias(w.Bias)}
	}
	keeper := s.keeper.Load()
	if keeper == nil { // what it has seen of the clock outlives an attempt that fails
		keeper = clock.NewKeeper(kernel, s.cfg.Clock.Floor)
		s.keeper.Store(keeper)
	}
	lines, err := linux.OpenGPIO(linux.Options{Wiring: wiring, OnState: s.chipIs, OnAlone: s.alone()})
	if err != nil {
		return err
	}
	running, err := clock.New(keeper.Base())
	if err != nil {
		return errors.Join(fmt.Errorf("start the clock: %w", err), lines.Close())
	}
	opened, err := devices.Open(s.cfg, lines, running, &s.gate)
	if err != nil {
		running.Close()
		return errors.Join(fmt.Errorf("open the devices: %w", err), lines.Close())
	}
	s.bus, s.clock, s.devices = lines, running, opened
	return nil
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
