package yard_test

import (
	"slices"
	"testing"
	"time"

	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/simulator/dog"
	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// The boards of virtual-boards: of the canisters, and of what people and dogs touch.
const (
	canisterBoard = "nano-1"
	frontBoard    = "nano-2"
)

// TestASessionOnBoards: from plan to verdict over the real protocol, and nothing is wrong with the boards.
func TestASessionOnBoards(t *testing.T) {
	y := newYard(t, "virtual-boards", nil)
	sound(t, y)
	for name, b := range y.Boards {
		if r := b.Report(); r.State != link.Up || r.Stats.Sessions != 1 || r.Stats.Errors+r.Stats.Strange+r.Stats.Resends != 0 || r.Clock.Fast+r.Clock.Contradicting != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// searchingOnBoards is a station on boards with a dog on its way and canisters open.
func searchingOnBoards(t *testing.T) *yard.Yard {
	t.Helper()
	y := newYard(t, "virtual-boards", func(o *yard.Options) {
		o.Scripts = []dog.Script{{Visits: []dog.Visit{{At: 500 * time.Millisecond, Position: 2, For: time.Second}}}}
	})
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Fatal(err)
	}
	y.World.RunWhile(func() bool { return y.Host.Snapshot().View.Run.State != trial.Searching }, y.World.Mono()+int64(time.Minute))
	if closed(y) {
		t.Fatal("nothing is open")
	}
	return y
}

// TestADaemonThatDiesLeavesNothingOpenOnABoard: without heartbeats it closes by itself, and the next daemon finds it.
func TestADaemonThatDiesLeavesNothingOpenOnABoard(t *testing.T) {
	y := searchingOnBoards(t)
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(500*time.Millisecond + closesWithin)
	if !closed(y) {
		t.Fatal("a board that nobody speaks to holds a canister open")
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(3 * time.Second)
	if r := y.Boards[canisterBoard].Report(); r.State != link.Up || r.Board.Boot != 1 {
		t.Errorf("%+v", r)
	}
	conclude(t, y)
	if v := y.Host.Snapshot().View; v.Verdict == nil {
		t.Errorf("the session ended as %+v", v)
	}
}

// TestABoardThatGoesInARun: what carries canisters voids it on the grid and is told after the reveal, what carries beams at
// once; each comes back by itself and the session goes on.
func TestABoardThatGoesInARun(t *testing.T) {
	for name, cause := range map[string]event.Cause{canisterBoard: event.CauseMechanical, frontBoard: event.CauseLost} {
		t.Run(name, func(t *testing.T) {
			y := searchingOnBoards(t)
			y.Boards[name].Unplug()
			if y.World.RunFor(3 * time.Second); y.Boards[name].Report().Why == nil {
				t.Error("it is unplugged, and nobody knows why it is away")
			}
			y.Boards[name].Plug()
			y.World.RunFor(5 * time.Second)
			if r := y.Host.Snapshot().View.Runs()[0]; r.State != trial.Voided || r.Cause != cause {
				t.Errorf("the run is %s: %s", r.State, r.Why)
			}
			told := y.Conditions.All()
			if shown := slices.ContainsFunc(told, func(c health.Condition) bool { return c.On == canisterBoard }); shown {
				t.Errorf("shown while sealed: %+v", told)
			}
			y.Boards[name].Reset(message.CauseBrownOut)
			y.World.RunFor(5 * time.Second)
			conclude(t, y)
			if v := y.Host.Snapshot().View; v.Verdict == nil || v.Phase != trial.Idle {
				t.Errorf("the session ended as %+v", v)
			}
			started := func(c health.Condition) bool { return c.Code == health.BoardStarted && c.On == name }
			if told := y.Conditions.All(); !slices.ContainsFunc(told, started) {
				t.Errorf("after the reveal nobody learns why %s started: %+v", name, told)
			}
		})
	}
}
