package yard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/configs"
	"scentpost/simulator/dog"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/readiness"
	"scentpost/station/trial"
)

// expanderText is the small virtual station with the canisters of a position and a lamp on a port expander.
func expanderText(t testing.TB) string {
	t.Helper()
	_, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	for old, new := range map[string]string{
		"drive: c1a.drive, opened: c1a.opened, closed: c1a.closed": `drive: "exp-1:A0", opened: "exp-1:B0", closed: "exp-1:B1"`,
		"drive: c1b.drive, opened: c1b.opened, closed: c1b.closed": `drive: "exp-1:A1", opened: "exp-1:B2", closed: "exp-1:B3"`,
		"line: light.ready": `line: "exp-1:A7"`,
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("the station has no %q", old)
		}
		text = strings.Replace(text, old, new, 1)
	}
	return text + `
  - {name: exp-1, type: mcp23017, bus: i2c-1, address: "0x20", interrupt: asks, hold_on_loss: accepted}
`
}

// onExpander puts a yard's canister 1A on a port expander.
func onExpander(t testing.TB) func(*yard.Options) {
	t.Helper()
	cfg, err := config.Read("station.yaml", []byte(expanderText(t)), catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	return func(o *yard.Options) { o.Config = cfg }
}

// TestASessionOnAnExpander: from plan to verdict over the chip's registers, and nothing is wrong with it.
func TestASessionOnAnExpander(t *testing.T) {
	y := newYard(t, "virtual-two", onExpander(t))
	sound(t, y)
}

// TestTheConfigurationHoldsCanistersOffExpanders: with the place, and what to do.
func TestTheConfigurationHoldsCanistersOffExpanders(t *testing.T) {
	text := expanderText(t)
	for _, c := range []struct{ old, new, says string }{
		{`drive: "exp-1:A1"`, "drive: x", "devices[2].lines: canister-1b is driven by a line of the machine and canister-1a by exp-1: how soon something moves"},
		{", hold_on_loss: accepted", "", `devices[1].lines.drive: a mcp23017 holds its outputs when the daemon is lost`},
		{"line: beam1", `line: "exp-1:A3"`, "devices[0].line: a mcp23017 is read now and then, and a nose that is gone by then leaves nothing"},
		{"line: button.estop", `line: "exp-1:A3"`, "devices[9].line: an emergency stop may not wait for the wires"},
		{`"exp-1:B1"`, `"exp-1:B8"`, `devices[1].lines.closed: "B8" is no pin of exp-1, a mcp23017 (its pins are A0 to A7 and B0 to B7)`},
		{`"exp-1:B1"`, `"exp-1:B7"`, "devices[1].lines.closed: pin B7 of a mcp23017 may be an output only"},
	} {
		_, err := config.Read("station.yaml", []byte(strings.Replace(text, c.old, c.new, 1)), catalog.Types())
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.says)
		}
	}
}

// opensOn runs a yard until a run is searched with the canister 1A open.
func opensOn(t *testing.T) *yard.Yard {
	t.Helper()
	for secrets := range uint64(100) {
		y := newYard(t, "virtual-two", func(o *yard.Options) {
			onExpander(t)(o)
			o.Secrets = secrets
			o.Scripts = []dog.Script{{Visits: []dog.Visit{{At: 500 * time.Millisecond, Position: 2, For: time.Second}}}}
		})
		file, src := plan(t, "short")
		if err := y.Prepare(file, src, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
			t.Fatal(err)
		}
		y.World.RunWhile(func() bool { return y.Host.Snapshot().View.Run.State != trial.Searching }, y.World.Mono()+int64(time.Minute))
		if driven(y, "1A") {
			return y
		}
	}
	t.Fatal("no draw opens the canister 1A in its first run")
	return nil
}

// driven tells whether the drive of a canister is on.
func driven(y *yard.Yard, canister string) bool {
	for _, c := range y.Hardware.Canisters() {
		if c.Name == canister {
			return c.Driven
		}
	}
	return false
}

// TestAnExpanderThatGoesInARun: the run is void at the grid like every mechanical one, all is closed, nothing of it is
// shown while the session is sealed but that the next run cannot start; it comes back by itself and the session goes on.
func TestAnExpanderThatGoesInARun(t *testing.T) {
	y := opensOn(t)
	if err := y.Hardware.Unplug("exp-1"); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(10 * time.Second)
	if kinds, _ := story(t, y); !strings.Contains(kinds, ",run.voided "+string(event.CauseMechanical)) || !closed(y) {
		t.Fatalf("%s; all closed %t", kinds, closed(y))
	}
	y.World.RunFor(10 * time.Second)
	if told := y.Conditions.All(); len(told) != 0 {
		t.Errorf("shown while sealed: %+v", told)
	}
	_, err := y.Do(event.Assessor, control.Request{Command: "arm"})
	if why := reason(err); !why.Says(readiness.DeviceUntold) || len(why.Values) != 0 {
		t.Errorf("armed without its canister: %v", err)
	}
	if err := y.Hardware.Unplug("exp-1"); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(3 * time.Second)
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Errorf("armed with it: %v", err)
	}
	conclude(t, y)
	if v := y.Host.Snapshot().View; v.Verdict == nil {
		t.Errorf("the session ended as %+v", v)
	}
	told := y.Conditions.All()
	if !slices.ContainsFunc(told, func(c health.Condition) bool { return c.Code == health.DeviceAbsent && c.On == "exp-1" && c.Until != 0 }) {
		t.Errorf("after the reveal nobody learns of it: %+v", told)
	}
}

// TestAWatcherHearsWhenTheNextRunCanStart: no record says that a device went or came back while the session is sealed.
func TestAWatcherHearsWhenTheNextRunCanStart(t *testing.T) {
	y := newYard(t, "virtual-two", onExpander(t))
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, nil); err != nil {
		t.Fatal(err)
	}
	var shown []control.Status
	defer y.Station.Watch(func(s trial.Snapshot) { shown = append(shown, y.Control.Status(s, control.Person{})) })()
	for _, want := range []string{"goes", "comes back"} {
		shown = nil
		if err := y.Hardware.Unplug("exp-1"); err != nil {
			t.Fatal(err)
		}
		y.World.RunFor(10 * time.Second)
		switch {
		case len(shown) != 1:
			t.Fatalf("when it %s the watcher is shown %d states, want 1", want, len(shown))
		case shown[0].Obstacle.Says(readiness.DeviceUntold) != (want == "goes"):
			t.Errorf("when it %s the watcher is shown %v", want, shown[0].Obstacle)
		}
	}
}

// TestADaemonThatDiesLeavesAnExpanderOpen: that is what hold_on_loss accepts; the restart closes it before a session goes
// on.
func TestADaemonThatDiesLeavesAnExpanderOpen(t *testing.T) {
	y := opensOn(t)
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(10 * time.Second)
	if !driven(y, "1A") {
		t.Fatal("an expander that nobody speaks to has changed its mind")
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(5 * time.Second)
	if !closed(y) {
		t.Error("the restart has not closed it")
	}
}

// TestASessionIsRefusedForWhatIsAbsent: with what is absent, before anything is sealed.
func TestASessionIsRefusedForWhatIsAbsent(t *testing.T) {
	y := newYard(t, "virtual-two", onExpander(t))
	if err := y.Hardware.Unplug("exp-1"); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(3 * time.Second)
	file, src := plan(t, "short")
	err := y.Prepare(file, src, nil)
	if why := reason(err); !why.Says(readiness.DevicesAbsent) || why.Value("devices") != "exp-1" {
		t.Errorf("opened: %v", err)
	}
	told := y.Conditions.All()
	if !slices.ContainsFunc(told, func(c health.Condition) bool { return c.Code == health.SessionsLimited }) {
		t.Errorf("%+v", told)
	}
	if err := y.Hardware.Unplug("exp-1"); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(3 * time.Second)
	if told := y.Conditions.All(); len(told) != 0 {
		t.Errorf("%+v", told)
	}
	if err := y.Prepare(file, src, nil); err != nil {
		t.Error(err)
	}
}
