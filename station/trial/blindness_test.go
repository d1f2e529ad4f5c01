package trial

import (
	"testing"

	"scentpost/station/event"
)

// sessionOf returns a machine with a session of a mode and people, as far as blindness looks at it.
func sessionOf(mode event.Mode, simulated bool, people ...event.Person) *Machine {
	m := New("s", "e")
	m.session.opening = event.Opening{Mode: mode, Simulated: simulated, People: people, Team: event.Team{Handler: "p-handler"}}
	m.session.plan.Mode = mode
	return m
}

func TestEffectiveBlindnessIsTheLowerOfIntendedAndPossible(t *testing.T) {
	handler := event.Person{Ref: "p-handler", SharesAccount: true}
	loader := event.Person{Ref: "p-loader", Roles: []event.Role{event.Loader}, SharesAccount: true}
	alone := event.Person{Ref: "p-loader", Roles: []event.Role{event.Loader}}
	for _, c := range []struct {
		name      string
		mode      event.Mode
		simulated bool
		people    []event.Person
		want      event.Mode
	}{
		{"double, nobody shares", event.ModeDouble, false, []event.Person{alone}, event.ModeDouble},
		{"double, the loader shares", event.ModeDouble, false, []event.Person{loader}, event.ModeSingle},
		{"double, the loader shares, simulated", event.ModeDouble, true, []event.Person{loader}, event.ModeDouble},
		{"single, the handler shares", event.ModeSingle, false, []event.Person{handler}, event.ModeOpen},
		{"single, the loader shares", event.ModeSingle, false, []event.Person{loader}, event.ModeSingle},
		{"single, the handler is also assessor", event.ModeSingle, true, []event.Person{{Ref: "p-handler", Roles: []event.Role{event.Assessor}}}, event.ModeOpen},
		{"double, the assessor reads the vault", event.ModeDouble, false, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Assessor}, ReadsVault: true}}, event.ModeOpen},
		{"double, the admin reads the vault", event.ModeDouble, false, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Admin}, ReadsVault: true}}, event.ModeDouble},
		{"double, the assessor reads the vault, simulated", event.ModeDouble, true, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Assessor}, ReadsVault: true}}, event.ModeDouble},
		{"open", event.ModeOpen, false, []event.Person{handler, loader}, event.ModeOpen},
	} {
		if got := sessionOf(c.mode, c.simulated, c.people...).effectiveBlindness(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTheLoaderOfADoubleBlindSessionIsNotAtTheSearch(t *testing.T) {
	assessor := event.Person{Ref: "p-assessor", Roles: []event.Role{event.Loader, event.Assessor}}
	loader := event.Person{Ref: "p-loader", Roles: []event.Role{event.Loader}}
	double, single := sessionOf(event.ModeDouble, false, assessor, loader), sessionOf(event.ModeSingle, false, assessor, loader)
	if double.mayLoad("p-loader") != nil || single.mayLoad("p-assessor") != nil {
		t.Error("a loader who is not at the search, or not in double mode, is refused")
	}
	if double.mayLoad("p-handler") == nil || double.mayLoad("p-assessor") == nil {
		t.Error("the handler or the assessor may load a double-blind session")
	}
}
