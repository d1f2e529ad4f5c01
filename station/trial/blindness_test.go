package trial

import (
	"testing"

	"scentpost/station/event"
)

// sessionOf returns a machine with a session of a mode and people, as far as blindness looks at it.
func sessionOf(mode string, simulated bool, people ...event.Person) *Machine {
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
		name, mode string
		simulated  bool
		people     []event.Person
		want       string
	}{
		{"double, nobody shares", "double", false, []event.Person{alone}, "double"},
		{"double, the loader shares", "double", false, []event.Person{loader}, "single"},
		{"double, the loader shares, simulated", "double", true, []event.Person{loader}, "double"},
		{"single, the handler shares", "single", false, []event.Person{handler}, "open"},
		{"single, the loader shares", "single", false, []event.Person{loader}, "single"},
		{"single, the handler is also assessor", "single", true, []event.Person{{Ref: "p-handler", Roles: []event.Role{event.Assessor}}}, "open"},
		{"double, the assessor reads the vault", "double", false, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Assessor}, ReadsVault: true}}, "open"},
		{"double, the admin reads the vault", "double", false, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Admin}, ReadsVault: true}}, "double"},
		{"double, the assessor reads the vault, simulated", "double", true, []event.Person{{Ref: "p-a", Roles: []event.Role{event.Assessor}, ReadsVault: true}}, "double"},
		{"open", "open", false, []event.Person{handler, loader}, "open"},
	} {
		if got := sessionOf(c.mode, c.simulated, c.people...).effectiveBlindness(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTheLoaderOfADoubleBlindSessionIsNotAtTheSearch(t *testing.T) {
	assessor := event.Person{Ref: "p-assessor", Roles: []event.Role{event.Loader, event.Assessor}}
	loader := event.Person{Ref: "p-loader", Roles: []event.Role{event.Loader}}
	double, single := sessionOf("double", false, assessor, loader), sessionOf("single", false, assessor, loader)
	if double.mayLoad("p-loader") != nil || single.mayLoad("p-assessor") != nil {
		t.Error("a loader who is not at the search, or not in double mode, is refused")
	}
	if double.mayLoad("p-handler") == nil || double.mayLoad("p-assessor") == nil {
		t.Error("the handler or the assessor may load a double-blind session")
	}
}
