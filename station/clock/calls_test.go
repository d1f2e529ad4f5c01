package clock

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestCallsComeInTheirOrder adds and removes calls at random, and compares with a list that is sorted each time.
func TestCallsComeInTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var q Calls
		var made []int
		type planned struct {
			at   int64
			n    int
			call *Call
		}
		var want, all []planned
		for n := range rapid.IntRange(1, 60).Draw(rt, "length") {
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0, 1:
				p := planned{at: rapid.Int64Range(0, 5).Draw(rt, "at"), n: n}
				p.call = q.Add(p.at, func() { made = append(made, n) })
				want, all = append(want, p), append(all, p)
				slices.SortStableFunc(want, func(a, b planned) int { return int(a.at - b.at) })
			case 2:
				if len(all) == 0 {
					continue
				}
				p := all[rapid.IntRange(0, len(all)-1).Draw(rt, "which")] // gone already, it may be
				q.Remove(p.call)
				want = slices.DeleteFunc(want, func(o planned) bool { return o.n == p.n })
			case 3:
				first := q.First()
				if (first == nil) != (len(want) == 0) {
					rt.Fatalf("there is a call: %t, want %d", first != nil, len(want))
				}
				if first == nil {
					continue
				}
				q.Remove(first)
				first.Make()
				if first.At() != want[0].at || made[len(made)-1] != want[0].n {
					rt.Fatalf("call %d at %d comes first, want %d at %d", made[len(made)-1], first.At(), want[0].n, want[0].at)
				}
				want = want[1:]
			}
		}
	})
}
