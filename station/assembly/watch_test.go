package assembly

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/world"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/health"
	"scentpost/station/health/vitals"
	"scentpost/station/journal"
	"scentpost/station/templates"
	"scentpost/station/trial"
)

// patient is a machine that fares as a test says, with the disk of its journal.
type patient struct {
	reading vitals.Reading
	full    error
	looks   int
}

func (p *patient) Read(bool) vitals.Reading {
	p.looks++
	return p.reading
}
func (p *patient) Room() error           { return p.full }
func (p *patient) Spent() bool           { return p.full != nil }
func (p *patient) Bytes() (int64, error) { return 0, nil }

// TestWhoseClockIsMissed: a station on hardware whose configuration names none looks to the kernel.
func TestWhoseClockIsMissed(t *testing.T) {
	own := []config.Device{{Name: "rtc", Type: templates.Type{Template: templates.Template{Class: templates.Timekeeper}}}}
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

// TestWatchersSeeConditionsBeginAndEnd: nothing else happens at the station that would show them.
func TestWatchersSeeConditionsBeginAndEnd(t *testing.T) {
	s := newStation(t, world.New(1))
	if err := s.Serve(Storage{Journal: journal.NewMemory(), Disk: &patient{}}); err != nil {
		t.Fatal(err)
	}
	stop := s.ShowConditions()
	var shown []bool // whether the broker is away
	defer s.Watch(func(state trial.Snapshot) {
		status := s.Control().Status(state, control.Person{})
		shown = append(shown, slices.ContainsFunc(status.Conditions, func(c health.Condition) bool { return c.Code == health.BrokerAway && c.Until == 0 }))
	})()
	s.conditions.Raise(health.BrokerAway, "broker", "it does not answer")
	s.conditions.Clear(health.BrokerAway, "broker")
	stop()
	s.conditions.Raise(health.BrokerAway, "broker", "it does not answer")
	if !slices.Equal(shown, []bool{true, false}) {
		t.Errorf("a watcher was shown %t, want true and false", shown)
	}
}

// TestTheWatchIsSparse: an idle station looks at its machine twice a minute, and more often only while its disk is full.
// What is wrong is a condition for as long as it is.
func TestTheWatchIsSparse(t *testing.T) {
	w := world.New(1)
	s := newStation(t, w)
	p := &patient{}
	if err := s.Serve(Storage{Journal: journal.NewMemory(), Disk: p}); err != nil {
		t.Fatal(err)
	}
	watch := s.WatchOver(p)
	var look func()
	look = func() { w.After(watch.Look(time.Duration(w.Mono())), look) }
	look()
	expect := func(when string, looks int, holds string) {
		t.Helper()
		var codes []string
		for _, c := range s.conditions.All() {
			codes = append(codes, string(c.Code))
		}
		slices.Sort(codes)
		if got := strings.Join(codes, " "); got != holds || p.looks != looks {
			t.Errorf("%s: it was looked at %d times, want %d; it holds %q, want %q", when, p.looks, looks, got, holds)
		}
		p.looks = 0
	}
	w.RunFor(10*time.Minute + time.Second)
	expect("ten minutes", 21, "")
	p.reading, p.full = vitals.Reading{MilliCelsius: 85_000, HasTemperature: true, UnderVoltage: true, HasDisk: true, ReadOnly: true}, errors.New("full")
	w.RunFor(time.Minute)
	expect("a machine in need", 16, "board-hot journal-full journal-read-only under-voltage")
	p.reading, p.full = vitals.Reading{HasDisk: true, Free: 1}, nil
	w.RunFor(time.Minute)
	expect("better, and nearly full", 2, "space-low")
}
