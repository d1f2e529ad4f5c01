package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// TestACanistersFaultTellsNothingButTheVoid compares a session in which one canister fails with another draw in
// which the test itself voids the same runs at the same instants. After the reveal the faults are shown.
func TestACanistersFaultTellsNothingButTheVoid(t *testing.T) {
	t.Parallel()
	voids, told := 0, 0
	for i := range faultPairs.count() {
		p, fail := failing(i)
		a, b, ya, instants := faultPair(t, p, fail, nil)
		voids += len(instants)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, %s, voids at %v: %v", i, fail, instants, err)
		}
		if tellsFault(ya, fail) {
			told++
		}
	}
	if n := faultPairs.count(); voids < n/4 || told < n/8 {
		t.Fatalf("only %d voids, and %d faults told after the reveal, in %d pairs: nothing was shown", voids, told, n)
	}
}

// TestAConditionThatIsNotFrozenIsCaught plants a freeze that does not hold: status, messages and log then tell what a
// canister does while the session is sealed.
func TestAConditionThatIsNotFrozenIsCaught(t *testing.T) {
	t.Parallel()
	thaw := func(y *yard.Yard) {
		y.Conditions.Follow(false)
		y.Host.Watch(func(trial.Snapshot) { y.Conditions.Follow(false) })
	}
	for i := range faultPairs.few {
		p, fail := failing(i)
		a, b, _, _ := faultPair(t, p, fail, thaw)
		if err := check.Differ(a, b); err != nil {
			t.Logf("pair %d, %s, caught: %.300v", i, fail, err)
			return
		}
	}
	t.Fatal("it was not caught")
}

// failure is a canister that fails.
type failure struct {
	canister string
	fault    hardware.Fault
}

// String names it for a message.
func (f failure) String() string { return f.canister + " " + string(f.fault.Kind) }

// failing draws what fails in pair i.
func failing(i int) (performance, failure) {
	chance := world.New(uint64(i)).Rand("fault")
	kinds := []hardware.Fault{
		{Kind: hardware.StuckClosed}, {Kind: hardware.Slow, Factor: 2 + chance.Below(4)}, {Kind: hardware.DeadOpened},
		{Kind: hardware.FallsShut, After: chance.Between(0, 20*time.Second)},
	}
	fault := kinds[chance.Below(len(kinds))]
	name := string(rune('1'+chance.Below(3))) + string(rune('A'+chance.Below(3)))
	return performance{seed: uint64(i), secrets: uint64(1000 + 2*i), mode: "double"}, failure{name, fault}
}

// faultPair performs a session in which a canister fails, and one of another draw without it in which the test itself
// voids the same runs at the same instants. Plant, unless nil, is called in both when they are sealed.
func faultPair(t *testing.T, p performance, fail failure, plant func(*yard.Yard)) (a, b *check.Sights, ya *yard.Yard, instants []int64) {
	t.Helper()
	before := func(then func(y *yard.Yard)) func(*yard.Yard, *check.Sights) {
		return func(y *yard.Yard, _ *check.Sights) {
			if plant != nil {
				plant(y)
			}
			then(y)
		}
	}
	p.before = before(func(y *yard.Yard) {
		if err := y.Hardware.Fail(fail.canister, fail.fault); err != nil {
			t.Error(err)
		}
	})
	a, ya = perform(t, p)
	instants = mechanicalVoids(t, ya)
	p.secrets++
	p.before = before(func(y *yard.Yard) {
		for _, at := range instants {
			y.World.At(at-1, func() {
				y.Host.Event(event.Event{Type: event.CanisterMoved, By: event.ByStation, At: y.World.Now(),
					Body: &event.Handling{Position: 1}, Secret: &event.Moves{Fault: "voided by the test"}})
			})
		}
	})
	b, _ = perform(t, p)
	return a, b, ya, instants
}

// tellsFault tells whether a station shows that a canister failed, and since when.
func tellsFault(y *yard.Yard, fail failure) bool {
	return slices.ContainsFunc(y.Conditions.All(), func(c health.Condition) bool {
		return c.Code == health.DeviceFault && c.Since > 0 && c.On == "canister-"+strings.ToLower(fail.canister)
	})
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
		if void, ok := r.Event.Body.(*event.Void); ok && void.Cause == event.CauseMechanical {
			at = append(at, r.Event.At.Mono)
		}
	}
	return at
}
