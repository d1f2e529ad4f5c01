package doctor_test

import (
	"strings"
	"testing"

	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/doctor"
)

const boardText = `site: demo
station: yard
data: journal
socket: s
driver: {type: linux}
people: [{name: Ana, roles: [assessor]}]
positions: 1
devices:
  - {name: nano-1, type: nano, port: /dev/ttyUSB0, id: nano-1}
  - {name: beam-1, type: beam, position: 1, line: "nano-1:D2"}
`

// TestPortsOfBoards: one cause each, with the command that mends it; what is on the board is not there without it.
func TestPortsOfBoards(t *testing.T) {
	cfg, err := config.Read("station.yaml", []byte(boardText), catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	well := doctor.Port{There: true, Node: doctor.Node{Path: "/dev/ttyUSB0", Group: "dialout", Mode: 0o660}}
	for _, c := range []struct {
		name   string
		change func(*doctor.Port, *doctor.Evidence)
		cause  doctor.Cause
		wrong  int
		says   string
	}{
		{"well", func(*doctor.Port, *doctor.Evidence) {}, "", 0, "scentpost board info /dev/ttyUSB0 asks whether it is nano-1"},
		{"not there", func(p *doctor.Port, _ *doctor.Evidence) { p.There = false }, doctor.NoPort, 2, "scentpost board ls"},
		{"no right", func(p *doctor.Port, _ *doctor.Evidence) { p.Denied = true }, doctor.NoGroup, 2, "sudo usermod -aG dialout pi"},
		{"in use", func(p *doctor.Port, _ *doctor.Evidence) { p.InUse = true }, doctor.PortUsed, 2, "sudo fuser -v /dev/ttyUSB0"},
		{"a name that moves", func(p *doctor.Port, _ *doctor.Evidence) { p.Moves = "name it /dev/serial/by-id/usb-x" }, "", 0, "note: nano-1: /dev/ttyUSB0 may be another board's name tomorrow: name it /dev/serial/by-id/usb-x"},
		{"a daemon that has it", func(p *doctor.Port, e *doctor.Evidence) {
			p.InUse = true
			e.Daemon = &doctor.Daemon{Socket: "s", Devices: []doctor.Told{{Name: "nano-1", Found: true}, {Name: "beam-1", Found: true}}}
		}, "", 0, "the daemon has it"},
		{"a daemon that finds another board there", func(p *doctor.Port, e *doctor.Evidence) {
			p.InUse = true
			e.Daemon = &doctor.Daemon{Socket: "s", Devices: []doctor.Told{{Name: "nano-1", Why: `its id is "nano-7"`}, {Name: "beam-1", Found: true}}}
		}, doctor.SaidDaemon, 1, `its id is "nano-7"`},
	} {
		seen, port := healthy(), well
		c.change(&port, &seen)
		seen.Ports = map[string]doctor.Port{"/dev/ttyUSB0": port}
		var daemon *doctor.Daemon
		if seen.Daemon != nil {
			daemon = seen.Daemon
		}
		looked, err := doctor.Examine(&machine{seen: seen}, cfg, daemon)
		if err != nil {
			t.Fatal(err)
		}
		report := doctor.Diagnose(cfg, looked)
		var text strings.Builder
		doctor.Write(&text, report)
		if report.Wrong() != c.wrong || !strings.Contains(text.String(), c.says) {
			t.Errorf("%s: %d wrong, want %d; it says %s, want %q", c.name, report.Wrong(), c.wrong, &text, c.says)
		}
		if problems := report.Devices[0].Problems; c.cause == "" != (len(problems) == 0) || c.cause != "" && problems[0].Cause != c.cause {
			t.Errorf("%s: %+v", c.name, problems)
		}
	}
}
