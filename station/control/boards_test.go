package control

import (
	"encoding/json"
	"testing"

	"scentpost/station/health"
	"scentpost/station/trial"
)

// TestWhatIsToldOfBoards: where they are and whether they are there, always; what passed on their lines, only while no
// placement is secret. A phase that somebody adds is secret until it is listed here.
func TestWhatIsToldOfBoards(t *testing.T) {
	told := map[trial.Phase]bool{trial.Idle: true, trial.Opened: true, trial.Loaded: true, trial.Ended: true, trial.Sealed: false, trial.Interrupted: false, "another": false}
	for phase, open := range told {
		asked := 0
		s, err := New(Options{Site: "s", Station: "t", Inbox: newInbox(trial.View{Phase: phase}), Archive: archive{},
			Conditions: func() []health.Condition {
				return []health.Condition{{Code: health.DeviceAbsent, On: "nano-1", Title: "Absent"}}
			},
			Devices: []Device{{Name: "nano-1", Type: "nano", Frozen: true}},
			Boards:  []Board{{Name: "nano-1", Type: "nano", Port: "/dev/x", ID: "one", Baud: 500_000}},
			Figures: func(board string) (BoardFigures, bool) {
				asked++
				return BoardFigures{State: "up", Frames: 7}, board == "nano-1"
			}})
		if err != nil {
			t.Fatal(err)
		}
		got := do(s, Request{Command: "boards"})
		if !got.OK || len(got.Boards) != 1 || got.Boards[0].Port != "/dev/x" || got.Boards[0].Told.Found {
			t.Fatalf("%s: %+v", phase, got)
		}
		if b := got.Boards[0]; (b.Figures != nil) != open || (asked > 0) != open || b.Told.AtSeal != (phase == trial.Sealed) {
			t.Errorf("%s: asked %d times; %+v", phase, asked, b)
		}
		if text, err := json.Marshal(got.Boards); err != nil || len(text) == 0 {
			t.Error(err)
		}
	}
}
