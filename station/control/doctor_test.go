package control

import (
	"reflect"
	"testing"

	"scentpost/station/health"
	"scentpost/station/refusal"
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
			{Name: "canister-1a", Type: "shutter", Found: true, Wrong: conditions[1:2], AtSeal: sealed},
			{Name: "exp-1", Type: "mcp23017", Wrong: conditions[:1]},
			{Name: "call", Type: "button", Wrong: conditions[:1], AtSeal: sealed},
		}
		if sealed && blank {
			want[1], want[3] = DeviceLine{Name: "canister-1a", Type: "shutter", Untold: true}, DeviceLine{Name: "call", Type: "button", Untold: true}
		}
		if !got.OK || len(got.Devices) != len(want) || got.Status == nil || got.Status.Phase != phase {
			t.Fatalf("%s: %+v", phase, got)
		}
		for i, line := range got.Devices {
			if !reflect.DeepEqual(line, want[i]) {
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
			CannotStart: func(positions int) *refusal.Reason { return refusal.New("absent", "of", positions) }})
		if err != nil {
			t.Fatal(err)
		}
		status := do(s, Request{Command: "status"}).Status
		if got := status.CannotStart.Says("absent") && status.CannotStart.Value("of") == "3"; got != c.shown || (status.Next == WaitStartable) != c.shown {
			t.Errorf("%s, run %d %s: %v, next %q", c.view.Phase, c.view.Run.Index, c.view.Run.State, status.CannotStart, status.Next)
		}
	}
}
