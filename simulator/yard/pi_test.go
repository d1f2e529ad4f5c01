package yard_test

import (
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// piFour is the plan of the example station on hardware.
const piFour = `plan: Four
form: lineup
presentation: actuated
mode: double
positions: 4
runs: 4
reserve: 2
loading: {each_position: [tnt, blank]}
targets: {odours: [tnt], per_run: 0..1}
calls: first-ends
limits: {run: 60s, dwell: 3s}
purge: 20s
feedback: none
reward: none
inconclusive: wrong
`

// onVirtualHardware is a configuration for hardware whose lines and chips are simulated. How lines are wired does not
// matter there: all of them are logical.
func onVirtualHardware(o *yard.Options) {
	o.Config.Driver = config.Driver{Type: config.DriverVirtual}
}

// TestTheExampleOnHardwareRunsOnVirtualHardware: every device of it is there and does what it should, expanders with
// limit switches, buttons and lights included.
func TestTheExampleOnHardwareRunsOnVirtualHardware(t *testing.T) {
	_, src, err := configs.Files{}.Read(configs.Stations, "pi-four")
	if err != nil || !strings.Contains(string(src), "NEVER RUN ON A BOARD") {
		t.Errorf("the example does not say that it was never run: %v", err)
	}
	y := newYard(t, "pi-four", onVirtualHardware)
	air := watchAir(y)
	lit := map[string]int{}
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.What == hardware.Lamp && c.State == "on" {
			lit[c.Name]++
		}
	})
	conduct(t, y, "four.yaml", []byte(piFour), rule(t))
	v := y.Host.Snapshot().View
	for _, r := range v.Runs() {
		if r.State != trial.Completed {
			t.Errorf("run %d is %s (%s)", r.Index, r.State, r.Why)
		}
	}
	runs := len(v.Runs())
	if runs != 4 || lit["ready"] != runs || lit["ack"] != runs || air.rounds["fan"] != runs || air.rounds["buzzer"] != 1 || air.wrong != nil {
		t.Errorf("%d runs, lights %v, air %v, %v", runs, lit, air.rounds, air.wrong)
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
	for _, r := range records(t, y) {
		if a, sampled := r.Event.Body.(*event.Air); sampled && len(a.Readings) == 0 {
			t.Errorf("run %d: %+v", r.Event.Run, a)
		}
	}
}
