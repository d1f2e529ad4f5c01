package check_test

import (
	"bytes"
	"fmt"
	"testing"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
)

// pairs is how many pairs are compared in memory.
const pairs = 1000

// TestTwoSecretsLookAlike compares pairs of sessions that differ in their draw alone: everything that a blind
// person or a subscriber could see before the reveal must be the same, byte for byte and nanosecond for nanosecond.
func TestTwoSecretsLookAlike(t *testing.T) {
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			different := 0
			for i := part; i < pairs; i += 4 {
				p := performance{seed: uint64(i), secrets: uint64(2*i + 1), mode: []string{"double", "single"}[i/4%2]}
				a, ya := perform(t, p)
				p.secrets++
				b, yb := perform(t, p)
				if err := check.Differ(a, b); err != nil {
					t.Fatalf("pair %d: %v", i, err)
				}
				if fmt.Sprint(ya.Placements()) != fmt.Sprint(yb.Placements()) {
					different++
				}
				if a.Count(check.Messages) == 0 || a.Count(check.Outside) == 0 || a.Count(check.Views) == 0 || a.Count(check.Commands) == 0 || a.Count(check.Metrics) == 0 {
					t.Fatalf("pair %d: a channel was not watched", i)
				}
			}
			if different < pairs/4*9/10 {
				t.Fatalf("only %d of %d pairs had different placements: nothing was shown", different, pairs/4)
			}
		})
	}
}

// TestThePairsPurgeCallAndMeasure: what is compared has all that a station can do between runs.
func TestThePairsPurgeCallAndMeasure(t *testing.T) {
	done := map[hardware.What]int{}
	_, y := perform(t, performance{seed: 1, secrets: 1, mode: "double", before: func(y *yard.Yard, _ *check.Sights) {
		y.Hardware.Subscribe(func(c hardware.Change) { done[c.What]++ })
	}})
	lines, err := y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	samples := 0
	for _, l := range lines {
		if bytes.Contains(l.Bytes, []byte(`"type":"scentpost.air.sampled"`)) {
			samples++
		}
	}
	if runs := len(y.Placements()); done[hardware.Blow] < 2*4*runs || done[hardware.Call] < 2*runs || samples != runs+1 {
		t.Errorf("%d blowers and %d sounders were switched, %d samples recorded, in %d runs", done[hardware.Blow], done[hardware.Call], samples, runs)
	}
}
