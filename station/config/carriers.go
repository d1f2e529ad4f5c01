package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"scentpost/station/strict"
	"scentpost/station/templates"
)

// interrupt checks the line that a device on an I2C bus may ask with.
func (r *reader) interrupt(at string, d device, t templates.Type, out *Device, used usage) {
	path := at + ".interrupt"
	switch {
	case !r.doc.Has(path):
		return
	case t.Interrupt == "":
		r.doc.Problem(path, "take it away", "a %s asks by no line", t.Name)
		return
	}
	if !r.given(path, d.Interrupt, "the line that it is wired to, such as GPIO4") {
		return
	}
	if first, taken := used.lines[d.Interrupt]; !taken || !strings.HasSuffix(first, ".interrupt") { // several may share one
		r.line(path, d.Interrupt, used.lines)
	}
	out.Interrupt = d.Interrupt
}

// carried checks the lines that are on carriers, when all devices are known. at has the path of each device.
func (r *reader) carried(at []string) {
	for i, d := range r.out.Devices {
		if d.Interrupt != "" {
			if on, _, carried := r.carrier(d.Interrupt); carried {
				r.doc.Problem(at[i]+".interrupt", "take a line of this machine", "%s is a device of its own: whose line asks is not known in time", on.Name)
			}
		}
		for _, l := range d.Type.Lines {
			r.pin(r.linePath(at[i], l.Role), d, l)
		}
	}
}

// carrier returns the device whose name stands before the colon of a line, and the pin behind it; ok is false when
// there is none.
func (r *reader) carrier(line string) (d Device, pin string, ok bool) {
	name, pin, ok := strings.Cut(line, ":")
	i := slices.IndexFunc(r.out.Devices, func(d Device) bool { return d.Name == name })
	if !ok || i < 0 {
		return Device{}, "", false
	}
	return r.out.Devices[i], pin, true
}

// pin checks one line of a device that is on a carrier.
func (r *reader) pin(path string, d Device, l templates.Line) {
	on, pin, carried := r.carrier(d.Lines[l.Role])
	if !carried {
		return
	}
	of := on.Type
	if of.Carries == nil {
		r.doc.Problem(path, "", "%s is a %s, which carries no lines", on.Name, of.Name)
		return
	}
	if !slices.Contains(of.Carries.Pins, pin) {
		r.doc.Problem(path, pinsHint(*of.Carries, pin), "%s is no pin of %s, a %s", strict.Quote(pin), on.Name, of.Name)
		return
	}
	if hint, problem := refuses(on, d, l, pin); problem != "" {
		r.doc.Problem(path, hint, "%s", problem)
	}
}

// refuses tells why a carrier cannot serve a line of a device with one of its pins, and what to do instead; "" when it can.
//
// A carrier whose outputs keep their level when the daemon is lost may drive a canister only when the configuration accepts
// that: the dead-man of a dead daemon closes nothing. One that is polled misses a nose that is gone before it is read, and an
// emergency stop may not wait for wires that hang.
func refuses(on, d Device, l templates.Line, pin string) (hint, problem string) {
	const here = "put it on a line of this machine"
	of, kind := on.Type.Name, d.Type.Name
	switch c := on.Type.Carries; {
	case !l.Output && slices.Contains(c.OutputsOnly, pin):
		return "take another pin for the " + kind, fmt.Sprintf("pin %s of a %s may be an output only", pin, of)
	case c.Polled && d.Type.Class == templates.Beam:
		return here, fmt.Sprintf("a %s is read now and then, and a nose that is gone by then leaves nothing", of)
	case c.Polled && d.Values.Choices[templates.SettingRole] == templates.RoleEmergency:
		return here, fmt.Sprintf("an emergency stop may not wait for the wires of a %s, which can hang", of)
	case c.Holds && d.Type.Class == templates.Canister && l.Output && on.Values.Choices[templates.SettingHoldOnLoss] == templates.Refused:
		const accepted = templates.SettingHoldOnLoss + ": " + templates.Accepted
		return fmt.Sprintf("put its drive on a line of this machine, or set %s on the %s and say in your procedure who looks after it", accepted, of),
			fmt.Sprintf("a %s holds its outputs when the daemon is lost, so the %s would stay open until the daemon is back", of, kind)
	}
	return "", ""
}

// carriedWiring checks how a line on a carrier is wired: a chip cannot pull as a board does.
func (r *reader) carriedWiring(line string, w Wiring) {
	on, _, carried := r.carrier(line)
	of := on.Type
	if !carried || of.Carries == nil || w.Bias == "" || w.Bias == noBias || !slices.Contains(biases, w.Bias) || slices.Contains(of.Carries.Biases, w.Bias) {
		return
	}
	r.doc.KeyProblem("driver.lines", line, fmt.Sprintf("%s can have: %s", on.Name, strings.Join(append(slices.Clone(of.Carries.Biases), noBias), ", ")),
		"a %s has no %s", of.Name, w.Bias)
}

// usedLines are all lines that devices are on, in order, whatever is wrong with the devices.
func (r *reader) usedLines() []string {
	var used []string
	for _, d := range r.file.Devices {
		used = slices.AppendSeq(used, maps.Values(d.Lines))
		if d.Line != "" {
			used = append(used, d.Line)
		}
		if d.Interrupt != "" {
			used = append(used, d.Interrupt)
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// alike checks that the canisters of one position are driven by one thing: a line of the machine moves at once and a pin of
// a carrier when its wires come to it, so that how soon something moves would tell which canister it was. at has the path
// of each device.
func (r *reader) alike(at []string) {
	first := map[int]int{} // by position: the first canister there
	for i, d := range r.out.Devices {
		if d.Type.Class != templates.Canister {
			continue
		}
		before, others := first[d.Position]
		if !others {
			first[d.Position] = i
			continue
		}
		if other := r.out.Devices[before]; r.drivenBy(other) != r.drivenBy(d) {
			r.doc.Problem(at[i]+".lines", "put the drives of all canisters of a position on one carrier, or on lines of the machine",
				"%s is driven by %s and %s by %s: how soon something moves at position %d tells which canister it is",
				d.Name, r.drivenBy(d), other.Name, r.drivenBy(other), d.Position)
		}
	}
}

// apart checks that a board with a canister carries besides canisters only what purges, which works while they rest. What
// passes on its wire as a canister arrives holds up whatever else passes there, and moves what is known of its clock: the
// instants of noses, hands and lights there would tell when that was. at has the path of each device.
func (r *reader) apart(at []string) {
	for _, board := range r.out.Of(templates.Board) {
		var canisters, others []int
		for i, d := range r.out.Devices {
			switch {
			case d.Type.Class == templates.Purge || len(r.rolesOn(board, d)) == 0:
			case d.Type.Class == templates.Canister:
				canisters = append(canisters, i)
			default:
				others = append(others, i)
			}
		}
		if len(canisters) > 0 && len(others) > 0 {
			r.mixed(board, canisters, others, at)
		}
	}
}

// mixed says what is to leave a board with canisters and others: the lines of canisters that are driven from elsewhere,
// else whichever are fewer.
func (r *reader) mixed(board Device, canisters, others []int, at []string) {
	const as = "%s carries %s too: what passes on its wire as %s moves shifts their instants, which tells what moved"
	what := r.namesOf(others)
	var rest []int
	for _, i := range canisters {
		d := r.out.Devices[i]
		if from := r.drivenBy(d); from != board.Name {
			r.doc.Problem(r.linePath(at[i], r.rolesOn(board, d)[0]), "put it where its drive is, on "+from, as, board.Name, what, d.Name)
			continue
		}
		rest = append(rest, i)
	}
	if len(rest) < len(others) {
		for _, i := range rest {
			d := r.out.Devices[i]
			r.doc.Problem(r.linePath(at[i], r.rolesOn(board, d)[0]), "put all its lines on another board, or on lines of the machine",
				as, board.Name, what, d.Name)
		}
		return
	}
	for _, i := range others {
		r.doc.Problem(at[i], "put it on another board, or on a line of the machine",
			"%s carries %s too: what passes on its wire as that moves shifts the instants of %s, which tells what moved",
			board.Name, r.out.Devices[rest[0]].Name, r.out.Devices[i].Name)
	}
}

// rolesOn returns the roles of a device's lines that are on a carrier, in the order of its type.
func (r *reader) rolesOn(board, d Device) (roles []string) {
	for _, l := range d.Type.Lines {
		if on, _, carried := r.carrier(d.Lines[l.Role]); carried && on.Name == board.Name {
			roles = append(roles, l.Role)
		}
	}
	return roles
}

// namesOf names devices by their numbers, the first of many.
func (r *reader) namesOf(devices []int) string {
	const enough = 2 // names that show what is meant
	var names []string
	for _, i := range devices {
		names = append(names, r.out.Devices[i].Name)
	}
	if len(names) > enough+1 {
		names = append(names[:enough], fmt.Sprintf("%d more", len(names)-enough))
	}
	return strict.Listed(names)
}

// drivenBy is what drives a canister.
func (r *reader) drivenBy(d Device) string {
	for _, l := range d.Type.Lines {
		if on, _, carried := r.carrier(d.Lines[l.Role]); l.Output && carried {
			return on.Name
		}
	}
	return "a line of the machine"
}
