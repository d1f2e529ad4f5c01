package button

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

var _ bus.Sensor = (*Button)(nil)

const ms = int64(time.Millisecond)

// edge is an edge at an instant in milliseconds.
type edge struct {
	at    int64
	level bool
}

func play(b *Button, start bool, edges []edge, end int64) []bus.Fact {
	facts := b.Start(nil, start, 0)
	for _, e := range edges {
		facts = b.Edge(facts, e.level, e.at*ms, 3)
	}
	return b.Advance(facts, end*ms)
}

func pressed(at, held int64) bus.Fact {
	return bus.Fact{Kind: bus.Pressed, Mono: at * ms, Bound: 3, Held: time.Duration(held * ms)}
}

func TestPresses(t *testing.T) {
	stuck := bus.Fact{Kind: bus.Stuck, Mono: 100 * ms, Bound: 3, Held: Stuck}
	for name, c := range map[string]struct {
		start bool
		edges []edge
		end   int64
		want  []bus.Fact
	}{
		"short":                      {false, []edge{{100, true}, {300, false}}, 320, []bus.Fact{pressed(100, 200)}},
		"not let go yet":             {false, []edge{{100, true}}, 4000, nil},
		"bouncing":                   {false, []edge{{100, true}, {101, false}, {104, true}, {300, false}, {303, true}, {306, false}}, 400, []bus.Fact{pressed(100, 200)}},
		"a knock":                    {false, []edge{{100, true}, {110, false}}, 400, nil},
		"stuck":                      {false, []edge{{100, true}}, 5100, []bus.Fact{stuck}},
		"stuck once":                 {false, []edge{{100, true}, {9000, false}}, 20000, []bus.Fact{stuck}},
		"let go just before":         {false, []edge{{100, true}, {5099, false}}, 5200, []bus.Fact{pressed(100, 4999)}},
		"shaken when it gets stuck":  {false, []edge{{100, true}, {5095, false}, {5098, true}}, 6000, []bus.Fact{stuck}},
		"pressed again when unstuck": {false, []edge{{100, true}, {9000, false}, {9100, true}, {9200, false}}, 9300, []bus.Fact{stuck, pressed(9100, 100)}},
		"down from the start":        {true, nil, 5000, []bus.Fact{{Kind: bus.Stuck, Held: Stuck}}},
	} {
		b, err := New(Settle, Stuck)
		if err != nil {
			t.Fatal(err)
		}
		if got := play(b, c.start, c.edges, c.end); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestLetGoWhileItIsAboutToBeStuck(t *testing.T) {
	b, err := New(Settle, Stuck)
	if err != nil {
		t.Fatal(err)
	}
	facts := play(b, false, []edge{{100, true}, {5095, false}}, 5105)
	if facts = b.Advance(facts, 5115*ms); !slices.Equal(facts, []bus.Fact{pressed(100, 4995)}) {
		t.Errorf("facts %v, want a press of 4995 ms", facts)
	}
}

func TestEmergency(t *testing.T) {
	for name, c := range map[string]struct {
		start bool
		edges []edge
		end   int64
		want  []bus.Fact
	}{
		"at the first edge":   {false, []edge{{100, true}}, 100, []bus.Fact{pressed(100, 0)}},
		"bouncing":            {false, []edge{{100, true}, {101, false}, {103, true}, {110, false}, {111, true}}, 9000, []bus.Fact{pressed(100, 0)}},
		"a knock stops too":   {false, []edge{{100, true}, {101, false}}, 9000, []bus.Fact{pressed(100, 0)}},
		"held for ever":       {false, []edge{{100, true}}, 90000, []bus.Fact{pressed(100, 0)}},
		"again when let go":   {false, []edge{{100, true}, {500, false}, {530, true}}, 600, []bus.Fact{pressed(100, 0), pressed(530, 0)}},
		"down from the start": {true, nil, 1, []bus.Fact{{Kind: bus.Pressed}}},
	} {
		b, err := NewEmergency(Settle)
		if err != nil {
			t.Fatal(err)
		}
		if got := play(b, c.start, c.edges, c.end); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if _, pending := b.Pending(); pending {
			t.Errorf("%s: pending, although it was told", name)
		}
	}
}

func TestAnEmergencyIsActiveFromItsFirstEdge(t *testing.T) {
	b, err := NewEmergency(Settle)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		edge
		active bool
	}{{edge{0, true}, true}, {edge{1, false}, true}, {edge{2, true}, true}, {edge{100, false}, true}} {
		if b.Edge(nil, c.level, c.at*ms, 0); b.Active() != c.active {
			t.Errorf("after the edge at %d: active %v", c.at, b.Active())
		}
	}
	if b.Advance(nil, 120*ms); b.Active() {
		t.Error("active after it was let go")
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(time.Hour, Stuck); err == nil {
		t.Error("an hour of settling was taken")
	}
	if _, err := New(Settle, MinStuck-1); err == nil {
		t.Error("stuck after a moment was taken")
	}
	if _, err := NewEmergency(-1); err == nil {
		t.Error("negative settling was taken")
	}
}

// However a button is shaken: facts come within Hold of their stamps, never before what Pending promised, in
// order, and none twice.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := New(Settle, MinStuck)
		if err != nil {
			t.Fatal(err)
		}
		gaps := rapid.SliceOfN(rapid.Int64Range(1, 400), 0, 40).Draw(t, "gaps")
		now, last := int64(0), int64(-1)
		step := func(facts []bus.Fact, promised int64, waited bool) {
			for _, f := range facts {
				if waited && f.Mono < promised || f.Mono <= last || now*ms-f.Mono > int64(b.Hold()) || f.Held < 0 {
					t.Fatalf("at %d ms: %+v; promised %d, the one before %d", now, f, promised, last)
				}
				last = f.Mono
			}
		}
		for i, gap := range gaps {
			for end := now + gap; now < end; now++ {
				promised, waited := b.Pending()
				step(b.Advance(nil, now*ms), promised, waited)
			}
			promised, waited := b.Pending()
			step(b.Edge(nil, i%2 == 0, now*ms, 0), promised, waited)
		}
	})
}
