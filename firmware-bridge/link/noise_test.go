package link

import (
	"fmt"
	"strings"
	"testing"
)

// TestANoisyLine: 10,000 events (2,000 in `make test`) at 100/s over lines that flip, drop, double and lose. Every event comes exactly once and
// in order, or a gap counts it, or the link is down meanwhile. Bit errors alone bring no link down.
func TestANoisyLine(t *testing.T) {
	const pause = 10 * ms
	count := 10_000
	if testing.Short() {
		count = 2000
	}
	for i, c := range []struct {
		name  string
		noise noise
		stays bool // up
	}{
		{"silence", noise{}, true},
		{"bits 1e-4", noise{flip: 1e-4}, true},
		{"bits 1e-3", noise{flip: 1e-3}, true},
		{"bytes dropped", noise{drop: 2e-3}, true},
		{"bytes doubled", noise{twice: 2e-3}, true},
		{"a tenth of the frames", noise{frame: 0.1}, true},
		{"half of the frames", noise{frame: 0.5}, false},
		{"nearly all frames", noise{frame: 0.8}, false},
		{"all of it", noise{flip: 1e-3, drop: 1e-3, twice: 1e-3, frame: 0.1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, uint64(100+i))
			w.link.Arm(true)
			w.open()
			w.take()
			w.noise = c.noise
			start := w.now
			for n := range count {
				w.script = append(w.script, action{start + int64(n)*pause, func() { w.board.Input(w.now, "D3", n%2 == 0) }})
			}
			w.until(start + int64(count)*pause)
			w.noise = noise{}
			w.until(w.now + 3*second)
			r := account(w, start, pause, count)
			t.Logf("seed %d: %d edges, %d counted as lost, %d in gaps that nobody counted, down %d times; %+v", 100+i, r.edges, r.lost, r.gaps, r.downs, w.link.Stats())
			if c.stays && (r.downs > 0 || r.edges != count || r.lost > 0) {
				t.Errorf("%d of %d edges, %d lost, down %d times", r.edges, count, r.lost, r.downs)
			}
			if w.link.Stats().Errors == 0 && c.noise != (noise{}) && c.noise.frame == 0 {
				t.Error("the noise did nothing")
			}
		})
	}
}

// played is which event an edge was, by its stamp and its level: of those within its bound the first that is not before
// next, and without one the nearest.
func played(f Fact, start, pause int64, next int) int {
	for n := max(next, int((f.Mono-f.Bound-start+pause-1)/pause)); int64(n)*pause <= f.Mono+f.Bound-start; n++ {
		if f.Level == (n%2 == 0) {
			return n
		}
	}
	return int((f.Mono - start + pause/2) / pause)
}

// account is what became of the events that were played.
type accounts struct {
	edges, downs, gaps int
	lost               uint64
}

// account checks that the edges are those that were played, in order, and that none is missing outside a gap.
func account(w *world, start, pause int64, count int) (r accounts) {
	w.Helper()
	next := 0      // the event that is expected
	open := false  // a gap has been told since the last edge that can be told from its neighbours by its stamp
	found := false // the next edge is of a level that no edge told of
	level := false // as told last
	for i, f := range w.take(Edge, Gap, Away) {
		switch f.Kind {
		case Away:
			r.downs++
		case Gap:
			r.lost += f.Lost
			r.gaps++
			open, found = true, strings.HasPrefix(f.Why, "a level changed")
		case Edge:
			n := played(f, start, pause, next)
			if f.Level == level && !open {
				w.Fatalf("fact %d: %+v: an edge twice", i, f)
			}
			if !found && n != next && !(open && n > next) {
				w.Fatalf("fact %d: event %d came where %d was expected, gap %t: %s", i, n, next, open, fmt.Sprintf("%+v", f))
			}
			if !found {
				next = n + 1
			}
			level, open, found = f.Level, open && (found || f.Bound > pause/2), false
			r.edges++
		}
	}
	return r
}
