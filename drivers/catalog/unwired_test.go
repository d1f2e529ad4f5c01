package catalog

import (
	"slices"
	"strings"
	"testing"
)

func TestAnUnwiredTypeCannotBeGivenToAStation(t *testing.T) {
	for _, typ := range Unwired() {
		if _, both := Find(typ.Name); both {
			t.Errorf("%s can be given to a station, and is said to be unwired", typ.Name)
		}
		if _, problems := typ.Check(nil); problems != nil {
			t.Errorf("%s: its own defaults are refused: %v", typ.Name, problems)
		}
		if typ.Class == Expander && !typ.HoldsOnLoss {
			t.Errorf("%s: nothing says what it does without us", typ.Name)
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
