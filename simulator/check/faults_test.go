package check_test

import (
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/event"
	"scentpost/station/record"
)

// faultPairs is how many pairs are compared in which a canister fails.
const faultPairs = 200

// TestACanistersFaultTellsNothingButTheVoid compares a session in which one canister fails with another draw in
// which the test itself voids the same runs at the same instants.
func TestACanistersFaultTellsNothingButTheVoid(t *testing.T) {
	t.Parallel()
	voids := 0
	for i := range faultPairs {
		chance := world.New(uint64(i)).Rand("fault")
		kinds := []hardware.Fault{
			{Kind: hardware.StuckClosed}, {Kind: hardware.Slow, Factor: 2 + chance.Below(4)}, {Kind: hardware.DeadOpened},
			{Kind: hardware.FallsShut, After: chance.Between(0, 20*time.Second)},
		}
		fault := kinds[chance.Below(len(kinds))]
		name := string(rune('1'+chance.Below(3))) + string(rune('A'+chance.Below(3)))
		p := performance{seed: uint64(i), secrets: uint64(1000 + 2*i), mode: "double"}
		p.before = func(y *yard.Yard, _ *check.Sights) {
			if err := y.Hardware.Fail(name, fault); err != nil {
				t.Error(err)
			}
		}
		a, ya := perform(t, p)
		instants := mechanicalVoids(t, ya)
		voids += len(instants)
		p.secrets++
		p.before = func(y *yard.Yard, _ *check.Sights) {
			for _, at := range instants {
				y.World.At(at-1, func() {
					y.Host.Event(event.Event{Type: event.CanisterMoved, By: event.ByStation, At: y.World.Now(),
						Body: &event.Handling{Position: 1}, Secret: &event.Moves{Fault: "voided by the test"}})
				})
			}
		}
		b, _ := perform(t, p)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, canister %s %s, voids at %v: %v", i, name, fault.Kind, instants, err)
		}
	}
	if voids < faultPairs/4 {
		t.Fatalf("only %d voids in %d pairs: nothing was shown", voids, faultPairs)
	}
}

// mechanicalVoids returns the instants at which runs were voided for a mechanical fault.
func mechanicalVoids(t testing.TB, y *yard.Yard) (at []int64) {
	t.Helper()
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if void, ok := r.Event.Body.(*event.Void); ok && void.Reason == event.VoidMechanical {
			at = append(at, r.Event.At.Mono)
		}
	}
	return at
}
