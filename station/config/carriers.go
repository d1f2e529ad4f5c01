package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"scentpost/station/strict"
)

// Carrier is what a type offers that carries lines for other devices, such as a port expander.
type Carrier struct {
	// Pins are the names of its lines, as they stand behind its own name and a colon: A0 of exp-1:A0.
	Pins []string
	// Biases are those that it can give to a pin; it can always give none.
	Biases []string
	// Supply is what a resistor pulls its pins up to, such as 5 V.
	Supply string
	// NoPins says of names that people look for why they are no pins; "" where there is nothing to say.
	NoPins string
	// Refuse returns why a carrier cannot serve a line of a device with one of its pins, nil when it can. The error says
	// what to do instead.
	Refuse func(on, device Device, line Line, pin string) error
}

// interrupt checks the line that a device on an I2C bus may ask with.
func (r *reader) interrupt(at string, d device, t Type, out *Device, used usage) {
	path := at + ".interrupt"
	switch {
	case !r.doc.Has(path):
		return
	case !t.Interrupt:
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
		t, _ := r.types.find(d.Type)
		if d.Interrupt != "" {
			if on, _, carried := r.carrier(d.Interrupt); carried {
				r.doc.Problem(at[i]+".interrupt", "take a line of this machine", "%s is a device of its own: whose line asks is not known in time", on.Name)
			}
		}
		for _, l := range t.Lines {
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
func (r *reader) pin(path string, d Device, l Line) {
	on, pin, carried := r.carrier(d.Lines[l.Role])
	if !carried {
		return
	}
	of, _ := r.types.find(on.Type)
	if of.Carrier == nil {
		r.doc.Problem(path, "", "%s is a %s, which carries no lines", on.Name, of.Name)
		return
	}
	if !slices.Contains(of.Carrier.Pins, pin) {
		r.doc.Problem(path, of.Carrier.pinsHint(pin), "%s is no pin of %s, a %s", strict.Quote(pin), on.Name, of.Name)
		return
	}
	if err := of.Carrier.Refuse(on, d, l, pin); err != nil {
		r.doc.Problem(path, "", "%s", err)
	}
}

// carriedWiring checks how a line on a carrier is wired: a chip cannot pull as a board does.
func (r *reader) carriedWiring(line string, w Wiring) {
	on, _, carried := r.carrier(line)
	of, _ := r.types.find(on.Type)
	if !carried || of.Carrier == nil || w.Bias == "" || w.Bias == noBias || !slices.Contains(biases, w.Bias) || slices.Contains(of.Carrier.Biases, w.Bias) {
		return
	}
	r.doc.KeyProblem("driver.lines", line, fmt.Sprintf("%s can have: %s", on.Name, strings.Join(append(slices.Clone(of.Carrier.Biases), noBias), ", ")),
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
		if d.Class != Canister {
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
	for _, board := range r.out.Of(Board) {
		var canisters, others []int
		for i, d := range r.out.Devices {
			switch {
			case d.Class == Purge || len(r.rolesOn(board, d)) == 0:
			case d.Class == Canister:
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
	t, _ := r.types.find(d.Type)
	for _, l := range t.Lines {
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
	t, _ := r.types.find(d.Type)
	for _, l := range t.Lines {
		if on, _, carried := r.carrier(d.Lines[l.Role]); l.Output && carried {
			return on.Name
		}
	}
	return "a line of the machine"
}
