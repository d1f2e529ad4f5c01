package blueprint

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

// The part is what the bus expects of it.
var _ bus.Sensor = (*Door)(nil)

const ms = int64(time.Millisecond)

// edge is an edge at an instant in milliseconds.
type edge struct {
	at    int64
	level bool
}

// play gives a door its edges and returns its facts up to end.
func play(t *testing.T, start bool, edges []edge, end int64) []bus.Fact {
	t.Helper()
	d, err := New(Settle)
	if err != nil {
		t.Fatal(err)
	}
	facts := d.Start(nil, start, 0)
	for _, e := range edges {
		facts = d.Edge(facts, e.level, e.at*ms, 3)
	}
	return d.Advance(facts, end*ms)
}

func opened(at int64) bus.Fact { return bus.Fact{Kind: bus.Entered, Mono: at * ms, Bound: 3} }
func shut(at int64) bus.Fact   { return bus.Fact{Kind: bus.Left, Mono: at * ms, Bound: 3} }

// TestDoor has a row for each thing that happens to a real one.
func TestDoor(t *testing.T) {
	for name, c := range map[string]struct {
		start bool
		edges []edge
		want  []bus.Fact
	}{
		"opens and shuts":       {false, []edge{{100, true}, {900, false}}, []bus.Fact{opened(100), shut(900)}},
		"bounces":               {false, []edge{{100, true}, {103, false}, {105, true}}, []bus.Fact{opened(100)}},
		"shakes in the wind":    {false, []edge{{100, true}, {110, false}}, nil},
		"open from the start":   {true, []edge{{500, false}}, []bus.Fact{shut(500)}},
		"nothing ever happens":  {false, nil, nil},
		"never shut":            {true, nil, nil},
		"an edge comes twice":   {false, []edge{{100, true}, {100, true}, {900, false}}, []bus.Fact{opened(100), shut(900)}},
		"a lost edge in a pair": {false, []edge{{100, true}, {900, true}}, []bus.Fact{opened(100)}},
	} {
		if got := play(t, c.start, c.edges, 5000); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestFactsAreInOrder is a property: whatever the edges, facts alternate and their stamps never go back.
func TestFactsAreInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var edges []edge
		at := int64(0)
		for range rapid.IntRange(0, 50).Draw(rt, "edges") {
			at += rapid.Int64Range(0, 200).Draw(rt, "gap")
			edges = append(edges, edge{at, rapid.Bool().Draw(rt, "level")})
		}
		facts := play(t, false, edges, at+10_000)
		for i := 1; i < len(facts); i++ {
			if facts[i].Kind == facts[i-1].Kind || facts[i].Mono < facts[i-1].Mono {
				rt.Fatalf("%v after %v", facts[i], facts[i-1])
			}
		}
	})
}

// TestItSaysWhenToAsk: a part has no timer, so it must say when it wants to be asked, and until when it is open.
func TestItSaysWhenToAsk(t *testing.T) {
	d, err := New(Settle)
	if err != nil {
		t.Fatal(err)
	}
	d.Start(nil, false, 0)
	if _, ok := d.Due(); ok {
		t.Error("a door at rest waits for something")
	}
	d.Edge(nil, true, 100*ms, 0)
	due, ok := d.Due()
	pending, open := d.Pending()
	if !ok || due != 150*ms || !open || pending != 100*ms || d.Hold() < Settle {
		t.Errorf("due %d, %v, pending %d, %v, hold %s", due, ok, pending, open, d.Hold())
	}
	if facts := d.Advance(nil, due); len(facts) != 1 || !d.Active() {
		t.Errorf("at the time that it asked for: %v", facts)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, settling := range []time.Duration{-1, time.Hour} {
		if _, err := New(settling); err == nil {
			t.Errorf("a settling time of %s was taken", settling)
		}
	}
}
