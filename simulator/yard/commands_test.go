package yard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"scentpost/simulator/dog"
	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/trial"
)

// point is a state of a session, and how people come there from the one before.
type point struct {
	name  string
	reach func(t *testing.T, y *yard.Yard)
}

// until lets the world go on until the run is in a state.
func until(t *testing.T, y *yard.Yard, state trial.RunState) {
	t.Helper()
	is := func() bool { return y.Host.Snapshot().View.Run.State == state }
	y.World.RunWhile(func() bool { return !is() }, y.World.Mono()+int64(time.Hour))
	if !is() {
		t.Fatalf("the run is %q, not %q", y.Host.Snapshot().View.Run.State, state)
	}
}

func then(all ...func(*testing.T, *yard.Yard)) func(*testing.T, *yard.Yard) {
	return func(t *testing.T, y *yard.Yard) {
		t.Helper()
		for _, f := range all {
			f(t, y)
		}
	}
}

func comes(state trial.RunState) func(*testing.T, *yard.Yard) {
	return func(t *testing.T, y *yard.Yard) { t.Helper(); until(t, y, state) }
}

// TestTheTableOfCommandsIsTrue: in every state of a session on the real engine, a command that the view offers to a person is
// taken, and one that it does not offer is refused. Where the table says that a phase is not for a command, the commands that
// the refusal names lead there.
func TestTheTableOfCommandsIsTrue(t *testing.T) {
	file, src := plan(t, "short")
	requests := map[string]control.Request{
		"open": {PlanName: file, Plan: string(src), Dog: "Rex", Handler: "Handler", Assessor: "Assessor"},
		"seal": {Alone: true}, "call": {Position: 1}, "withdraw": {Reason: "slip"}, "observe": {What: "hesitation"},
		"void": {Reason: "rain"}, "date": {Date: "2027-03-04"}, "close": {AllBack: true},
	}
	givers := map[string]event.Role{"load": event.Loader, "close": event.Loader, "start": event.Handler}
	give := func(y *yard.Yard, name string) (control.Response, error) {
		role, known := givers[name]
		if !known {
			role = event.Assessor
		}
		r := requests[name]
		r.Command = name
		return y.Do(role, r)
	}
	step := func(name string) func(*testing.T, *yard.Yard) {
		return func(t *testing.T, y *yard.Yard) {
			t.Helper()
			if _, err := give(y, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	points := []point{
		{"idle", then()},
		{"opened", step("open")},
		{"loaded", step("load")},
		{"between runs", step("seal")},
		{"paused", step("pause")},
		{"armed", then(step("resume"), step("arm"))},
		{"presented", comes(trial.Shown)},
		{"searching", step("start")},
		{"called", step("call")},
		{"locked", comes(trial.Locked)},
		{"purging", comes(trial.Purging)},
		{"void", then(comes(""), step("arm"), comes(trial.Shown), step("void"))},
		{"aborted in a run", then(comes(""), step("arm"), comes(trial.Shown), step("abort"))},
		{"ended", func(t *testing.T, y *yard.Yard) {
			y.World.RunWhile(func() bool { return y.Host.Snapshot().View.Phase != trial.Ended }, y.World.Mono()+int64(time.Hour))
		}},
		{"closed", step("close")},
	}
	// A call after the lock is kept as a claim. It is not offered, since it changes nothing.
	claims := []string{"locked call", "locked clear", "purging call", "purging clear", "void call", "void clear", "aborted in a run call", "aborted in a run clear"}
	taken := map[string]bool{} // by command and phase
	for i, p := range points {
		for _, c := range control.Commands() {
			if !c.Asks() {
				continue
			}
			y := newYard(t, "virtual-two", func(o *yard.Options) { o.Scripts, o.Machine = []dog.Script{}, untouched })
			for _, before := range points[:i+1] {
				before.reach(t, y)
			}
			phase := y.Host.Snapshot().View.Phase
			all := control.Person{Name: "All", Roles: []event.Role{event.Assessor, event.Handler, event.Loader}}
			offered := slices.Contains(y.Control.Status(y.Host.Snapshot(), all).Commands, c.Name)
			got, err := give(y, c.Name)
			about := fmt.Sprintf("%s: %s, offered %v: %v", p.name, c.Name, offered, err)
			switch {
			case slices.Contains(claims, p.name+" "+c.Name):
				if offered || err != nil {
					t.Error(about)
				}
			case offered != (err == nil):
				t.Error(about)
			case err == nil && !slices.Contains(c.Phases, phase):
				t.Errorf("%s, though phase %s is not for it", about, phase)
			case err == nil:
				taken[fmt.Sprint(c.Name, phase)] = true
			case got.First != nil:
				for _, name := range got.First {
					step(name)(t, y)
				}
				if now := y.Host.Snapshot().View.Phase; !slices.Contains(c.Phases, now) {
					t.Errorf("%s: %v lead to phase %s", about, got.First, now)
				}
			}
		}
	}
	for _, c := range control.Commands() {
		for _, phase := range c.Phases {
			if !taken[fmt.Sprint(c.Name, phase)] {
				t.Errorf("%s was never taken in phase %s, which the table gives it", c.Name, phase)
			}
		}
	}
}
