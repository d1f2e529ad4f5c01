package firmware

import (
	"sort"
	"testing"
	"time"

	"scentpost/firmware-bridge/link"
)

// TestTheClockMapOfAChip: 20 seconds (6 in `make test`) of the host's link and the real firmware. The true error of an edge lies within
// the bound that it comes with.
func TestTheClockMapOfAChip(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200, 11)
	played := often(2000, 600)
	l.play(played, 10*time.Millisecond)
	edges := l.some(link.Edge)
	if len(edges) != len(l.edges) || len(edges) != played {
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

// TestANoisyLineToAChip: events at 100/s over a line to the real firmware and back that flips, drops, doubles and loses. (All of
// the matrix, with more events, is played in package link, to a twin that package twin holds to this firmware.) Every edge comes once and in order, or a gap tells of it, or the link is down meanwhile. Bit errors alone bring no
// link down and lose nothing.
func TestANoisyLineToAChip(t *testing.T) {
	for i, c := range []struct {
		name  string
		count int
		noise noise
		stays bool // up
	}{
		{"bits 1e-4", often(1000, 300), noise{flip: 1e-4}, true},
		{"bits 1e-3", often(5000, 800), noise{flip: 1e-3}, true},
		{"all of it", often(3000, 600), noise{flip: 1e-4, drop: 1e-3, twice: 1e-3, frame: 0.1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, -300, 20+uint64(i))
			l.noise = c.noise
			l.play(c.count, 10*time.Millisecond)
			r := l.account()
			s := l.link.Stats()
			t.Logf("FIGURE seed %d: %d edges of %d, %d counted as lost, %d gaps, down %d times; %+v", seed, r.edges, c.count, r.lost, r.gaps, r.downs, s)
			if c.stays && (r.edges != c.count || r.gaps > 0 || r.downs > 0) {
				t.Error("want them all, and the link up")
			}
			if r.edges < c.count/2 || s.Errors == 0 {
				t.Error("the noise did nothing, or there was nothing else")
			}
		})
	}
}

// accounts is what became of the edges that were played.
type accounts struct {
	edges, gaps, downs int
	lost               uint64
}

// account checks that the edges are those that were played, in order, and that none is missing outside a gap.
func (l *lab) account() (r accounts) {
	l.Helper()
	next := 0      // the edge that is expected
	open := false  // a gap since the last one
	level := false // as told last
	for _, f := range l.facts {
		switch f.Kind {
		case link.Away:
			r.downs++
			open = true
		case link.Gap:
			r.gaps++
			r.lost += f.Lost
			open = true
		case link.Edge:
			r.edges++
			if f.Level == level && !open {
				l.Fatalf("edge %d: %+v: one came twice, or one is missing", next, f)
			}
			level = f.Level
			if f.Bound > int64(5*time.Millisecond) {
				continue // a level that no edge told of, behind a gap
			}
			n := l.played(f.Mono)
			if n != next && !(open && n > next) {
				l.Fatalf("edge %d came where %d was expected, gap %t: %+v", n, next, open, f)
			}
			next, open = n+1, false
		}
	}
	if next < len(l.edges) && !open {
		l.Errorf("%d edges are missing at the end, and nobody says so", len(l.edges)-next)
	}
	return r
}

// played is the edge that lies nearest to an instant.
func (l *lab) played(mono int64) int {
	n := sort.Search(len(l.edges), func(i int) bool { return l.edges[i].at >= mono })
	if n == len(l.edges) || n > 0 && mono-l.edges[n-1].at < l.edges[n].at-mono {
		n--
	}
	return n
}
