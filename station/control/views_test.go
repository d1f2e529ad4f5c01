package control

import (
	"encoding/json"
	"strings"
	"testing"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/trial"
)

var everyRole = []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin, event.Public}

// secretView is a session whose second run is at a stage, and how its placement would look in a view.
func secretView(mode event.Mode, stage access.Stage) trial.View {
	placement := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "secretodour"}})
	r := trial.RunView{Index: 2, State: trial.Armed, Placement: placement}
	v := trial.View{Phase: trial.Sealed, Session: "s1", Mode: mode, Team: event.Team{Dog: "p-dog", Handler: "p-hari"},
		People: []event.Person{{Ref: "p-hari"}, {Ref: "p-ada"}, {Ref: "p-tess"}}, Positions: 1, Scheduled: 2, Left: 1}
	switch stage {
	case access.Armed:
		r.PresentedAt = 1
	case access.Revealed:
		r.PresentedAt, r.Result = 1, &event.RunResult{Result: "secretresult"}
		v.Phase, v.Revealed, v.Verdict = trial.Ended, true, &event.Verdict{Verdict: "secretverdict"}
	}
	future := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "futureodour"}})
	v.Run, v.Over = r, []trial.RunView{{Index: 1, Placement: future}}
	if stage != access.Revealed {
		v.Verdict = &event.Verdict{Verdict: "secretverdict"} // known to the engine, not revealed
	}
	return v
}

// usualNames are the names of everybody in a secret view.
var usualNames = map[string]string{"p-dog": "Rex", "p-hari": "Hari", "p-ada": "Ada", "p-tess": "Tess"}

// TestAViewHoldsWhatTheTableAllows looks for the secret in the bytes that are sent.
func TestAViewHoldsWhatTheTableAllows(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	words := map[access.Field]string{access.Placement: "secretodour", access.Result: "secretresult", access.Verdict: "secretverdict"}
	for field, word := range words {
		for _, mode := range []event.Mode{event.ModeOpen, event.ModeSingle, event.ModeDouble} {
			for _, stage := range []access.Stage{access.Sealed, access.Armed, access.Revealed} {
				for _, role := range everyRole {
					status := s.Status(trial.Snapshot{View: secretView(mode, stage), Names: usualNames}, Person{Name: "Tess", Roles: []event.Role{role}})
					text, err := json.Marshal(status)
					if err != nil {
						t.Fatal(err)
					}
					if got, want := strings.Contains(string(text), word), access.MaySee(field, mode, stage, []event.Role{role}); got != want {
						t.Errorf("%s sees %s of a %s run in mode %q: %v, want %v", role, field, stage, mode, got, want)
					}
					if strings.Contains(string(text), "futureodour") && stage != access.Revealed {
						t.Errorf("%s sees what stands in a run that is not armed, in mode %q", role, mode)
					}
				}
			}
		}
	}
}
