package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/virtual"
	"scentpost/station/assembly"
	"scentpost/station/blind"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
)

// The pauses between two attempts to reach the devices.
const (
	retryFirst = 50 * time.Millisecond
	retryMost  = time.Second
)

// openLines connects the devices and takes every output to its safe level, unless that was done first of all. Devices
// that are absent are a condition, and tried again until ctx ends.
func (s *station) openLines(ctx context.Context) error {
	if s.Devices() != nil {
		return nil
	}
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		err := s.tryLines()
		if err == nil {
			s.conditions.Clear(health.DeviceAbsent, s.lineSource())
			return nil
		}
		s.Await(s.lineSource(), err.Error())
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// lineSource names what holds the lines.
func (s *station) lineSource() string {
	if s.cfg.Driver.Type == config.DriverLinux {
		return devices.OnGPIO
	}
	return devices.OnVirtual
}

// tryLines connects the devices once; what it leaves open is for close.
func (s *station) tryLines() (err error) {
	if s.cfg.Driver.Type == config.DriverLinux {
		return s.tryMachine()
	}
	client, err := virtual.Dial(virtual.Options{Socket: s.cfg.Driver.Socket, Wait: time.Nanosecond, OnState: s.stationIs})
	if err != nil {
		return err
	}
	lines, err := s.join(client)
	if err != nil {
		return err
	}
	base := clock.Simulated(client.Boot(), client.Scale(), client.Mono, client.UTC)
	if machine, plays := client.Machine(); plays {
		keeper := clock.NewKeeper(machine, s.cfg.Clock.Floor)
		s.Keep(keeper, client.Scale())
		base = keeper.Base()
		base.Scale = client.Scale()
	}
	return s.connect(lines, base, prepared(client))
}

// prepared is what a virtual station is prepared for.
func prepared(c *virtual.Client) *blind.Prepared {
	p := &blind.Prepared{Finds: c.Finds()}
	for _, l := range c.Loaded() {
		p.Loaded = append(p.Loaded, event.Loaded(l))
	}
	return p
}

// connect opens the devices on lines whose edges are stamped by a clock; prepared is nil where they are real. When it fails it closes the lines.
func (s *station) connect(lines bus.Bus, base clock.Base, prepared *blind.Prepared) error {
	running, err := clock.New(base)
	if err != nil {
		return errors.Join(fmt.Errorf("start the clock: %w", err), lines.Close())
	}
	if err := s.Connect(assembly.Lines{Bus: lines, Clock: running, Scale: base.Scale, Prepared: prepared}); err != nil {
		running.Close()
		return errors.Join(err, lines.Close())
	}
	s.bus, s.clock = lines, running
	return nil
}

// stationIs hears that the virtual station went or came back; it must not wait. While it is away its canisters fall
// shut and its edges are lost: the run is void, and when it is back all levels are read anew.
func (s *station) stationIs(state virtual.State) {
	switch {
	case state.Up:
		s.conditions.Clear(health.DeviceAbsent, devices.OnVirtual)
		s.again("the virtual station came back")
		return
	case state.Final:
		s.again("the virtual station was started anew")
	}
	s.Away(devices.OnVirtual, state.Err.Error())
}

// again asks for a start from the beginning.
func (s *station) again(what string) { s.startAgain(assembly.Again{What: what}) }

// startAgain takes the first wish for a start from the beginning.
func (s *station) startAgain(again assembly.Again) {
	select {
	case s.gone <- again:
	default:
	}
}

// watchLines ends the station when its devices are others than before.
func (s *station) watchLines(ctx context.Context) error {
	for {
		select {
		case again := <-s.gone:
			return again
		case answer := <-s.hearts.lines:
			answer()
		case <-ctx.Done():
			return nil
		}
	}
}
