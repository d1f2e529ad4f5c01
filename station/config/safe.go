package config

import (
	"fmt"
	"slices"

	"scentpost/station/strict"
	"scentpost/station/templates"
)

// The pulls of a line, as Bias and External name them.
const (
	PullUp   = "pull-up"
	pullDown = "pull-down"
	noBias   = "none" // of a bias alone: something drives the line both ways
)

// externals are the resistors that can hold a line.
var externals = []string{PullUp, pullDown}

// safe checks that every canister's drive rests at closed while nobody drives it: before the daemon starts, and after it
// was lost. at has the path of each device. A drive on a carrier floats as well, whenever that is set up anew.
func (r *reader) safe(at []string) {
	if r.out.Driver.Type != DriverLinux {
		return
	}
	for i, d := range r.out.Devices {
		if d.Type.Class == templates.Canister && d.Values.Choices[templates.SettingOnLoss] == templates.Stays {
			r.warn(at[i]+"."+templates.SettingOnLoss, "say in your procedure who closes it, or take a drive that closes by itself",
				"%s stays open when the daemon is lost, until it is back", d.Name)
		}
		for _, l := range d.Type.Lines {
			line := d.Lines[l.Role]
			if d.Type.Class != templates.Canister || !l.Output || line == "" || r.doc.Misspelt("driver.lines."+line) {
				continue
			}
			r.rests(r.linePath(at[i], l.Role), line, r.out.Driver.Wiring[line])
		}
	}
}

// rests checks that a drive's line is pulled towards its safe level, which is off.
func (r *reader) rests(path, line string, w Wiring) {
	active, towards, resistor := "high", pullDown, "to ground"
	if w.ActiveLow {
		active, towards, resistor = "low", PullUp, "to "+r.supply(line)
	}
	if on, _, carried := r.carrier(line); carried && on.Type.Class == templates.Board {
		w.Bias = "" // a board pulls inputs only
	}
	declare := fmt.Sprintf("a resistor of 10 kOhm %s, and in driver.lines %q: {active_low: %t, external: %s}", resistor, line, w.ActiveLow, towards)
	switch {
	case w.Bias != "" && !slices.Contains(biases, w.Bias), w.External != "" && !slices.Contains(externals, w.External):
		// that is said where it stands
	case w.External != "" && w.External != towards:
		r.doc.Problem(path, "take "+declare, "has no safe state: %s is active-%s, and an external %s opens the canister while nobody drives it",
			strict.Quote(line), active, w.External)
	case (w.Bias == PullUp || w.Bias == pullDown) && w.Bias != towards:
		r.doc.Problem(path, "take bias: "+towards+", or none", "has no safe state: %s is active-%s, and the bias %s opens the canister when the daemon is lost",
			strict.Quote(line), active, w.Bias)
	case w.External == "" && w.Bias != towards:
		r.doc.Problem(path, declare, "has no safe state: nothing says what holds %s, which is active-%s, while nobody drives it", strict.Quote(line), active)
	case w.External == "":
		r.warn(path, declare, "%s is held by a bias alone: from power-on until the daemon's first request it may open the canister", strict.Quote(line))
	}
}

// machineSupply is what a resistor pulls a line of this machine up to.
const machineSupply = "3.3 V"

// supply is what a resistor pulls a line up to.
func (r *reader) supply(line string) string {
	on, _, _ := r.carrier(line)
	if on.Type.Carries != nil {
		return on.Type.Carries.Supply
	}
	return machineSupply
}

// The lights that a trial asks for by their names, with what nobody sees without them.
var trialLights = []struct{ name, without string }{
	{"ready", "nobody at the line sees that a run may start"},
	{"ack", "nobody at the line sees that a call was taken"},
}

// The buttons that a session needs to go on from seal to close without a keyboard, with what is left to a command without
// them.
var trialButtons = []struct{ role, without string }{
	{"start", "a run is started by command"},
	{"alert", "calls are entered by command"},
	{"abort", "a run is aborted by command"},
}

// operated looks whether people at the line can run a session without a keyboard.
func (r *reader) operated() {
	var lights []string
	buttons := map[string]bool{}
	for _, d := range r.out.Devices {
		switch d.Type.Class {
		case templates.Light:
			lights = append(lights, d.Name)
		case templates.Button:
			buttons[d.Values.Choices[templates.SettingRole]] = true
		}
	}
	for _, l := range trialLights {
		hint := "add a light with name: " + l.name
		if near := strict.Nearest(l.name, lights); near != "" && near != l.name {
			hint = fmt.Sprintf("a light is asked for by its name: is %s meant?", near)
		}
		if !slices.Contains(lights, l.name) {
			r.warn("devices", hint, "no light is named %s: %s", l.name, l.without)
		}
	}
	for _, b := range trialButtons {
		if !buttons[b.role] {
			r.warn("devices", "add a button with role: "+b.role, "no button has the role %s: %s only", b.role, b.without)
		}
	}
}
