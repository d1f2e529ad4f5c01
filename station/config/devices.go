package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"scentpost/station/strict"
)

var (
	canisterForm = regexp.MustCompile(`^([1-9][0-9]?)([A-Z])$`)
	lineForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$`)
	busForm      = regexp.MustCompile(`^i2c-(0|[1-9][0-9]{0,2})$`)
)

// devices checks the devices, each by itself and against those before it.
func (r *reader) devices() {
	if len(r.file.Devices) > maxDevices {
		r.doc.Problem("devices", "", "%d devices, and %d are the most", len(r.file.Devices), maxDevices)
		return
	}
	used := usage{names: map[string]int{}, lines: map[string]string{}, chips: map[chip]int{}, ports: map[string]int{}, ids: map[string]int{}, canisters: map[string]int{}, beams: map[int]int{}}
	var paths []string
	for i, d := range r.file.Devices {
		at := fmt.Sprintf("devices[%d]", i)
		if r.given(at+".name", d.Name, "such as beam-1") {
			if !nameForm.MatchString(d.Name) {
				r.doc.Problem(at+".name", deviceHint, "%s is not a name", strict.Quote(d.Name))
			}
			r.once(used.names, d.Name, i, at+".name", "devices")
		}
		if !r.given(at+".type", d.Type, strict.DidYouMean("", r.types.names())) {
			continue
		}
		t, ok := r.types.find(d.Type)
		if !ok {
			r.doc.Problem(at+".type", strict.DidYouMean(d.Type, r.types.names()), "%s is no type of device", strict.Quote(d.Type))
			continue
		}
		out := Device{Name: d.Name, Type: d.Type, Class: t.Class, Position: d.Position, Canister: d.Canister}
		out.Lines = r.lines(at, d, t, used.lines)
		out.Settings = r.settings(at, d, t)
		out.Bus, out.Address = d.Bus, t.value(out, SettingAddress)
		r.chip(at, i, out, t, used)
		r.port(at, i, t, &out, used)
		r.interrupt(at, d, t, &out, used)
		r.where(at, i, out, used)
		if t.Class == Canister {
			r.gateTimes(at, out, t)
		}
		r.out.Devices, paths = append(r.out.Devices, out), append(paths, at)
	}
	r.carried(paths)
	r.safe(paths)
	r.alike(paths)
	r.apart(paths)
	r.floats(paths)
	r.strangers(paths)
}

// usage is what the devices so far have taken: by name, line, canister id and position of a beam.
type usage struct {
	names     map[string]int
	lines     map[string]string // line -> path of its first use
	chips     map[chip]int
	ports     map[string]int
	ids       map[string]int
	canisters map[string]int
	beams     map[int]int
}

// chip is where a device on an I2C bus answers.
type chip struct{ bus, address string }

const deviceHint = "small letters, digits and hyphens, at most 64, such as beam-1"

const busHint = "such as i2c-1: ls /dev/i2c-* lists them"

// chip checks that a device on an I2C bus names the bus, and that nothing else answers at its address there.
func (r *reader) chip(at string, i int, d Device, t Type, used usage) {
	path := at + ".bus"
	switch {
	case !t.OnI2C && r.doc.Has(path):
		r.doc.Problem(path, "take it away", "a %s is on lines, not on a bus", t.Name)
		return
	case !t.OnI2C || !r.given(path, d.Bus, busHint):
		return
	case !busForm.MatchString(d.Bus):
		r.doc.Problem(path, busHint, "%s is not the name of an I2C bus", strict.Quote(d.Bus))
		return
	}
	if path = at + "." + SettingAddress; !r.doc.Has(path) {
		path = at
	}
	where := chip{d.Bus, d.Address}
	if first, twice := used.chips[where]; twice {
		line, _ := r.doc.Place(fmt.Sprintf("devices[%d]", first))
		r.doc.Problem(path, "set another address on one of the two, or take another bus", "%s on %s is taken by %s in line %d",
			d.Address, d.Bus, strict.Quote(r.file.Devices[first].Name), line)
		return
	}
	used.chips[where] = i
}

// lines checks that a device has each line that its type needs, and none that another device has.
func (r *reader) lines(at string, d device, t Type, used map[string]string) map[string]string {
	given := map[string]string{}
	sole := len(t.Lines) == 1
	switch {
	case len(t.Lines) == 0 && (d.Line != "" || d.Lines != nil):
		by := "bus and address"
		if t.Port {
			by = "port and id"
		}
		r.doc.Problem(at, "take the line away, and give its "+by, "a %s has no lines", t.Name)
		return nil
	case d.Line != "" && d.Lines != nil:
		r.doc.Problem(at+".line", "take one of them away", "line and lines are both given")
	case d.Line != "" && !sole:
		r.doc.Problem(at+".line", "write lines: {...}, each by its role", "a %s has several lines: %s", t.Name, strings.Join(t.roles(), ", "))
		return nil
	case d.Line != "":
		given[t.Lines[0].Role] = d.Line
	}
	for _, role := range slices.Sorted(maps.Keys(d.Lines)) {
		if !slices.Contains(t.roles(), role) {
			r.doc.UnknownKey(at+".lines", role, t.roles())
			continue
		}
		given[role] = d.Lines[role]
	}
	for _, l := range t.Lines {
		path := at + ".lines." + l.Role
		if sole && d.Lines == nil {
			path = at + ".line"
		}
		if r.given(path, given[l.Role], "the name of the line, "+r.lineExample()) {
			r.line(path, given[l.Role], used)
		}
	}
	return given
}

// lineExample says how a line may be called.
func (r *reader) lineExample() string {
	if r.out.Driver.Type == DriverVirtual {
		return "such as c1a.drive"
	}
	return "such as GPIO17, or exp-1:A0 for a pin of the device exp-1"
}

// line checks the name of one line and that it is free.
func (r *reader) line(path, name string, used map[string]string) {
	if !lineForm.MatchString(name) {
		r.doc.Problem(path, "letters, digits and . _ : / -, at most 64, "+r.lineExample(), "%s is not the name of a line", strict.Quote(name))
		return
	}
	if first, twice := used[name]; twice {
		line, _ := r.doc.Place(first)
		r.doc.Problem(path, "one line serves one device", "%s is taken by %s in line %d", strict.Quote(name), first, line)
		return
	}
	used[name] = path
}

// settings checks the settings of a device against those of its type.
func (r *reader) settings(at string, d device, t Type) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		path := at + "." + name
		i := slices.IndexFunc(t.Settings, func(s Setting) bool { return s.Name == name })
		if i < 0 {
			r.doc.UnknownKey(at, name, slices.Concat(t.settingNames(), []string{"name", "type", "position", "canister", "line", "lines", "bus", "interrupt", "port", "id"}))
			continue
		}
		if text, ok := r.setting(path, d.Settings[name], t.Settings[i]); ok {
			out[name] = text
		}
	}
	for _, s := range t.Settings {
		if _, said := d.Settings[s.Name]; !said && s.Default == "" {
			r.doc.Missing(at+"."+s.Name, strict.DidYouMean("", s.Choices), "is missing: a %s must say it", t.Name)
		}
	}
	return out
}

// setting checks one setting and returns its text.
func (r *reader) setting(path string, n strict.Node, s Setting) (string, bool) {
	if s.Choices != nil {
		return r.choice(path, n, s)
	}
	length := time.Duration(-1)
	r.doc.DecodeNode(path, &n, &length)
	if n.Kind == strict.Text && length != -1 && (length < s.Min || length > s.Max) {
		r.doc.Problem(path, "", "%s is out of range: from %s to %s", length, s.Min, s.Max)
	}
	return n.Text, n.Kind == strict.Text
}

// choice checks a setting that is one of some words. A number is taken as it is written: some words are numbers.
func (r *reader) choice(path string, n strict.Node, s Setting) (string, bool) {
	word := n.Text
	if n.Kind != strict.Int && n.Kind != strict.Float {
		r.doc.DecodeNode(path, &n, &word)
	}
	if word != "" && !slices.Contains(s.Choices, word) {
		hint := strict.DidYouMean(word, s.Choices)
		if n.Kind == strict.Int { // another number is not a slip of the finger
			hint = strict.DidYouMean("", s.Choices)
		}
		r.doc.Problem(path, hint, "%s cannot be chosen", strict.Quote(word))
	}
	return word, word != ""
}

// where checks a device's position and canister by its class. What purges may serve one position, or all.
func (r *reader) where(at string, i int, d Device, used usage) {
	placed, may := d.Class == Beam || d.Class == Canister, d.Class == Purge
	switch {
	case !placed && !may && r.doc.Has(at+".position"):
		r.doc.Problem(at+".position", "take it away", "a %s has no position", d.Type)
	case placed && !r.doc.Has(at+".position"):
		r.doc.Missing(at+".position", fmt.Sprintf("a number from 1 to %d", max(1, r.out.Positions)), "is missing: a %s stands at a position", d.Type)
	case r.doc.Kind(at+".position") == strict.Int && r.out.Positions > 0 && (d.Position < 1 || d.Position > r.out.Positions):
		r.doc.Problem(at+".position", "", "a position from 1 to %d is expected", r.out.Positions)
	case d.Class == Beam && d.Position > 0:
		r.beam(at, i, d, used)
	}
	if d.Class != Canister {
		if d.Canister != "" {
			r.doc.Problem(at+".canister", "take it away", "a %s is no canister", d.Type)
		}
		return
	}
	r.canister(at, i, d, used)
}

func (r *reader) beam(at string, i int, d Device, used usage) {
	if first, twice := used.beams[d.Position]; twice {
		line, _ := r.doc.Place(fmt.Sprintf("devices[%d]", first))
		r.doc.Problem(at+".position", "", "position %d has a beam already, in line %d", d.Position, line)
		return
	}
	used.beams[d.Position] = i
}

func (r *reader) canister(at string, i int, d Device, used usage) {
	path := at + ".canister"
	if !r.given(path, d.Canister, "its position and a letter, such as 1A") {
		return
	}
	m := canisterForm.FindStringSubmatch(d.Canister)
	switch {
	case m == nil:
		r.doc.Problem(path, "its position and a letter, such as 1A", "%s is not the id of a canister", strict.Quote(d.Canister))
	case d.Position > 0 && m[1] != strconv.Itoa(d.Position):
		r.doc.Problem(path, fmt.Sprintf("such as %d%s", d.Position, m[2]), "%s does not stand at position %d", d.Canister, d.Position)
	}
	r.once(used.canisters, d.Canister, i, path, "devices")
}

// together looks at the station as a whole for what is allowed but seldom meant.
func (r *reader) together() {
	canisters, beams, stop := map[int]int{}, map[int]bool{}, false
	for _, d := range r.out.Devices {
		switch d.Class {
		case Canister:
			canisters[d.Position]++
		case Beam:
			beams[d.Position] = true
		case Button:
			stop = stop || d.Settings[SettingRole] == roleEStop
		}
	}
	if len(canisters) > 0 && !stop {
		r.warn("devices", "add a button with role: "+roleEStop, "no emergency stop: nobody at the station can close every canister at once")
	}
	if len(canisters) > 0 {
		r.operated()
	}
	for p := 1; p <= min(r.out.Positions, maxPositions); p++ {
		if len(canisters) > 0 && canisters[p] == 0 {
			r.warn("devices", "", "position %d has no canister", p)
		}
		if !beams[p] {
			r.warn("devices", "", "position %d has no beam: whether the dog sampled it will be unknown", p)
		}
	}
}
