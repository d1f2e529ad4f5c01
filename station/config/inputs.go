package config

import (
	"fmt"
	"slices"
	"strings"

	"scentpost/station/strict"
	"scentpost/station/templates"
)

// floats warns of inputs that nothing holds while nothing drives them. Beams and limit switches let go of their lines, and
// so does every contact; what drives its line both ways is said by the bias none.
func (r *reader) floats(at []string) {
	if r.out.Driver.Type != DriverLinux || r.out.Driver.Simulated {
		return
	}
	for i, d := range r.out.Devices {
		for _, l := range d.Type.Lines {
			line := d.Lines[l.Role]
			w := r.out.Driver.Wiring[line]
			if l.Output || line == "" || w.Bias != "" || w.External != "" || r.doc.Misspelt("driver.lines."+line) {
				continue
			}
			what := "it floats when its wire is off"
			if d.Values.Choices[templates.SettingRole] == templates.RoleEmergency {
				what += ", and the emergency stop with it"
			}
			r.warn(r.linePath(at[i], l.Role), fmt.Sprintf("in driver.lines %q: {bias: pull-up}, with active_low: true where active closes it to ground; "+
				"bias: none where its sensor drives it both ways", line), "%s has neither bias nor external: %s", strict.Quote(line), what)
		}
	}
}

// linePath is where the line of a role stands in the device at a path.
func (r *reader) linePath(at, role string) string {
	if r.doc.Has(at + ".line") {
		return at + ".line"
	}
	return at + ".lines." + role
}

// strangers warns of lines that are taken for the machine's own, and look as if a pin of a carrier was meant.
func (r *reader) strangers(at []string) {
	if r.out.Driver.Type != DriverLinux {
		return
	}
	for i, d := range r.out.Devices {
		for _, l := range d.Type.Lines {
			r.stranger(r.linePath(at[i], l.Role), d.Lines[l.Role])
		}
	}
}

// stranger looks at one line.
func (r *reader) stranger(path, line string) {
	name, pin, of := strings.Cut(line, ":")
	if !of {
		name, pin = "", line
	}
	if slices.ContainsFunc(r.file.Devices, func(d device) bool { return d.Name == name && of }) {
		return
	}
	typ := r.pinOf(pin)
	near := strict.Nearest(name, r.offering(pin, true))
	if near == "" {
		near = strict.Nearest(name, r.offering(pin, false))
	}
	if free := r.offering(pin, true); near == "" && len(free) > 0 {
		near = free[0]
	}
	hint := "a pin of a board or an expander is called by the name of its device, a colon and the pin"
	if near != "" {
		hint = fmt.Sprintf("did you mean %q?", near+":"+pin)
	}
	switch {
	case of && (typ != "" || near != ""):
		r.warn(path, hint, "no device is called %s, so this is taken for a chip of the machine", name)
	case !of && typ != "":
		r.warn(path, hint, "%s is a pin of a %s, and this is taken for a line of the machine", pin, typ)
	}
}

// pinOf returns the first type that has a pin of a name, "" when none has.
func (r *reader) pinOf(pin string) string {
	for _, t := range r.types {
		if t.Carries != nil && slices.Contains(t.Carries.Pins, pin) {
			return t.Name
		}
	}
	return ""
}

// offering returns the devices that have a pin of a name; free for those alone on which no device is there.
func (r *reader) offering(pin string, free bool) (names []string) {
	used := r.usedLines()
	for _, d := range r.out.Devices {
		if c := d.Type.Carries; c != nil && slices.Contains(c.Pins, pin) && !(free && slices.Contains(used, d.Name+":"+pin)) {
			names = append(names, d.Name)
		}
	}
	return names
}
