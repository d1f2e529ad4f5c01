package assembly

import (
	"errors"
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/station/clock"
	"scentpost/station/devices"
	"scentpost/station/health"
)

// FirstLook bounds how long a start waits for the carriers to be looked for: one on wires that hang is looked for on.
const FirstLook = 300 * time.Millisecond

// Join joins lines with those of the carriers that the configuration puts beside them. await is called with the carriers and
// returns when each of them was looked for, or FirstLook is over. When it fails it closes what it was given.
func (s *Station) Join(own bus.Bus, m devices.Machine, await func([]carrier.Carrier)) (bus.Bus, error) {
	carriers, err := devices.Carriers(s.opt.Config, m)
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	s.boards.Take(carriers)
	if len(carriers) == 0 {
		return own, nil
	}
	await(carriers)
	joined, err := carrier.Join(own, carriers...)
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return joined, nil
}

// Keep has the station look after the clock of its machine, of which scale seconds pass in a real one. Without it UTC is
// exact. It may be called before Connect.
func (s *Station) Keep(k *clock.Keeper, scale float64) { s.kept.Store(&kept{k, scale}) }

// Connect opens the devices on their lines and takes every output to its safe level. Whoever calls it keeps lines and
// clock, also when it fails, and closes them after the devices.
func (s *Station) Connect(l Lines) error {
	opened, err := devices.Open(s.opt.Config, l.Bus, l.Clock, &s.gate)
	if err != nil {
		return fmt.Errorf("open the devices: %w", err)
	}
	s.clock, s.scale, s.prepared, s.devices = l.Clock, l.Scale, l.Prepared, opened
	s.awaited.Store(new(string))
	return nil
}

// Await says that what holds the lines is not there yet, for which evidence is what was seen. No session can be run before it is.
func (s *Station) Await(on, evidence string) {
	s.awaited.Store(&on)
	s.conditions.Raise(health.DeviceAbsent, on, evidence)
}

// Away says that what holds the lines went while the station runs: edges of it are lost for good, and the run is void. No
// other run can start before the station was started again.
func (s *Station) Away(on, evidence string) {
	s.gone.Store(&on)
	s.gate.lost()
	s.conditions.Raise(health.DeviceAbsent, on, evidence)
}
