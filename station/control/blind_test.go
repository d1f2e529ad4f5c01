package control

import (
	"encoding/json"
	"strings"
	"testing"

	"scentpost/station/trial"
)

// TestTheHandlerIsNoAssessor: whoever handles the dog is served nothing, though the station knows them as an assessor.
func TestTheHandlerIsNoAssessor(t *testing.T) {
	for _, c := range []struct {
		handler string
		stage   Stage
		sees    bool
	}{
		{"Hari", StageArmed, true},
		{"Ada", StageArmed, false},
		{"p-1", StageArmed, false}, // the reference of Ada's name
		{"Ada", StageRevealed, true},
	} {
		view := secretView("single", c.stage)
		view.Team.Handler = c.handler
		in := newInbox(view)
		in.state.Names = map[string]string{"p-1": "Ada"}
		s := newTestService(t, in)
		for _, command := range []string{"status", "arm"} {
			text, err := json.Marshal(do(s, Request{Command: command, As: "Ada"}))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(text), "secretodour"); got != c.sees {
				t.Errorf("%s: Ada, an assessor, sees the placement of a run that is %s and handled by %s: %v", command, c.stage, c.handler, got)
			}
		}
	}
}

// TestHandlerAndAssessorAreTwo where the trial is blind.
func TestHandlerAndAssessorAreTwo(t *testing.T) {
	in := newInbox(trial.View{})
	s := newTestService(t, in)
	r := Request{Command: "open", As: "Ada", PlanName: "short.yaml", Plan: shortPlan(t), Dog: "Rex", Handler: "Ada", Assessor: "Ada"}
	if got := do(s, r); got.OK || !strings.Contains(got.Error, "double-blind") || len(in.got) != 0 {
		t.Errorf("%+v", got)
	}
	r.Plan = strings.Replace(r.Plan, "mode: double", "mode: open", 1)
	if got := do(s, r); !got.OK {
		t.Errorf("open: %+v", got)
	}
}
