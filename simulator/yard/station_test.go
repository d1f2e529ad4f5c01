package yard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// These are the rules of a whole station that once held in the daemon alone: the yard answered otherwise, or not at all.

// sealedYard is a station with a session that is sealed, between two runs.
func sealedYard(t *testing.T, change func(*yard.Options)) *yard.Yard {
	t.Helper()
	y := newYard(t, "virtual-two", change)
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, rule(t)); err != nil {
		t.Fatal(err)
	}
	return y
}

// hold presses the emergency stop and keeps it down, or lets it go.
func hold(t *testing.T, y *yard.Yard, down bool) {
	t.Helper()
	if err := y.Hardware.Button("e-stop", down); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(time.Second)
}

// reason returns why the station refused a command, nil when it did not.
func reason(err error) *refusal.Reason {
	var why *refusal.Reason
	errors.As(err, &why)
	return why
}

// refuses has the assessor arm a run, which the station refuses for a reason that the status gave before, without a record.
func refuses(t *testing.T, y *yard.Yard, code refusal.Code) {
	t.Helper()
	size := y.Station.Snapshot().Size
	if got := y.Control.Public().Status.Obstacle; !got.Says(code) {
		t.Errorf("the status says that no run can start for %v, want %s", got, code)
	}
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); !reason(err).Says(code) {
		t.Errorf("arm is answered by %v, want %s", err, code)
	}
	y.World.RunFor(time.Second)
	if now := y.Station.Snapshot(); now.Size != size || now.View.Run.Index != 0 {
		t.Errorf("after the refusal there are %d records of %d, and run %d is %s", now.Size, size, now.View.Run.Index, now.View.Run.State)
	}
}

// does gives a command of the assessor's that must be carried out.
func does(t *testing.T, y *yard.Yard, command string) {
	t.Helper()
	if _, err := y.Do(event.Assessor, control.Request{Command: command}); err != nil {
		t.Fatal(err)
	}
}

// holds tells whether a condition can be seen, with its evidence.
func holds(y *yard.Yard, code health.Code) (evidence string, holds bool) {
	for _, c := range y.Control.Public().Status.Conditions {
		if c.Code == code && c.Until == 0 {
			return c.Evidence, true
		}
	}
	return "", false
}

// TestAHeldEmergencyStopRefusesTheNextRun: the session was resumed while somebody still holds it. A run that was armed would be
// void at once.
func TestAHeldEmergencyStopRefusesTheNextRun(t *testing.T) {
	y := sealedYard(t, nil)
	hold(t, y, true)
	does(t, y, "resume")
	refuses(t, y, readiness.EStopHeld)
	hold(t, y, false)
	does(t, y, "arm")
	conclude(t, y)
	if kinds, _ := story(t, y); strings.Contains(kinds, "run.voided") {
		t.Errorf("a run is void: %s", kinds)
	}
}

// TestNoRunStartsWithoutRoomOnTheDisk: at once when the reserve of the disk was used, and until there is room again.
func TestNoRunStartsWithoutRoomOnTheDisk(t *testing.T) {
	y := sealedYard(t, nil)
	y.Disk.Fill(true)
	refuses(t, y, readiness.DiskFull)
	y.World.RunFor(time.Minute)
	if _, full := holds(y, health.JournalFull); !full {
		t.Error("nobody is told that the disk is full")
	}
	y.Disk.Fill(false)
	y.World.RunFor(time.Minute)
	if _, full := holds(y, health.JournalFull); full {
		t.Error("the disk is said to be full, and is not")
	}
	does(t, y, "arm")
	conclude(t, y)
}

// TestNoRunStartsOnADiskThatTakesNoWrites, as the watch over the machine has found out.
func TestNoRunStartsOnADiskThatTakesNoWrites(t *testing.T) {
	y := sealedYard(t, nil)
	y.Vitals.ReadOnly = true
	y.World.RunFor(time.Minute)
	refuses(t, y, readiness.DiskReadOnly)
	y.Vitals.ReadOnly, y.Vitals.HasTemperature, y.Vitals.MilliCelsius = false, true, 90_000
	y.World.RunFor(time.Minute)
	if evidence, hot := holds(y, health.BoardHot); !hot || !strings.Contains(evidence, "90") {
		t.Errorf("a board of 90 degrees is said to be hot: %v, %q", hot, evidence)
	}
	does(t, y, "arm")
	conclude(t, y)
}

// TestLinesThatGoVoidTheRun, and no other one starts before the station was started again.
func TestLinesThatGoVoidTheRun(t *testing.T) {
	y := searchingYard(t)
	y.Station.Away(devices.OnVirtual, "the station does not answer")
	y.World.RunFor(time.Minute)
	if kinds, _ := story(t, y); !strings.Contains(kinds, ",run.voided source lost,") {
		t.Errorf("the run is not void: %s", kinds)
	}
	if _, absent := holds(y, health.DeviceAbsent); !absent {
		t.Error("nobody is told that the lines are away")
	}
	refuses(t, y, readiness.LinesAway)
	restart(t, y)
	conclude(t, y)
}

// TestAStationThatStartsServesViewsAndTakesNothing: until the host shows what it found, and what devices do is kept back
// from the first moment of a start in a sealed session.
func TestAStationThatStartsServesViewsAndTakesNothing(t *testing.T) {
	y := sealedYard(t, nil)
	if y.Conditions.Blank() {
		t.Error("the station that sealed the session does not know what was so then")
	}
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	asked := false
	y.World.After(yard.DefaultCommit/2, func() { // while the restart becomes durable
		asked = true
		status := y.Control.Public().Status
		if status.Phase != trial.Interrupted || !status.Obstacle.Says(readiness.Starting) {
			t.Errorf("shown: %s, blocked by %v", status.Phase, status.Obstacle)
		}
		if !y.Conditions.Sealed() || !y.Conditions.Blank() {
			t.Error("what devices do may be seen")
		}
		who, _ := y.Control.Person("Assessor")
		y.Control.Do(who, control.Request{Command: "arm"}, func(r control.Response) {
			if r.OK || !r.Refused.Says(readiness.Starting) {
				t.Errorf("arm is answered by %+v", r)
			}
		})
	})
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	if status := y.Control.Public().Status; !asked || status.Obstacle != nil || status.Phase != trial.Sealed || !y.Conditions.Sealed() {
		t.Errorf("after the start: asked %v, %s, blocked by %v", asked, status.Phase, status.Obstacle)
	}
	does(t, y, "arm")
	conclude(t, y)
	if y.Conditions.Blank() || y.Conditions.Sealed() {
		t.Error("after the reveal what devices do is kept back")
	}
}

// TestAStartBeforeTheSealTellsWhatIsAbsent: the journal says that nothing is sealed before the host can.
func TestAStartBeforeTheSealTellsWhatIsAbsent(t *testing.T) {
	y := newYard(t, "virtual-boards", nil)
	file, src := plan(t, "short")
	if _, err := y.Do(event.Assessor, control.Request{Command: "open", PlanName: file, Plan: string(src), Dog: "Rex", Handler: "Hari", Assessor: "Assessor", New: true}); err != nil {
		t.Fatal(err)
	}
	y.Boards[canisterBoard].Unplug()
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	asked := false
	for after := range 400 { // its boards are looked for, and then the start becomes durable
		y.World.After(time.Duration(after)*time.Millisecond, func() {
			status := y.Control.Public().Status
			if !status.Obstacle.Says(readiness.Starting) {
				return
			}
			asked = true
			if _, absent := holds(y, health.DeviceAbsent); !absent || status.Phase != trial.Interrupted {
				t.Errorf("%s: of an absent board is told: %v", status.Phase, absent)
			}
		})
	}
	if err := y.Start(); err != nil || !asked {
		t.Fatalf("asked %v, %v", asked, err)
	}
}

// TestTheClockOfTheMachineIsWatched: a clock that nobody set is a condition, as is one that steps in a session.
func TestTheClockOfTheMachineIsWatched(t *testing.T) {
	y := sealedYard(t, func(o *yard.Options) { o.Machine = untouched })
	y.World.RunFor(10 * time.Second)
	if _, unset := holds(y, health.ClockUnset); !unset {
		t.Error("nobody is told that the clock was never set")
	}
	y.Kernel.Serve(time.Millisecond)
	y.World.RunFor(10 * time.Second)
	if _, unset := holds(y, health.ClockUnset); unset {
		t.Error("the clock is set, and said not to be")
	}
	if _, stepped := holds(y, health.ClockStepped); !stepped {
		t.Error("nobody is told that the clock stepped in the session")
	}
	conclude(t, y)
}

// TestWhatIsShownHasLeft: a checkpoint that people can see is noted as having left before they can.
func TestWhatIsShownHasLeft(t *testing.T) {
	y := sealedYard(t, nil)
	var covered int64
	all, err := y.Store.Checkpoints("")
	for _, c := range all {
		covered = max(covered, c.Size)
	}
	if err != nil || covered == 0 {
		t.Fatalf("%d checkpoints, %v", len(all), err)
	}
	if left := y.Departed(); left.Epoch != y.Store.Epoch().ID || left.Size < covered {
		t.Errorf("%+v has left, and a checkpoint over %d records is shown", left, covered)
	}
}

// damaged is a journal whose sealed bodies cannot be read while spoil is set.
type damaged struct {
	*journal.Memory
	spoil bool
}

func (d *damaged) Vault(session string) ([]journal.VaultRow, error) {
	rows, err := d.Memory.Vault(session)
	if d.spoil {
		rows = slices.Clone(rows)
		for i := range rows {
			rows[i].Nonce[0]++
		}
	}
	return rows, err
}

// TestASessionThatCannotBeBroughtBackEndsItsEpoch, and the station runs on.
func TestASessionThatCannotBeBroughtBackEndsItsEpoch(t *testing.T) {
	store := &damaged{Memory: journal.NewMemory()}
	y := sealedYard(t, func(o *yard.Options) { o.Store = store })
	old := y.Store.Epoch().ID
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	store.spoil = true
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	if began := y.Store.Epoch(); began.Prev != old || began.Why != journal.WhyTailLost || y.Station.Snapshot().View.Phase != trial.Idle {
		t.Errorf("the epoch is %+v, the station %s", began, y.Station.Snapshot().View.Phase)
	}
	store.spoil = false
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
}

// TestAJournalThatNeverWritesStartsNothing: the start says so, and nothing hangs.
func TestAJournalThatNeverWritesStartsNothing(t *testing.T) {
	y := sealedYard(t, nil)
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.World.After(yard.DefaultCommit/2, func() { y.Disk.Break(errors.New("input/output error")) })
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	if s := y.Station.Snapshot(); !s.Failed.Says(host.JournalFailed) || !strings.Contains(s.Failed.Value(refusal.Detail), "input/output error") {
		t.Errorf("the failure is shown as %v", s.Failed)
	}
	restart(t, y)
	conclude(t, y)
}

// TestAnAbsentDeviceIsNamedBeforeTheSealAlone: a session that misses it is not opened, and its name is told; between the runs
// of a sealed one it is public that a device is absent, and not which.
func TestAnAbsentDeviceIsNamedBeforeTheSealAlone(t *testing.T) {
	y := newYard(t, "virtual-boards", nil)
	y.Boards[canisterBoard].Unplug()
	y.World.RunFor(5 * time.Second)
	file, src := plan(t, "short")
	err := y.Prepare(file, src, rule(t))
	if why := reason(err); !why.Says(readiness.DevicesAbsent) || why.Value("devices") != canisterBoard {
		t.Errorf("open is answered by %v", err)
	}
	if got := y.Control.Public().Status.Obstacle; !got.Says(readiness.DevicesAbsent) || got.Value("devices") != canisterBoard {
		t.Errorf("without a session the status says %v", got)
	}
	y.Boards[canisterBoard].Plug()
	y.World.RunFor(5 * time.Second)
	if err := y.Prepare(file, src, rule(t)); err != nil {
		t.Fatal(err)
	}
	y.Boards[canisterBoard].Unplug()
	y.World.RunFor(5 * time.Second)
	refuses(t, y, readiness.DeviceUntold)
	if got := y.Control.Public().Status.Obstacle; len(got.Values) != 0 {
		t.Errorf("while sealed the status says %v", got)
	}
	y.Boards[canisterBoard].Plug()
	y.World.RunFor(5 * time.Second)
	conclude(t, y)
}

// TestAConditionIsShownAtOnce: those who watch hear that it begins and that it is over, also after a restart, and once each.
func TestAConditionIsShownAtOnce(t *testing.T) {
	y := newYard(t, "virtual-two", nil)
	for _, life := range []string{"first", "second"} {
		told := 0
		stop := y.Station.Watch(func(trial.Snapshot) { told++ })
		y.Conditions.Raise(health.BrokerAway, "broker", "it does not answer")
		y.Conditions.Clear(health.BrokerAway, "broker")
		if told != 2 {
			t.Errorf("in its %s life a watcher was told %d times, want 2", life, told)
		}
		stop()
		if err := y.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := y.Start(); err != nil {
			t.Fatal(err)
		}
	}
}
