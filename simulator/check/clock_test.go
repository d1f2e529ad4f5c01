package check_test

import (
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
)

// stepsEvery is how often the clock is stepped: at no instant of a run, and between two looks.
const stepsEvery = 2700 * time.Millisecond

// wildClock steps the clock of a station again and again, loses the time server and finds it again.
func wildClock(y *yard.Yard) {
	steps := 0
	var step func()
	step = func() {
		switch steps++; steps % 4 {
		case 0:
			y.Kernel.Serve(time.Millisecond)
		case 1:
			y.Kernel.Lose()
		case 2:
			y.Kernel.Set(time.Hour)
		case 3:
			y.Kernel.Set(-2 * time.Hour)
		}
		y.World.After(stepsEvery, step)
	}
	step()
}

// clockPair performs two sessions that differ in their draw alone, with a wild clock.
func clockPair(t *testing.T, i int, plant func(*yard.Yard)) (a, b *check.Sights, fixes int) {
	p := performance{seed: uint64(i), secrets: uint64(7000 + 2*i), mode: "double", machine: func(k *world.Kernel) { k.Serve(time.Millisecond) }}
	p.before = func(y *yard.Yard, _ *check.Sights) {
		wildClock(y)
		if plant != nil {
			plant(y)
		}
	}
	a, _ = perform(t, p)
	p.secrets++
	b, y := perform(t, p)
	return a, b, y.Host.Snapshot().View.Clock.Steps
}

// TestTwoSecretsLookAlikeWithAWildClock: what is written of the clock, and when, tells nothing of what canisters do.
func TestTwoSecretsLookAlikeWithAWildClock(t *testing.T) {
	t.Parallel()
	steps := 0
	for i := range clockPairs.count() {
		a, b, n := clockPair(t, i, nil)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d: %v", i, err)
		}
		steps += n
	}
	if n := clockPairs.count(); steps < 10*n {
		t.Fatalf("%d steps in %d pairs: nothing was shown", steps, n)
	}
}

// TestALookWhenACanisterMovesIsCaught plants a clock that is looked at when something moves.
func TestALookWhenACanisterMovesIsCaught(t *testing.T) {
	t.Parallel()
	for i := range clockPairs.few {
		a, b, _ := clockPair(t, i, func(y *yard.Yard) {
			y.Hardware.Subscribe(func(c hardware.Change) {
				if c.What == hardware.Travel {
					y.World.After(0, y.LookAtClock)
				}
			})
		})
		if err := check.Differ(a, b); err != nil {
			t.Logf("pair %d, caught: %.300v", i, err)
			return
		}
	}
	t.Fatal("it was not caught")
}
