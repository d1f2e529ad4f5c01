package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/trial"
)

var (
	everyRole  = []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin, event.Public}
	everyMode  = []string{"open", "single", "double", "", "unknown"}
	everyStage = []Stage{StageSealed, StageArmed, StageRevealed, "", "unknown"}
	everyField = []Field{FieldPlacement, FieldResult, FieldVerdict, "", "unknown"}
)

// TestWhoMayDoWhat walks every command and every role, against the table as it is written for people.
func TestWhoMayDoWhat(t *testing.T) {
	const all = "handler assessor loader authority admin public"
	allowed := map[string]string{
		"open": "assessor authority admin", "load": "loader admin", "seal": "assessor authority", "arm": "assessor",
		"start": "assessor handler", "call": "assessor handler", "clear": "assessor handler", "withdraw": "assessor handler",
		"finish": "assessor handler", "observe": "assessor", "void": "assessor authority", "pause": "assessor authority",
		"resume": "assessor authority", "abort": "assessor authority", "date": "assessor authority admin", "close": "loader assessor authority",
		"status": all, "doctor": all, "boards": all, "list": all, "watch": all, "export": all,
	}
	if len(Commands()) != len(allowed) || !slices.IsSorted(Commands()) {
		t.Errorf("the commands are %v", Commands())
	}
	for _, command := range append(Commands(), "", "shutdown", "OPEN") {
		for _, role := range everyRole {
			want := slices.Contains(strings.Fields(allowed[command]), string(role))
			if got := MayDo(command, []event.Role{role}); got != want {
				t.Errorf("%s may %q: %v, want %v", role, command, got, want)
			}
		}
		if got, want := MayDo(command, nil), allowed[command] == all; got != want {
			t.Errorf("nobody may %q: %v, want %v", command, got, want)
		}
	}
}

// wantSee is the table of who may see what in other words.
func wantSee(field Field, mode string, stage Stage, role event.Role) bool {
	switch {
	case !slices.Contains([]Field{FieldPlacement, FieldResult, FieldVerdict}, field):
		return false
	case stage == StageRevealed:
		return true
	case field != FieldPlacement || stage != StageArmed:
		return false
	}
	return mode == "open" || mode == "single" && role == event.Assessor
}

func everyRow(f func(field Field, mode string, stage Stage, role event.Role)) {
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
	everyRow(func(field Field, mode string, stage Stage, role event.Role) {
		if got, want := MaySee(field, mode, stage, []event.Role{role}), wantSee(field, mode, stage, role); got != want {
			t.Errorf("%s may see %q of a run that is %q in mode %q: %v, want %v", role, field, stage, mode, got, want)
		}
	})
}

// secretView is a session whose second run is at a stage, and how its placement would look in a view.
func secretView(mode string, stage Stage) trial.View {
	placement := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "secretodour"}})
	r := trial.RunView{Index: 2, State: trial.Armed, Placement: placement}
	v := trial.View{Phase: trial.Sealed, Session: "s1", Mode: mode, Positions: 1, Scheduled: 2, Left: 1}
	switch stage {
	case StageArmed:
		r.PresentedAt = 1
	case StageRevealed:
		r.PresentedAt, r.Result = 1, &event.RunResult{Result: "secretresult"}
		v.Phase, v.Revealed, v.Verdict = trial.Ended, true, &event.Verdict{Verdict: "secretverdict"}
	}
	future := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "futureodour"}})
	v.Run, v.Runs = r, []trial.RunView{{Index: 1, Placement: future}, r}
	if stage != StageRevealed {
		v.Verdict = &event.Verdict{Verdict: "secretverdict"} // known to the engine, not revealed
	}
	return v
}

// TestAViewHoldsWhatTheTableAllows looks for the secret in the bytes that are sent.
func TestAViewHoldsWhatTheTableAllows(t *testing.T) {
	s := newTestService(t, newInbox(trial.View{}))
	words := map[Field]string{FieldPlacement: "secretodour", FieldResult: "secretresult", FieldVerdict: "secretverdict"}
	everyRow(func(field Field, mode string, stage Stage, role event.Role) {
		if words[field] == "" || stage == "" || stage == "unknown" {
			return
		}
		status := s.Status(trial.Snapshot{View: secretView(mode, stage)}, []event.Role{role})
		text, err := json.Marshal(status)
		if err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		WriteStatus(&shown, &status)
		want := wantSee(field, mode, stage, role)
		if got := strings.Contains(string(text), words[field]); got != want {
			t.Errorf("%s sees %s of a %s run in mode %q: %v, want %v", role, field, stage, mode, got, want)
		}
		if !want && strings.Contains(shown.String(), words[field]) {
			t.Errorf("%s reads %s of a %s run in mode %q", role, field, stage, mode)
		}
		if strings.Contains(string(text), "futureodour") && stage != StageRevealed {
			t.Errorf("%s sees what stands in a run that is not armed, in mode %q", role, mode)
		}
		if strings.Contains(fmt.Sprint(status.Next, Progress(&status)), "secret") {
			t.Errorf("what comes next tells the secret: %s", status.Next)
		}
	})
}
