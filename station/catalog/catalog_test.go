package catalog

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// given are settings that a type cannot do without.
var given = map[string]map[string]string{"button": {SettingRole: "alert"}, "shutter": {SettingPinch: Guard},
	"motor-shutter": {SettingPinch: Guard, SettingOnLoss: Stays}}

func TestEveryTypeIsWhole(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	seen := map[string]bool{}
	for _, typ := range Types() {
		if !word.MatchString(typ.Name) || seen[typ.Name] || typ.About == "" {
			t.Errorf("type %q: a name of its own and a word about it are expected", typ.Name)
		}
		seen[typ.Name] = true
		if found, ok := Find(typ.Name); !ok || found.Name != typ.Name {
			t.Errorf("%s is not found", typ.Name)
		}
		outputs := 0
		for _, l := range typ.Lines {
			if !word.MatchString(l.Role) || l.About == "" {
				t.Errorf("%s: line %+v", typ.Name, l)
			}
			if l.Output {
				outputs++
			}
		}
		for _, s := range typ.Settings {
			if !word.MatchString(s.Name) || s.About == "" || s.Choices == nil && (s.Max <= s.Min || s.Default == "") {
				t.Errorf("%s: setting %+v", typ.Name, s)
			}
		}
		values, problems := typ.Check(given[typ.Name])
		if problems != nil {
			t.Errorf("%s: its own defaults are refused: %v", typ.Name, problems)
		}
		sensor, gate := typ.Class == Beam || typ.Class == Button, typ.Class == Canister
		if (typ.Sensor != nil) != sensor || (typ.Gate != nil) != gate || (typ.Lamp != nil) != (typ.Class == Light) {
			t.Errorf("%s: class %s with sensor %v, gate %v, lamp %v", typ.Name, typ.Class, typ.Sensor != nil, typ.Gate != nil, typ.Lamp != nil)
			continue
		}
		var err error
		switch {
		case sensor:
			_, err = typ.Sensor(values)
		case gate:
			_, err = typ.Gate(values)
		}
		if err != nil {
			t.Errorf("%s from its defaults: %v", typ.Name, err)
		}
		if (typ.Timekeeper != nil) != (typ.Class == Timekeeper) {
			t.Errorf("%s: class %s with timekeeper %v", typ.Name, typ.Class, typ.Timekeeper != nil)
		}
		burst, air := typ.Class == Purge || typ.Class == Sound, typ.Class == Environment
		if (typ.Burst != nil) != burst || (typ.Environment != nil) != air || (typ.OnI2C() || typ.Port) != (typ.Lines == nil) {
			t.Errorf("%s: class %s with burst %v, environment %v, lines %v", typ.Name, typ.Class, typ.Burst != nil, typ.Environment != nil, typ.Lines)
		}
		if (typ.Drive != nil) != (typ.Class == Canister && outputs > 1) {
			t.Errorf("%s: %d outputs, with a drive of its own: %v", typ.Name, outputs, typ.Drive != nil)
		}
		if want := map[Class]int{Canister: max(1, outputs), Light: 1, Purge: 1, Sound: 1}[typ.Class]; outputs != want {
			t.Errorf("%s has %d outputs, want %d", typ.Name, outputs, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		typ      string
		given    map[string]string
		problems map[string]string
	}{
		"no pinch":      {"shutter", nil, map[string]string{"pinch": "one of"}},
		"role missing":  {"button", nil, map[string]string{"role": "one of"}},
		"role unknown":  {"button", map[string]string{"role": "doorbell"}, map[string]string{"role": "doorbell"}},
		"several":       {"shutter", map[string]string{"travel": "0s", "longest": "2h", "colour": "red", "pinch": "none"}, map[string]string{"pinch": "one of", "travel": "1ms", "longest": "1h0m0s", "colour": "no such setting"}},
		"not a time":    {"beam", map[string]string{"settle": "20"}, map[string]string{"settle": "duration"}},
		"negative":      {"beam", map[string]string{"settle": "-1ms"}, map[string]string{"settle": "from 0s"}},
		"enormous":      {"beam", map[string]string{"settle": "999999999h"}, map[string]string{"settle": "duration"}},
		"light and all": {"light", map[string]string{"settle": "1ms"}, map[string]string{"settle": "no such setting"}},
	} {
		typ, _ := Find(c.typ)
		values, problems := typ.Check(c.given)
		if len(problems) != len(c.problems) || values.Durations != nil {
			t.Errorf("%s: %v with problems %v", name, values, problems)
		}
		for setting, says := range c.problems {
			if problems[setting] == nil || !strings.Contains(problems[setting].Error(), says) {
				t.Errorf("%s: %s: %v, want %q in it", name, setting, problems[setting], says)
			}
		}
	}
}

func TestValues(t *testing.T) {
	typ, _ := Find("shutter")
	values, problems := typ.Check(map[string]string{SettingTravel: "250ms", SettingPinch: LowForce})
	if problems != nil || values.Durations[SettingTravel] != 250*time.Millisecond || values.Durations[SettingLongest] != Longest {
		t.Errorf("%v, %v", values, problems)
	}
	typ, _ = Find("button")
	stop, _ := typ.Check(map[string]string{SettingRole: RoleEmergency})
	part, err := typ.Sensor(stop)
	if err != nil {
		t.Fatal(err)
	}
	if facts := part.Edge(nil, true, 5, 0); len(facts) != 1 {
		t.Errorf("an emergency stop gave %v at its first edge", facts)
	}
	if _, ok := Find("doorbell"); ok {
		t.Error("there is a doorbell")
	}
}

// TestWhatMovesNearANoseSaysItsPinchProtection: no canister has a default for it.
func TestWhatMovesNearANoseSaysItsPinchProtection(t *testing.T) {
	for _, typ := range Types() {
		if typ.Class != Canister {
			continue
		}
		if _, problems := typ.Check(nil); problems[SettingPinch] == nil {
			t.Errorf("%s: a device that says nothing of it was taken", typ.Name)
		}
	}
}
