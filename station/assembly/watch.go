package assembly

import (
	"fmt"
	"time"

	"scentpost/station/archive"
	"scentpost/station/config"
	"scentpost/station/health"
	"scentpost/station/health/vitals"
	"scentpost/station/templates"
	"scentpost/station/trial"
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

// Machine is what the watch reads of the machine that a station runs on.
type Machine interface {
	// Read reads heat, supply and disk, and with clocks the clocks that the kernel has. What cannot be read is left out: it
	// is no condition of its own.
	Read(clocks bool) vitals.Reading
}

// Watch looks again and again how the machine fares, whether there is room on the disk for another run, how the boards fare,
// and what the clock is worth. One goroutine uses it.
type Watch struct {
	s       *Station
	machine Machine
	next    time.Duration // when the machine is looked at
	clock   clockWatch
}

// WatchOver returns the watch over a station's machine. The station must be served.
func (s *Station) WatchOver(m Machine) *Watch { return &Watch{s: s, machine: m} }

// Look looks at what is due at the instant now, since any beginning, and returns after how long it is to be called again:
// that, or sooner when Turns says so.
func (w *Watch) Look(now time.Duration) (again time.Duration) {
	if now >= w.next {
		w.next = now + w.s.look(w.machine)
	}
	w.s.boards.Look(w.s.opt.Config, w.s.conditions.Condition)
	return min(w.clock.look(w.s), w.next-now)
}

// Turns calls f when a session begins or is over: the clock is looked at more often in one. f must not wait.
func (s *Station) Turns(f func()) (stop func()) {
	was := trial.Idle
	return s.gate.Watch(func(now trial.Snapshot) {
		turned := (now.View.Phase == trial.Idle) != (was == trial.Idle)
		was = now.View.Phase
		if turned {
			f()
		}
	})
}

// look judges the machine once, and says when to look again.
func (s *Station) look(m Machine) time.Duration {
	reading := m.Read(wantsClock(s.opt.Config))
	reading.WantsClock = wantsClock(s.opt.Config)
	if s.store.Away == nil {
		reading.Journal = s.figures()
	}
	holds := func(code health.Code) bool { return s.conditions.Holds(code, "") }
	for _, v := range vitals.Judge(reading, holds) {
		s.conditions.Condition(v.Code, "", v.Evidence, v.Holds)
	}
	if s.store.Away != nil {
		return vitalsEvery
	}
	if err := s.store.Disk.Room(); err != nil {
		s.conditions.Raise(health.JournalFull, "", err.Error())
		return roomEvery
	}
	s.conditions.Clear(health.JournalFull, "")
	s.scrub()
	return vitalsEvery
}

// scrub looks at some records while nobody needs the disk, and tells of those that are damaged.
func (s *Station) scrub() {
	if s.store.Scrubber == nil || s.gate.behind() == nil || s.gate.Snapshot().View.Phase != trial.Idle {
		return
	}
	found, err := s.store.Scrubber.Scrub()
	if err != nil {
		s.opt.Log.Debug("records cannot be looked through now", "err", err)
		return
	}
	s.conditions.Condition(health.JournalDamaged, "", fmt.Sprintf("%d found: %s", found.Damaged, found.Text), found.Damaged > 0)
}

// wantsClock tells whether the kernel's clocks alone could know the time after a power cut. A virtual station has no
// power to lose, and a clock that is a device speaks for itself.
func wantsClock(cfg config.Config) bool {
	return cfg.Driver.Type == config.DriverLinux && len(cfg.Of(templates.Timekeeper)) == 0
}

// figures are those of the journal, none where it cannot be read.
func (s *Station) figures() vitals.Figures {
	var f vitals.Figures
	var err error
	f.Records = s.store.Journal.Size()
	if f.Bytes, err = s.store.Disk.Bytes(); err != nil {
		return vitals.Figures{}
	}
	if f.SessionRecords, f.SessionLasted, err = archive.Pace(s.store.Journal, f.Records); err != nil {
		return vitals.Figures{}
	}
	return f
}
