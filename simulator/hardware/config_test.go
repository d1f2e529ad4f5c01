package hardware

import (
	"reflect"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/config"
	"scentpost/station/devices"
	"scentpost/station/event"
)

func readStation(t *testing.T, name string) config.Config {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, devices.Types())
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
	cfg.Devices = append(cfg.Devices, config.Device{Name: "alert-2", Type: "button", Class: config.Button,
		Lines: map[string]string{"line": "button.alert2"}, Settings: map[string]string{config.SettingRole: ButtonAlert}})
	got, err := FromConfig(cfg, nil)
	if err != nil || got.Buttons[len(got.Buttons)-1] != (Button{Name: "alert-2", Line: "button.alert2"}) {
		t.Errorf("buttons %+v, %v", got.Buttons, err)
	}
	cfg.Devices = append(cfg.Devices, config.Device{Name: "scale-1", Type: "loadcell", Class: "weight"})
	if _, err := FromConfig(cfg, nil); err == nil || !strings.Contains(err.Error(), "device scale-1") {
		t.Errorf("a device that is not simulated: %v", err)
	}
}
