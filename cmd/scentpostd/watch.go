package main

import (
	"context"
	"os"
	"time"

	"scentpost/drivers/linux"
	"scentpost/station/assembly"
	"scentpost/station/config"
	"scentpost/station/folder"
	"scentpost/station/health/vitals"
)

// thisStation reads the machine that a station of a configuration runs on.
type thisStation struct{ cfg config.Config }

// Read implements assembly.Machine.
func (t thisStation) Read(clocks bool) vitals.Reading {
	var r vitals.Reading
	if !t.cfg.Simulated() { // the heat of a machine that plays a station is none of the station's
		body := linux.ReadVitals(linux.SysFolder)
		r = vitals.Reading{MilliCelsius: body.MilliCelsius, HasTemperature: body.HasTemperature, UnderVoltage: body.UnderVoltage}
	}
	if disk, err := linux.DiskOf(t.cfg.Data); err == nil {
		r.HasDisk, r.Free, r.ReadOnly = true, disk.Free, disk.ReadOnly
	}
	key := folder.Folder(t.cfg.Data).Key()
	if found, err := os.Stat(key); err == nil {
		r.KeyFile, r.KeyMode = key, found.Mode()
	}
	if clocks {
		for _, c := range linux.KernelClocks(linux.SysFolder) {
			r.Clocks = append(r.Clocks, vitals.Clock{Name: c.Name, Why: c.Why})
		}
	}
	return r
}

// watchMachine watches over the machine until ctx ends.
func (s *station) watchMachine(ctx context.Context, m assembly.Machine) error {
	watch := s.WatchOver(m)
	turned := make(chan struct{}, 1)
	defer s.Turns(func() {
		select {
		case turned <- struct{}{}:
		default: // one is waiting already
		}
	})()
	began := time.Now()
	for {
		timer := time.NewTimer(watch.Look(time.Since(began)))
		for waiting := true; waiting; {
			select {
			case <-timer.C:
				waiting = false
			case <-turned:
				timer.Stop()
				waiting = false
			case answer := <-s.hearts.machine:
				answer()
			case <-ctx.Done():
				timer.Stop()
				return nil
			}
		}
	}
}
