package yard_test

import (
	"testing"
	"time"

	"scentpost/simulator/dog"
	"scentpost/simulator/yard"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/readiness"
)

// TestNoRunIsArmedWhileAButtonIsStuck: the handler's call would be lost. The status says so before anybody tries, and it is over
// when the button is let go.
func TestNoRunIsArmedWhileAButtonIsStuck(t *testing.T) {
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Scripts = []dog.Script{} })
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, nil); err != nil {
		t.Fatal(err)
	}
	status := func() control.Status { return y.Control.Status(y.Host.Snapshot(), control.Person{}) }
	hold := func(down bool) {
		if err := y.Hardware.Button("alert", down); err != nil {
			t.Fatal(err)
		}
		y.World.RunFor(20 * time.Second)
	}
	if hold(true); !status().Obstacle.Says(readiness.ButtonStuck) || status().Next != control.WaitStartable {
		t.Fatalf("the alert button is held for 20 s: %v, %s", status().Obstacle, status().Next)
	}
	got, err := y.Do(event.Assessor, control.Request{Command: "arm"})
	if err == nil || !got.Refused.Says(readiness.ButtonStuck) || got.Refused.Value("buttons") != "button-alert" {
		t.Fatalf("armed: %v", err)
	}
	if hold(false); status().Obstacle != nil {
		t.Fatalf("it was let go: %v", status().Obstacle)
	}
	if _, err := y.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Fatal(err)
	}
}
