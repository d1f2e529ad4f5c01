package control

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"scentpost/station/access"
	"scentpost/station/event"
	"scentpost/station/trial"
)

// TestTheHandlerIsNoAssessor: whoever handles the dog is served nothing, though the station knows them as an assessor. Who may
// be the handler, since names were lost, is served nothing either.
func TestTheHandlerIsNoAssessor(t *testing.T) {
	for name, c := range map[string]struct {
		handler string
		stage   access.Stage
		names   map[string]string // that are there besides the usual ones; "" takes one away
		sees    bool
	}{
		"another handles":                 {"p-hari", access.Armed, nil, true},
		"Ada handles":                     {"p-ada", access.Armed, nil, false},
		"Ada handles, after it":           {"p-ada", access.Revealed, nil, true},
		"the handler's name was lost":     {"p-hari", access.Armed, map[string]string{"p-hari": ""}, false},
		"Ada's name was lost":             {"p-hari", access.Armed, map[string]string{"p-ada": ""}, false},
		"all names were lost":             {"p-hari", access.Armed, map[string]string{"p-ada": "", "p-hari": "", "p-tess": ""}, false},
		"names were lost and given again": {"p-ada", access.Armed, map[string]string{"p-ada": "", "p-new": "Ada"}, false},
		"Ada has two references":          {"p-hari", access.Armed, map[string]string{"p-new": "Ada"}, true},
		"Ada handles by another":          {"p-tess", access.Armed, map[string]string{"p-tess": "Ada"}, false},
		"the handler is nobody's name":    {"", access.Armed, nil, false},
	} {
		view := secretView("single", c.stage)
		view.Team.Handler = c.handler
		in := newInbox(view)
		in.state.Names = maps.Clone(usualNames)
		for ref, name := range c.names {
			if in.state.Names[ref] = name; name == "" {
				delete(in.state.Names, ref)
			}
		}
		s := newTestService(t, in)
		for _, command := range []string{"status", "arm"} {
			text, err := json.Marshal(do(s, Request{Command: command, As: "Ada"}))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(text), "secretodour"); got != c.sees {
				t.Errorf("%s, %s: Ada, an assessor, sees the placement of a run that is %s: %v", name, command, c.stage, got)
			}
		}
	}
}

// A person without a name is the public, whatever roles somebody gives them.
func TestANamelessPersonIsThePublic(t *testing.T) {
	s := newTestService(t, newInbox(secretView("single", access.Armed)))
	text, err := json.Marshal(s.Status(trial.Snapshot{View: secretView("single", access.Armed), Names: usualNames}, Person{Roles: []event.Role{event.Assessor}}))
	if err != nil || strings.Contains(string(text), "secretodour") {
		t.Errorf("%s, %v", text, err)
	}
}

// TestHandlerAndAssessorAreTwo where the trial is blind.
func TestHandlerAndAssessorAreTwo(t *testing.T) {
	in := newInbox(trial.View{})
	s := newTestService(t, in)
	r := Request{Command: "open", As: "Ada", PlanName: "short.yaml", Plan: shortPlan(t), Dog: "Rex", Handler: "Ada", Assessor: "Ada"}
	if got := do(s, r); got.OK || !got.Refused.Says(OnePerson) || got.Refused.Value("mode") != "double" || len(in.got) != 0 {
		t.Errorf("%+v", got)
	}
	r.Plan = strings.Replace(r.Plan, "mode: double", "mode: open", 1)
	if got := do(s, r); !got.OK {
		t.Errorf("open: %+v", got)
	}
}
