package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"scentpost/station/config"
)

// withCarriers are types with a port expander and a sensor of the air.
func withCarriers() config.Types {
	known := types
	known.Drivers = []string{config.DriverVirtual, config.DriverLinux}
	address := func(choices ...string) []config.Setting {
		return []config.Setting{{Name: config.SettingAddress, Choices: choices, Default: choices[0]},
			{Name: "hold", Choices: []string{"refused", "accepted"}, Default: "refused"}}
	}
	known.Devices = append(slices.Clone(types.Devices),
		config.Type{Name: "expander", Class: "expander", OnI2C: true, Interrupt: true, Settings: address("0x20", "0x21"),
			Carrier: &config.Carrier{Pins: []string{"A0", "A1", "A2", "B0", "B7"}, Biases: []string{"pull-up"}, Supply: "3.3 V",
				Refuse: func(on, d config.Device, l config.Line, pin string) error {
					if d.Type == "shutter" && l.Output && on.Settings["hold"] != "accepted" || pin == "B7" && !l.Output {
						return errors.New("it holds (say hold: accepted)")
					}
					return nil
				}}},
		config.Type{Name: "air", Class: "environment", OnI2C: true, Settings: address("0x76", "0x20")})
	return known
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
  - {name: exp-1, type: expander, bus: i2c-1, hold: accepted, interrupt: GPIO4}
  - {name: exp-2, type: expander, bus: i2c-1, address: "0x21", interrupt: GPIO4}
  - {name: air, type: air, bus: i2c-1}
`

func TestDevicesOnCarriers(t *testing.T) {
	played := strings.Replace(carried, "type: linux", "type: linux, simulated: true", 1)
	c, err := config.Read("station.yaml", []byte(played+operated+"  - {name: ready, type: light, line: light.ready}\n"), withCarriers())
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	exp := c.Of("expander")
	if len(exp) != 2 || exp[0].Bus != "i2c-1" || exp[0].Interrupt != "GPIO4" || exp[1].Settings[config.SettingAddress] != "0x21" {
		t.Errorf("%+v", exp)
	}
	if air := c.Of("environment"); len(air) != 1 || air[0].Bus != "i2c-1" || air[0].Interrupt != "" || len(air[0].Lines) > 0 {
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
		{"an interrupt without a line", "hold: accepted, interrupt: GPIO4", `hold: accepted, interrupt: ""`, `11:74: devices[3].interrupt: is missing (the line that it is wired to, such as GPIO4)`},
		{"an interrupt on a carrier", `address: "0x21", interrupt: GPIO4`, `address: "0x21", interrupt: "exp-1:A3"`,
			`12:75: devices[4].interrupt: exp-1 is a device of its own: whose line asks is not known in time (take a line of this machine)`},
		{"an interrupt that is a beam's line", `address: "0x21", interrupt: GPIO4`, `address: "0x21", interrupt: "pinctrl:GPIO17"`,
			`12:75: devices[4].interrupt: "pinctrl:GPIO17" is taken by devices[0].line in line 8 (one line serves one device)`},
		{"no such pin", "exp-2:B0", "exp-1:B9", `10:61: devices[2].line: "B9" is no pin of exp-1, a expander (its pins are A0 to A2, B0 and B7)`},
		{"a pin twice", "exp-2:B0", "exp-1:A2", `10:61: devices[2].line: "exp-1:A2" is taken by devices[1].lines.closed in line 9 (one line serves one device)`},
		{"a pin that may not be an input", "exp-2:B0", "exp-1:B7", `10:61: devices[2].line: it holds (say hold: accepted)`},
		{"a canister where it would stay open", "hold: accepted, ", "", `9:84: devices[1].lines.drive: it holds (say hold: accepted)`},
		{"on what carries nothing", "exp-2:B0", "air:B0", `10:61: devices[2].line: air is a air, which carries no lines`},
		{"a canister that nothing holds", ", external: pull-up", "", `9:84: devices[1].lines.drive: has no safe state: nothing says what holds "exp-1:A0", which is active-low, while nobody drives it (a resistor of 10 kOhm to 3.3 V, and in driver.lines "exp-1:A0": {active_low: true, external: pull-up})`},
		{"canisters of a position on different things", "  - {name: button-e-stop", "  - {name: canister-1b, type: shutter, position: 1, canister: \"1B\", lines: {drive: \"exp-2:A0\", opened: x, closed: y}}\n  - {name: button-e-stop", `10:69: devices[2].lines: canister-1b is driven by exp-2 and canister-1a by exp-1: how soon something moves at position 1 tells which canister it is (put the drives of all canisters of a position on one carrier, or on lines of the machine)|` +
			`10:84: devices[2].lines.drive: it holds (say hold: accepted)|10:84: devices[2].lines.drive: has no safe state: nothing says what holds "exp-2:A0", which is active-high, while nobody drives it (a resistor of 10 kOhm to ground, and in driver.lines "exp-2:A0": {active_low: false, external: pull-down})`},
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
