package check_test

import (
	"bytes"
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/event"
)

// noisy draws which canister's limit switch chatters in pair i, and how long after it is open.
func noisy(i int) (performance, failure) {
	chance := world.New(uint64(i)).Rand("noise")
	fault := hardware.Fault{Kind: hardware.Noisy, After: chance.Between(0, 20*time.Second)}
	name := string(rune('1'+chance.Below(3))) + string(rune('A'+chance.Below(3)))
	return performance{seed: uint64(i), secrets: uint64(7000 + 2*i), mode: "double"}, failure{name, fault}
}

// TestANoisySwitchTellsNothingButTheVoid compares a session in which the limit switch of one canister makes edges of beams
// and buttons lost with another draw in which the test itself voids the same runs at the same instants. When the noise came,
// and so when and where that canister opened, shows in nothing before the reveal.
func TestANoisySwitchTellsNothingButTheVoid(t *testing.T) {
	t.Parallel()
	voids, told := 0, 0
	for i := range noisyPairs.count() {
		p, fail := noisy(i)
		a, b, ya, instants := faultPair(t, p, fail, nil)
		voids += len(instants)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, %s, voids at %v: %v", i, fail, instants, err)
		}
		if len(instants) > 0 && tellsNoise(t, ya) {
			told++
		}
	}
	if n := noisyPairs.count(); voids < n/4 || told < n/8 {
		t.Fatalf("only %d voids, and %d losses told by the reveal, in %d pairs: nothing was shown", voids, told, n)
	}
}

// TestANoiseThatIsToldAtOnceIsCaught plants devices that tell in public that edges were lost when the switch chatters.
func TestANoiseThatIsToldAtOnceIsCaught(t *testing.T) {
	t.Parallel()
	for i := range noisyPairs.few {
		p, fail := noisy(i)
		p.secrets += 1000 // other draws than those that are compared above
		a, b, _, _ := faultPair(t, p, fail, func(y *yard.Yard) { tellAtOnce(y, fail) })
		if err := check.Differ(a, b); err != nil {
			t.Logf("pair %d, %s, caught: %.300v", i, fail, err)
			return
		}
	}
	t.Fatal("it was not caught")
}

// tellAtOnce tells of lost edges, with their source, whenever a canister has been open for as long as its noise takes.
func tellAtOnce(y *yard.Yard, fail failure) {
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.What != hardware.Travel || c.State != "open" || c.Name != fail.canister {
			return
		}
		y.World.After(fail.fault.After, func() {
			y.Host.Event(event.Event{Type: event.EdgesLost, At: y.World.Now(), By: event.ByStation,
				Body: &event.LostEdges{Source: hardware.SourceFront}, Secret: &event.Loss{Lost: 41, From: y.World.Mono(), To: y.World.Mono(), Why: "at once"}})
		})
	})
}

// tellsNoise tells whether the record, once it is open, says that edges were lost.
func tellsNoise(t *testing.T, y *yard.Yard) bool {
	t.Helper()
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if bytes.Contains(l.Bytes, []byte("not known, edges were lost")) {
			return true
		}
	}
	return false
}
