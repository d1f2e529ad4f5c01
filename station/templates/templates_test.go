package templates

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const good = `type: door
class: canister
title: Door
about: a door
wiring: a wire
lines:
  - {role: drive, direction: out, about: opens}
  - {role: closed, direction: in, about: is shut}
settings:
  - {name: travel, about: how long, unit: duration, min: 1ms, max: 1m, default: 800ms}
  - {name: role, about: what for, unit: word, choices: [left, right]}
datasheet: {name: Doors Ltd, edition: "2"}
accuracy: none
tells: placement
safe: shut
on_loss: falls shut
`

func TestParse(t *testing.T) {
	got, err := Parse("door.yaml", []byte(good), Classes())
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "door" || got.Class != Canister || got.Tells != Placement || got.Safe != "shut" || got.OnLoss != "falls shut" {
		t.Errorf("%+v", got)
	}
	if want := []Line{{"drive", true, "opens"}, {"closed", false, "is shut"}}; !slices.Equal(got.Lines, want) {
		t.Errorf("lines %+v", got.Lines)
	}
	travel, role := got.Settings[0], got.Settings[1]
	if travel.Min != time.Millisecond || travel.Max != time.Minute || travel.Default != "800ms" || travel.Choices != nil {
		t.Errorf("%+v", travel)
	}
	if !slices.Equal(role.Choices, []string{"left", "right"}) || role.Default != "" {
		t.Errorf("%+v", role)
	}
}

// TestProblems changes one thing in a good file and expects it to be named at its place.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"type: door", "type: Door!", "door.yaml:1:7: type:"},
		{"type: door\n", "", "type: is missing"},
		{"class: canister", "class: canistr", `did you mean "canister"`},
		{"title: Door\n", "", "title: is missing"},
		{"about: a door\n", "", "about: is missing"},
		{"wiring: a wire\n", "", "wiring: is missing"},
		{"accuracy: none\n", "", "accuracy: is missing"},
		{"tells: placement", "tells: everything", "tells:"},
		{"safe: shut\n", "", "safe: is missing"},
		{"on_loss: falls shut\n", "", "on_loss: is missing"},
		{"direction: out", "direction: up", "lines[0].direction"},
		{"role: closed", "role: drive", "there twice"},
		{"about: opens", "abuot: opens", `did you mean "about"`},
		{"settings:", "addresses: [\"0x20\"]\nsettings:", "one of them"},
		{"unit: duration", "unit: second", "settings[0].unit"},
		{"default: 800ms", "default: 2m", "settings[0].default"},
		{"default: 800ms", "default: soon", "settings[0].default"},
		{"min: 1ms", "min: 2m", "hold nothing"},
		{"min: 1ms", "min: -1ms", "hold nothing"},
		{"unit: word", "unit: word, min: 1s", "no limits"},
		{"choices: [left, right]", "choices: [left, left]", "there twice"},
		{"choices: [left, right]", "choices: [left, right], default: middle", "cannot be chosen"},
		{", choices: [left, right]", "", "a word is chosen"},
		{"default: 800ms", "default: 800ms, choices: [a]", "no choices"},
		{"name: role", "name: travel", "there twice"},
		{"edition: \"2\"", "none: any", "there is none"},
		{", edition: \"2\"", "", "datasheet.edition: is missing"},
		{"datasheet: {name: Doors Ltd, edition: \"2\"}\n", "", "datasheet.name: is missing"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %q in the file", c.old)
		}
		_, err := Parse("door.yaml", []byte(strings.Replace(good, c.old, c.new, 1)), Classes())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Parse("door.yaml", []byte("class: gate\ntells: all\nlines: [{role: A}]\n"), Classes())
	if err == nil {
		t.Fatal("no problem")
	}
	for _, want := range []string{"type:", "class:", "title:", "tells:", "lines[0].role:", "lines[0].direction:", "datasheet.name:", "accuracy:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told:\n%v", want, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	const chip = "type: chip\nclass: environment\ntitle: c\nabout: a\nwiring: w\naddresses: [\"0x76\"]\nsettings: [{name: address, about: where, unit: word, choices: [\"0x76\"], default: \"0x76\"}]\ndatasheet: {none: x}\naccuracy: a\ntells: nothing\n"
	got, err := Parse("chip.yaml", []byte(chip), Classes())
	if err != nil || !slices.Equal(got.Addresses, []string{"0x76"}) || got.Datasheet.None != "x" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{`"76"`, `"0x7G"`, `"0x80"`, `"0x20", "0x20"`} {
		if _, err := Parse("chip.yaml", []byte(strings.Replace(chip, `"0x76"`, bad, 1)), Classes()); err == nil || !strings.Contains(err.Error(), "addresses[") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("type: [\n"))
	f.Add([]byte("lines: [{}, {}]\nsettings: [{unit: word}, {unit: duration}]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := Parse("fuzz.yaml", src, Classes())
		if err != nil {
			return
		}
		if got.Name == "" || got.Accuracy == "" || !slices.Contains(Classes(), got.Class) || got.reached() == "" {
			t.Errorf("%+v was taken", got)
		}
		for _, s := range got.Settings {
			if s.Choices == nil && s.Max <= s.Min {
				t.Errorf("%+v was taken", s)
			}
		}
	})
}
