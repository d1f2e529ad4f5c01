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
	t.Parallel()
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
	t.Parallel()
	h := edgeHost(t, 500_000)
	h.beatEach = 10 * ms
	chance := rand.New(rand.NewPCG(seed, 2))
	level := pulledUp()
	for range often(100, 40) {
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
	h.run(500 * ms)
}

// TestEdgesArriveWhole: thousands of edges, stamped within 50 us, with heartbeats and acknowledgements on the wire.
func TestEdgesArriveWhole(t *testing.T) {
	for _, c := range []struct{ baud, rate, edges int }{{115_200, 1000, often(10_000, 2000)}, {500_000, 1000, 2000}, {500_000, 5000, often(10_000, 4000)}} {
		t.Run(fmt.Sprintf("%d a second at %d baud", c.rate, c.baud), func(t *testing.T) {
			t.Parallel()
			h := edgeHost(t, c.baud)
			h.beatEach, h.slice = 100*ms, 5*ms // it answers within 10 ms
			h.train("D2", c.edges, uint64(1_000_000/c.rate)*us, rand.New(rand.NewPCG(seed, 3)))
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

// TestEachLossIsCounted: more edges than the line can carry, at least 50 us apart. What arrives is what came, and where
// something is missing a LOST says how much.
func TestEachLossIsCounted(t *testing.T) {
	for _, c := range []struct {
		baud, edges int
		spacing     uint64
	}{{115_200, 3000, 300 * us}, {500_000, 6000, 75 * us}} {
		t.Run(fmt.Sprintf("%d us apart at %d baud", c.spacing/us*2/3, c.baud), func(t *testing.T) {
			t.Parallel()
			h := edgeHost(t, c.baud)
			h.beatEach, h.slice = 100*ms, 5*ms
			// With the jitter of half a spacing two edges are two thirds of what is meant apart, or more.
			chance := rand.New(rand.NewPCG(seed, 7))
			at, level := h.chip.Now()+ms, false
			for range c.edges {
				h.chip.Pin(at, "D2", level)
				level, at = !level, at+c.spacing*2/3+chance.Uint64N(c.spacing*2/3)
			}
			h.run(at - h.chip.Now() + 500*ms)
			h.chip.Pin(h.chip.Now()+ms, "D8", false) // one for the last loss to stand before
			h.run(300 * ms)
			edges, lost := h.edges, 0
			for i, e := range h.events {
				if e.Kind == message.Lost {
					lost += int(e.Lost)
					edges = edges[e.Lost:]
					continue
				}
				if names[e.Pin] != edges[0].Pin || e.Level != edges[0].Level {
					t.Fatalf("event %d is %+v, the edge was %+v", i, e, edges[0])
				}
				if late := float64(e.Time) - h.boardTime(edges[0].At); late < -1 || late > 50 {
					t.Fatalf("event %d is stamped %.1f us late", i, late)
				}
				edges = edges[1:]
			}
			if len(edges) > 0 {
				t.Errorf("%d edges are missing at the end", len(edges))
			}
			if lost == 0 {
				t.Error("nothing was lost: the line carried it all, and this test tests nothing")
			}
			h.send(&message.Ping{Cookie: 1})
			pong := h.await("PONG", func(a answer) bool { _, is := a.is.(*message.Pong); return is }).is.(*message.Pong)
			if int(pong.Dropped) != lost || pong.Glitches != 0 {
				t.Errorf("dropped %d, glitches %d; want %d and 0", pong.Dropped, pong.Glitches, lost)
			}
			t.Logf("seed %d: %d edges arrived, %d were lost and counted", seed, c.edges-lost, lost)
		})
	}
}

// TestEdgesTooCloseAreGlitches: an edge and its contrary within one interrupt leave no event, and a count: of one, or of
// two when the second edge asks for an interrupt of its own.
func TestEdgesTooCloseAreGlitches(t *testing.T) {
	h := edgeHost(t, 500_000)
	for range 10 {
		at := h.chip.Now() + ms
		h.chip.Pin(at, "D2", false)
		h.chip.Pin(at+us/2, "D2", true)
		h.run(5 * ms)
	}
	h.send(&message.Ping{Cookie: 1})
	pong := h.await("PONG", func(a answer) bool { _, is := a.is.(*message.Pong); return is }).is.(*message.Pong)
	if pong.Glitches < 10 || pong.Glitches > 20 || len(h.events) != 0 {
		t.Errorf("glitches %d, events %d; want 10 to 20 and none", pong.Glitches, len(h.events))
	}
}

// TestAPongAgreesWithTheEvents: those below its number are stamped up to its time, the others after it, and the levels
// are what those below left behind.
func TestAPongAgreesWithTheEvents(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(500, map[string]message.Mode{"D2": message.Input}))
	h.slice = 5 * ms
	chance := rand.New(rand.NewPCG(seed, 9))
	h.answers, h.events = nil, nil
	high := true
	asked := often(1000, 250)
	for cookie := range uint32(asked) {
		h.send(&message.Ping{Cookie: cookie})
		// The PING is on the wire for 1.1 ms. The edges fall into the time in which it is answered.
		for at := h.chip.Now() + 1000*us; at < h.chip.Now()+3200*us; high = !high {
			at += 60*us + chance.Uint64N(140*us)
			h.chip.Pin(at, "D2", high)
		}
		h.run(h.slice)
	}
	h.run(100 * ms)
	pongs := 0
	for _, a := range h.answers {
		p, is := a.is.(*message.Pong)
		if !is {
			continue
		}
		pongs++
		next := int(p.Next)
		switch {
		case next > 0 && h.events[next-1].Time > p.Time:
			t.Errorf("event %d is stamped %d, behind the time %d of a PONG that counts it", next-1, h.events[next-1].Time, p.Time)
		case next < len(h.events) && h.events[next].Time < p.Time:
			t.Errorf("event %d is stamped %d, before the time %d of a PONG that does not count it", next, h.events[next].Time, p.Time)
		case next > 0 && h.events[next-1].Level != (p.Levels>>pin("D2")&1 != 0):
			t.Errorf("the levels are %x at %d, after event %+v", p.Levels, p.Time, h.events[next-1])
		}
	}
	if pongs != asked || len(h.events) < 15*asked || len(h.events) != len(h.edges) {
		t.Errorf("%d PONGs, %d events of %d edges", pongs, len(h.events), len(h.edges))
	}
}
