//go:build linux

package linux

import (
	"math"
	"slices"
	"testing"

	"github.com/warthog618/go-gpiocdev/uapi"
	"pgregory.net/rapid"
)

// TestSequence: whatever comes in whatever order, what is taken is in order and once, and with what was given up
// it is everything.
func TestSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]uint32{0, 7, math.MaxUint32 - 20}).Draw(t, "start")
		n := rapid.IntRange(0, 100).Draw(t, "edges")
		s := sequence{lines: rapid.IntRange(1, 8).Draw(t, "lines"), last: start}
		var coming []uint32
		for i := range n {
			if rapid.IntRange(0, 9).Draw(t, "fate") > 0 {
				coming = append(coming, start+uint32(i)+1)
			}
		}
		for i := range coming { // overtaking
			j := min(i+rapid.IntRange(0, 3).Draw(t, "ahead"), len(coming)-1)
			coming[i], coming[j] = coming[j], coming[i]
		}
		var taken []uapi.LineEvent
		var lost, late uint32
		for _, number := range coming {
			if !s.add(uapi.LineEvent{Seqno: number}) {
				late++
			}
			taken = s.take(taken)
			for s.hopeless() || s.missing() > 0 && rapid.Bool().Draw(t, "impatient") {
				lost += s.skip()
				taken = s.take(taken)
			}
		}
		for s.missing() > 0 {
			lost += s.skip()
			taken = s.take(taken)
		}
		if len(s.held) != 0 {
			t.Fatalf("%d are held, and nothing is missing", len(s.held))
		}
		if !slices.IsSortedFunc(taken, func(a, b uapi.LineEvent) int { return int(int32(a.Seqno - b.Seqno)) }) {
			t.Fatalf("out of order: %v", taken)
		}
		if got := uint32(len(taken)) + lost; got != s.last-start {
			t.Fatalf("%d taken and %d lost, of %d", len(taken), lost, s.last-start)
		}
		if len(taken)+int(late) != len(coming) {
			t.Fatalf("%d came, %d taken, %d late", len(coming), len(taken), late)
		}
	})
}

func TestSequenceTakesNothingTwice(t *testing.T) {
	s := sequence{lines: 4}
	for _, c := range []struct {
		number uint32
		ok     bool
	}{{1, true}, {1, false}, {3, true}, {3, false}, {0, false}, {2, true}} {
		if got := s.add(uapi.LineEvent{Seqno: c.number}); got != c.ok {
			t.Errorf("add %d: %t, want %t", c.number, got, c.ok)
		}
		s.take(nil)
	}
}
