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
	"scentpost/station/templates"
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
	used := usage{names: map[string]int{}, lines: map[string]string{}, chips: map[chip]int{}, ports: map[string]int{}, ids: map[string]int{}, canisters: map[string]int{}, alone: map[place]int{}}
	var paths, names []string
	for _, t := range r.types {
		names = append(names, t.Name)
	}
	for i, d := range r.file.Devices {
		at := fmt.Sprintf("devices[%d]", i)
		if r.given(at+".name", d.Name, "such as beam-1") {
			if !nameForm.MatchString(d.Name) {
				r.doc.Problem(at+".name", deviceHint, "%s is not a name", strict.Quote(d.Name))
			}
			r.once(used.names, d.Name, i, at+".name", "devices")
		}
		if !r.given(at+".type", d.Type, strict.DidYouMean("", names)) {
			continue
		}
		known := slices.IndexFunc(r.types, func(t templates.Type) bool { return t.Name == d.Type })
		if known < 0 {
			r.doc.Problem(at+".type", strict.DidYouMean(d.Type, names), "%s is no type of device", strict.Quote(d.Type))
			continue
		}
		t := r.types[known]
		out := Device{Name: d.Name, Type: t, Position: d.Position, Canister: d.Canister}
		out.Lines = r.lines(at, d, t, used.lines)
		out.Values = r.settings(at, d, t)
		out.Bus, out.Address = d.Bus, out.Values.Choices[templates.SettingAddress]
		r.chip(at, i, out, t, used)
		r.port(at, i, t, &out, used)
		r.interrupt(at, d, t, &out, used)
		r.where(at, i, out, used)
		if t.Class == templates.Canister {
			r.gateTimes(at, out)
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

// usage is what the devices so far have taken: by name, line, canister id and position.
type usage struct {
	names     map[string]int
	lines     map[string]string // line -> path of its first use
	chips     map[chip]int
	ports     map[string]int
	ids       map[string]int
	canisters map[string]int
	alone     map[place]int
}

// place is a position for the one device of a class that it can have.
type place struct {
	class    templates.Class
	position int
}

// chip is where a device on an I2C bus answers.
type chip struct{ bus, address string }

const deviceHint = "small letters, digits and hyphens, at most 64, such as beam-1"

const busHint = "such as i2c-1: ls /dev/i2c-* lists them"

// chip checks that a device on an I2C bus names the bus, and that nothing else answers at its address there.
func (r *reader) chip(at string, i int, d Device, t templates.Type, used usage) {
	path := at + ".bus"
	switch {
	case !t.OnI2C() && r.doc.Has(path):
		r.doc.Problem(path, "take it away", "a %s is on lines, not on a bus", t.Name)
		return
	case !t.OnI2C() || !r.given(path, d.Bus, busHint):
		return
	case !busForm.MatchString(d.Bus):
		r.doc.Problem(path, busHint, "%s is not the name of an I2C bus", strict.Quote(d.Bus))
		return
	}
	if path = at + "." + templates.SettingAddress; !r.doc.Has(path) {
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
func (r *reader) lines(at string, d device, t templates.Type, used map[string]string) map[string]string {
	given := map[string]string{}
	sole := len(t.Lines) == 1
	switch {
	case len(t.Lines) == 0 && (d.Line != "" || d.Lines != nil):
		by := "bus and address"
		if t.Port != "" {
			by = "port and id"
		}
		r.doc.Problem(at, "take the line away, and give its "+by, "a %s has no lines", t.Name)
		return nil
	case d.Line != "" && d.Lines != nil:
		r.doc.Problem(at+".line", "take one of them away", "line and lines are both given")
	case d.Line != "" && !sole:
		r.doc.Problem(at+".line", "write lines: {...}, each by its role", "a %s has several lines: %s", t.Name, strings.Join(lineRoles(t), ", "))
		return nil
	case d.Line != "":
		given[t.Lines[0].Role] = d.Line
	}
	for _, role := range slices.Sorted(maps.Keys(d.Lines)) {
		if _, known := t.Line(role); !known {
			r.doc.UnknownKey(at+".lines", role, lineRoles(t))
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

// lineRoles returns the roles of a type's lines.
func lineRoles(t templates.Type) (names []string) {
	for _, l := range t.Lines {
		names = append(names, l.Role)
	}
	return names
}

// settings checks the settings of a device against those of its type, and returns their values.
func (r *reader) settings(at string, d device, t templates.Type) templates.Values {
	texts, known := map[string]string{}, []string{"name", "type", "position", "canister", "line", "lines", "bus", "interrupt", "port", "id"}
	for _, s := range t.Settings {
		known = append(known, s.Name)
	}
	wrong := map[string]bool{} // of another kind than its setting, which is told
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		s, ok := t.Setting(name)
		if !ok {
			r.doc.UnknownKey(at, name, known)
			continue
		}
		texts[name], ok = r.text(at+"."+name, d.Settings[name], s)
		wrong[name] = !ok
	}
	values, problems := t.Check(texts)
	for _, s := range t.Settings {
		err, path := problems[s.Name], at+"."+s.Name
		node, said := d.Settings[s.Name]
		switch {
		case err == nil || wrong[s.Name]:
		case !said:
			r.doc.Missing(path, strict.DidYouMean("", s.Choices), "is missing: a %s must say it", t.Name)
		default:
			r.doc.Problem(path, settingHint(s, node), "%s", err)
		}
	}
	return values
}

// text returns the text of a setting; ok is false when it is of another kind, which is told. A number among words is taken as
// it is written: some words are numbers.
func (r *reader) text(path string, n strict.Node, s templates.Setting) (text string, ok bool) {
	word, number := n.Kind == strict.Text, n.Kind == strict.Int || n.Kind == strict.Float
	if s.Choices != nil {
		if word || number {
			return n.Text, true
		}
		r.doc.DecodeNode(path, &n, &text)
		return "", false
	}
	if _, err := time.ParseDuration(n.Text); err == nil && word {
		return n.Text, true
	}
	var length time.Duration
	r.doc.DecodeNode(path, &n, &length)
	return "", false
}

// settingHint says which word was meant. Another number is not a slip of the finger.
func settingHint(s templates.Setting, n strict.Node) string {
	switch {
	case s.Choices == nil:
		return ""
	case n.Kind == strict.Int:
		return strict.DidYouMean("", s.Choices)
	}
	return strict.DidYouMean(n.Text, s.Choices)
}

// where checks a device's position and canister by its class.
func (r *reader) where(at string, i int, d Device, used usage) {
	path, class := at+".position", d.Type.Class
	switch {
	case class.Stands == templates.Nowhere && r.doc.Has(path):
		r.doc.Problem(path, "take it away", "a %s has no position", d.Type.Name)
	case class.Stands == templates.AtPosition && !r.doc.Has(path):
		r.doc.Missing(path, fmt.Sprintf("a number from 1 to %d", max(1, r.out.Positions)), "is missing: a %s stands at a position", d.Type.Name)
	case r.doc.Kind(path) == strict.Int && r.out.Positions > 0 && (d.Position < 1 || d.Position > r.out.Positions):
		r.doc.Problem(path, "", "a position from 1 to %d is expected", r.out.Positions)
	case class.Alone && d.Position > 0:
		r.alone(path, i, d, used)
	}
	if class != templates.Canister {
		if d.Canister != "" {
			r.doc.Problem(at+".canister", "take it away", "a %s is no canister", d.Type.Name)
		}
		return
	}
	r.canister(at, i, d, used)
}

// alone checks that a position has one device of a class.
func (r *reader) alone(path string, i int, d Device, used usage) {
	at := place{d.Type.Class, d.Position}
	if first, twice := used.alone[at]; twice {
		line, _ := r.doc.Place(fmt.Sprintf("devices[%d]", first))
		r.doc.Problem(path, "", "position %d has a %s already, in line %d", d.Position, d.Type.Class.Name, line)
		return
	}
	used.alone[at] = i
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
		switch d.Type.Class {
		case templates.Canister:
			canisters[d.Position]++
		case templates.Beam:
			beams[d.Position] = true
		case templates.Button:
			stop = stop || d.Values.Choices[templates.SettingRole] == templates.RoleEmergency
		}
	}
	if len(canisters) > 0 && !stop {
		r.warn("devices", "add a button with role: "+templates.RoleEmergency, "no emergency stop: nobody at the station can close every canister at once")
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
