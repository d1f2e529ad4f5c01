package main

import (
	"context"
	"time"

	"scentpost/drivers/linux"
	"scentpost/station/archive"
	"scentpost/station/config"
	"scentpost/station/health"
	"scentpost/station/health/vitals"
)

const (
	// clockEvery is how often the clock of an idle station is looked at, clockInSession how often that of one that is
	// not idle, in the station's time: a step is in the record within it. leastPause is for virtual stations that are in
	// a hurry.
	clockEvery     = 10 * time.Second
	clockInSession = 2 * time.Second
	leastPause     = 50 * time.Millisecond
	// vitalsEvery is how often the machine is looked at. Heat takes minutes, and a station that idles should sleep.
	vitalsEvery = 3 * clockEvery
	// roomEvery is how often it is looked whether there is room again, while there is none. That there is none is known
	// at once, without a look.
	roomEvery = 2 * time.Second
)

// machine is what the watch reads.
type machine interface {
	// Room tells whether a run may start for all that the disk has room, and makes room again where it can.
	Room() error
	Read() vitals.Reading
}

// thisStation reads the machine that the station runs on.
type thisStation struct{ s *station }

// Room implements machine.
func (t thisStation) Room() error { return t.s.journal.Room() }

// Read implements machine. What cannot be read is left out: it is no condition of its own.
func (t thisStation) Read() vitals.Reading {
	var r vitals.Reading
	if !t.s.cfg.Simulated() { // the heat of a machine that plays a station is none of the station's
		body := linux.ReadVitals(linux.SysFolder)
		r = vitals.Reading{MilliCelsius: body.MilliCelsius, HasTemperature: body.HasTemperature, UnderVoltage: body.UnderVoltage}
	}
	if disk, err := linux.DiskOf(t.s.cfg.Data); err == nil {
		r.HasDisk, r.Free, r.ReadOnly = true, disk.Free, disk.ReadOnly
	}
	r.Journal = t.figures()
	r.WantsClock = wantsClock(t.s.cfg)
	if r.WantsClock {
		for _, c := range linux.KernelClocks(linux.SysFolder) {
			r.Clocks = append(r.Clocks, vitals.Clock{Name: c.Name, Why: c.Why})
		}
	}
	return r
}

// wantsClock tells whether the kernel's clocks alone could know the time after a power cut. A virtual station has no
// power to lose, and a clock that is a device speaks for itself.
func wantsClock(cfg config.Config) bool {
	return cfg.Driver.Type == config.DriverLinux && len(cfg.Of(config.Timekeeper)) == 0
}

// figures are those of the journal, none where it cannot be read.
func (t thisStation) figures() vitals.Figures {
	var f vitals.Figures
	var err error
	if f.Records, err = t.s.journal.Size(); err != nil {
		return vitals.Figures{}
	}
	if f.Bytes, err = t.s.journal.Bytes(); err != nil {
		return vitals.Figures{}
	}
	if f.SessionRecords, f.SessionLasted, err = archive.Pace(t.s.journal, f.Records); err != nil {
		return vitals.Figures{}
	}
	return f
}

// watchMachine looks again and again how the machine fares, whether there is room on the disk for another run, and what
// the clock is worth.
func (s *station) watchMachine(ctx context.Context, m machine) error {
	var clock clockWatch
	turned, stop := s.turns()
	defer stop()
	var next time.Time // when the machine is looked at
	for {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(s.look(m))
		}
		s.boards.Look(s.cfg, s.conditions.Condition)
		timer := time.NewTimer(min(clock.look(s), time.Until(next)))
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

// look judges the machine once, and says when to look again.
func (s *station) look(m machine) time.Duration {
	holds := func(code health.Code) bool { return s.conditions.Holds(code, "") }
	for _, v := range vitals.Judge(m.Read(), holds) {
		if v.Holds {
			s.conditions.Raise(v.Code, "", v.Evidence)
		} else {
			s.conditions.Clear(v.Code, "")
		}
	}
	if err := m.Room(); err != nil {
		s.conditions.Raise(health.JournalFull, "", err.Error())
		return roomEvery
	}
	s.conditions.Clear(health.JournalFull, "")
	return vitalsEvery
}
