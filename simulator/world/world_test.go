package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/station/event"
)

func TestCallsComeByInstantThenInTheOrderAskedFor(t *testing.T) {
	w := New(1)
	var got []string
	note := func(s string) func() { return func() { got = append(got, s) } }
	w.At(Start+20, note("c"))
	w.At(Start+10, note("a"))
	w.At(Start+20, note("d"))
	w.At(Start+10, func() {
		got = append(got, "b")
		w.After(0, note("b, now"))
		w.At(2, note("b, past"))
		w.At(1, note("b, long past"))
		if next, _ := w.Next(); next != w.Mono() {
			t.Errorf("next is %d, before now", next)
		}
	})
	w.At(Start+10, note("b, planned before"))
	w.After(30, note("not yet"))
	w.Run(Start + 20)
	if want := []string{"a", "b", "b, long past", "b, past", "b, planned before", "b, now", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("calls came as %q, want %q", got, want)
	}
	if w.Mono() != Start+20 {
		t.Errorf("the clock shows %d, want %d", w.Mono(), Start+20)
	}
	if next, planned := w.Next(); !planned || next != Start+30 {
		t.Errorf("next is %d, %v", next, planned)
	}
}

func TestStop(t *testing.T) {
	w := New(1)
	calls := 0
	stop := w.After(5, func() { calls++ })
	var stopOther func()
	w.After(1, func() { stopOther() })
	stopOther = w.After(1, func() { calls += 100 })
	keep := w.After(2, func() { calls += 10 })
	stop()
	stop()
	w.RunFor(10)
	keep()
	if calls != 10 {
		t.Errorf("calls are %d, want 10: a stopped call was made or a kept one was not", calls)
	}
	if w.Step() {
		t.Error("something is still planned")
	}
}

func TestRunGoesOnWithoutCalls(t *testing.T) {
	w := New(1)
	w.RunFor(time.Minute)
	w.Run(Start) // past: nothing happens
	now := w.Now()
	if now.Mono != Start+int64(time.Minute) {
		t.Errorf("mono is %d", now.Mono)
	}
	if got := now.Time().Format(time.RFC3339); got != "2026-01-01T08:01:01Z" {
		t.Errorf("utc is %s", got)
	}
	if now.Quality != event.Simulated || now.Boot != DefaultBoot || now.Bound != 0 {
		t.Errorf("stamp is %+v", now)
	}
	w.Boot("another")
	if w.Now().Boot != "another" || w.Seed() != 1 {
		t.Error("the boot id or the seed is not what was given")
	}
}

func TestRunWhile(t *testing.T) {
	w := New(1)
	n := 0
	var again func()
	again = func() { n++; w.After(time.Second, again) }
	again()
	for _, c := range []struct {
		more  func() bool
		limit int64
		want  bool
		n     int
	}{
		{func() bool { return n < 5 }, Start + int64(time.Hour), true, 5},
		{func() bool { return true }, w.Mono() + int64(9*time.Second), false, 10},
		{func() bool { return false }, 0, true, 10},
	} {
		if got := w.RunWhile(c.more, c.limit); got != c.want || n != c.n {
			t.Errorf("returned %v after %d calls, want %v after %d", got, n, c.want, c.n)
		}
	}
	if New(1).RunWhile(func() bool { return true }, 1<<62) {
		t.Error("an empty world cannot go on")
	}
}

func TestALoopWithoutTimeIsFound(t *testing.T) {
	w := New(1)
	var again func()
	again = func() { w.After(0, again) }
	again()
	defer func() {
		if r, _ := recover().(string); !strings.Contains(r, "without letting time pass") {
			t.Errorf("recovered %q", r)
		}
	}()
	w.RunFor(time.Second)
}

// TestQueueIsInOrder compares the heap with a sorted list under random plans and stops.
func TestQueueIsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(0)
		type planned struct {
			at   int64
			id   int
			stop func()
		}
		var want []planned
		var got []int
		for id := range rapid.IntRange(0, 60).Draw(t, "calls") {
			at := Start + int64(rapid.IntRange(0, 9).Draw(t, "at"))
			want = append(want, planned{at, id, w.At(at, func() { got = append(got, id) })})
		}
		for range rapid.IntRange(0, len(want)).Draw(t, "stops") {
			i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
			want[i].stop()
			want = slices.Delete(want, i, i+1)
		}
		slices.SortStableFunc(want, func(a, b planned) int { return int(a.at - b.at) })
		for w.Step() {
		}
		for i, p := range want {
			if i >= len(got) || got[i] != p.id {
				t.Fatalf("calls came as %v, want %v", got, want)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d calls, want %d", len(got), len(want))
		}
	})
}

func BenchmarkStep(b *testing.B) {
	w := New(1)
	for range 64 {
		var again func()
		again = func() { w.After(time.Millisecond, again) }
		again()
	}
	for b.Loop() {
		w.Step()
	}
}
