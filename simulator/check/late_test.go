package check_test

import (
	"strings"
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
)

// lately is pair i, in which a busy machine holds up half of the commands for up to two seconds, whatever they are for.
func lately(i int) performance {
	chance := world.New(uint64(i)).Rand("late")
	var held []time.Duration
	for range 64 {
		held = append(held, max(0, chance.Between(-2*time.Second, 2*time.Second)))
	}
	const spell = int64(7 * time.Second)
	return performance{seed: uint64(i), secrets: uint64(11_000 + 2*i), mode: "double",
		late: func(mono int64) time.Duration { return held[mono/spell%int64(len(held))] }}
}

// TestALateSimulationTellsNothing: two draws look alike at a station to which commands come late. Runs are void by it, the
// condition says so, and canisters that close late by it are in sealed bodies alone.
func TestALateSimulationTellsNothing(t *testing.T) {
	t.Parallel()
	voids, conditions, told := 0, 0, 0
	lookAlike(t, latePairs.count(), func(i int) performance {
		p := lately(i)
		p.before = func(y *yard.Yard, _ *check.Sights) {
			y.Conditions.Watch(func() {
				if y.Conditions.Holds(health.SimulationLate, devices.OnVirtual) {
					conditions++
				}
			})
		}
		return p
	}, func(_ int, _ *check.Sights, y *yard.Yard) {
		text := journalText(t, y)
		voids += strings.Count(text, `"cause":"`+string(event.CauseSimulation)+`"`)
		told += strings.Count(text, devices.FaultLag)
	})
	if n := latePairs.count(); voids < n/2 || conditions < n || told < n {
		t.Fatalf("only %d voids, %d changes of the condition and %d sealed faults in %d pairs: nothing was shown", voids, conditions, told, n)
	}
}

// TestALatenessThatGoesByACanisterIsCaught plants lines that tell that a command came late whenever one canister was opened.
func TestALatenessThatGoesByACanisterIsCaught(t *testing.T) {
	t.Parallel()
	for i := range latePairs.few {
		p := lately(i)
		p.secrets += 1000
		p.late = func(int64) time.Duration { return 0 }
		p.before = func(y *yard.Yard, _ *check.Sights) {
			y.Hardware.Subscribe(func(c hardware.Change) {
				if c.What == hardware.Travel && c.Name == "1C" && c.State == "opening" {
					y.World.After(0, func() { y.Lags("no line of a canister", time.Second) })
				}
			})
		}
		a, _ := perform(t, p)
		p.secrets++
		b, _ := perform(t, p)
		if err := check.Differ(a, b); err != nil {
			t.Logf("pair %d, caught: %.300v", i, err)
			return
		}
	}
	t.Fatal("it was not caught")
}

// journalText is all lines of a session's record.
func journalText(t *testing.T, y *yard.Yard) string {
	t.Helper()
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, l := range lines {
		text.Write(l.Bytes)
	}
	return text.String()
}
