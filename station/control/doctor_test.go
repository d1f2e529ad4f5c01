package control

import (
	"reflect"
	"testing"

	"scentpost/station/health"
	"scentpost/station/readiness"
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

// TestWhatTheStationIsAsked: without a session whether any can be held, between runs whether the next one can start, and in a
// run nothing: the answer would tell when something moved.
func TestWhatTheStationIsAsked(t *testing.T) {
	hold, run := readiness.Question{Positions: 1}, readiness.Question{Positions: 3, Run: true}
	for _, c := range []struct {
		view trial.View
		want *readiness.Question
		next Next
	}{
		{trial.View{Phase: trial.Idle}, &hold, WaitBlocked},
		{trial.View{Phase: trial.Idle, Session: "s0", Positions: 3}, &hold, WaitBlocked},
		{trial.View{Phase: trial.Interrupted, Positions: 3}, &run, WaitBlocked},
		{trial.View{Phase: trial.Loaded, Positions: 3}, nil, NextSeal},
		{trial.View{Phase: trial.Sealed, Positions: 3, Left: 2}, &run, WaitStartable},
		{trial.View{Phase: trial.Sealed, Positions: 3, Run: trial.RunView{Index: 1, State: trial.Shown}}, nil, NextStart},
		{trial.View{Phase: trial.Sealed, Positions: 3, Run: trial.RunView{Index: 1, State: trial.Purging}}, nil, WaitPurged},
		{trial.View{Phase: trial.Ended, Positions: 3}, nil, NextClose},
	} {
		var asked []readiness.Question
		s, err := New(Options{Site: "s", Station: "t", Simulated: true, Inbox: newInbox(c.view), Archive: archive{},
			Obstacle: func(q readiness.Question) *refusal.Reason {
				asked = append(asked, q)
				return refusal.New("absent")
			}})
		if err != nil {
			t.Fatal(err)
		}
		status := do(s, Request{Command: "status"}).Status
		if len(asked) != map[bool]int{false: 0, true: 1}[c.want != nil] || c.want != nil && asked[0] != *c.want ||
			status.Obstacle.Says("absent") != (c.want != nil) || status.Next != c.next {
			t.Errorf("%s, run %d %s: asked %+v, told %v, next %q", c.view.Phase, c.view.Run.Index, c.view.Run.State, asked, status.Obstacle, status.Next)
		}
	}
}
