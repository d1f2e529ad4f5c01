package dwell_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"scentpost/drivers/bus/settle"
	"scentpost/station/dwell"

	"pgregory.net/rapid"
)

// ms is a millisecond of the monotonic clock.
const ms = int64(time.Millisecond)

// edges alternates levels, beginning with active, at the given milliseconds.
func edges(at ...int64) []dwell.Edge {
	var out []dwell.Edge
	for i, t := range at {
		out = append(out, dwell.Edge{Active: i%2 == 0, At: t * ms, Bound: t})
	}
	return out
}

func change(active bool, at int64) dwell.Change {
	return dwell.Change{Active: active, At: at * ms, Bound: at}
}

func TestDebounce(t *testing.T) {
	const in, out = true, false
	for _, c := range []struct {
		name   string
		active bool
		edges  []dwell.Edge
		until  int64
		want   []dwell.Change
	}{
		{"nothing", false, nil, 1000, nil},
		{"one edge, settled", false, edges(10), 15, []dwell.Change{change(in, 10)}},
		{"one edge, not settled yet", false, edges(10), 14, nil},
		{"a bounce keeps the first edge's stamp", false, edges(10, 12, 13), 18, []dwell.Change{change(in, 10)}},
		{"a bounce that ends where it began", false, edges(10, 12), 100, nil},
		{"in and out", false, edges(10, 30), 100, []dwell.Change{change(in, 10), change(out, 30)}},
		{"an edge at the very end of the settling", false, edges(10, 15), 100, []dwell.Change{change(in, 10), change(out, 15)}},
		{"the level that it stands at", true, edges(10), 100, nil},
		{"an edge got lost", false, []dwell.Edge{{Active: true, At: 10 * ms}, {Active: true, At: 30 * ms}, {At: 50 * ms}}, 100,
			[]dwell.Change{{Active: true, At: 10 * ms}, {At: 50 * ms}}},
		{"stamped out of order", false, []dwell.Edge{{Active: true, At: 10 * ms}, {At: 8 * ms}, {Active: true, At: 12 * ms}}, 100,
			[]dwell.Change{{Active: true, At: 10 * ms}}},
		{"a storm begins anew", false, edges(storm...), 1000, []dwell.Change{change(in, 112)}},
		{"what is later than the end", false, edges(10, 100, 200), 50, []dwell.Change{change(in, 10)}},
		{"settled only later than the end", false, edges(10, 100, 200), 102, []dwell.Change{change(in, 10)}},
		{"the storm may go on", false, edges(storm...), 114, nil},
	} {
		if got := dwell.Debounce(c.active, c.edges, 5*time.Millisecond, c.until*ms); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// storm bounces every 2 ms from 10 on, for more than twenty settling times of 5 ms, and ends active.
var storm = func() (at []int64) {
	for t := int64(10); t <= 114; t += 2 {
		at = append(at, t)
	}
	return at
}()

// inDrivers gives the edges to the drivers' own debounce.
func inDrivers(t *rapid.T, active bool, in []dwell.Edge, wait time.Duration, until int64) []dwell.Change {
	l, err := settle.New(wait)
	if err != nil {
		t.Fatal(err)
	}
	l.Start(active)
	var out []dwell.Change
	take := func(c settle.Change, ok bool) {
		if ok {
			out = append(out, dwell.Change{Active: c.Level, At: c.Mono, Bound: c.Bound})
		}
	}
	latest := int64(0)
	for _, e := range in {
		latest = max(latest, e.At)
		take(l.Advance(latest))
		l.Edge(e.Active, e.At, e.Bound)
	}
	take(l.Advance(until))
	return out
}

// raw draws edges whose stamps mostly grow.
func raw(t *rapid.T) (in []dwell.Edge, until int64) {
	at := int64(0)
	for range rapid.IntRange(0, 60).Draw(t, "edges") {
		at = max(0, at+rapid.Int64Range(-1, 8).Draw(t, "gap"))
		in = append(in, dwell.Edge{Active: rapid.Bool().Draw(t, "active"), At: at * ms, Bound: rapid.Int64Range(0, 9).Draw(t, "bound")})
	}
	for _, e := range in {
		until = max(until, e.At)
	}
	return in, until + rapid.Int64Range(0, 20).Draw(t, "until")*ms
}

// TestAtOnceOrByAndBy: the offline form and the drivers' incremental one agree, so that the beams of a record can be
// found anew from its raw edges.
func TestAtOnceOrByAndBy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, until := raw(t)
		active := rapid.Bool().Draw(t, "level")
		wait := time.Duration(rapid.Int64Range(0, 6).Draw(t, "settle") * ms)
		got := dwell.Debounce(active, in, wait, until)
		if want := inDrivers(t, active, in, wait, until); !slices.Equal(got, want) {
			t.Fatalf("here %v, in the drivers %v", got, want)
		}
		for i, c := range got {
			if before := i == 0 && active || i > 0 && got[i-1].Active; c.Active == before {
				t.Fatalf("change %d of %v is none", i, got)
			}
			if i > 0 && c.At < got[i-1].At && slices.IsSortedFunc(in, func(a, b dwell.Edge) int { return cmp.Compare(a.At, b.At) }) {
				t.Fatalf("%v runs backwards", got)
			}
		}
	})
}

func TestPatienceIsThatOfTheDrivers(t *testing.T) {
	l, err := settle.New(5 * time.Millisecond)
	if err != nil || l.Hold() != (dwell.Patience+1)*5*time.Millisecond {
		t.Errorf("the drivers hold a change back for %s, %v", l.Hold(), err)
	}
}

func TestVisits(t *testing.T) {
	in := func(p int, at int64) dwell.Pass { return dwell.Pass{Position: p, Entered: true, At: at, Bound: 1} }
	out := func(p int, at int64) dwell.Pass { return dwell.Pass{Position: p, At: at, Bound: 2} }
	for _, c := range []struct {
		name   string
		passes []dwell.Pass
		want   []dwell.Visit
	}{
		{"nothing", nil, nil},
		{"one", []dwell.Pass{in(1, 10), out(1, 30)}, []dwell.Visit{{Position: 1, From: 10, To: 30, Bound: 3}}},
		{"two positions at a time", []dwell.Pass{in(1, 10), in(2, 20), out(1, 30), out(2, 40)},
			[]dwell.Visit{{Position: 1, From: 10, To: 30, Bound: 3}, {Position: 2, From: 20, To: 40, Bound: 3}}},
		{"still there at the end", []dwell.Pass{in(1, 10)}, []dwell.Visit{{Position: 1, From: 10, To: 100, Bound: 1, Open: true}}},
		{"left after the end", []dwell.Pass{in(1, 10), out(1, 101)}, []dwell.Visit{{Position: 1, From: 10, To: 100, Bound: 1, Open: true}}},
		{"left at the end", []dwell.Pass{in(1, 10), out(1, 100)}, []dwell.Visit{{Position: 1, From: 10, To: 100, Bound: 3}}},
		{"entered after the end", []dwell.Pass{in(1, 101)}, nil},
		{"entered twice", []dwell.Pass{in(1, 10), in(1, 20), out(1, 30)}, []dwell.Visit{{Position: 1, From: 10, To: 30, Bound: 3}}},
		{"left without entering", []dwell.Pass{out(1, 10), in(1, 20), out(1, 30)}, []dwell.Visit{{Position: 1, From: 20, To: 30, Bound: 3}}},
		{"came back", []dwell.Pass{in(1, 10), out(1, 20), in(1, 30), out(1, 50)},
			[]dwell.Visit{{Position: 1, From: 10, To: 20, Bound: 3}, {Position: 1, From: 30, To: 50, Bound: 3}}},
	} {
		if got := dwell.Visits(c.passes, 100); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestResponses(t *testing.T) {
	visits := []dwell.Visit{
		{Position: 1, From: 0, To: 3000 * ms, Bound: 0},
		{Position: 2, From: 5000 * ms, To: 7999 * ms},
		{Position: 3, From: 9000 * ms, To: 12_001 * ms, Bound: 2 * ms},
		{Position: 4, From: 13_000 * ms, To: 17_000 * ms, Bound: 2 * ms, Open: true},
	}
	got := dwell.Responses(visits, 3*time.Second)
	want := []dwell.Response{
		{Visit: visits[0], At: 3000 * ms, Certain: true},
		{Visit: visits[2], At: 12_000 * ms},
		{Visit: visits[3], At: 16_000 * ms, Certain: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestALongerThresholdFindsNoMore: what responds to a longer threshold responds to a shorter one, and a response
// lies within its visit.
func TestALongerThresholdFindsNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, until := raw(t)
		passes := dwell.Passes(3, dwell.Debounce(false, in, 2*time.Millisecond, until))
		visits := dwell.Visits(passes, until)
		short := time.Duration(rapid.Int64Range(0, 20).Draw(t, "short") * ms)
		long := short + time.Duration(rapid.Int64Range(0, 20).Draw(t, "more")*ms)
		fewer, more := dwell.Responses(visits, long), dwell.Responses(visits, short)
		if len(fewer) > len(more) || len(more) > len(visits) {
			t.Fatalf("%d respond to %s, %d to %s, of %d visits", len(fewer), long, len(more), short, len(visits))
		}
		for _, r := range more {
			if r.Lasted() < short || r.At != r.From+int64(short) || r.Position != 3 {
				t.Fatalf("%+v", r)
			}
		}
		for i, v := range visits {
			if v.Open != (i == len(visits)-1 && len(passes)%2 == 1) {
				t.Fatalf("%+v of %d passes", v, len(passes))
			}
		}
	})
}

func BenchmarkDebounce(b *testing.B) {
	var in []dwell.Edge
	for i := range int64(1000) {
		in = append(in, dwell.Edge{Active: i%2 == 0, At: (i*7 + i%5) * ms})
	}
	b.ReportAllocs()
	for b.Loop() {
		dwell.Debounce(false, in, 5*time.Millisecond, 8000*ms)
	}
}
