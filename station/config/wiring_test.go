package config_test

import (
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/templates"
)

// onLines returns a good station on the lines of this machine, with a wiring.
func onLines(wiring string) (string, []templates.Type) {
	return strings.Replace(good, "{type: virtual, socket: station.sock}", "{type: linux, lines: "+wiring+"}", 1), types
}

func TestLinesOfThisMachineHaveTheirWiring(t *testing.T) {
	text, known := onLines("{c1a.drive: {active_low: true, external: pull-up}, beam1: {bias: pull-up}}")
	c, err := config.Read("station.yaml", []byte(text), known)
	if err != nil {
		t.Fatal(err)
	}
	if c.Simulated() || !c.Driver.Wiring["c1a.drive"].ActiveLow || c.Driver.Wiring["c1a.drive"].External != "pull-up" || c.Driver.Wiring["beam1"].Bias != "pull-up" {
		t.Errorf("%+v, simulated %t", c.Driver, c.Simulated())
	}
	for name, x := range map[string]struct{ wiring, says string }{
		"a line of no device": {"{baem1: {bias: pull-up}}", `5:31: driver.lines.baem1: no device is on this line (did you mean "beam1"?)`},
		"no bias":             {"{beam1: {bias: pullup}}", `5:31: driver.lines.beam1: "pullup" is no bias (did you mean "pull-up"?)`},
		"an unknown key":      {"{beam1: {active: low}}", "unknown key"},
	} {
		text, known := onLines(x.wiring)
		if _, err := config.Read("station.yaml", []byte(text), known); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: got %v, want %s", name, err, x.says)
		}
	}
	text = strings.Replace(good, "station.sock}", "station.sock, lines: {beam1: {bias: none}}}", 1)
	if _, err := config.Read("station.yaml", []byte(text), known); err == nil || !strings.Contains(err.Error(), "only the driver linux has wired lines") {
		t.Errorf("a wiring of a virtual station: %v", err)
	}
}
