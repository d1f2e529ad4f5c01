package settle

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const settling = 20

func line(t interface{ Fatal(...any) }) *Line {
	l, err := New(settling)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// edge is an edge of a line at an instant in nanoseconds.
type edge struct {
	at    int64
	level bool
}

// changes runs edges through a line, as a part does, and returns what it says by the end.
func changes(l *Line, edges []edge, end int64) []Change {
	var out []Change
	advance := func(known int64) {
		if c, ok := l.Advance(known); ok {
			out = append(out, c)
		}
	}
	for _, e := range edges {
		advance(e.at)
		l.Edge(e.level, e.at, 1)
	}
	advance(end)
	return out
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		edges []edge
		want  []Change
	}{
		"none":                     {nil, nil},
		"clean":                    {[]edge{{100, true}, {200, false}}, []Change{{true, 100, 1}, {false, 200, 1}}},
		"bouncing":                 {[]edge{{100, true}, {105, false}, {110, true}, {129, false}, {130, true}}, []Change{{true, 100, 1}}},
		"too short":                {[]edge{{100, true}, {119, false}}, nil},
		"just long enough":         {[]edge{{100, true}, {120, false}}, []Change{{true, 100, 1}, {false, 120, 1}}},
		"repeated level":           {[]edge{{100, false}, {150, true}, {155, true}}, []Change{{true, 150, 1}}},
		"an edge that came late":   {[]edge{{100, true}, {90, false}, {101, true}}, []Change{{true, 100, 1}}},
		"a storm has no beginning": {storm(100, 500), []Change{{true, 505, 1}}},
	} {
		l := line(t)
		got := changes(l, c.edges, 10_000)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: change %d is %v, want %v", name, i, got[i], c.want[i])
			}
		}
	}
}

// storm toggles a line every 5 ns from begin for a while, ending active.
func storm(begin, length int64) []edge {
	var out []edge
	for at, level := begin, true; at <= begin+length; at, level = at+5, !level {
		out = append(out, edge{at, level})
	}
	if !out[len(out)-1].level {
		panic("a storm must end active")
	}
	return out
}

func TestStart(t *testing.T) {
	l := line(t)
	l.Start(true)
	if got := changes(l, []edge{{100, true}, {200, false}}, 1000); len(got) != 1 || got[0] != (Change{false, 200, 1}) || l.Level() {
		t.Errorf("from active: %v, level %v", got, l.Level())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, settle := range []time.Duration{-1, MaxSettle + 1} {
		if _, err := New(settle); err == nil {
			t.Errorf("a settling time of %s was taken", settle)
		}
	}
}

// What a line says does not depend on when it is asked; changes alternate, are at least the settling time apart,
// stamped with an edge, told within Hold, and never stamped before what Pending promised.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gaps := rapid.SliceOfN(rapid.Int64Range(1, 60), 0, 80).Draw(t, "gaps")
		edges := make([]edge, len(gaps))
		at, stamps := int64(0), map[int64]bool{}
		for i, gap := range gaps {
			at += gap
			edges[i] = edge{at, i%2 == 0}
			stamps[at] = true
		}
		want := changes(line(t), edges, at+settling)

		l, now, floor := line(t), int64(0), int64(-1)
		var got []Change
		step := func(known int64) {
			for ; now <= known; now++ {
				if p, ok := l.Pending(); ok {
					floor = max(floor, p)
				} else {
					floor = max(floor, now-1)
				}
				c, ok := l.Advance(now)
				if !ok {
					continue
				}
				if c.Mono < floor && floor != now-1 || now-c.Mono > int64(l.Hold()) {
					t.Fatalf("at %d: %v, promised nothing before %d and within %d", now, c, floor, l.Hold())
				}
				got = append(got, c)
			}
		}
		for _, e := range edges {
			step(e.at)
			l.Edge(e.level, e.at, 1)
		}
		step(at + settling)
		if len(got) != len(want) {
			t.Fatalf("asked often: %v, asked seldom: %v", got, want)
		}
		for i, c := range got {
			if c != want[i] || c.Level != (i%2 == 0) || !stamps[c.Mono] || i > 0 && c.Mono-got[i-1].Mono < settling {
				t.Fatalf("change %d is %v; all %v, want %v", i, c, got, want)
			}
		}
	})
}
