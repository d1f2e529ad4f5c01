package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/cmd/internal/place"
	"scentpost/station/archive"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/health"
	"scentpost/station/health/vitals"
	"scentpost/station/journal"
	"scentpost/station/trial"
)

// patient is a machine that fares as a test says.
type patient struct {
	mu      sync.Mutex // guards all
	reading vitals.Reading
	full    error
	looks   []time.Duration // when it was looked at
	began   time.Time
}

func (p *patient) Room() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.full
}

// fare makes it fare otherwise.
func (p *patient) fare(reading vitals.Reading, full error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading, p.full = reading, full
}

func (p *patient) Read() vitals.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks = append(p.looks, time.Since(p.began))
	return p.reading
}

// TestWhoseClockIsMissed: a station on hardware whose configuration names none looks to the kernel.
func TestWhoseClockIsMissed(t *testing.T) {
	own := []config.Device{{Name: "rtc", Type: "ds3231", Class: config.Timekeeper}}
	for _, c := range []struct {
		driver  string
		devices []config.Device
		want    bool
	}{{config.DriverLinux, nil, true}, {config.DriverLinux, own, false}, {config.DriverVirtual, nil, false}} {
		if got := wantsClock(config.Config{Driver: config.Driver{Type: c.driver}, Devices: c.devices}); got != c.want {
			t.Errorf("%s with %d clocks: %v", c.driver, len(c.devices), got)
		}
	}
}

// TestTheMachineIsWatchedSparsely: an idle station looks at it twice a minute, and more often only while its disk is
// full. What is wrong is a condition for as long as it is.
func TestTheMachineIsWatchedSparsely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		s := newStation(testConfig(t), log, newSupervisor(log, 0, func(string) error { return nil }), newChart(testConfig(t), log))
		p := &patient{began: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.watchMachine(ctx, p) }()
		holds := func() string {
			var codes []string
			for _, c := range s.conditions.All() {
				codes = append(codes, string(c.Code))
			}
			return strings.Join(codes, " ")
		}
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if holds() != "" || len(p.looks) != 21 || p.looks[20] != 10*time.Minute {
			t.Errorf("in ten minutes it was looked at %d times, the last at %s; it holds %q", len(p.looks), p.looks[len(p.looks)-1], holds())
		}
		answered := false
		if err := s.hearts.machine.Ping(func() { answered = true }); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !answered || len(p.looks) != 21 {
			t.Errorf("a question: answered %v, and %d looks", answered, len(p.looks))
		}
		p.fare(vitals.Reading{MilliCelsius: 85_000, HasTemperature: true, UnderVoltage: true, HasDisk: true, ReadOnly: true}, errors.New("full"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := holds(); got != "journal-full journal-read-only board-hot under-voltage" {
			t.Errorf("a machine in need: %q", got)
		}
		if looks := p.looks[21:]; !slices.Contains(looks, 11*time.Minute) || len(looks) != 16 {
			t.Errorf("while the disk is full it was looked at %v", looks)
		}
		p.fare(vitals.Reading{HasDisk: true, Free: 1}, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := holds(); got != "space-low" {
			t.Errorf("better, and nearly full: %q", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestWhatIsReadOfTheMachine: the real one, with the figures of a journal that holds a session.
func TestWhatIsReadOfTheMachine(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	w := d.watch(t)
	d.seal(t)
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(cfg.Data, journal.Options{Departed: filepath.Join(filepath.Dir(cfg.Data), place.Departed)})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := &station{cfg: cfg, journal: j}
	r := thisStation{s}.Read()
	if !r.HasDisk || r.ReadOnly || r.Free <= 0 {
		t.Errorf("the disk: %+v", r)
	}
	f := r.Journal
	if f.Records < 5 || f.Bytes < 4096 || f.SessionRecords != f.Records-1 || f.SessionLasted <= 0 || f.SessionLasted > time.Hour {
		t.Errorf("the journal: %+v", f)
	}
	if records, lasted, err := archive.Pace(j, 1); err != nil || records != 0 || lasted != 0 {
		t.Errorf("after the epoch's first record: %d, %s, %v", records, lasted, err)
	}
	if j.Spent() {
		t.Error("there is room, and the ballast is spent")
	}
	s.cfg.Data = filepath.Join(cfg.Data, "none")
	if r := (thisStation{s}).Read(); r.HasDisk {
		t.Errorf("a disk that is not there: %+v", r)
	}
}

// TestNoRunStartsOnADiskThatTakesNoWrites is asked of the station as the host asks it.
func TestNoRunStartsOnADiskThatTakesNoWrites(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	log := slog.New(slog.DiscardHandler)
	s := newStation(cfg, log, newSupervisor(log, 0, func(string) error { return nil }), newChart(cfg, log))
	if err := s.tryLines(); err != nil {
		t.Fatal(err)
	}
	if err := s.openJournal(); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if why := s.cannotStart(); why != "" {
		t.Errorf("all is well, and no run may start: %s", why)
	}
	s.look(&patient{reading: vitals.Reading{HasDisk: true, ReadOnly: true}})
	if why := s.cannotStart(); !strings.Contains(why, "takes no writes") {
		t.Errorf("a read-only disk: %q", why)
	}
	s.look(&patient{})
	if why := s.cannotStart(); why != "" || s.conditions.Holds(health.JournalReadOnly, "") {
		t.Errorf("mended: %q, %s", why, fmt.Sprint(s.conditions.All()))
	}
}
