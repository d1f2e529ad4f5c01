package check_test

import (
	"bytes"
	"fmt"
	"testing"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
)

// lookAlike performs pairs of sessions whose secrets alone differ, and fails where somebody could tell the two apart before
// the reveal, or where too few pairs had different placements to show anything. each, unless nil, looks at the first of a pair.
func lookAlike(t *testing.T, pairs int, of func(pair int) performance, each func(pair int, seen *check.Sights, y *yard.Yard)) {
	t.Helper()
	different := 0
	for i := range pairs {
		p := of(i)
		a, ya := perform(t, p)
		p.secrets++
		b, yb := perform(t, p)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, seed %d: %v", i, p.seed, err)
		}
		if fmt.Sprint(ya.Placements()) != fmt.Sprint(yb.Placements()) {
			different++
		}
		if each != nil {
			each(i, a, ya)
		}
	}
	if different < pairs*9/10 {
		t.Fatalf("only %d of %d pairs had different placements: nothing was shown", different, pairs)
	}
}

// TestTwoSecretsLookAlike compares pairs of sessions that differ in their draw alone: everything that a blind
// person or a subscriber could see before the reveal must be the same, byte for byte and nanosecond for nanosecond.
func TestTwoSecretsLookAlike(t *testing.T) {
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			lookAlike(t, memoryPairs.count()/4, func(n int) performance {
				i := part + 4*n
				return performance{seed: uint64(i), secrets: uint64(2*i + 1), mode: []string{"double", "single"}[n%2]}
			}, func(pair int, seen *check.Sights, _ *yard.Yard) {
				for _, c := range []check.Channel{check.Messages, check.Outside, check.Views, check.Commands, check.Metrics} {
					if seen.Count(c) == 0 {
						t.Fatalf("pair %d: %s: the channel was not watched", pair, c)
					}
				}
			})
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
	samples, sums := 0, 0
	for _, l := range lines {
		if bytes.Contains(l.Bytes, []byte(`"type":"scentpost.air.sampled"`)) {
			samples++
		}
		if bytes.Contains(l.Bytes, []byte(`"type":"scentpost.refusals.summed"`)) {
			sums++
		}
	}
	if sums == 0 {
		t.Error("no refusals are summed")
	}
	if runs := len(y.Placements()); done[hardware.Blow] < 2*4*runs || done[hardware.Call] < 2*runs || samples != runs+1 {
		t.Errorf("%d blowers and %d sounders were switched, %d samples recorded, in %d runs", done[hardware.Blow], done[hardware.Call], samples, runs)
	}
}
