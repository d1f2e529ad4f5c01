package firmware

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"scentpost/firmware-bridge/message"
)

const seed = 20261126

// inputs are pins of all three ports.
var inputs = []string{"D2", "D8", "A0", "D7", "A5"}

func edgeHost(t *testing.T, baud int) *host {
	modes := map[string]message.Mode{"D4": message.OutLow}
	for _, name := range inputs {
		modes[name] = message.PullUp
	}
	h := configured(t, baud, pins(500, modes))
	h.run(5 * ms)
	h.events, h.edges = nil, nil // pulled up
	return h
}

// pulledUp is the level of each input before anybody moves it.
func pulledUp() map[string]bool {
	level := map[string]bool{}
	for _, name := range inputs {
		level[name] = true
	}
	return level
}

// late compares the stamps of the events with the cycles of the edges, and returns the latest one in microseconds.
func (h *host) late() float64 {
	h.t.Helper()
	if len(h.events) != len(h.edges) {
		h.t.Fatalf("%d edges arrived of %d", len(h.events), len(h.edges))
	}
	worst := 0.0
	for i, e := range h.events {
		edge := h.edges[i]
		if e.Kind != message.Edge || names[e.Pin] != edge.Pin || e.Level != edge.Level {
			h.t.Fatalf("event %d is %+v, the edge was %+v", i, e, edge)
		}
		late := float64(e.Time) - h.boardTime(edge.At)
		// A stamp is cut to a whole microsecond.
		if late < -1 {
			h.t.Fatalf("event %d is stamped %.1f us before its edge", i, -late)
		}
		worst = max(worst, late)
	}
	return worst
}

func TestStampsOnAQuietWire(t *testing.T) {
	h := edgeHost(t, 500_000)
	chance := rand.New(rand.NewPCG(seed, 1))
	level := pulledUp()
	h.mute = true // and so is the host
	for range 12 {
		for _, name := range inputs {
			level[name] = !level[name]
			h.chip.Pin(h.chip.Now()+1000+chance.Uint64N(16*ms), name, level[name])
			h.run(40 * ms)
		}
	}
	if worst := h.late(); worst > 10 {
		t.Errorf("a stamp is %.1f us late, want at most 10", worst)
	} else {
		t.Logf("seed %d: stamps on a quiet wire at most %.1f us late", seed, worst)
	}
}

// TestStampsWithHeartbeats: the wire carries heartbeats, and the answers to what is found.
func TestStampsWithHeartbeats(t *testing.T) {
	h := edgeHost(t, 500_000)
	h.beatEach = 10 * ms
	chance := rand.New(rand.NewPCG(seed, 2))
	level := pulledUp()
	for range 100 {
		for _, name := range inputs {
			level[name] = !level[name]
			h.chip.Pin(h.chip.Now()+1000+chance.Uint64N(8*ms), name, level[name])
			h.run(10 * ms)
		}
	}
	if worst := h.late(); worst > 20 {
		t.Errorf("a stamp is %.1f us late, want at most 20", worst)
	} else {
		t.Logf("seed %d: stamps with heartbeats at most %.1f us late", seed, worst)
	}
}

// train injects edges on one pin, each with its own jitter, and runs until they have come.
func (h *host) train(name string, edges int, spacing uint64, chance *rand.Rand) {
	h.t.Helper()
	at := h.chip.Now() + ms
	level := false
	for range edges {
		h.chip.Pin(at+chance.Uint64N(spacing/2), name, level)
		level, at = !level, at+spacing
		if at > h.chip.Now()+10*ms {
			h.run(10 * ms)
		}
	}
	h.run(2000 * ms)
}

// TestEdgesArriveWhole: 10,000 edges, stamped within 50 us, with heartbeats and acknowledgements on the wire.
func TestEdgesArriveWhole(t *testing.T) {
	for _, c := range []struct{ baud, rate int }{{115_200, 1000}, {500_000, 1000}, {500_000, 5000}} {
		t.Run(fmt.Sprintf("%d a second at %d baud", c.rate, c.baud), func(t *testing.T) {
			t.Parallel()
			h := edgeHost(t, c.baud)
			h.beatEach, h.slice = 100*ms, 5*ms // it answers within 10 ms
			h.train("D2", 10_000, uint64(1_000_000/c.rate)*us, rand.New(rand.NewPCG(seed, 3)))
			worst := h.late()
			if c.rate == 1000 && worst > 50 {
				t.Errorf("a stamp is %.1f us late, want at most 50", worst)
			}
			if h.overruns > 0 || h.bad > 0 {
				t.Errorf("%d bytes overrun, %d pieces of the line are no frames", h.overruns, h.bad)
			}
			t.Logf("seed %d: stamps at most %.1f us late, %d events sent again", seed, worst, h.resends)
		})
	}
}
