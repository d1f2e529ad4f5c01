package templates

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEveryClassIsARow: with a name of its own, and found by it.
func TestEveryClassIsARow(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Classes() {
		if !word.MatchString(c.Name) || seen[c.Name] {
			t.Errorf("class %q: a name of its own is expected", c.Name)
		}
		seen[c.Name] = true
		if classOf(c.Name, Classes()) != c {
			t.Errorf("%s is not found", c.Name)
		}
		if c.Alone && c.Stands != AtPosition {
			t.Errorf("%s: a position has one at most, and it has no position", c.Name)
		}
	}
	if got := classOf("doorbell", Classes()); got != (Class{}) {
		t.Errorf("a doorbell is a %+v", got)
	}
}

func TestCheck(t *testing.T) {
	lift := Template{Name: "lift", Settings: []Setting{
		{Name: "travel", Min: time.Millisecond, Max: time.Minute, Default: "800ms"},
		{Name: "side", Choices: []string{"left", "right"}},
		{Name: "gate", Choices: []string{"open", "shut"}, Default: "shut"},
	}}
	for name, c := range map[string]struct {
		given    map[string]string
		problems map[string]string
	}{
		"side missing": {nil, map[string]string{"side": `"" cannot be chosen`}},
		"side unknown": {map[string]string{"side": "middle"}, map[string]string{"side": `"middle" cannot be chosen`}},
		"several":      {map[string]string{"side": "up", "travel": "0s", "colour": "red"}, map[string]string{"side": "cannot be chosen", "travel": "0s is out of range: from 1ms to 1m0s", "colour": "a lift has no such setting"}},
		"too long":     {map[string]string{"side": "left", "travel": "61s"}, map[string]string{"travel": "1m1s is out of range"}},
		"not a time":   {map[string]string{"side": "left", "travel": "20"}, map[string]string{"travel": `"20" is no duration`}},
		"negative":     {map[string]string{"side": "left", "travel": "-1ns"}, map[string]string{"travel": "-1ns is out of range"}},
		"enormous":     {map[string]string{"side": "left", "travel": "999999999h"}, map[string]string{"travel": "is no duration"}},
	} {
		values, problems := lift.Check(c.given)
		if len(problems) != len(c.problems) || values.Choices["gate"] != "shut" {
			t.Errorf("%s: %v with problems %v", name, values, problems)
		}
		for setting, says := range c.problems {
			_, kept := values.Durations[setting]
			if problems[setting] == nil || !strings.Contains(problems[setting].Error(), says) || kept || values.Choices[setting] != "" {
				t.Errorf("%s: %s: %v, want %q; values %v", name, setting, problems[setting], says, values)
			}
		}
	}
	values, problems := lift.Check(map[string]string{"side": "right", "travel": "250ms"})
	if problems != nil || values.Durations["travel"] != 250*time.Millisecond || values.Choices["side"] != "right" || values.Choices["gate"] != "shut" {
		t.Errorf("%v, %v", values, problems)
	}
}

func TestWhatATemplateKnowsOfItself(t *testing.T) {
	lamp := Template{Lines: []Line{{Role: "sense"}, {Role: "line", Output: true}}}
	if line, known := lamp.Line("line"); !known || !line.Output || !lamp.Drives() || lamp.OnI2C() {
		t.Errorf("%+v, %v", line, known)
	}
	if _, known := lamp.Line("drive"); known {
		t.Error("it has a line that it has not")
	}
	chip := Template{Addresses: []string{"0x20"}, Lines: lamp.Lines[:1]}
	if chip.Drives() || !chip.OnI2C() {
		t.Errorf("%+v", chip)
	}
}

// carrier is the template of something that carries lines.
const carrier = `type: strip
class: expander
title: Strip
about: a strip
wiring: a wire
addresses: ["0x20"]
carries: {pins: [A0, A1], outputs_only: [A1], biases: [pull-up], supply: 5 V, no_pins: A2 is none, polled: true, holds: true}
settings:
  - {name: address, about: where, unit: word, choices: ["0x20"], default: "0x20"}
datasheet: {none: x}
accuracy: none
tells: nothing
safe: off
on_loss: off
`

func TestWhatCarriesLines(t *testing.T) {
	got, err := Parse("strip.yaml", []byte(carrier), Classes())
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Carries; c == nil || !slices.Equal(c.Pins, []string{"A0", "A1"}) || !slices.Equal(c.OutputsOnly, []string{"A1"}) || !slices.Equal(c.Biases, []string{"pull-up"}) ||
		c.Supply != "5 V" || c.NoPins != "A2 is none" || !c.Polled || !c.Holds {
		t.Errorf("%+v", c)
	}
	for _, c := range []struct{ old, new, want string }{
		{"class: expander", "class: environment", "strip.yaml:7:1: carries: a device of this class carries no lines"},
		{"pins: [A0, A1], ", "", "carries.pins: is missing"},
		{"pins: [A0, A1]", "pins: [A1, A1]", `carries.pins[1]: "A1" is there twice`},
		{"outputs_only: [A1]", "outputs_only: [A7]", `carries.outputs_only[0]: "A7" is none of its pins`},
		{"supply: 5 V, ", "", "carries.supply: is missing"},
		{`choices: ["0x20"]`, `choices: ["0x20", "0x21"]`, "addresses: a setting address with the same choices is expected"},
		{"name: address", "name: adress", "addresses: a setting address with the same choices is expected"},
	} {
		if !strings.Contains(carrier, c.old) {
			t.Fatalf("the strip has no %q", c.old)
		}
		if _, err := Parse("strip.yaml", []byte(strings.Replace(carrier, c.old, c.new, 1)), Classes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

// TestAClassOfOnesOwn: whoever reads templates says which classes there are.
func TestAClassOfOnesOwn(t *testing.T) {
	text := strings.Replace(good, "class: canister", "class: lift", 1)
	if _, err := Parse("door.yaml", []byte(text), Classes()); err == nil || !strings.Contains(err.Error(), `"lift" cannot be chosen`) {
		t.Errorf("a class that there is not: %v", err)
	}
	lift := Class{Name: "lift", Stands: AtPosition}
	if got, err := Parse("door.yaml", []byte(text), append(Classes(), lift)); err != nil || got.Class != lift {
		t.Errorf("%+v, %v", got.Class, err)
	}
}
