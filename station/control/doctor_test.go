package control

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/station/health"
	"scentpost/station/trial"
)

// TestTheDoctorTellsWhatTheStatusTells: of each device, made of the conditions that everybody sees.
func TestTheDoctorTellsWhatTheStatusTells(t *testing.T) {
	conditions := []health.Condition{
		{Code: health.DeviceAbsent, On: "exp-1", Title: "A device is absent", Evidence: "no answer"},
		{Code: health.DeviceFault, On: "canister-1a", Title: "It fails", Evidence: "jammed"},
		{Code: health.DeviceFault, On: "beam-1", Title: "It fails", Until: 9},
		{Code: health.EdgesLost, On: "gpio", Title: "Edges were lost"},
		{Code: health.BrokerAway, On: "broker", Title: "No broker"},
	}
	devices := []Device{
		{Name: "beam-1", Type: "beam", On: []string{"gpio"}},
		{Name: "canister-1a", Type: "shutter", On: []string{"gpio"}, Frozen: true},
		{Name: "exp-1", Type: "mcp23017", On: []string{"gpio", "i2c-1"}},
		{Name: "call", Type: "button", On: []string{"exp-1", "gpio"}, Frozen: true},
	}
	for i, phase := range []trial.Phase{trial.Idle, trial.Sealed, trial.Idle, trial.Sealed} {
		blank := i > 1
		s, err := New(Options{Site: "s", Station: "t", Simulated: true, Inbox: newInbox(trial.View{Phase: phase}), Archive: archive{},
			Conditions: func() []health.Condition { return conditions }, Devices: devices, Blank: func() bool { return blank }})
		if err != nil {
			t.Fatal(err)
		}
		got := do(s, Request{Command: "doctor"})
		sealed := phase == trial.Sealed
		want := []DeviceLine{
			{Name: "beam-1", Type: "beam", Found: true},
			{Name: "canister-1a", Type: "shutter", Found: true, Why: "It fails: jammed", AtSeal: sealed},
			{Name: "exp-1", Type: "mcp23017", Why: "A device is absent: no answer"},
			{Name: "call", Type: "button", Why: "A device is absent: no answer", AtSeal: sealed},
		}
		if sealed && blank {
			want[1], want[3] = DeviceLine{Name: "canister-1a", Type: "shutter", Untold: true}, DeviceLine{Name: "call", Type: "button", Untold: true}
		}
		if !got.OK || len(got.Devices) != len(want) || got.Status == nil || got.Status.Phase != phase {
			t.Fatalf("%s: %+v", phase, got)
		}
		for i, line := range got.Devices {
			if line != want[i] {
				t.Errorf("%s: %+v, want %+v", phase, line, want[i])
			}
		}
	}
}

// TestWhetherTheNextRunCanStart is shown between runs, and at no other time: in a run it would tell when something moved.
func TestWhetherTheNextRunCanStart(t *testing.T) {
	for _, c := range []struct {
		view  trial.View
		shown bool
	}{
		{trial.View{Phase: trial.Idle}, false},
		{trial.View{Phase: trial.Loaded, Positions: 3}, false},
		{trial.View{Phase: trial.Sealed, Positions: 3, Left: 2}, true},
		{trial.View{Phase: trial.Sealed, Positions: 3, Run: trial.RunView{Index: 1, State: trial.Shown}}, false},
		{trial.View{Phase: trial.Sealed, Positions: 3, Run: trial.RunView{Index: 1, State: trial.Purging}}, false},
		{trial.View{Phase: trial.Ended, Positions: 3}, false},
	} {
		s, err := New(Options{Site: "s", Station: "t", Simulated: true, Inbox: newInbox(c.view), Archive: archive{},
			CannotStart: func(positions int) string { return fmt.Sprintf("one of %d is absent", positions) }})
		if err != nil {
			t.Fatal(err)
		}
		status := do(s, Request{Command: "status"}).Status
		if got := status.CannotStart == "one of 3 is absent"; got != c.shown || got != strings.Contains(status.Next, status.CannotStart) && c.shown {
			t.Errorf("%s, run %d %s: %q, next %q", c.view.Phase, c.view.Run.Index, c.view.Run.State, status.CannotStart, status.Next)
		}
		if !c.shown && strings.Contains(status.Next, "absent") {
			t.Errorf("%s, run %s: next is %q", c.view.Phase, c.view.Run.State, status.Next)
		}
	}
}
