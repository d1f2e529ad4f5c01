package yard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/configs"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// motors is the small virtual station with a motor at every canister, a line for each way.
func motors(t *testing.T) config.Config {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(src), "type: shutter", "type: motor-shutter, on_loss: stays")
	for _, c := range []string{"c1a", "c1b", "c2a", "c2b"} {
		text = strings.Replace(text, "drive: "+c+".drive", fmt.Sprintf("open: %s.open, close: %s.close", c, c), 1)
	}
	cfg, err := config.Read(file, []byte(text), catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func newMotors(t *testing.T) *yard.Yard {
	t.Helper()
	return newYard(t, "virtual-two", func(o *yard.Options) { o.Config = motors(t) })
}

// stands fails the test unless every canister is in a state, with its motor off and never having had both lines on.
func stands(t *testing.T, y *yard.Yard, state string) {
	t.Helper()
	for _, c := range y.Hardware.Canisters() {
		if c.State != state || c.Driven || c.Shutting || c.Shorted != 0 {
			t.Errorf("%s: canister %s is %+v", time.Duration(y.World.Mono()), c.Name, c)
		}
	}
}

// opening has one canister of each position opened, all at once, one second from now.
func opening(y *yard.Yard, longest time.Duration) {
	y.Devices.Move(y.World.Mono()+int64(time.Second), longest, []event.Move{{Position: 1, Canister: "1A", Open: true}, {Position: 2, Canister: "2A", Open: true}})
}

// TestASessionOnMotors: every run is presented and closed, and the motors are off whenever nothing moves.
func TestASessionOnMotors(t *testing.T) {
	y := newMotors(t)
	checked := 0
	y.Host.Watch(func(s trial.Snapshot) {
		if s.View.Phase == trial.Sealed && s.View.Run.Index == 0 {
			checked++
			stands(t, y, "closed")
		}
	})
	file, src := plan(t, "short")
	conduct(t, y, file, src, rule(t))
	v := y.Host.Snapshot().View
	if v.Used != 0 || len(v.Runs()) != v.Scheduled || checked == 0 {
		t.Errorf("%d runs, %d of the reserve", len(v.Runs()), v.Used)
	}
	if told := y.Conditions.All(); len(told) != 0 {
		t.Errorf("conditions %+v", told)
	}
	_, bundle, err := y.Archive.Bundle("", true)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || r.Replay != verify.ReplayChecked {
		t.Errorf("the record: %+v", r)
	}
}

// TestAMotorIsTurnedBackInMidMove: an emergency stop comes at each moment of an opening, and it is closed a move later.
func TestAMotorIsTurnedBackInMidMove(t *testing.T) {
	for at := 900 * time.Millisecond; at < 1600*time.Millisecond; at += 37 * time.Millisecond {
		y := newMotors(t)
		opening(y, time.Minute)
		y.World.RunFor(at)
		if err := y.Hardware.Button(hardware.ButtonEStop, true); err != nil {
			t.Fatal(err)
		}
		y.World.RunFor(time.Millisecond)
		for _, c := range y.Hardware.Canisters() {
			if c.Driven {
				t.Errorf("a millisecond after an emergency stop at %s the motor of %s still opens", at, c.Name)
			}
		}
		y.World.RunFor(time.Second)
		stands(t, y, "closed")
	}
}

// TestAMotorClosesAfterItsLongestTime: what is open is closed by a move, with nobody above to ask for it.
func TestAMotorClosesAfterItsLongestTime(t *testing.T) {
	y := newMotors(t)
	opening(y, 3*time.Second)
	y.World.RunFor(3900 * time.Millisecond)
	open := 0
	for _, c := range y.Hardware.Canisters() {
		if c.State == "open" && !c.Driven && !c.Shutting {
			open++
		}
	}
	if open != 2 {
		t.Errorf("%d canisters are open with their motors off", open)
	}
	y.World.RunFor(time.Second)
	stands(t, y, "closed")
}

// TestAMotorOfALostDaemon stays where it is, off, which is what on_loss: stays accepts; the restart closes it.
func TestAMotorOfALostDaemon(t *testing.T) {
	y := newMotors(t)
	opening(y, time.Minute)
	y.World.RunFor(1100 * time.Millisecond) // in mid-move
	if err := y.Kill(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(time.Hour)
	between := 0
	for _, c := range y.Hardware.Canisters() {
		if c.State == "between" && !c.Driven && !c.Shutting {
			between++
		}
	}
	if between != 2 {
		t.Errorf("%d canisters stand where the daemon left them: %+v", between, y.Hardware.Canisters())
	}
	if err := y.Start(); err != nil {
		t.Fatal(err)
	}
	y.World.RunFor(time.Second)
	stands(t, y, "closed")
}

// TestASlowMotorIsClosedLateAndNotSentAgain: its move has failed, and it is closed all the same; closing it again moves
// nothing, which would tell which canister was slow.
func TestASlowMotorIsClosedLateAndNotSentAgain(t *testing.T) {
	y := newMotors(t)
	opening(y, time.Minute)
	y.World.RunFor(2 * time.Second)
	if err := y.Hardware.Fail("1A", hardware.Fault{Kind: hardware.Slow, Factor: 4}); err != nil {
		t.Fatal(err)
	}
	y.Devices.CloseAll()
	y.World.RunFor(4 * time.Second)
	stands(t, y, "closed")
	if told := fmt.Sprint(y.Conditions.All()); !strings.Contains(told, "did not close in time") {
		t.Errorf("conditions %s", told)
	}
	y.Hardware.Subscribe(func(c hardware.Change) { t.Errorf("closing it again does %+v", c) })
	y.Devices.CloseAll()
	y.World.RunFor(time.Second)
}

// TestAMotorThatJamsIsSwitchedOff after four times the longest time of a move, and tried again at the next closing.
func TestAMotorThatJamsIsSwitchedOff(t *testing.T) {
	y := newMotors(t)
	opening(y, time.Minute)
	y.World.RunFor(2 * time.Second)
	if err := y.Hardware.Fail("1A", hardware.Fault{Kind: hardware.StuckOpen}); err != nil {
		t.Fatal(err)
	}
	y.Devices.CloseAll()
	y.World.RunFor(500 * time.Millisecond)
	shutting := func() (n int) {
		for _, c := range y.Hardware.Canisters() {
			if c.Shutting {
				n++
			}
		}
		return n
	}
	if shutting() != 1 {
		t.Errorf("%d motors shut", shutting())
	}
	y.World.RunFor(2500 * time.Millisecond)
	if shutting() != 1 {
		t.Errorf("%d motors shut while there is hope", shutting())
	}
	y.World.RunFor(time.Second)
	if shutting() != 0 {
		t.Errorf("%d motors shut without end", shutting())
	}
	if err := y.Hardware.Fail("1A", hardware.Fault{}); err != nil {
		t.Fatal(err)
	}
	y.Devices.CloseAll()
	y.World.RunFor(time.Second)
	stands(t, y, "closed")
}
