package devices

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/station/config"
	"scentpost/station/templates"
)

// keptClock is a world with a clock on i2c-1 that is looked at every minute.
type keptClock struct {
	*world
	chip  *bustest.DS3231
	wires *wires
}

func (w *keptClock) Wires(string) (bus.Wires, error) { return w.wires, nil }

func newKept(t *testing.T, spoil func(*keptClock)) *keptClock {
	t.Helper()
	w := &keptClock{world: shut(t)}
	w.chip = bustest.NewDS3231(func() time.Time { return time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.now)) })
	w.wires = &wires{Bus: w.chip, world: w.world}
	spoil(w)
	cfg := layout()
	cfg.Devices = append(cfg.Devices, made("ds3231", config.Device{Name: "rtc", Bus: "i2c-1"}, templates.SettingInterval, "1m"))
	s, err := Open(cfg, w, w.world, w.world)
	if err != nil {
		t.Fatal(err)
	}
	w.station, w.events = s, nil
	return w
}

func TestASoundClockIsNoCondition(t *testing.T) {
	w := newKept(t, func(*keptClock) {})
	w.until(3_600_000 * ms)
	expect(t, "an hour", w.heard(), nil)
	if n := w.chip.Transfers(); n < 60 || n > 62 || w.events != nil {
		t.Errorf("it was looked at %d times in an hour, and told %v", n, w.events)
	}
	if err := w.station.Close(); err != nil {
		t.Fatal(err)
	}
	if w.until(7_200_000 * ms); w.chip.Transfers() > 62 {
		t.Error("it is looked at after the station is closed")
	}
}

// TestAClockThatWouldNotSurviveAPowerCut is a condition from the first look that finds it until it is mended.
func TestAClockThatWouldNotSurviveAPowerCut(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(*keptClock)
		told        []string // the beginning of each condition
	}{
		"its battery failed": {func(w *keptClock) { w.chip.LoseBattery() }, func(w *keptClock) {
			for r := byte(3); r < 16; r++ {
				w.chip.Release(r)
			}
		}, []string{"0 clock-not-kept rtc true ds3231 at 0x68: its oscillator has stopped"}},
		"it stands still": {func(w *keptClock) { w.chip.Stand(true) }, func(w *keptClock) { w.chip.Stand(false) },
			[]string{"5000 clock-not-kept rtc true ds3231 at 0x68: it stands still"}},
		"it is absent": {func(w *keptClock) { w.chip.Fail(errors.New("remote I/O error")) }, func(w *keptClock) { w.chip.Fail(nil) },
			[]string{"0 device-absent rtc true ds3231 at 0x68: no answer: remote I/O error", "0 clock-not-kept rtc true ds3231 at 0x68: no answer"}},
		"the wires hang": {func(w *keptClock) { w.wires.hangs = true }, func(w *keptClock) { w.wires.hangs = false; w.wires.work() },
			[]string{"5000 device-absent rtc true no answer: the wires do not answer", "5000 clock-not-kept rtc true no answer"}},
		"the wires are busy": {func(w *keptClock) { w.wires.busy = bus.ErrBusy }, func(w *keptClock) { w.wires.busy = nil },
			[]string{"0 device-absent rtc true no answer: too many jobs", "0 clock-not-kept rtc true no answer"}},
	} {
		w := newKept(t, c.spoil)
		w.until(30_000 * ms)
		got := w.heard()
		if len(got) != len(c.told) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range c.told {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
		c.mend(w)
		w.until(w.now + 61_000*ms)
		for _, g := range w.heard() {
			if !strings.HasSuffix(g, " rtc false") {
				t.Errorf("%s, mended: %q", name, g)
			}
		}
		if w.held["clock-not-kept"+"rtc"] || w.held["device-absent"+"rtc"] {
			t.Errorf("%s: mended, and still a condition", name)
		}
	}
}
