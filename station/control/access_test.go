package control

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/trial"
)

var (
	everyRole  = []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin, event.Public}
	everyMode  = []event.Mode{event.ModeOpen, event.ModeSingle, event.ModeDouble, "", "unknown"}
	everyStage = []Stage{StageSealed, StageArmed, StageRevealed, "", "unknown"}
	everyField = []Field{FieldPlacement, FieldResult, FieldVerdict, "", "unknown"}
)

// wantSee is the table of who may see what in other words.
func wantSee(field Field, mode event.Mode, stage Stage, role event.Role) bool {
	switch {
	case !slices.Contains([]Field{FieldPlacement, FieldResult, FieldVerdict}, field):
		return false
	case stage == StageRevealed:
		return true
	case field != FieldPlacement || stage != StageArmed:
		return false
	}
	return mode == event.ModeOpen || mode == event.ModeSingle && role == event.Assessor
}

func everyRow(f func(field Field, mode event.Mode, stage Stage, role event.Role)) {
	for _, field := range everyField {
		for _, mode := range everyMode {
			for _, stage := range everyStage {
				for _, role := range everyRole {
					f(field, mode, stage, role)
				}
			}
		}
	}
}

// TestWhoMaySeeWhat walks every role, mode, stage and field, and what is in no table: denied.
func TestWhoMaySeeWhat(t *testing.T) {
	everyRow(func(field Field, mode event.Mode, stage Stage, role event.Role) {
		if got, want := MaySee(field, mode, stage, []event.Role{role}), wantSee(field, mode, stage, role); got != want {
			t.Errorf("%s may see %q of a run that is %q in mode %q: %v, want %v", role, field, stage, mode, got, want)
		}
	})
}

// secretView is a session whose second run is at a stage, and how its placement would look in a view.
func secretView(mode event.Mode, stage Stage) trial.View {
	placement := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "secretodour"}})
	r := trial.RunView{Index: 2, State: trial.Armed, Placement: placement}
	v := trial.View{Phase: trial.Sealed, Session: "s1", Mode: mode, Team: event.Team{Dog: "p-dog", Handler: "p-hari"},
		People: []event.Person{{Ref: "p-hari"}, {Ref: "p-ada"}, {Ref: "p-tess"}}, Positions: 1, Scheduled: 2, Left: 1}
	switch stage {
	case StageArmed:
		r.PresentedAt = 1
	case StageRevealed:
		r.PresentedAt, r.Result = 1, &event.RunResult{Result: "secretresult"}
		v.Phase, v.Revealed, v.Verdict = trial.Ended, true, &event.Verdict{Verdict: "secretverdict"}
	}
	future := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "futureodour"}})
	v.Run, v.Over = r, []trial.RunView{{Index: 1, Placement: future}}
	if stage != StageRevealed {
		v.Verdict = &event.Verdict{Verdict: "secretverdict"} // known to the engine, not revealed
	}
	return v
}

// usualNames are the names of everybody in a secret view.
var usualNames = map[string]string{"p-dog": "Rex", "p-hari": "Hari", "p-ada": "Ada", "p-tess": "Tess"}

// TestAViewHoldsWhatTheTableAllows looks for the secret in the bytes that are sent.
func TestAViewHoldsWhatTheTableAllows(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	words := map[Field]string{FieldPlacement: "secretodour", FieldResult: "secretresult", FieldVerdict: "secretverdict"}
	everyRow(func(field Field, mode event.Mode, stage Stage, role event.Role) {
		if words[field] == "" || stage == "" || stage == "unknown" {
			return
		}
		status := s.Status(trial.Snapshot{View: secretView(mode, stage), Names: usualNames}, Person{Name: "Tess", Roles: []event.Role{role}})
		text, err := json.Marshal(status)
		if err != nil {
			t.Fatal(err)
		}
		want := wantSee(field, mode, stage, role)
		if got := strings.Contains(string(text), words[field]); got != want {
			t.Errorf("%s sees %s of a %s run in mode %q: %v, want %v", role, field, stage, mode, got, want)
		}
		if strings.Contains(string(text), "futureodour") && stage != StageRevealed {
			t.Errorf("%s sees what stands in a run that is not armed, in mode %q", role, mode)
		}
	})
}
