package catalog

import (
	"slices"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

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

func TestEveryUnwiredTypeIsWhole(t *testing.T) {
	for _, typ := range Unwired() {
		if _, both := Find(typ.Name); both {
			t.Errorf("%s can be given to a station, and is said to be unwired", typ.Name)
		}
		values, problems := typ.Check(nil)
		if problems != nil {
			t.Errorf("%s: its own defaults are refused: %v", typ.Name, problems)
			continue
		}
		if (typ.Lines == nil) == (typ.Addresses == nil) {
			t.Errorf("%s: lines or addresses are expected", typ.Name)
		}
		switch typ.Class {
		case Purge, Sound:
			out := &output{}
			part, err := typ.Burst(out, values)
			if err != nil {
				t.Errorf("%s: %v", typ.Name, err)
				continue
			}
			if part.Longest() != values.Durations[SettingLongest] || part.Rundown() != values.Durations[SettingRundown] {
				t.Errorf("%s: longest %s, rundown %s", typ.Name, part.Longest(), part.Rundown())
			}
			if err := part.On(0, part.Longest(), nil); err != nil || !out.level || out.longest != part.Longest() {
				t.Errorf("%s: on: %v, %+v", typ.Name, err, out)
			}
			if part.Off(nil); out.level {
				t.Errorf("%s: it does not stop", typ.Name)
			}
		case Environment:
			part, err := typ.Environment(&i2ctest.Playback{DontPanic: true}, values)
			if err != nil || part.Begin() == nil {
				t.Errorf("%s: %v, or it begins with nothing there", typ.Name, err)
			}
			if _, err := typ.Environment(nil, Values{}); err == nil {
				t.Errorf("%s: no address was taken", typ.Name)
			}
		case Expander:
			if !typ.HoldsOnLoss {
				t.Errorf("%s: nothing says what it does without us", typ.Name)
			}
		default:
			t.Errorf("%s: no test of the class %s", typ.Name, typ.Class)
		}
	}
}

func TestTheLimitsOfATypeAreThoseOfItsPart(t *testing.T) {
	for _, typ := range Unwired() {
		if typ.Burst == nil {
			continue
		}
		for _, s := range typ.Settings {
			for _, d := range []time.Duration{s.Min, s.Max} {
				values, problems := typ.Check(map[string]string{s.Name: d.String()})
				if problems != nil {
					t.Errorf("%s: %s %s: %v", typ.Name, s.Name, d, problems)
					continue
				}
				if _, err := typ.Burst(&output{}, values); err != nil {
					t.Errorf("%s: %s %s passes the check, and the part says: %v", typ.Name, s.Name, d, err)
				}
			}
		}
	}
}

func TestAnExpanderCarriesNoCanisterUnlessThatIsAccepted(t *testing.T) {
	i := slices.IndexFunc(Unwired(), func(t Type) bool { return t.Name == "mcp23017" })
	expander := Unwired()[i]
	shutter, _ := Find("shutter")
	light, _ := Find("light")
	for _, c := range []struct {
		given   map[string]string
		part    Type
		refused bool
	}{
		{nil, shutter, true},
		{map[string]string{SettingHoldOnLoss: Refused}, shutter, true},
		{map[string]string{SettingHoldOnLoss: Accepted}, shutter, false},
		{nil, light, false},
		{nil, Unwired()[0], false},
	} {
		v, problems := expander.Check(c.given)
		if problems != nil {
			t.Fatal(problems)
		}
		err := expander.Carries(v, c.part)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "hold_on_loss: accepted") {
			t.Errorf("%v carries a %s: %v", c.given, c.part.Name, err)
		}
	}
	if err := light.Carries(Values{}, shutter); err != nil {
		t.Errorf("what holds nothing refuses: %v", err)
	}
	if _, problems := expander.Check(map[string]string{SettingAddress: "0x28"}); problems[SettingAddress] == nil {
		t.Error("an address that the chip cannot have was taken")
	}
}
