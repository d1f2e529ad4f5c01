package config_test

import (
	"slices"
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/templates"
)

// TestACanisterNeedsASafeState walks how a drive can be wired: what holds it at closed while nobody drives it must be
// said, and nothing may pull it the other way.
func TestACanisterNeedsASafeState(t *testing.T) {
	for wiring, want := range map[string]string{
		"{}":                                    "problem: nothing says what holds",
		"{active_low: true}":                    "problem: nothing says what holds",
		"{active_low: false}":                   "problem: nothing says what holds",
		"{bias: none}":                          "problem: nothing says what holds",
		"{external: pull-down}":                 "",
		"{active_low: true, external: pull-up}": "",
		"{active_low: true, external: pull-up, bias: none}":      "",
		"{active_low: true, external: pull-up, bias: pull-up}":   "",
		"{active_low: true, external: pull-down}":                "problem: an external pull-down opens the canister",
		"{external: pull-up}":                                    "problem: an external pull-up opens the canister",
		"{bias: pull-up}":                                        "problem: the bias pull-up opens the canister",
		"{active_low: true, bias: pull-down}":                    "problem: the bias pull-down opens the canister",
		"{active_low: true, external: pull-up, bias: pull-down}": "problem: the bias pull-down opens the canister",
		"{active_low: true, bias: pull-up}":                      "warning: held by a bias alone",
		"{bias: pull-down}":                                      "warning: held by a bias alone",
		"{external: up}":                                         `problem: "up" is no external pull`,
		"{bias: up}":                                             `problem: "up" is no bias`,
	} {
		text, known := onLines("{c1a.drive: " + wiring + "}")
		text = strings.Replace(text, "type: linux", "type: linux, simulated: true", 1)
		c, err := config.Read("station.yaml", []byte(text+operated), known)
		got := ""
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: more than one problem: %v", wiring, err)
		case err != nil:
			got = "problem: " + err.Error()
		case len(c.Warnings) > 0:
			got = "warning: " + c.Warnings[0].Message
		}
		kind, says, _ := strings.Cut(want, ": ")
		if !strings.HasPrefix(got, kind) || !strings.Contains(got, says) || want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", wiring, got, want)
		}
	}
}

// TestADriveOnACarrierIsTheCarriersToRefuse: it has no resistor of the board.
func TestADriveOnACarrierIsTheCarriersToRefuse(t *testing.T) {
	text := strings.Replace(carried, "hold_on_loss: accepted, ", "", 1)
	if _, err := config.Read("station.yaml", []byte(text), withCarriers()); err == nil || strings.Contains(err.Error(), "nothing says what holds") ||
		!strings.Contains(err.Error(), "or set hold_on_loss: accepted") {
		t.Errorf("got %v", err)
	}
}

// TestAMotorNeedsAPullOnEachOfItsLines, and one that stays open without the daemon is warned of.
func TestAMotorNeedsAPullOnEachOfItsLines(t *testing.T) {
	const pulls = "GPIO5: {external: pull-down}, GPIO6: {active_low: true, external: pull-up}"
	for _, c := range []struct{ name, wiring, onLoss, problem, warning string }{
		{"both are held", pulls, "closes", "", ""},
		{"one is not", "GPIO5: {external: pull-down}", "closes", `devices[1].lines.close: has no safe state: nothing says what holds "GPIO6"`, ""},
		{"it stays", pulls, "stays", "", "canister-1a stays open when the daemon is lost, until it is back"},
	} {
		text, known := onLines("{" + c.wiring + "}")
		known = append(slices.Clone(known), kind("motor", templates.Canister, "open> close> opened closed", word(templates.SettingOnLoss, "", "closes", templates.Stays)))
		text = strings.Replace(text, "type: linux", "type: linux, simulated: true", 1)
		text = strings.Replace(text, "type: shutter", "type: motor, on_loss: "+c.onLoss, 1)
		text = strings.Replace(text, "drive: c1a.drive", "open: GPIO5, close: GPIO6", 1)
		text = strings.Replace(text, ", travel: 900ms", "", 1)
		got, err := config.Read("station.yaml", []byte(text+operated), known)
		if (err != nil) != (c.problem != "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.problem)
		}
		warned := ""
		for _, w := range got.Warnings {
			warned += w.Message
		}
		if warned != c.warning {
			t.Errorf("%s: warned %q, want %q", c.name, warned, c.warning)
		}
	}
}
