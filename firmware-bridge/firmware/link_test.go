package firmware

import (
	"fmt"
	"testing"
	"time"

	"scentpost/firmware-bridge/link"
)

// TestTheClockMapOfAChip: 20 seconds of the host's link and the real firmware. The true error of an edge lies within
// the bound that it comes with.
func TestTheClockMapOfAChip(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200, 11)
	l.play(2000, 10*time.Millisecond)
	edges := l.some(link.Edge)
	if len(edges) != len(l.edges) || len(edges) != 2000 {
		t.Fatalf("%d edges of %d came", len(edges), len(l.edges))
	}
	var errors, bounds []float64
	outside := 0
	for i, f := range edges {
		off := float64(f.Mono-l.edges[i].at) / 1000
		if off < 0 {
			off = -off
		}
		if off*1000 > float64(f.Bound) {
			outside++
		}
		errors, bounds = append(errors, off), append(bounds, float64(f.Bound)/1000)
	}
	_, error99, most := percentiles(errors)
	_, bound99, _ := percentiles(bounds)
	t.Logf("FIGURE seed %d: %d edges at %+.0f ppm, %d outside their bound; error p99 %.0f us, most %.0f us; bound p99 %.0f us",
		seed, len(edges), l.ppm, outside, error99, most, bound99)
	if outside*1000 > len(edges) || bound99 > 300 || error99 > 100 {
		t.Errorf("want at most 1 in 1,000 outside, a bound of at most 300 us and an error of at most 100 us")
	}
	if clock := l.link.Clock(); clock.Fast > 0 {
		t.Errorf("answers that came faster than the wire allows: %+v", clock)
	}
}

// TestANoisyLineToAChip: bits that flip on the way to the real firmware and back. Every edge comes once and in order,
// and the link stays up.
func TestANoisyLineToAChip(t *testing.T) {
	for i, flip := range []float64{1e-4, 1e-3} {
		t.Run(fmt.Sprintf("bits %g", flip), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, -300, 20+uint64(i))
			l.flip = flip
			l.play(1000, 10*time.Millisecond)
			edges := l.some(link.Edge)
			for n, f := range edges {
				if n >= len(l.edges) || f.Level != l.edges[n].level || f.Mono-l.edges[n].at > int64(5*time.Millisecond) {
					t.Fatalf("edge %d came as %+v", n, f)
				}
			}
			s := l.link.Stats()
			t.Logf("seed %d: %d edges of 1000; %+v", seed, len(edges), s)
			if len(edges) != 1000 || len(l.some(link.Gap)) > 0 || len(l.some(link.Away)) > 0 {
				t.Errorf("%d edges of 1000, gaps %+v, away %+v", len(edges), l.some(link.Gap), l.some(link.Away))
			}
			if s.Errors == 0 {
				t.Error("the noise did nothing")
			}
		})
	}
}
