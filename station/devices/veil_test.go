package devices

import (
	"fmt"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

// onExpander moves the lines of a device of a layout to an expander on i2c-1.
func onExpander(cfg config.Config, name string) config.Config {
	for i, d := range cfg.Devices {
		if d.Name == name {
			lines := map[string]string{}
			for role, line := range d.Lines {
				lines[role] = "exp-1:" + line
			}
			cfg.Devices[i].Lines = lines
		}
	}
	cfg.Devices = append(cfg.Devices, made("mcp23017", config.Device{Name: "exp-1", Bus: "i2c-1"}))
	return cfg
}

// TestAPurgeBesideACanisterIsNotNoted: whatever a valve meets on what carries a canister, the public record says nothing
// of it; its condition, which is frozen, does. That it is away is told as that alone.
func TestAPurgeBesideACanisterIsNotNoted(t *testing.T) {
	for name, c := range map[string]struct {
		valve, canister string
		err             error
		notes           []string
		fault           bool
	}{
		"beside it":                  {"exp-1:A7", "canister-1A", errJam, nil, true},
		"beside it, with it":         {"exp-1:A7", "canister-1A", bus.ErrGone, nil, false},
		"on the other on its bus":    {"exp-2:A7", "canister-1A", errJam, nil, true},
		"on a chip of its own":       {"exp-3:A7", "canister-1A", errJam, []string{"purge failed: valve did not run: " + errNotDriven.Error()}, true},
		"on this machine":            {"valve", "none", errJam, []string{"purge failed: valve did not run: " + errNotDriven.Error()}, true},
		"on this machine, with that": {"valve", "none", bus.ErrGone, nil, false},
	} {
		w := shut(t)
		cfg := onExpander(layout(), c.canister)
		cfg.Devices = append(cfg.Devices, made("mcp23017", config.Device{Name: "exp-2", Bus: "i2c-1"}), made("mcp23017", config.Device{Name: "exp-3", Bus: "i2c-3"}),
			made("valve", config.Device{Name: "valve", Position: 1, Lines: map[string]string{templates.RoleLine: c.valve}}))
		s, err := Open(cfg, w, w, w)
		if err != nil {
			t.Fatal(err)
		}
		w.until(1000 * ms)
		w.noted()
		w.heard()
		w.refuse = func(line string) error {
			if line == c.valve {
				return c.err
			}
			return nil
		}
		s.Purge(11_000 * ms)
		expect(t, name+": notes", w.noted(), c.notes)
		var faults []string
		if c.fault {
			faults = []string{fmt.Sprintf("1000 device-fault valve true %v", c.err)}
		}
		expect(t, name+": conditions", w.heard(), faults)
	}
}

// TestWhatIsOpenIsClosedFirst: on wires on which one order comes after the other, when something closes would tell how many
// stand before it at its position.
func TestWhatIsOpenIsClosedFirst(t *testing.T) {
	w := opened(t, nil)
	w.until(500 * ms)
	w.station.Move(0, time.Minute, run("BAB"))
	w.until(2000 * ms)
	var told []string
	w.refuse = func(line string) error {
		told = append(told, line)
		return nil
	}
	w.station.CloseAll()
	if len(told) != 12 {
		t.Fatalf("told %q", told)
	}
	expect(t, "closed first", told[:4], []string{"1B.drive", "2A.drive", "3B.drive", "1A.drive"})
}

// sourced is a world with what stamps edges on carriers.
type sourced struct{ *world }

func (w sourced) Sources() map[string]time.Duration {
	return map[string]time.Duration{"gpio": 20 * time.Millisecond, "exp-1": 500 * time.Millisecond, "exp-2": 500 * time.Millisecond, "exp-3": 500 * time.Millisecond}
}

// TestWhatStampsCanistersAloneIsAlwaysWaitedFor: how soon it reports, and whether it does, nobody learns; but where it stamps
// buttons or beams too these are waited for.
func TestWhatStampsCanistersAloneIsAlwaysWaitedFor(t *testing.T) {
	cfg := onExpander(layout(), "canister-1A")
	cfg.Devices = append(cfg.Devices, made("mcp23017", config.Device{Name: "exp-2", Bus: "i2c-2"}), made("mcp23017", config.Device{Name: "exp-3", Bus: "i2c-3"}))
	for _, d := range cfg.Devices {
		for role, line := range d.Lines {
			if d.Name == "canister-2A" || d.Name == "call" {
				d.Lines[role] = "exp-2:" + line
			}
		}
	}
	w := sourced{newWorld(t)}
	s, err := Open(cfg, w, w.world, w)
	if err != nil {
		t.Fatal(err)
	}
	declared := s.Sources()
	more := s.hold() + patience
	for source, want := range map[string]time.Duration{"gpio": 20*time.Millisecond + more, "exp-1": 500 * time.Millisecond, "exp-2": 500*time.Millisecond + more, "exp-3": 500*time.Millisecond + more} {
		if declared[source] != want {
			t.Errorf("%s may be %s late, want %s", source, declared[source], want)
		}
	}
	expect(t, "veiled", s.Veiled(), []string{"exp-1"})
}

// TestTheAirOfACanistersBusSaysNotWhy: a bus that hangs by what a canister was told shows as a missing sample, and the
// public record has no more of it.
func TestTheAirOfACanistersBusSaysNotWhy(t *testing.T) {
	for canister, want := range map[string]string{"canister-1A": airVeiled, "none": airHanging} {
		w := newAiry(t)
		cfg := onExpander(layout(), canister)
		cfg.Devices = append(cfg.Devices, made("bme280", config.Device{Name: "air", Bus: "i2c-1"}, templates.SettingInterval, "1m"))
		s, err := Open(cfg, w, w.world, w.world)
		if err != nil {
			t.Fatal(err)
		}
		w.until(1000 * ms)
		w.wires.hangs = true
		w.until(int64(3 * time.Minute))
		if got := s.Air(w.now); len(got) != 1 || got[0].Why != want || len(got[0].Readings) != 0 {
			t.Errorf("%s on the bus: %+v, want %q", canister, got, want)
		}
		w.wires.hangs = false
		w.wires.work()
		w.until(w.now + int64(time.Minute))
		if got := s.Air(w.now); len(got) != 1 || got[0].Why != "" || len(got[0].Readings) == 0 {
			t.Errorf("%s on the bus, which answers: %+v", canister, got)
		}
		var stale event.Air
		if stale = s.Air(w.now + int64(time.Hour))[0]; canister != "none" && stale.Why != airVeiled {
			t.Errorf("an old sample: %+v", stale)
		}
	}
}
