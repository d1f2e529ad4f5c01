package config_test

import (
	"slices"
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/strict"
	"scentpost/station/templates"
)

// withBoards are types with a board of some pins.
func withBoards() []templates.Type {
	nano := kind("nano", templates.Board, "", word(templates.SettingBaud, "500000", "500000", "115200"))
	nano.Port = "its serial port"
	return append(withCarriers(), carrying(nano, templates.Carries{Pins: []string{"D2", "D3", "D4", "D5", "D6"}, Biases: []string{"pull-up"}, Supply: "5 V", NoPins: "A6 is none"}))
}

// boarded is a good station whose devices are on a board.
const boarded = `site: prishtina
station: yard-2
data: journal
socket: /run/scentpost.sock
driver: {type: linux, simulated: true, lines: {"nano-1:D4": {active_low: true, external: pull-up}, "nano-1:D5": {bias: pull-up}}}
positions: 1
devices:
  - {name: beam-1, type: beam, position: 1, line: "nano-2:D2"}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: "nano-1:D4", opened: "nano-1:D5", closed: "nano-1:D6"}}
  - {name: button-e-stop, type: button, role: e-stop, line: "nano-2:D3"}
  - {name: nano-1, type: nano, port: boards/nano-1, id: nano-1}
  - {name: nano-2, type: nano, port: /dev/serial/by-id/two, id: nano-2}
`

func TestDevicesOnBoards(t *testing.T) {
	c, err := config.Read("station.yaml", []byte(boarded+operated), withBoards())
	if err != nil {
		t.Fatal(err)
	}
	if !c.Simulated() {
		t.Error("a station whose boards are played is not marked as simulated")
	}
	if c.Of(templates.Board)[0].Port != "boards/nano-1" {
		t.Errorf("of a file without a folder: %+v", c.Of(templates.Board)[0])
	}
	in, err := config.ReadIn("/etc/scentpost", "station.yaml", []byte(boarded+operated), withBoards())
	if err != nil {
		t.Fatal(err)
	}
	boards := in.Of(templates.Board)
	if len(boards) != 2 || boards[0].Port != "/etc/scentpost/boards/nano-1" || boards[1].Port != "/dev/serial/by-id/two" || boards[1].ID != "nano-2" {
		t.Errorf("%+v", boards)
	}
	for _, baud := range []string{"115200", `"115200"`} {
		slow, err := config.Read("station.yaml", []byte(strings.Replace(boarded, "id: nano-1", "id: nano-1, baud: "+baud, 1)), withBoards())
		if err != nil || slow.Of(templates.Board)[0].Values.Choices["baud"] != "115200" {
			t.Errorf("baud: %s: %v", baud, err)
		}
	}
}

// TestProblemsOfBoards changes one thing at a time; each must give exactly the problem stated.
func TestProblemsOfBoards(t *testing.T) {
	const portHint = "such as /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0: scentpost board ls lists them"
	const idHint = "1 to 8 small letters, digits and hyphens, such as nano-1: scentpost board name gives it to the board, once"
	for _, c := range []struct{ name, old, new, want string }{
		{"no port", "port: boards/nano-1, ", "", "11:6: devices[3].port: is missing (" + portHint + ")"},
		{"no id", ", id: nano-1", "", "11:6: devices[3].id: is missing (" + idHint + ")"},
		{"an id that is too long", "id: nano-1", "id: nano-0001", `11:57: devices[3].id: "nano-0001" cannot be the id of a board (` + idHint + ")"},
		{"one port twice", "/dev/serial/by-id/two", "boards/nano-1", `12:38: devices[4].port: "boards/nano-1" is used before, in line 11 (choose another)`},
		{"one id twice", "id: nano-2", "id: nano-1", `12:65: devices[4].id: "nano-1" is used before, in line 11 (choose another)`},
		{"a port of what is on lines", "type: beam", "type: beam, port: x", `8:38: devices[0].port: a beam is not behind a serial port (take it away)`},
		{"an id of what is on lines", "type: beam", "type: beam, id: x", `8:36: devices[0].id: a beam is not behind a serial port (take it away)`},
		{"a line of a board", "type: nano, port: boards", "type: nano, line: x, port: boards", `11:6: devices[3]: a nano has no lines (take the line away, and give its port and id)`},
		{"no such pin", "nano-2:D3", "nano-2:D9", `10:61: devices[2].line: "D9" is no pin of nano-2, a nano (its pins are D2 to D6; A6 is none)`},
		{"a pin in small letters", "nano-2:D3", "nano-2:d3", `10:61: devices[2].line: "d3" is no pin of nano-2, a nano (did you mean "D3"?)`},
		{"a beam beside a canister", "nano-2:D2", "nano-1:D2", "8:6: devices[0]: nano-1 carries canister-1a too: what passes on its wire as that moves shifts the instants of beam-1, which tells what moved (put it on another board, or on a line of the machine)"},
		{"an emergency stop beside a canister", "nano-2:D3", "nano-1:D3", "10:6: devices[2]: nano-1 carries canister-1a too: what passes on its wire as that moves shifts the instants of button-e-stop, which tells what moved (put it on another board, or on a line of the machine)"},
		{"simulated twice over", "type: linux, simulated", "type: virtual, socket: x, simulated", "driver.simulated"},
		{"a drive that nothing holds", ", external: pull-up", "", `9:84: devices[1].lines.drive: has no safe state: nothing says what holds "nano-1:D4", which is active-low, while nobody drives it (a resistor of 10 kOhm to 5 V, and in driver.lines "nano-1:D4": {active_low: true, external: pull-up})`},
		{"a drive held by a bias, which a board gives to inputs", "external: pull-up", "bias: pull-up", `9:84: devices[1].lines.drive: has no safe state: nothing says what holds "nano-1:D4", which is active-low, while nobody drives it (a resistor of 10 kOhm to 5 V, and in driver.lines "nano-1:D4": {active_low: true, external: pull-up})`},
		{"a misspelt polarity", "active_low", "active_lo", `5:62: driver.lines.nano-1:D4.active_lo: unknown key (did you mean "active_low"?)`},
		{"a speed that no firmware has", "id: nano-1", "id: nano-1, baud: 9600", `11:71: devices[3].baud: "9600" cannot be chosen (known: 115200, 500000)`},
		{"a fraction of a speed", "id: nano-1", "id: nano-1, baud: 1.5", `11:71: devices[3].baud: "1.5" cannot be chosen (known: 115200, 500000)`},
		{"a limit switch on the other board", "nano-1:D6", "nano-2:D6", `9:126: devices[1].lines.closed: nano-2 carries beam-1 and button-e-stop too: what passes on its wire as canister-1a moves shifts their instants, which tells what moved (put it where its drive is, on nano-1)`},
		{"a canister on the other board", `drive: "nano-1:D4", opened: "nano-1:D5", closed: "nano-1:D6"`, `drive: "nano-2:D4", opened: "nano-2:D5", closed: "nano-2:D6"`, `devices[1].lines.drive: nano-2 carries beam-1 and button-e-stop too: what passes on its wire as canister-1a moves shifts their instants, which tells what moved (put all its lines on another board, or on lines of the machine)`},
	} {
		if !strings.Contains(boarded, c.old) {
			t.Fatalf("%s: the station has no %q", c.name, c.old)
		}
		_, err := config.Read("station.yaml", []byte(strings.Replace(boarded, c.old, c.new, 1)), withBoards())
		got := "nothing"
		if err != nil {
			got = strings.ReplaceAll(strings.ReplaceAll(err.Error(), "station.yaml:", ""), "\n", "|")
		}
		if got != c.want && !(!strings.Contains("123456789", c.want[:1]) && strings.Contains(got, c.want)) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestAPortThatMovesIsWarnedOf(t *testing.T) {
	c, err := config.Read("station.yaml", []byte(strings.Replace(boarded, "/dev/serial/by-id/two", "/dev/ttyUSB0", 1)+operated), withBoards())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(c.Warnings, func(p strict.Problem) bool { return p.Field == "devices[4].port" && strings.Contains(p.Hint, "by-id") }) {
		t.Errorf("warnings %+v", c.Warnings)
	}
}
