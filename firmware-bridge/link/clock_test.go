package link

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// stamps is how good the instants of edges were, in nanoseconds.
type stamps struct {
	errors, bounds []int64
	outside        int
}

func p99(of []int64) time.Duration {
	slices.Sort(of)
	return time.Duration(of[len(of)*99/100])
}

// stamped plays edges to a link and a board whose clock is off, and compares what the link says of each with the truth.
func stamped(t *testing.T, seed uint64, ppm float64, batch int64) (s stamps) {
	t.Helper()
	const settled, span = 3 * second, 25 * second
	w := newWorld(t, seed)
	w.ppm, w.sway, w.baud, w.batch, w.sleepy = ppm, 20, 500_000, batch, true
	w.link.opt.Baud, w.link.wire = int(w.baud), wire(int(w.baud))
	w.link.Arm(true)
	w.open()
	w.until(w.now + settled)
	w.take()
	var played []int64
	for at := w.now; at < w.now+span; at += 5*ms + w.chance.Int64N(10*ms) {
		n := len(played)
		played = append(played, at)
		w.script = append(w.script, action{at, func() { w.board.Input(w.now, "D3", n%2 == 0) }})
	}
	w.until(w.now + span + second)
	mark := int64(0)
	for _, f := range w.take(Edge, Watermark, Gap, Away) {
		switch f.Kind {
		case Watermark:
			mark = f.Mono
		case Edge:
			off := max(f.Mono-played[len(s.errors)], played[len(s.errors)]-f.Mono)
			if f.Mono < mark {
				t.Fatalf("an edge at %d, a watermark of %d before it", f.Mono, mark)
			}
			if off > f.Bound {
				s.outside++
			}
			s.errors, s.bounds = append(s.errors, off), append(s.bounds, f.Bound)
		default:
			t.Fatalf("%+v", f)
		}
	}
	if len(s.errors) != len(played) {
		t.Fatalf("%d edges of %d", len(s.errors), len(played))
	}
	return s
}

// TestStampsAreTrue: boards that are off by up to 5,000 ppm and drift, converters that batch, a host that wakes up late. The
// whole of both ends in one simulated time: an edge on the pin, and what the link says of it.
func TestStampsAreTrue(t *testing.T) {
	for _, batch := range []int64{0, ms, 16 * ms} {
		t.Run(fmt.Sprintf("batch %s", time.Duration(batch)), func(t *testing.T) {
			t.Parallel()
			var all stamps
			for i, ppm := range []float64{-5000, -200, 0, 200, 5000} {
				s := stamped(t, uint64(200+i), ppm, batch)
				all.errors, all.bounds, all.outside = append(all.errors, s.errors...), append(all.bounds, s.bounds...), all.outside+s.outside
			}
			off, bound := p99(all.errors), p99(all.bounds)
			t.Logf("%d edges, %d outside their bounds; p99 of the error %s, of the bound %s", len(all.errors), all.outside, off, bound)
			limit := 300 * time.Microsecond
			if batch > 0 {
				limit = time.Duration(batch/2 + ms)
			}
			if all.outside*1000 > len(all.errors) || bound > limit || batch == 0 && off > 100*time.Microsecond {
				t.Errorf("%d outside, p99 of the bound %s (at most %s), of the error %s", all.outside, bound, limit, off)
			}
		})
	}
}
