package hardware

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/world"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

func readStation(t *testing.T, name string) config.Config {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestTheExampleStationIsTheUsualLineUp: what the demo builds and what the configuration names are one station.
func TestTheExampleStationIsTheUsualLineUp(t *testing.T) {
	got, err := FromConfig(readStation(t, "virtual-six"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := LineUp(6, 4, DefaultLoading); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestALoadingIsTakenAsItIs(t *testing.T) {
	cfg := readStation(t, "virtual-six")
	got, err := FromConfig(cfg, []event.Loaded{{Position: 1, Canister: "1C", Odour: "tnt"}, {Position: 6, Canister: "6A", Odour: "glove"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Canisters {
		want := map[string]string{"1C": "tnt", "6A": "glove"}[c.Name]
		if want == "" {
			want = NoOdour
		}
		if c.Odour != want {
			t.Errorf("canister %s holds %s, want %s", c.Name, c.Odour, want)
		}
	}
	another := []event.Loaded{{Position: 8, Canister: "8A", Odour: "tnt"}, {Position: 7, Canister: "7A", Odour: "tnt"}}
	if _, err := FromConfig(cfg, another); err == nil || !strings.Contains(err.Error(), "position 7 has none, and the plan loads 7A; position 8 has none") {
		t.Errorf("a loading for another station: %v", err)
	}
}

func TestASecondButtonOfARoleGoesByItsName(t *testing.T) {
	cfg := readStation(t, "virtual-six")
	cfg.Devices = append(cfg.Devices, config.Device{Name: "alert-2", Type: templates.Type{Template: templates.Template{Class: templates.Button}},
		Lines: map[string]string{"line": "button.alert2"}, Values: templates.Values{Choices: map[string]string{templates.SettingRole: ButtonAlert}}})
	got, err := FromConfig(cfg, nil)
	if err != nil || got.Buttons[len(got.Buttons)-1] != (Button{Name: "alert-2", Line: "button.alert2"}) {
		t.Errorf("buttons %+v, %v", got.Buttons, err)
	}
}

// TestADeviceThatNothingHereIsMadeFor: its lines are there, and rest; a chip needs a model.
func TestADeviceThatNothingHereIsMadeFor(t *testing.T) {
	cfg := readStation(t, "virtual-two")
	made := templates.Template{Name: "loadcell", Class: templates.Class{Name: "scale"}, Tells: templates.Content,
		Lines: []templates.Line{{Role: "loaded"}, {Role: "tare", Output: true}}}
	cfg.Devices = append(cfg.Devices, config.Device{Name: "scale-1", Type: templates.Type{Template: made}, Lines: map[string]string{"loaded": "s1", "tare": "s2"}})
	layout, err := FromConfig(cfg, nil)
	if err != nil || !slices.Equal(layout.Contacts, []Contact{{Name: "scale-1.loaded", Line: "s1", Sealed: true}}) || !slices.Equal(layout.Switches, []Switch{{Name: "scale-1.tare", Line: "s2"}}) {
		t.Fatalf("%+v, %+v, %v", layout.Contacts, layout.Switches, err)
	}
	st, err := New(world.New(1), layout)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	st.See(func(s Sight) { seen = append(seen, s.String()) })
	c, err := st.Connect()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Output("s2", false)
	if err != nil {
		t.Fatal(err)
	}
	out.Set(true, 0, 0, nil)
	if level, err := c.Level("s1"); err != nil || level {
		t.Errorf("a contact that nothing touched: %v, %v", level, err)
	}
	if err := st.Touch("scale-1.loaded", true); err != nil {
		t.Error(err)
	}
	if level, err := c.Level("s1"); err != nil || !level {
		t.Errorf("a contact that was touched: %v, %v", level, err)
	}
	if err := st.Touch("scale-2", true); err == nil {
		t.Error("a contact that there is not was touched")
	}
	if len(seen) != 1 || !strings.HasSuffix(seen[0], " switch 0 scale-1.tare on") {
		t.Errorf("seen %q", seen)
	}
	made.Lines, made.Addresses = nil, []string{"0x2a"}
	cfg.Devices[len(cfg.Devices)-1] = config.Device{Name: "scale-1", Type: templates.Type{Template: made}, Bus: "i2c-1", Address: "0x2a"}
	if _, err := FromConfig(cfg, nil); err == nil || !strings.Contains(err.Error(), "device scale-1: a virtual station has no model of a loadcell") {
		t.Errorf("a chip without a model: %v", err)
	}
}
