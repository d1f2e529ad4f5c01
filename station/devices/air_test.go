package devices

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// wires are an I2C bus of the world, whose jobs are done at once, or when it answers again.
type wires struct {
	i2c.Bus
	world *world
	hangs bool
	busy  error
	jobs  []func()
}

func (w *wires) Now() int64 { return w.world.now }

func (w *wires) At(mono int64, f func()) func() { return w.world.At(mono, f) }

func (w *wires) Do(job func()) error {
	if w.busy != nil {
		return w.busy
	}
	w.jobs = append(w.jobs, job)
	w.work()
	return nil
}

func (w *wires) work() {
	for !w.hangs && len(w.jobs) > 0 {
		job := w.jobs[0]
		w.jobs = w.jobs[1:]
		job()
	}
}

// airy is a world with a sensor at 0x76 of i2c-1, measured every minute.
type airy struct {
	*world
	chip  *bustest.BME280
	wires *wires
}

func (w *airy) Wires(name string) (bus.Wires, error) {
	if name != "i2c-1" {
		return nil, fmt.Errorf("%s: no such bus", name)
	}
	return w.wires, nil
}

// shut is a world whose canisters are all closed.
func shut(t *testing.T) *world {
	w := newWorld(t)
	for p := 1; p <= 6; p++ {
		w.levels[fmt.Sprint(p, "A.closed")], w.levels[fmt.Sprint(p, "B.closed")] = true, true
	}
	return w
}

func newAiry(t *testing.T) *airy {
	t.Helper()
	w := &airy{world: shut(t), chip: bustest.NewBME280(0x76)}
	w.wires = &wires{Bus: w.chip, world: w.world}
	return w
}

func (w *airy) open(name string) error {
	cfg := layout()
	cfg.Devices = append(cfg.Devices, made("bme280", config.Device{Name: "air", Bus: name}, templates.SettingInterval, "1m"))
	s, err := Open(cfg, w, w.world, w.world)
	w.station, w.events = s, nil // what the closing at the start told
	return err
}

// sees returns what the sensor says of now: the temperature with the age of the sample, or why there is none.
func (w *airy) sees() string {
	all := w.station.Air(w.now)
	if len(all) != 1 || all[0].Device != "air" || (len(all[0].Readings) == 0) != (all[0].Why != "") {
		w.t.Fatalf("%+v", all)
	}
	a := all[0]
	if a.Why != "" {
		if a.MeasuredAt != 0 || a.AgeMS != 0 {
			w.t.Fatalf("a sample that there is not, %+v", a)
		}
		return a.Why
	}
	if a.MeasuredAt+int64(a.AgeMS)*ms > w.now || a.Readings[0].Quantity != event.Temperature {
		w.t.Fatalf("%+v at %d", a, w.now)
	}
	return fmt.Sprintf("%d °C, %d ms old", a.Readings[0].Milli/1000, a.AgeMS)
}

func TestTheAirIsMeasuredInItsOwnTime(t *testing.T) {
	w := newAiry(t)
	if err := w.open("i2c-1"); err != nil {
		t.Fatal(err)
	}
	if got := w.sees(); got != airNone {
		t.Errorf("at the start: %s", got)
	}
	for _, c := range []struct {
		at   int64
		sees string
	}{{11, "25 °C, 11 ms old"}, {59_000, "25 °C, 59000 ms old"}, {60_000, "25 °C, 60000 ms old"}, {60_010, "25 °C, 10 ms old"}} {
		w.until(c.at * ms)
		if got := w.sees(); got != c.sees {
			t.Errorf("at %d ms: %s, want %s", c.at, got, c.sees)
		}
	}
	if w.events != nil {
		t.Errorf("a station that nobody uses told: %v", w.events)
	}
	if err := w.station.Close(); err != nil {
		t.Fatal(err)
	}
	transfers := w.chip.Transfers()
	if w.until(600_000 * ms); w.chip.Transfers() != transfers {
		t.Error("it measures after the station is closed")
	}
}

// TestASampleThatIsMissingIsSaidAndNeverInvented: no reading of before stands for the air of now.
func TestASampleThatIsMissingIsSaidAndNeverInvented(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(*airy)
		says        string
		code        health.Code
	}{
		"gone":       {func(w *airy) { w.chip.Fail(errors.New("remote I/O error")) }, func(w *airy) { w.chip.Fail(nil) }, "remote I/O error", health.DeviceAbsent},
		"all 00":     {func(w *airy) { w.chip.Silence(0) }, func(w *airy) { w.chip.Silence(-1) }, "all bits read the same", health.DeviceAbsent},
		"no value":   {func(w *airy) { w.chip.Measures(bustest.NoAir) }, func(w *airy) { w.chip.Measures(bustest.MakersAir) }, "its code for no value", health.DeviceFault},
		"stuck":      {func(w *airy) { w.chip.Slow(-1) }, func(w *airy) { w.chip.Slow(0); w.chip.Reset() }, "does not end", health.DeviceFault},
		"busy wires": {func(w *airy) { w.wires.busy = bus.ErrBusy }, func(w *airy) { w.wires.busy = nil }, "too many jobs", health.DeviceAbsent},
		"hanging":    {func(w *airy) { w.wires.hangs = true }, func(w *airy) { w.wires.hangs = false; w.wires.work() }, airHanging, health.DeviceAbsent},
	} {
		w := newAiry(t)
		if err := w.open("i2c-1"); err != nil {
			t.Fatal(err)
		}
		w.until(1000 * ms)
		c.spoil(w)
		w.until(121_000 * ms)
		if got := w.sees(); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s, want %q", name, got, c.says)
		}
		told := w.heard()
		if !slices.ContainsFunc(told, func(t string) bool {
			return strings.Contains(t, string(c.code)+" air true ") && strings.Contains(t, c.says)
		}) {
			t.Errorf("%s: conditions %q", name, told)
		}
		c.mend(w)
		w.until(w.now + 61_000*ms)
		if got := w.sees(); !strings.HasPrefix(got, "25 °C, ") {
			t.Errorf("%s, mended: %s", name, got)
		}
		if told := w.heard(); len(told) != 1 || !strings.HasSuffix(told[0], string(c.code)+" air false") {
			t.Errorf("%s, mended: conditions %q", name, told)
		}
	}
}

// TestAFailedMeasurementIsTriedAgainSoon: one sample may be missing without a fault.
func TestAFailedMeasurementIsTriedAgainSoon(t *testing.T) {
	w := newAiry(t)
	w.chip.Measures(bustest.NoAir)
	if err := w.open("i2c-1"); err != nil {
		t.Fatal(err)
	}
	w.until(1000 * ms)
	w.chip.Measures(bustest.MakersAir)
	if w.until(1000*ms + int64(airRetry)); w.sees() != "25 °C, 990 ms old" {
		t.Errorf("%s", w.sees())
	}
}

// TestAnOldSampleDoesNotStandForTheAir: whatever became of the measurements behind it.
func TestAnOldSampleDoesNotStandForTheAir(t *testing.T) {
	a := &air{name: "air", interval: time.Minute, at: 5}
	if got := a.says(5 + int64(2*time.Minute)); len(got.Readings) == 0 {
		t.Errorf("%+v", got)
	}
	if got := a.says(5 + int64(2*time.Minute) + 1); len(got.Readings) != 0 || got.Why != "its latest sample is 2m0s old, and one comes every 1m0s" {
		t.Errorf("%+v", got)
	}
	if a.sample.PressureMilliPa = 7; len(a.says(6).Readings) != 3 {
		t.Errorf("%+v", a.says(6))
	}
	long := &air{err: errors.New(strings.Repeat("ü", 500))}
	if why := long.says(0).Why; len(why) > maxWhy || !strings.HasPrefix(why, "ü") {
		t.Errorf("a reason of %d bytes", len(why))
	}
}

func TestASensorOnABusThatIsNotThere(t *testing.T) {
	if err := newAiry(t).open("i2c-7"); err == nil || !strings.Contains(err.Error(), "device air: i2c-7") {
		t.Errorf("got %v", err)
	}
	cfg := layout()
	cfg.Devices = append(cfg.Devices, made("bme280", config.Device{Name: "air", Bus: "i2c-1"}))
	w := newWorld(t)
	if _, err := Open(cfg, w, w, w); err == nil || !strings.Contains(err.Error(), "device air: i2c-1: the lines of this station come without I2C buses") {
		t.Errorf("got %v", err)
	}
}

// gusty is a world with a fan of all positions, a valve at position 1 and two buzzers.
func gusty(t *testing.T) *world {
	t.Helper()
	w := shut(t)
	cfg := layout()
	add := func(name, typ, line string, position int, settings ...string) {
		cfg.Devices = append(cfg.Devices, made(typ, config.Device{Name: name, Position: position, Lines: map[string]string{templates.RoleLine: line}}, settings...))
	}
	add("fan", "fan", "fan", 0, templates.SettingRundown, "2s")
	add("valve-1", "valve", "valve1", 1, templates.SettingLongest, "3s")
	if least, err := LeastPurge(cfg); err != nil || least != 3500*time.Millisecond {
		t.Errorf("the least purge is %s, %v", least, err)
	}
	add("gong", "buzzer", "gong", 0)
	add("bell", "buzzer", "bell", 0, templates.SettingSounds, templates.AtRunEnd, templates.SettingLongest, "1s")
	s, err := Open(cfg, w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.station = s
	w.until(1000 * ms)
	w.lines = nil
	return w
}

// blown returns what was driven but canisters, and forgets it.
func (w *world) blown() []string {
	out := slices.DeleteFunc(w.lines, func(l string) bool { return strings.Contains(l, ".drive") })
	w.lines = nil
	return out
}

// noted returns the notes that the sink was given.
func (w *world) noted() []string {
	var out []string
	for _, e := range w.events {
		if e.Type == event.Noted {
			out = append(out, e.Body.(*event.Why).String())
		}
	}
	w.events = nil
	return out
}

// TestAPurgeRunsAllThereIsAndRestsInTime: each device as long as it may, run-down included.
func TestAPurgeRunsAllThereIsAndRestsInTime(t *testing.T) {
	w := gusty(t)
	w.station.Purge(11_000 * ms)
	expect(t, "at once", w.blown(), []string{"1000 fan true", "1000 valve1 true"})
	if fan, valve := w.outputs["fan"].longest, w.outputs["valve1"].longest; fan != 8*time.Second || valve != 3*time.Second {
		t.Errorf("the fan runs for %s, the valve is open for %s: the fan must stand at the end", fan, valve)
	}
	expect(t, "notes", w.noted(), nil)
}

// TestWhatStopsThePurge: everything that closes the canisters, and the opening of a canister, whatever the host thinks.
func TestWhatStopsThePurge(t *testing.T) {
	for name, stop := range map[string]func(w *world){
		"close all":      func(w *world) { w.station.CloseAll() },
		"emergency stop": func(w *world) { w.edge("stop", true) },
		"a move":         func(w *world) { w.station.Move(0, 0, run("AAAAAA")) },
		"the end":        func(w *world) { _ = w.station.Close() },
	} {
		w := gusty(t)
		w.station.Purge(11_000 * ms)
		w.station.Sound(templates.AtRunEnd)
		w.blown()
		w.until(1500 * ms)
		stop(w)
		expect(t, name, w.blown(), []string{"1500 fan false", "1500 valve1 false", "1500 bell false"})
	}
}

// TestNothingBlowsOrSoundsWhileACanisterIsToBeOpen: the last wall, should everything above be wrong.
func TestNothingBlowsOrSoundsWhileACanisterIsToBeOpen(t *testing.T) {
	w := gusty(t)
	w.station.Move(2000*ms, 0, run("AAAAAA"))
	for _, at := range []int64{1500, 5000} {
		w.until(at * ms)
		w.station.Purge(60_000 * ms)
		w.station.Sound(templates.AtSessionEnd)
		expect(t, "in a run", w.blown(), nil)
	}
	expect(t, "notes", w.noted(), slices.Repeat([]string{"purge failed: fan did not run: the canisters are not commanded to close",
		"purge failed: valve-1 did not run: the canisters are not commanded to close"}, 2))
	w.station.CloseAll()
	w.station.Sound(templates.AtSessionEnd)
	expect(t, "behind it", w.blown(), []string{"5000 gong true", "5000 bell true"})
}

func TestASoundIsThatOfItsReasonAndCanBeEnded(t *testing.T) {
	w := gusty(t)
	w.station.Sound(templates.AtRunEnd)
	expect(t, "a run's end", w.blown(), []string{"1000 bell true"})
	if longest := w.outputs["bell"].longest; longest != time.Second {
		t.Errorf("it sounds for %s", longest)
	}
	w.station.Sound(templates.AtSessionEnd)
	expect(t, "a session's end", w.blown(), []string{"1000 gong true"})
	w.station.Hush()
	expect(t, "hushed", w.blown(), []string{"1000 gong false", "1000 bell false"})
}

// TestAPurgeThatDoesNotRunIsNoted: the record says that the air was not changed, and by which device.
func TestAPurgeThatDoesNotRunIsNoted(t *testing.T) {
	w := gusty(t)
	w.refuse = func(line string) error {
		if line == "fan" {
			return errJam
		}
		return nil
	}
	w.station.Purge(11_000 * ms)
	expect(t, "a burnt drive", w.noted(), []string{"purge failed: fan did not run: " + errNotDriven.Error()})
	expect(t, "its condition", w.heard(), []string{"1000 device-fault fan true drive burnt"})
	w.refuse = func(string) error { return nil }
	w.station.Purge(w.now + 60_000*ms)
	expect(t, "mended", w.heard(), []string{"1000 device-fault fan false"})
	w.station.Purge(w.now + 2500*ms)
	expect(t, "too short", w.noted(), []string{
		"purge failed: fan did not run: fan: on for 500ms, expected from 1s to 10m0s (change the time, or the device's limits in the configuration)"})
	w.edge("stop", true)
	w.station.Purge(w.now + 60_000*ms)
	expect(t, "an emergency stop is held", w.noted(), []string{"purge failed: fan did not run: " + FaultStopped, "purge failed: valve-1 did not run: " + FaultStopped})
}
