package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"scentpost/configs"
	"scentpost/drivers/beam"
	"scentpost/drivers/bus"
	"scentpost/drivers/button"
	"scentpost/drivers/buzzer"
	"scentpost/drivers/fan"
	"scentpost/drivers/shutter"
	"scentpost/drivers/valve"
	"scentpost/station/catalog"
	"scentpost/station/event"
	"scentpost/station/templates"
)

// given are settings that a type cannot do without.
var given = map[string]map[string]string{"button": {templates.SettingRole: "alert"}, "shutter": {templates.SettingPinch: "guard"},
	"motor-shutter": {templates.SettingPinch: "guard", templates.SettingOnLoss: templates.Stays}}

// find returns a type, and the values of a device of it with the settings that are given and those that must be.
func find(t *testing.T, name string, more map[string]string) (templates.Type, templates.Values) {
	t.Helper()
	typ, ok := catalog.Find(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	texts := map[string]string{}
	for _, settings := range []map[string]string{given[name], more} {
		for key, text := range settings {
			texts[key] = text
		}
	}
	values, problems := typ.Check(texts)
	if problems != nil {
		t.Fatalf("%s with %v: %v", name, texts, problems)
	}
	return typ, values
}

// TestEveryRowHasItsTemplateAndEveryTemplateItsRow: a template alone is a promise, and a row alone cannot be read.
func TestEveryRowHasItsTemplateAndEveryTemplateItsRow(t *testing.T) {
	files, err := configs.Files{}.Names(configs.Devices)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, typ := range catalog.Types() {
		if slices.Contains(names, typ.Name) {
			t.Errorf("%s has two rows", typ.Name)
		}
		names = append(names, typ.Name)
		if found, ok := catalog.Find(typ.Name); !ok || found.Name != typ.Name || found.Part == nil {
			t.Errorf("%s is not found", typ.Name)
		}
		if err := typ.Part.Fits(typ.Template); err != nil {
			t.Errorf("configs/devices/%s.yaml: %v", typ.Name, err)
		}
	}
	for _, name := range files {
		if !slices.Contains(names, name) {
			t.Errorf("configs/devices/%s.yaml: package catalog has no such row: give it one, or take the file away", name)
		}
	}
	if len(names) != len(files) {
		t.Errorf("rows %q, templates %q", names, files)
	}
	if _, ok := catalog.Find("doorbell"); ok {
		t.Error("there is a doorbell")
	}
}

// TestTheTableIsNobodysToChange: whoever gets it gets one of their own.
func TestTheTableIsNobodysToChange(t *testing.T) {
	all := catalog.Types()
	name := all[0].Name
	all[0].Name = "changed"
	if catalog.Types()[0].Name != name {
		t.Error("the table was changed from outside")
	}
}

// TestTheBoundsOfATemplateAreThoseOfItsPart: at either bound of a duration, and at its default, the part is made; a step past
// a bound that the part itself has it is not.
func TestTheBoundsOfATemplateAreThoseOfItsPart(t *testing.T) {
	for _, typ := range catalog.Types() {
		for _, s := range typ.Settings {
			if s.Choices != nil {
				continue
			}
			_, values := find(t, typ.Name, nil)
			for _, d := range []time.Duration{values.Durations[s.Name], s.Min, s.Max} {
				values.Durations[s.Name] = d
				if err := makePart(typ, values); err != nil {
					t.Errorf("%s: %s %s passes the check, and the part says: %v", typ.Name, s.Name, d, err)
				}
			}
			past := typ.Name + " " + s.Name
			for what, d := range map[string]time.Duration{"below": s.Min - 1, "above": s.Max + 1} {
				values.Durations[s.Name] = d
				err := makePart(typ, values)
				if free := slices.Contains(boundedByTemplate[past], what); (err == nil) != free {
					t.Errorf("%s: %s its bounds, at %s: %v; is the bound in the template that of the part?", past, what, d, err)
				}
			}
		}
	}
}

// boundedByTemplate are the bounds that a template alone has, by type and setting: the part does not know them.
var boundedByTemplate = map[string][]string{
	"shutter travel":        {"below"}, // what is shorter than a millisecond is a slip of the pen
	"motor-shutter travel":  {"below"},
	"button stuck":          {"above"},                                       // a minute is more than any hand
	"shutter longest":       {"below", "above"},                              // kept by the station's dead-man
	"motor-shutter longest": {"below", "above"},                              // so is this
	"bme280 interval":       {"below", "above"},                              // kept by the station
	"ds3231 interval":       {"below", "above"},                              // so is this
	"mcp23017 poll":         {"below", "above"}, "nano heartbeat": {"above"}, // what is longer is slow, and harms nobody's chip
}

// TestTheDefaultsOfATemplateAreThoseOfItsPart, where the part documents one.
func TestTheDefaultsOfATemplateAreThoseOfItsPart(t *testing.T) {
	for _, c := range []struct {
		of, setting string
		want        time.Duration
	}{
		{"beam", "settle", beam.Settle}, {"button", "settle", button.Settle}, {"button", "stuck", button.Stuck},
		{"shutter", "settle", shutter.Settle}, {"shutter", "travel", shutter.Travel},
		{"motor-shutter", "settle", shutter.Settle}, {"motor-shutter", "travel", shutter.Travel},
		{"valve", "longest", valve.Longest}, {"fan", "longest", fan.Longest}, {"fan", "rundown", fan.Rundown}, {"buzzer", "longest", buzzer.Longest},
	} {
		if _, values := find(t, c.of, nil); values.Durations[c.setting] != c.want {
			t.Errorf("%s: %s is %s in the template, %s in the part", c.of, c.setting, values.Durations[c.setting], c.want)
		}
	}
}

// makePart makes the part of a device that nothing is wired to.
func makePart(typ templates.Type, v templates.Values) (err error) {
	switch part := typ.Part.(type) {
	case catalog.Sensor:
		_, err = part(v)
	case catalog.Canister:
		if _, err = part.Gate(v); err == nil && part.Drive != nil {
			_, err = part.Drive(map[string]bus.Output{"open": &output{}, "close": &output{}}, v)
		}
	case catalog.Lamp:
		part(&output{})
	case catalog.Burst:
		_, err = part(&output{}, v)
	case catalog.Environment:
		_, err = part(&i2ctest.Playback{DontPanic: true}, v)
	case catalog.Timekeeper:
		_, err = part(&i2ctest.Playback{DontPanic: true}, v)
	case catalog.Carrier:
		err = makeCarrier(part, v)
	default:
		err = fmt.Errorf("a part of %T", part)
	}
	return err
}

// output is a bus.Output that keeps what it was told last.
type output struct {
	level   bool
	longest time.Duration
}

func (o *output) Set(level bool, _ int64, longest time.Duration, done func(int64, error)) {
	o.level, o.longest = level, longest
	if done != nil {
		done(0, nil)
	}
}

// TestABurstIsWhatItsSettingsSay: the part that the table makes has the bounds that the configuration gave.
func TestABurstIsWhatItsSettingsSay(t *testing.T) {
	for _, typ := range catalog.Types() {
		burst, is := typ.Part.(catalog.Burst)
		if !is {
			continue
		}
		_, values := find(t, typ.Name, nil)
		out := &output{}
		part, err := burst(out, values)
		if err != nil {
			t.Errorf("%s: %v", typ.Name, err)
			continue
		}
		if part.Longest() != values.Durations[templates.SettingLongest] || part.Rundown() != values.Durations[templates.SettingRundown] {
			t.Errorf("%s: longest %s, rundown %s", typ.Name, part.Longest(), part.Rundown())
		}
		if err := part.On(0, part.Longest(), nil); err != nil || !out.level || out.longest != part.Longest() {
			t.Errorf("%s: on: %v, %+v", typ.Name, err, out)
		}
		if part.Off(nil); out.level {
			t.Errorf("%s: it does not stop", typ.Name)
		}
	}
}

// TestTheTravelOfAShutterIsItsSetting, and that of its motor.
func TestTheTravelOfAShutterIsItsSetting(t *testing.T) {
	for _, name := range []string{"shutter", "motor-shutter"} {
		typ, values := find(t, name, map[string]string{templates.SettingTravel: "250ms"})
		gate, err := typ.Part.(catalog.Canister).Gate(values)
		if err != nil {
			t.Fatal(err)
		}
		gate.Start(nil, 0, map[string]bool{shutter.Closed: true})
		gate.Command(nil, true, 0)
		gate.Driven(nil, 0)
		if due, waits := gate.Due(); !waits || due != int64(250*time.Millisecond) {
			t.Errorf("%s: a move has failed after %s, %v", name, time.Duration(due), waits)
		}
	}
}

func TestAnEmergencyStopIsToldAtItsFirstEdge(t *testing.T) {
	typ, values := find(t, "button", map[string]string{templates.SettingRole: templates.RoleEmergency})
	part, err := typ.Part.(catalog.Sensor)(values)
	if err != nil {
		t.Fatal(err)
	}
	if facts := part.Edge(nil, true, 5, 0); len(facts) != 1 {
		t.Errorf("an emergency stop gave %v at its first edge", facts)
	}
	if _, emergency := part.(*button.Button); !emergency || templates.RoleEmergency != string(event.ButtonEStop) {
		t.Errorf("%T with the role %s; the record calls it %s", part, templates.RoleEmergency, event.ButtonEStop)
	}
}

// TestTheRolesOfAButtonAreThoseOfTheRecord: each of them, and no other but the one that a station itself gives.
func TestTheRolesOfAButtonAreThoseOfTheRecord(t *testing.T) {
	typ, _ := find(t, "button", nil)
	roles, _ := typ.Setting(templates.SettingRole)
	for _, role := range []event.ButtonRole{event.ButtonAlert, event.ButtonClear, event.ButtonStart, event.ButtonAbort, event.ButtonEStop} {
		if !slices.Contains(roles.Choices, string(role)) {
			t.Errorf("no button can have the role %s", role)
		}
	}
	if len(roles.Choices) != 5 {
		t.Errorf("roles %q", roles.Choices)
	}
}

func TestASensorOfTheAirNeedsAnAddress(t *testing.T) {
	for _, typ := range catalog.Types() {
		environment, is := typ.Part.(catalog.Environment)
		if !is {
			continue
		}
		_, values := find(t, typ.Name, nil)
		part, err := environment(&i2ctest.Playback{DontPanic: true}, values)
		if err != nil || part.Begin() == nil {
			t.Errorf("%s: %v, or it begins with nothing there", typ.Name, err)
		}
		if _, err := environment(nil, templates.Values{}); err == nil || !strings.Contains(err.Error(), "0x76") {
			t.Errorf("%s: without an address: %v", typ.Name, err)
		}
		if _, problems := typ.Check(map[string]string{templates.SettingAddress: "0x28"}); problems[templates.SettingAddress] == nil {
			t.Errorf("%s: an address that the chip cannot have was taken", typ.Name)
		}
	}
}

func TestAClockIsFoundWhenItIsLookedAt(t *testing.T) {
	for _, typ := range catalog.Types() {
		timekeeper, is := typ.Part.(catalog.Timekeeper)
		if !is {
			continue
		}
		_, values := find(t, typ.Name, nil)
		part, err := timekeeper(&i2ctest.Playback{DontPanic: true}, values)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Look(0); err == nil {
			t.Errorf("%s: it keeps the time with nothing there", typ.Name)
		}
	}
}

// TestWhatMovesNearANoseSaysItsPinchProtection: no canister has a default for it.
func TestWhatMovesNearANoseSaysItsPinchProtection(t *testing.T) {
	for _, typ := range catalog.Types() {
		if typ.Class != templates.Canister {
			continue
		}
		if _, problems := typ.Check(nil); problems[templates.SettingPinch] == nil {
			t.Errorf("%s: a device that says nothing of it was taken", typ.Name)
		}
	}
}

// TestARowWhoseTemplateDoesNotFit: a contract says what it needs of a template.
func TestARowWhoseTemplateDoesNotFit(t *testing.T) {
	type template = templates.Template
	for _, c := range []struct {
		of, says string
		spoil    func(*template)
	}{
		{"beam", "tells content: what it gives would be public", func(m *template) { m.Tells = templates.Content }},
		{"button", "tells placement: what it gives would be public", func(m *template) { m.Tells = templates.Placement }},
		{"beam", "one line with the role line is expected, output: false", func(m *template) { m.Lines[0].Output = true }},
		{"beam", "one line with the role line", func(m *template) { m.Lines = append(m.Lines, m.Lines[0]) }},
		{"light", "one line with the role line is expected, output: true", func(m *template) { m.Lines[0].Role = "lamp" }},
		{"fan", "a setting longest is expected", func(m *template) { m.Settings = m.Settings[1:] }},
		{"valve", "one line", func(m *template) { m.Lines = nil }},
		{"shutter", "tells nothing: a canister tells placement", func(m *template) { m.Tells = templates.Nothing }},
		{"shutter", "0 outputs", func(m *template) { m.Lines = m.Lines[1:] }},
		{"shutter", "2 outputs", func(m *template) { m.Lines[1].Output = true }},
		{"motor-shutter", "1 outputs", func(m *template) { m.Lines = m.Lines[1:] }},
		{"shutter", "a setting pinch is expected", func(m *template) { m.Settings = m.Settings[:3] }},
		{"bme280", "addresses on an I2C bus are expected", func(m *template) { m.Addresses = nil }},
		{"bme280", "tells content", func(m *template) { m.Tells = templates.Content }},
		{"ds3231", "a setting interval is expected", func(m *template) { m.Settings = m.Settings[:1] }},
		{"ds3231", "addresses on an I2C bus are expected", func(m *template) { m.Addresses = nil }},
		{"nano", "lines that it carries are expected", func(m *template) { m.Carries = nil }},
		{"nano", "addresses on an I2C bus or a serial port", func(m *template) { m.Port = "" }},
		{"mcp23017", "a setting hold_on_loss is expected", func(m *template) { m.Settings = m.Settings[:2] }},
	} {
		typ, _ := catalog.Find(c.of)
		m := typ.Template
		m.Lines, m.Settings = slices.Clone(m.Lines), slices.Clone(m.Settings)
		c.spoil(&m)
		if err := typ.Part.Fits(m); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.of, err, c.says)
		}
	}
}
