package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/cmd/internal/words"
	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/health"
)

// ofThisMachine is a station on lines and a bus that no machine has, with the socket and the journal of another one.
func ofThisMachine(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Read("station.yaml", []byte(`site: demo
station: nowhere
data: journal
socket: s
driver: {type: linux, lines: {"no-chip:c1a": {external: pull-down}, "no-chip:c1b": {external: pull-down}, "no-chip:c2a": {external: pull-down}, "no-chip:c2b": {external: pull-down}}}
people:
  - {name: Assessor, roles: [assessor], uid: 0}
positions: 2
devices:
  - {name: beam-1, type: beam, position: 1, line: "no-chip:beam1"}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: "no-chip:c1a", opened: "no-chip:c1a.o", closed: "no-chip:c1a.c"}, pinch: guard}
  - {name: canister-1b, type: shutter, position: 1, canister: "1B", lines: {drive: "no-chip:c1b", opened: "no-chip:c1b.o", closed: "no-chip:c1b.c"}, pinch: guard}
  - {name: canister-2a, type: shutter, position: 2, canister: "2A", lines: {drive: "no-chip:c2a", opened: "no-chip:c2a.o", closed: "no-chip:c2a.c"}, pinch: guard}
  - {name: canister-2b, type: shutter, position: 2, canister: "2B", lines: {drive: "no-chip:c2b", opened: "no-chip:c2b.o", closed: "no-chip:c2b.c"}, pinch: guard}
  - {name: ack, type: light, line: "exp-1:A0"}
  - {name: exp-1, type: mcp23017, bus: i2c-999, interrupt: "no-chip:asks"}
`), catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	other := testConfig(t)
	cfg.Data, cfg.Socket = other.Data, other.Socket
	return cfg
}

// TestAStationWithoutItsHardware: on a machine that has none of it the daemon starts, names each device with what was
// seen, says that no session can be held and why, does not say that one can, and ends in good order.
func TestAStationWithoutItsHardware(t *testing.T) {
	d := startDaemon(t, ofThisMachine(t))
	d.out.wait(t, "no session can be held yet: these devices are absent: beam-1 (", 1)
	seen := func() map[string]string {
		all := map[string]string{}
		for _, c := range d.send(t, control.Request{Command: "status"}).Status.Conditions {
			all[string(c.Code)+" "+c.On] = c.Evidence
		}
		return all
	}
	want := map[string]string{
		"device-absent beam-1":      `line "no-chip:beam1": no such line`,
		"device-absent canister-1a": "unknown: the level of no-chip:c1a",
		"device-absent ack":         "unknown: the level of exp-1:A0",
		"device-absent exp-1":       "i2c-999: there is no such I2C bus",
		"device-absent i2c-999":     "there is no such I2C bus",
		"sessions-limited ":         "no session can be held",
	}
	has := func(all map[string]string) bool {
		for name, evidence := range want {
			if !strings.Contains(all[name], evidence) {
				return false
			}
		}
		return true
	}
	all := seen()
	for range 1000 { // what is told on other goroutines comes soon
		if has(all) {
			break
		}
		all = seen()
	}
	for name, evidence := range want {
		if !strings.Contains(all[name], evidence) {
			t.Errorf("%s: %q, want %q", name, all[name], evidence)
		}
	}
	_, plan, err := configs.Files{}.Read(configs.Plans, "short")
	if err != nil {
		t.Fatal(err)
	}
	open := control.Request{Command: "open", As: "Assessor", PlanName: "short.yaml", Plan: string(plan), Dog: "Rex", Handler: "Ana", Assessor: "Assessor", New: true}
	if got := d.send(t, open); got.OK || !strings.Contains(words.Of(got.Refused), "beam-1 (") || strings.Contains(words.Of(got.Refused), "ack (") {
		t.Errorf("opened: %+v", got)
	}
	if err := d.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if text := d.out.text.String(); strings.Contains(text, "sessions can be run") {
		t.Errorf("it says: %s", text)
	}
	noneLeft(t)
}

// TestADaemonWithAnExpander: a virtual station has the chip at register level, so the daemon drives it over a bus.
func TestADaemonWithAnExpander(t *testing.T) {
	src, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(src), "line: light.ready", `line: "exp-1:A0"`, 1) + `
  - {name: exp-1, type: mcp23017, bus: i2c-1, interrupt: asks}
`
	file := filepath.Join(t.TempDir(), "station.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := readConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	other := testConfig(t)
	cfg.Data, cfg.Socket, cfg.Driver.Socket = other.Data, other.Socket, other.Driver.Socket
	station := startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	for range 1000 {
		if status := d.send(t, control.Request{Command: "status"}).Status; len(status.Conditions) == 0 {
			break
		}
	}
	for _, c := range d.send(t, control.Request{Command: "status"}).Status.Conditions {
		if c.Code == health.DeviceAbsent {
			t.Errorf("%+v", c)
		}
	}
	if err := d.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if err := station(); err != nil {
		t.Error(err)
	}
	noneLeft(t)
}
