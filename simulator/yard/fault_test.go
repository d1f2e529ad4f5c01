package yard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/dog"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// closesWithin is how long a canister of the example station may take to close once it is told to.
const closesWithin = 1500 * time.Millisecond

// searchingYard is a station with a dog on its way and canisters open.
func searchingYard(t *testing.T) *yard.Yard {
	t.Helper()
	y := newYard(t, "virtual-two", func(o *yard.Options) {
		o.Scripts = []dog.Script{{Visits: []dog.Visit{{At: 500 * time.Millisecond, Position: 1, For: time.Second}}}}
	})
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Fatal(err)
	}
	searching := func() bool { return y.Host.Snapshot().View.Run.State == trial.Searching }
	y.World.RunWhile(func() bool { return !searching() }, y.World.Mono()+int64(time.Minute))
	if !searching() || closed(y) {
		t.Fatalf("the run is %s, all closed: %t", y.Host.Snapshot().View.Run.State, closed(y))
	}
	return y
}

func closed(y *yard.Yard) bool {
	for _, c := range y.Hardware.Canisters() {
		if c.State != "closed" || c.Driven {
			return false
		}
	}
	return true
}

// press holds the e-stop down for a moment.
func press(t *testing.T, y *yard.Yard) {
	t.Helper()
	if err := y.Hardware.Button("e-stop", true); err != nil {
		t.Fatal(err)
	}
	y.World.After(200*time.Millisecond, func() { _ = y.Hardware.Button("e-stop", false) })
}

// story returns the durable records: their kinds, with reasons, and when they happened.
func story(t *testing.T, y *yard.Yard) (kinds string, at map[event.Type]int64) {
	t.Helper()
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	at = map[event.Type]int64{}
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		at[r.Event.Type] = r.Event.At.Mono
		kinds += "," + string(r.Event.Type)
		switch b := r.Event.Body.(type) {
		case *event.Void:
			kinds += " " + b.String()
		case *event.Restart:
			kinds += " " + string(b.Cause)
		}
	}
	return kinds + ",", at
}

// TestAStalledCommitHoldsBackNoClosing: a commit takes 5 s with canisters open, and the e-stop is pressed.
func TestAStalledCommitHoldsBackNoClosing(t *testing.T) {
	y := searchingYard(t)
	y.Disk.Stall(5 * time.Second)
	stalled := y.World.Mono()
	y.World.RunFor(300 * time.Millisecond)
	pressed := y.World.Mono()
	press(t, y)
	y.World.RunFor(closesWithin)
	if !closed(y) {
		t.Fatalf("%s after the e-stop a canister is not closed", closesWithin)
	}
	if kinds, _ := story(t, y); strings.Contains(kinds, "run.voided") {
		t.Fatal("the void is durable: nothing stalled")
	}
	if s := y.Host.Snapshot().View; s.Run.State != trial.Searching {
		t.Errorf("what is not durable is shown: the run is %s", s.Run.State)
	}
	y.World.Run(stalled + int64(6*time.Second))
	kinds, at := story(t, y)
	if !strings.Contains(kinds, ",run.voided emergency stop,") {
		t.Errorf("the void is not recorded: %s", kinds)
	}
	if late := at[event.ButtonPressed] - pressed; late < 0 || late > int64(50*time.Millisecond) {
		t.Errorf("the press is stamped %s after it was made", time.Duration(late))
	}
	if v := y.Host.Snapshot().View; v.Paused == nil || v.Paused.Cause != event.CauseEStop {
		t.Errorf("the session is paused by %v", v.Paused)
	}
	conclude(t, y)
}

// TestABrokenDiskHoldsBackNoClosing: the commit never succeeds.
func TestABrokenDiskHoldsBackNoClosing(t *testing.T) {
	y := searchingYard(t)
	size := y.Store.Size()
	y.Disk.Stall(2 * time.Second)
	y.Disk.Break(errors.New("input/output error"))
	lit := 0
	y.Hardware.See(func(s hardware.Sight) {
		if s.What == string(hardware.Lamp) {
			lit++
		}
	})
	y.World.RunFor(300 * time.Millisecond)
	press(t, y)
	y.World.RunFor(closesWithin)
	if !closed(y) {
		t.Fatal("a canister is open though the e-stop was pressed")
	}
	y.World.RunFor(10 * time.Second)
	if s := y.Host.Snapshot(); !s.Failed.Says(host.JournalFailed) || !strings.Contains(s.Failed.Value("detail"), "input/output error") {
		t.Errorf("the failure is shown as %v", s.Failed)
	}
	for _, command := range []string{"resume", "arm", "finish"} {
		if _, err := y.Do(event.Assessor, control.Request{Command: command}); err == nil || !strings.Contains(err.Error(), "input/output error") {
			t.Errorf("%s is answered by %v", command, err)
		}
	}
	if now := y.Store.Size(); now != size || !closed(y) || lit > 0 {
		t.Errorf("after the failure: %d records of %d, all closed: %t, %d lights switched", now, size, closed(y), lit)
	}
	restart(t, y)
	kinds, _ := story(t, y)
	if !strings.Contains(kinds, ",session.restarted journal failed,run.voided journal failed,") {
		t.Errorf("the cause is not recorded: %s", kinds)
	}
	conclude(t, y)
}

// TestAKilledStationClosesAndComesBack is the same without a failure.
func TestAKilledStationClosesAndComesBack(t *testing.T) {
	y := searchingYard(t)
	restart(t, y)
	kinds, _ := story(t, y)
	if !strings.Contains(kinds, ",session.restarted daemon restarted,run.voided daemon restarted,") {
		t.Errorf("the cause is not recorded: %s", kinds)
	}
	conclude(t, y)
}

func restart(t *testing.T, y *yard.Yard) {
	t.Helper()
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(closesWithin)
	if !closed(y) {
		t.Fatal("a canister is open though nobody drives it")
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(100 * time.Millisecond)
}

// conclude ends the session with whoever is there.
func conclude(t *testing.T, y *yard.Yard) {
	t.Helper()
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
	if v := y.Host.Snapshot().View; v.Verdict == nil {
		t.Errorf("no verdict: the session is %s", v.Phase)
	}
}
