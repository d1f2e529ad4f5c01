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

// board is a service over one board, that is asked for its figures by figures.
func board(t *testing.T, in *inbox, blank bool, figures func() BoardFigures) *Service {
	t.Helper()
	s, err := New(Options{Site: "s", Station: "t", Inbox: in, Archive: archive{}, Blank: func() bool { return blank },
		Boards:  []Board{{Name: "nano-1", Type: "nano"}},
		Figures: func(string) (BoardFigures, bool) { return figures(), true }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFiguresOfASealThatNobodyKnowsOf are kept back: a station that cannot read its journal seems to be idle.
func TestFiguresOfASealThatNobodyKnowsOf(t *testing.T) {
	for _, blank := range []bool{false, true} {
		s := board(t, newInbox(trial.View{Phase: trial.Idle}), blank, func() BoardFigures { return BoardFigures{Frames: 7} })
		got := s.Public()
		if (got.Boards[0].Figures == nil) != blank || got.FiguresKept != blank || got.Blank != blank {
			t.Errorf("blank %v: %+v", blank, got)
		}
	}
}

// TestFiguresThatASealOvertakes are dropped: who asked before it may look at the board after the first canister has moved.
func TestFiguresThatASealOvertakes(t *testing.T) {
	in := newInbox(trial.View{Phase: trial.Loaded})
	s := board(t, in, false, func() BoardFigures {
		in.state.View.Phase = trial.Sealed
		return BoardFigures{Frames: 7}
	})
	if got := s.Public(); got.Boards[0].Figures != nil {
		t.Errorf("%+v", got.Boards[0].Figures)
	}
}

// TestThePublicSeesWhatNobodyIsTold: the public view is the answer to whoever speaks for nobody.
func TestThePublicSeesWhatNobodyIsTold(t *testing.T) {
	for _, phase := range []trial.Phase{trial.Idle, trial.Sealed, trial.Ended} {
		s := board(t, newInbox(trial.View{Phase: phase, Mode: "single", Session: "x", Run: trial.RunView{Index: 1, State: trial.Shown, PresentedAt: 1}}), false,
			func() BoardFigures { return BoardFigures{Frames: 7} })
		asked, seen := do(s, Request{Command: "boards"}), s.Public()
		want, err := json.Marshal([]any{asked.Status, asked.Boards})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal([]any{seen.Status, seen.Boards}); err != nil || string(got) != string(want) {
			t.Errorf("%s: %s, %v\nwant %s", phase, got, err, want)
		}
	}
}
