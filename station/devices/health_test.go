package devices

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/shutter"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// Condition is the side of who looks after the station.
func (w *world) Condition(code health.Code, on, evidence string, holds bool) {
	if key := string(code) + on; holds || w.held[key] {
		w.conditions = append(w.conditions, strings.TrimSpace(fmt.Sprintf("%d %s %s %v %s", w.now/ms, code, on, holds, evidence)))
	}
	if w.held == nil {
		w.held = map[string]bool{}
	}
	w.held[string(code)+on] = holds
}

// heard returns the conditions so far.
func (w *world) heard() []string {
	out := w.conditions
	w.conditions = nil
	return out
}

func TestAButtonThatIsHeld(t *testing.T) {
	w := opened(t, nil)
	w.pulse(1000*ms, "stop", true)
	w.pulse(2000*ms, "stop", false)
	w.pulse(3000*ms, "call", true)
	w.pulse(30_000*ms, "call", false)
	w.until(40_000 * ms)
	expect(t, "an emergency stop, and a stuck button", w.heard(), []string{
		"1000 emergency-stop stop true pressed", "2024 emergency-stop stop false", "8000 button-stuck call true held for 5s", "30024 button-stuck call false"})
}

// TestACanisterThatFails is told until it does again what it is told. A move that another one replaces is no fault.
func TestACanisterThatFails(t *testing.T) {
	w := opened(t, func(w *world) {
		w.travel = func(line string) int64 {
			if line == "3A" && w.now < 5000*ms {
				return -1 // it jams
			}
			return 300 * ms
		}
	})
	w.station.Move(1000*ms, time.Minute, run("AAAAAA"))
	w.until(1100 * ms)
	w.station.CloseAll() // while they move
	w.until(3000 * ms)
	expect(t, "moves that were replaced", w.heard(), nil)
	w.station.Move(3000*ms, time.Minute, run("AAAAAA"))
	w.until(4000 * ms)
	expect(t, "one that jams", w.heard(), []string{"3800 device-fault canister-3A true " + shutter.FaultNotOpened})
	w.station.CloseAll()
	w.until(5000 * ms)
	expect(t, "closing, which it can", w.heard(), nil)
	w.station.Move(5000*ms, time.Minute, run("AAAAAA"))
	w.until(6000 * ms)
	w.station.CloseAll()
	w.until(7000 * ms)
	expect(t, "one that opens again", w.heard(), []string{"5300 device-fault canister-3A false"})
	w.refuse = func(line string) error {
		if line == "5B.drive" {
			return errJam
		}
		return nil
	}
	w.station.Move(8000*ms, time.Minute, run("BBBBBB"))
	w.until(9000 * ms)
	w.refuse = func(string) error { return nil }
	w.station.CloseAll()
	w.station.Move(9500*ms, time.Minute, run("BBBBBB"))
	w.until(11_000 * ms)
	expect(t, "a drive that refuses, and works again", w.heard(),
		[]string{"7000 device-fault canister-5B true " + errJam.Error(), "9800 device-fault canister-5B false"})
}

// TestWhatMayBeSeenFromSealToReveal walks the rule: canisters, their company, their carriers, and what nobody knows.
func TestWhatMayBeSeenFromSealToReveal(t *testing.T) {
	device := func(name, typ string, lines ...string) config.Device {
		d := config.Device{Name: name, Type: kinds[typ], Lines: map[string]string{}}
		for i, l := range lines {
			d.Lines[fmt.Sprint(i)] = l
		}
		return d
	}
	onBus := func(name, typ, bus string) config.Device {
		return config.Device{Name: name, Type: kinds[typ], Bus: bus}
	}
	const (
		frozen, bare, open = health.Frozen, health.Bare, health.Open
		fault, absent      = health.DeviceFault, health.DeviceAbsent
	)
	type row struct {
		code health.Code
		on   string
		want health.Exposure
	}
	for name, c := range map[string]struct {
		devices []config.Device
		rows    []row
	}{
		"all on this machine": {
			[]config.Device{device("c", "shutter", "a", "b"), device("beam", "beam", "d"), device("scale", "scale", "e")},
			[]row{
				{fault, "c", frozen}, {absent, "c", frozen}, {fault, "beam", open}, {absent, "beam", frozen}, {fault, "scale", frozen},
				{absent, OnGPIO, bare}, {absent, OnVirtual, bare}, {health.EdgesLost, "gpio", frozen}, {health.SourceSilent, "gpio", frozen},
				{absent, "pinctrl", frozen}, {absent, "i2c-1", frozen}, {fault, "nobody", frozen}, {absent, "", frozen},
			},
		},
		"a chip each": {
			[]config.Device{device("c", "shutter", "out:a", "in:b"), device("beam", "beam", "other:d"), device("call", "button", "in:c")},
			[]row{
				{absent, "out", frozen}, {absent, "in", frozen}, {absent, "other", open}, {health.EdgesLost, "other", open},
				{absent, "beam", open}, {absent, "call", frozen}, {fault, "call", open},
			},
		},
		"one chip with all canisters": {
			[]config.Device{device("c", "shutter", "out:a"), device("d", "shutter", "out:b"), device("ready", "light", "out:c"),
				device("beam", "beam", "x")},
			[]row{{absent, "out", bare}, {health.EdgesLost, "out", frozen}, {fault, "out", frozen}, {absent, "ready", frozen}, {absent, "beam", frozen}},
		},
		"an expander with canisters": {
			[]config.Device{device("exp", "mcp23017"), device("c", "shutter", "exp:A0"), device("call", "button", "exp:A1"), device("beam", "beam", "x")},
			[]row{{absent, "exp", frozen}, {fault, "exp", frozen}, {health.EdgesLost, "exp", frozen}, {absent, "call", frozen}, {fault, "call", frozen},
				{absent, "beam", open}, {fault, "beam", open}},
		},
		"an expander without": {
			[]config.Device{device("exp", "mcp23017"), device("c", "shutter", "x"), device("call", "button", "exp:A1")},
			[]row{{absent, "exp", open}, {health.EdgesLost, "exp", open}, {absent, "call", open}, {absent, "c", frozen}},
		},
		"a bus with the expander of canisters": {
			[]config.Device{onBus("exp", "mcp23017", "i2c-1"), onBus("other", "mcp23017", "i2c-1"), onBus("far", "mcp23017", "i2c-3"),
				device("c", "shutter", "exp:A0"), device("valve", "fan", "exp:A7"), device("call", "button", "other:A1"),
				device("fan", "fan", "far:A1"), device("beam", "beam", "x"),
				onBus("air", "bme280", "i2c-1"), onBus("rtc", "ds3231", "i2c-1"), onBus("hall", "bme280", "i2c-3")},
			[]row{{fault, "valve", frozen}, {absent, "valve", frozen}, {absent, "air", frozen}, {fault, "air", frozen}, {health.ClockNotKept, "rtc", frozen},
				{absent, "rtc", frozen}, {absent, "other", frozen}, {absent, "call", frozen}, {absent, "i2c-1", frozen},
				{absent, "far", open}, {absent, "fan", open}, {fault, "fan", open}, {absent, "hall", open}, {fault, "hall", open}, {fault, "beam", open}},
		},
		"what is driven on a chip with canisters": {
			[]config.Device{device("c", "shutter", "chip:a"), device("d", "shutter", "chip2:a"), device("valve", "fan", "chip:b"), device("fan", "fan", "chip3:b")},
			[]row{{fault, "valve", frozen}, {fault, "fan", open}, {absent, "valve", frozen}, {absent, "fan", open}},
		},
		"no canisters": {
			[]config.Device{device("beam", "beam", "x")},
			[]row{{absent, "beam", open}, {health.EdgesLost, "gpio", open}, {absent, OnGPIO, open}},
		},
	} {
		rule := Exposure(config.Config{Devices: c.devices})
		for _, r := range c.rows {
			if got := rule(r.code, r.on); got != r.want {
				t.Errorf("%s: %s of %q: %d, want %d", name, r.code, r.on, got, r.want)
			}
		}
	}
}

// kinds are the types of the catalogue by name, and one that tells what is in a canister.
var kinds = func() map[string]templates.Type {
	all := map[string]templates.Type{"scale": {Template: templates.Template{Name: "scale", Tells: templates.Content}}}
	for _, t := range catalog.Types() {
		all[t.Name] = t
	}
	return all
}()

// TestWhatTellsIsFrozen: no type whose template says that it tells something of a canister has faults that are shown.
func TestWhatTellsIsFrozen(t *testing.T) {
	for name, typ := range kinds {
		rule := Exposure(config.Config{Devices: []config.Device{
			{Name: "d", Type: typ, Lines: map[string]string{"line": "x"}},
			{Name: "c", Type: kinds["shutter"], Lines: map[string]string{"line": "y"}},
		}})
		if shown := rule(health.DeviceFault, "d") != health.Frozen; shown != (typ.Tells == templates.Nothing && typ.Carries == nil) {
			t.Errorf("a %s tells %s, carries lines: %v; its faults are shown: %v", name, typ.Tells, typ.Carries != nil, shown)
		}
	}
}

// TestAClosingThatIsToldTwiceIsNoFault: on a carrier the first one may wait when the second comes, and is replaced by it. The
// canister does what it is told, and is confirmed by the answer to the second.
func TestAClosingThatIsToldTwiceIsNoFault(t *testing.T) {
	for name, c := range map[string]struct {
		slow    int64 // how long the way to closed takes
		refuses int64 // the instant at which the drive refuses, 0 for never
		want    []string
		moves   []string
	}{
		"replaced": {10 * ms, 0, nil, []string{"2000 1:1A open=false 2015 2315"}},
		"replaced, and the second refused": {10 * ms, 2005 * ms, []string{"2005 device-fault canister-1A true " + errJam.Error()},
			[]string{"2000 1:1A open=false 0 0 " + errJam.Error()}},
		"done before":                         {3 * ms, 0, nil, []string{"2000 1:1A open=false 2003 2303"}},
		"done before, and the second refused": {3 * ms, 2005 * ms, nil, []string{"2000 1:1A open=false 2003 2303"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := opened(t, nil)
			w.station.Move(1000*ms, time.Minute, run("A"))
			w.until(1900 * ms)
			w.seen()
			w.outputs["1A.drive"].slow = c.slow
			w.refuse = func(line string) error {
				if line == "1A.drive" && w.now == c.refuses {
					return errJam
				}
				return nil
			}
			w.At(2000*ms, w.station.CloseAll)
			w.At(2005*ms, w.station.CloseAll)
			w.until(2900 * ms)
			expect(t, "conditions", w.heard(), c.want)
			expect(t, "moves", w.seen(), c.moves)
		})
	}
}
