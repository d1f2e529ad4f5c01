package firmware

import (
	"math/rand/v2"
	"slices"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/message"
)

// percentiles are the 50th and the 99th, and the most.
func percentiles(of []float64) (p50, p99, most float64) {
	slices.Sort(of)
	return of[len(of)/2], of[len(of)*99/100], of[len(of)-1]
}

// TestFigures reports how long things take on the board and on the wire, by the simulated clock. What the host adds is
// not in it. Nothing is asserted but that there was something to report.
func TestFigures(t *testing.T) {
	t.Parallel()
	h := edgeHost(t, 500_000)
	h.beatEach, h.slice = 50*ms, ms/4
	h.beat()
	chance := rand.New(rand.NewPCG(seed, 8))

	level := true
	h.answers = nil
	for range 500 {
		level = !level
		h.chip.Pin(h.chip.Now()+chance.Uint64N(5*ms), "D2", level)
		h.run(10 * ms)
	}
	var edges []float64
	next := 0
	for _, a := range h.answers {
		if e, is := a.is.(*message.Events); is {
			for range e.List {
				edges = append(edges, float64(a.at-h.edges[next].At)/us)
				next++
			}
		}
	}

	var sets []float64
	for range 200 {
		h.run(chance.Uint64N(5 * ms))
		h.drove = nil
		begin := h.chip.Now()
		h.command(&message.Set{Pin: pin("D4"), Level: true, At: h.now(), Longest: 2000})
		sets = append(sets, float64(h.expect("D4", simavr.High)-begin)/us)
		h.run(5 * ms)
	}
	if len(edges) != 500 || len(sets) != 200 {
		t.Fatalf("%d edges and %d commands were timed", len(edges), len(sets))
	}
	p50, p99, slowest := percentiles(edges)
	t.Logf("FIGURE seed %d: edge on the pin to the last byte of its frame: p50 %.0f us, p99 %.0f us, most %.0f us", seed, p50, p99, slowest)
	p50, p99, most := percentiles(sets)
	t.Logf("FIGURE seed %d: first bit of a command to the output's change: p50 %.0f us, p99 %.0f us, most %.0f us", seed, p50, p99, most)
	if slowest > 1000 || most > 1000 {
		t.Error("a board that sleeps through an interrupt answers up to a tick later: want at most 1000 us of its own time")
	}
}
