package catalog

import (
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

// TestABurstIsWhatItsSettingsSay: the part that the table makes has the bounds that the configuration gave.
func TestABurstIsWhatItsSettingsSay(t *testing.T) {
	for _, typ := range Types() {
		if typ.Class != Purge && typ.Class != Sound {
			continue
		}
		values, _ := typ.Check(nil)
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
	}
}

func TestASensorOfTheAirNeedsAnAddress(t *testing.T) {
	for _, typ := range Types() {
		if typ.Class != Environment {
			continue
		}
		values, _ := typ.Check(nil)
		part, err := typ.Environment(&i2ctest.Playback{DontPanic: true}, values)
		if err != nil || part.Begin() == nil {
			t.Errorf("%s: %v, or it begins with nothing there", typ.Name, err)
		}
		if _, err := typ.Environment(nil, Values{}); err == nil {
			t.Errorf("%s: no address was taken", typ.Name)
		}
		if _, problems := typ.Check(map[string]string{SettingAddress: "0x28"}); !typ.OnI2C() || problems[SettingAddress] == nil {
			t.Errorf("%s: an address that the chip cannot have was taken", typ.Name)
		}
	}
}

func TestAClockIsFoundWhenItIsLookedAt(t *testing.T) {
	for _, typ := range Types() {
		if typ.Class != Timekeeper {
			continue
		}
		values, _ := typ.Check(nil)
		part, err := typ.Timekeeper(&i2ctest.Playback{DontPanic: true}, values)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Look(0); err == nil || !typ.OnI2C() {
			t.Errorf("%s: it keeps the time with nothing there", typ.Name)
		}
	}
}

func TestTheLimitsOfATypeAreThoseOfItsPart(t *testing.T) {
	for _, typ := range Types() {
		if typ.Burst == nil {
			continue
		}
		for _, s := range typ.Settings {
			if s.Choices != nil {
				continue
			}
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
