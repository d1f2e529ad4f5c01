package devices

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
	"scentpost/station/event"
)

// Two placements, whose canisters travel at paces of their own, and the same dog, hands and host: everything that
// is not a canister's report comes at the same instants in the same order, down to the order within an instant.
func TestCanistersAreNeverFeltElsewhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.SliceOfN(rapid.Int64Range(400, 1500), 0, 60).Draw(rt, "edges at")
		travels := rapid.SliceOfN(rapid.Int64Range(15, 850), 12, 12).Draw(rt, "travels")
		shared := rapid.Bool().Draw(rt, "one source")
		every := rapid.SampledFrom([]int64{7, 20, 400}).Draw(rt, "marks every")
		late := time.Duration(rapid.SampledFrom([]int64{0, 30 * ms}).Draw(rt, "lateness"))
		trace := func(letters string) []string {
			w := newWorld(t)
			w.lateness = late
			for p := 1; p <= 6; p++ {
				w.levels[fmt.Sprint(p, "A.closed")], w.levels[fmt.Sprint(p, "B.closed")] = true, true
			}
			w.travel = func(line string) int64 {
				return travels[int(line[0]-'1')*2+int(line[1]-'A')] * ms
			}
			return watchAll(t, w, letters, at, every, shared)
		}
		first, second := trace("AAAAAA"), trace("BBABAB")
		if len(first) != len(second) {
			rt.Fatalf("%d and %d lines", len(first), len(second))
		}
		for i := range first {
			if first[i] != second[i] {
				rt.Fatalf("line %d: %q and %q", i, first[i], second[i])
			}
		}
	})
}

// apart is a bus that may give the limit switches a source of their own.
type apart struct {
	*world
	shared bool
}

func (a apart) Sources() map[string]time.Duration {
	all := a.world.Sources()
	if !a.shared {
		all["limits"] = a.lateness
	}
	return all
}

func (a apart) Watch(lines []string, sink bus.Sink) error {
	return a.world.Watch(lines, renamed{sink, a.shared, map[string]uint64{}})
}

type renamed struct {
	bus.Sink
	shared bool
	seq    map[string]uint64 // by source: each numbers its own edges
}

func (r renamed) Edge(e bus.Edge) {
	if !r.shared && strings.Contains(e.Line, ".") {
		e.Source = "limits"
	}
	r.seq[e.Source]++
	e.Seq = r.seq[e.Source]
	r.Sink.Edge(e)
}

// watchAll plays one run and returns everything public in the order in which it came.
func watchAll(t *testing.T, w *world, letters string, at []int64, every int64, shared bool) []string {
	var out []string
	note := func(format string, args ...any) {
		out = append(out, fmt.Sprint(w.now, " ")+fmt.Sprintf(format, args...))
	}
	sink := public{note}
	s, err := Open(layout(), apart{w, shared}, w, sink)
	if err != nil {
		t.Fatal(err)
	}
	var tick func()
	tick = func() {
		note("tick")
		for _, name := range slices.Sorted(maps.Keys(apart{w, shared}.Sources())) {
			w.sink.Watermark(bus.Watermark{Source: name, Mono: w.now})
		}
		w.At(w.now+every*ms, tick)
	}
	w.At(every*ms, tick)
	for i, ms1 := range at {
		line := []string{"beam1", "beam4", "call", "stop"}[i%4]
		if line == "stop" && i%16 != 3 {
			line = "beam6"
		}
		w.At(ms1*ms, func() { w.edge(line, i/4%2 == 0) })
	}
	var beat func() // the host's timers, asked for while things move, for every instant
	beat = func() { w.At(w.now+10*ms, func() { note("timer") }); w.At(w.now+ms, beat) }
	w.At(0, beat)
	s.Move(500*ms, 2*time.Second, run(letters))
	w.until(4000 * ms)
	return out
}

// public is a sink that notes what is no canister's report.
type public struct{ note func(string, ...any) }

func (p public) Event(e event.Event) {
	if e.Type != event.CanisterMoved {
		p.note("%s %s %d %+v", e.Type, e.By, e.At.Mono, e.Body)
	}
}

func (p public) Watermark(source string, mono int64) { p.note("mark %s %d", source, mono) }

// At the instant at which both a canister and a beam have stood still, the beam is told in its own turn.
func TestACanistersAlarmTellsNoBeam(t *testing.T) {
	trace := func(jammed bool) []string {
		w := newWorld(t)
		w.levels["1A.closed"] = true
		if jammed {
			w.travel = func(string) int64 { return -1 }
		}
		var out []string
		note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
		s, err := Open(layout(), w, w, public{note})
		if err != nil {
			t.Fatal(err)
		}
		w.until(2000 * ms)
		s.Move(2500*ms, time.Minute, run("A"))
		w.until(2505 * ms)
		w.At(2510*ms, func() { // as the shutter leaves its closed end
			w.At(2530*ms, func() { note("timer") })
			w.edge("beam1", true)
		})
		w.until(2600 * ms)
		return out
	}
	moved, jammed := trace(false), trace(true)
	expect(t, "whether or not it moves", moved, jammed)
	if len(moved) != 3 {
		t.Errorf("%q, want the edge, the timer and the nose", moved)
	}
}
