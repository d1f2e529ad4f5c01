package config_test

import (
	"slices"
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/templates"
)

// withCarriers are types with a port expander and a sensor of the air.
func withCarriers() []templates.Type {
	hold := word(templates.SettingHoldOnLoss, templates.Refused, templates.Refused, templates.Accepted)
	expander := carrying(kind("expander", templates.Expander, "", hold), templates.Carries{Pins: []string{"A0", "A1", "A2", "B0", "B7"}, OutputsOnly: []string{"B7"},
		Biases: []string{"pull-up"}, Supply: "3.3 V", Holds: true})
	expander.Interrupt = "asks"
	return append(slices.Clone(types), onI2C(expander, "0x20", "0x21"), onI2C(kind("air", templates.Environment, "", hold), "0x76", "0x20"))
}

// carried is a good station whose button, canister and light are on a port expander.
const carried = `site: prishtina
station: yard-2
data: journal
socket: /run/scentpost.sock
driver: {type: linux, lines: {"exp-1:A0": {active_low: true, external: pull-up}, "exp-1:A1": {active_low: true, bias: pull-up}, GPIO4: {active_low: true}}}
positions: 1
devices:
  - {name: beam-1, type: beam, position: 1, line: "pinctrl:GPIO17"}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: "exp-1:A0", opened: "exp-1:A1", closed: "exp-1:A2"}}
  - {name: button-e-stop, type: button, role: e-stop, line: "exp-2:B0"}
  - {name: exp-1, type: expander, bus: i2c-1, hold_on_loss: accepted, interrupt: GPIO4}
  - {name: exp-2, type: expander, bus: i2c-1, address: "0x21", interrupt: GPIO4}
  - {name: air, type: air, bus: i2c-1}
`

func TestDevicesOnCarriers(t *testing.T) {
	played := strings.Replace(carried, "type: linux", "type: linux, simulated: true", 1)
	c, err := config.Read("station.yaml", []byte(played+operated+"  - {name: ready, type: light, line: light.ready}\n"), withCarriers())
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	exp := c.Of(templates.Expander)
	if len(exp) != 2 || exp[0].Bus != "i2c-1" || exp[0].Interrupt != "GPIO4" || exp[1].Address != "0x21" {
		t.Errorf("%+v", exp)
	}
	if air := c.Of(templates.Environment); len(air) != 1 || air[0].Bus != "i2c-1" || air[0].Interrupt != "" || len(air[0].Lines) > 0 {
		t.Errorf("%+v", air)
	}
}

// TestProblemsOfCarriers changes one thing at a time; each must give exactly the problem stated.
func TestProblemsOfCarriers(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no bus", "type: air, bus: i2c-1", "type: air", `13:6: devices[5].bus: is missing (such as i2c-1: ls /dev/i2c-* lists them)`},
		{"a bus by another name", "type: air, bus: i2c-1", "type: air, bus: /dev/i2c-1",
			`13:33: devices[5].bus: "/dev/i2c-1" is not the name of an I2C bus (such as i2c-1: ls /dev/i2c-* lists them)`},
		{"an address twice", `address: "0x21"`, `address: "0x20"`,
			`12:56: devices[4].address: 0x20 on i2c-1 is taken by "exp-1" in line 11 (set another address on one of the two, or take another bus)`},
		{"an address twice, of other types", "type: air, bus: i2c-1", `type: air, bus: i2c-1, address: "0x20"`,
			`13:49: devices[5].address: 0x20 on i2c-1 is taken by "exp-1" in line 11 (set another address on one of the two, or take another bus)`},
		{"an address that it cannot have", `address: "0x21"`, `address: "0x31"`, `12:56: devices[4].address: "0x31" cannot be chosen (did you mean "0x21"?)`},
		{"a bus of what is on lines", "type: beam", "type: beam, bus: i2c-1", `8:37: devices[0].bus: a beam is on lines, not on a bus (take it away)`},
		{"a line of what is on a bus", "type: air, bus", "type: air, line: x, bus", `13:6: devices[5]: a air has no lines (take the line away, and give its bus and address)`},
		{"an interrupt of what does not ask", "type: air, bus: i2c-1", "type: air, bus: i2c-1, interrupt: GPIO5", `13:51: devices[5].interrupt: a air asks by no line (take it away)`},
		{"an interrupt without a line", "hold_on_loss: accepted, interrupt: GPIO4", `hold_on_loss: accepted, interrupt: ""`, `11:82: devices[3].interrupt: is missing (the line that it is wired to, such as GPIO4)`},
		{"an interrupt on a carrier", `address: "0x21", interrupt: GPIO4`, `address: "0x21", interrupt: "exp-1:A3"`,
			`12:75: devices[4].interrupt: exp-1 is a device of its own: whose line asks is not known in time (take a line of this machine)`},
		{"an interrupt that is a beam's line", `address: "0x21", interrupt: GPIO4`, `address: "0x21", interrupt: "pinctrl:GPIO17"`,
			`12:75: devices[4].interrupt: "pinctrl:GPIO17" is taken by devices[0].line in line 8 (one line serves one device)`},
		{"no such pin", "exp-2:B0", "exp-1:B9", `10:61: devices[2].line: "B9" is no pin of exp-1, a expander (its pins are A0 to A2, B0 and B7)`},
		{"a pin twice", "exp-2:B0", "exp-1:A2", `10:61: devices[2].line: "exp-1:A2" is taken by devices[1].lines.closed in line 9 (one line serves one device)`},
		{"a pin that may not be an input", "exp-2:B0", "exp-1:B7", `10:61: devices[2].line: pin B7 of a expander may be an output only (take another pin for the button)`},
		{"a canister where it would stay open", "hold_on_loss: accepted, ", "", `9:84: devices[1].lines.drive: a expander holds its outputs when the daemon is lost, so the shutter would stay open until the daemon is back (put its drive on a line of this machine, or set hold_on_loss: accepted on the expander and say in your procedure who looks after it)`},
		{"on what carries nothing", "exp-2:B0", "air:B0", `10:61: devices[2].line: air is a air, which carries no lines`},
		{"a canister that nothing holds", ", external: pull-up", "", `9:84: devices[1].lines.drive: has no safe state: nothing says what holds "exp-1:A0", which is active-low, while nobody drives it (a resistor of 10 kOhm to 3.3 V, and in driver.lines "exp-1:A0": {active_low: true, external: pull-up})`},
		{"canisters of a position on different things", "  - {name: button-e-stop", "  - {name: canister-1b, type: shutter, position: 1, canister: \"1B\", lines: {drive: \"exp-2:A0\", opened: x, closed: y}}\n  - {name: button-e-stop", `10:69: devices[2].lines: canister-1b is driven by exp-2 and canister-1a by exp-1: how soon something moves at position 1 tells which canister it is (put the drives of all canisters of a position on one carrier, or on lines of the machine)|` +
			`10:84: devices[2].lines.drive: a expander holds its outputs when the daemon is lost, so the shutter would stay open until the daemon is back (put its drive on a line of this machine, or set hold_on_loss: accepted on the expander and say in your procedure who looks after it)|10:84: devices[2].lines.drive: has no safe state: nothing says what holds "exp-2:A0", which is active-high, while nobody drives it (a resistor of 10 kOhm to ground, and in driver.lines "exp-2:A0": {active_low: false, external: pull-down})`},
		{"a bias that the chip does not have", "bias: pull-up", "bias: pull-down", `5:82: driver.lines.exp-1:A1: a expander has no pull-down (exp-1 can have: pull-up, none)`},
		{"wiring of no device", `"exp-1:A1": {`, `"exp-1:A3": {`, `5:82: driver.lines.exp-1:A3: no device is on this line (did you mean "exp-1:A0"?)`},
		{"an unknown key", "bus: i2c-1, hold", "buss: i2c-1, hold", `11:35: devices[3].buss: unknown key (did you mean "bus"?)`},
	} {
		if !strings.Contains(carried, c.old) {
			t.Fatalf("%s: the station has no %q", c.name, c.old)
		}
		_, err := config.Read("station.yaml", []byte(strings.Replace(carried, c.old, c.new, 1)), withCarriers())
		got := "nothing"
		if err != nil {
			got = strings.ReplaceAll(strings.ReplaceAll(err.Error(), "station.yaml:", ""), "\n", "|")
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestWhatACarrierCannotServe: each refusal is of the carrier that has the reason, of the part that it is for, and says what to
// do instead.
func TestWhatACarrierCannotServe(t *testing.T) {
	const hold = "hold_on_loss: accepted"
	for _, c := range []struct {
		polled, holds bool
		given         string // to the carrier
		device, says  string
	}{
		{true, true, "", `{name: x, type: light, line: "c:A0"}`, ""},
		{true, true, "", `{name: x, type: fan, line: "c:B7"}`, ""},
		{true, true, "", `{name: x, type: button, role: alert, line: "c:A0"}`, ""},
		{true, true, "", `{name: x, type: button, role: e-stop, line: "c:A0"}`, "an emergency stop may not wait for the wires of a chip, which can hang (put it on a line of this machine)"},
		{false, true, "", `{name: x, type: button, role: e-stop, line: "c:A0"}`, ""},
		{true, true, "", `{name: x, type: button, role: alert, line: "c:B7"}`, "pin B7 of a chip may be an output only (take another pin for the button)"},
		{true, true, "", `{name: x, type: beam, position: 1, line: "c:A0"}`, "a nose that is gone by then leaves nothing (put it on a line of this machine)"},
		{true, true, hold, `{name: x, type: beam, position: 1, line: "c:A0"}`, "a nose that is gone by then leaves nothing"},
		{false, true, "", `{name: x, type: beam, position: 1, line: "c:A0"}`, ""},
		{true, true, "", `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: "c:A0", opened: a, closed: b}}`, "a chip holds its outputs when the daemon is lost, so the shutter would stay open"},
		{true, true, "hold_on_loss: refused", `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: "c:A0", opened: a, closed: b}}`, "or set " + hold + " on the chip"},
		{true, true, "hold_on_loss: acepted", `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: "c:A0", opened: a, closed: b}}`, `"acepted" cannot be chosen (did you mean "accepted"?)`},
		{true, true, hold, `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: "c:A0", opened: a, closed: b}}`, ""},
		{true, false, "", `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: "c:A0", opened: a, closed: b}}`, ""},
		{true, true, "", `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: d, opened: a, closed: "c:A1"}}`, ""},
		{true, true, hold, `{name: x, type: shutter, position: 1, canister: 1A, lines: {drive: d, opened: a, closed: "c:B7"}}`, "may be an output only"},
		{true, true, "", `{name: x, type: light, line: "c:A9"}`, `"A9" is no pin of c, a chip`},
	} {
		chip := carrying(kind("chip", templates.Expander, "", word(templates.SettingHoldOnLoss, templates.Refused, templates.Refused, templates.Accepted)),
			templates.Carries{Pins: []string{"A0", "A1", "B7"}, OutputsOnly: []string{"B7"}, Polled: c.polled, Holds: c.holds})
		given := strings.TrimSuffix("bus: i2c-1, "+c.given, ", ")
		text := "site: s\nstation: t\ndata: d\nsocket: s\npositions: 1\ndriver: {type: linux, lines: {" +
			strings.Join(drivesOf(c.device), ", ") + "}}\ndevices:\n  - {name: c, type: chip, " + given + "}\n  - " + c.device + "\n"
		_, err := config.Read("f", []byte(text), append(slices.Clone(types), onI2C(chip, "0x20")))
		switch {
		case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n")):
			t.Errorf("polled %v, holds %v, %s: %s: %v, want %q", c.polled, c.holds, c.given, c.device, err, c.says)
		}
	}
}

// drivesOf says how the drive of a canister in the text of a device is held at closed.
func drivesOf(device string) []string {
	for _, line := range []string{"c:A0", "d"} {
		if strings.Contains(device, "drive: "+line+",") || strings.Contains(device, `drive: "`+line+`",`) {
			return []string{`"` + line + `": {external: pull-down}`}
		}
	}
	return nil
}
