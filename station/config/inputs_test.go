package config_test

import (
	"strings"
	"testing"

	"scentpost/station/config"
)

// warnings returns what a station is warned of, one a line, without the place.
func warnings(t *testing.T, text string) string {
	t.Helper()
	c, err := config.Read("station.yaml", []byte(text), withBoards())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, w := range c.Warnings {
		out = append(out, w.Field+": "+w.Message+" ("+w.Hint+")")
	}
	return strings.Join(out, "\n")
}

// wired is boarded as a station of real boards, each of whose inputs is held.
func wired() string {
	held := `"nano-1:D4": {active_low: true, external: pull-up}, "nano-2:D2": {bias: pull-up}, "nano-1:D6": {bias: none}, ` +
		`"nano-2:D3": {bias: pull-up}, button.alert: {external: pull-up}, button.start: {bias: pull-up}, button.abort: {bias: pull-up}, `
	text := strings.Replace(boarded, `"nano-1:D4": {active_low: true, external: pull-up}, `, held, 1)
	text = strings.Replace(text, "port: boards/nano-1", "port: /dev/serial/by-path/one", 1)
	return strings.Replace(text, ", simulated: true", "", 1) + operated + "  - {name: ready, type: light, line: light.ready}\n"
}

// TestAnInputThatNothingHoldsIsWarnedOf: by a bias, by a resistor, or by what drives it both ways.
func TestAnInputThatNothingHoldsIsWarnedOf(t *testing.T) {
	if got := warnings(t, wired()); got != "" {
		t.Fatalf("every input is held, and it says %s", got)
	}
	for _, c := range []struct{ old, path, want string }{
		{`"nano-2:D2": {bias: pull-up}, `, "devices[0].line", `"nano-2:D2" has neither bias nor external: it floats when its wire is off (in driver.lines "nano-2:D2": {bias: pull-up},`},
		{`"nano-1:D6": {bias: none}, `, "devices[1].lines.closed", `"nano-1:D6" has neither bias nor external: it floats when its wire is off (`},
		{`"nano-2:D3": {bias: pull-up}, `, "devices[2].line", `"nano-2:D3" has neither bias nor external: it floats when its wire is off, and the emergency stop with it (`},
		{`button.alert: {external: pull-up}, `, "devices[5].line", `"button.alert" has neither bias nor external: it floats when its wire is off (`},
	} {
		text := strings.Replace(wired(), c.old, "", 1)
		if got := warnings(t, text); !strings.HasPrefix(got, c.path+": "+c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: got %s", c.path, got)
		}
		if got := warnings(t, strings.Replace(text, "type: linux", "type: linux, simulated: true", 1)); got != "" {
			t.Errorf("%s: what is played floats: %s", c.path, got)
		}
	}
}

// TestALineThatIsNearlyAPinIsWarnedOf: it is taken for a chip or a line of the machine.
func TestALineThatIsNearlyAPinIsWarnedOf(t *testing.T) {
	for line, want := range map[string]string{
		"nano-3:D2":         `no device is called nano-3, so this is taken for a chip of the machine (did you mean "nano-1:D2"?)`,
		"nano-3:D4":         `no device is called nano-3, so this is taken for a chip of the machine (did you mean "nano-2:D4"?)`,
		"left:D5":           `no device is called left, so this is taken for a chip of the machine (did you mean "nano-2:D5"?)`,
		"D6":                `D6 is a pin of a nano, and this is taken for a line of the machine (did you mean "nano-2:D6"?)`,
		"A1":                `A1 is a pin of a expander, and this is taken for a line of the machine (a pin of a board or an expander is called by the name of its device, a colon and the pin)`,
		"GPIO17":            "",
		"pinctrl-rp1:GPIO5": "",
	} {
		text := strings.Replace(wired(), "line: light.ready", `line: "`+line+`"`, 1)
		if want != "" {
			want = "devices[9].line: " + want
		}
		if got := warnings(t, text); got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
}

// TestAPortThatIsNoneIsWarnedOf: what a rig plays may be anywhere.
func TestAPortThatIsNoneIsWarnedOf(t *testing.T) {
	for port, want := range map[string]string{
		"/dev/null": "is none of the names that a serial port has", "COM3": "is none of the names that a serial port has",
		"/dev/ttyACM0": "is another board's name", "/dev/ttyAMA0": "", "/dev/serial0": "", "/dev/serial/by-path/x": "",
	} {
		text := strings.Replace(wired(), "/dev/serial/by-path/one", port, 1)
		if got := warnings(t, text); want == "" && got != "" || !strings.Contains(got, want) || want != "" && !strings.Contains(got, "by-path") {
			t.Errorf("%s: %s", port, got)
		}
	}
}
