package main

import (
	"errors"
	"fmt"

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
	lines, err := linux.OpenGPIO(linux.Options{Wiring: wiring, OnState: s.chipIs})
	if err != nil {
		return err
	}
	running, err := clock.New(clock.System(kernel))
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

// chipIs hears that a GPIO chip went or came back; it must not wait. While one is away its edges are lost and its
// canisters are where their pulls hold them: the run is void.
func (s *station) chipIs(state linux.State) {
	if state.Up {
		s.conditions.Clear(health.DeviceAbsent, state.Chip)
		return
	}
	s.gate.lost()
	s.conditions.Raise(health.DeviceAbsent, state.Chip, state.Err.Error())
}
