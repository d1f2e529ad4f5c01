package devices

import (
	"slices"
	"strings"
	"testing"

	"scentpost/drivers/bus"
	"scentpost/station/event"
)

// TestLostEdgesVoidTheRun: one of them may have been a nose, or a call.
func TestLostEdgesVoidTheRun(t *testing.T) {
	voids := func(w *world) (n int) {
		for _, e := range w.events {
			if e.Type == event.EdgesLost {
				n++
				loss := e.Secret.(*event.Loss)
				if e.Body.(*event.LostEdges).Source != "gpio" || e.By != event.ByStation || loss.Lost != 1 || loss.To != 500*ms {
					t.Errorf("%+v by %s", loss, e.By)
				}
			}
		}
		return n
	}
	w := opened(t, nil)
	w.pulse(100*ms, "beam2", true)
	w.pulse(200*ms, "beam2", false)
	w.until(500 * ms)
	if voids(w) != 0 {
		t.Error("a void without a loss")
	}
	w.seq++
	w.edge("beam2", true)
	w.until(700 * ms)
	if voids(w) != 1 {
		t.Errorf("%d voids after a loss", voids(w))
	}
	lost := slices.IndexFunc(w.events, func(e event.Event) bool { return e.Type == event.EdgesLost })
	if next := w.events[lost+1]; next.Type != event.Edge || next.At.Mono != w.events[lost].At.Mono {
		t.Errorf("the loss is not told before the edge behind it: %+v", next)
	}
}

// TestLostLimitsAreToldByTheirCanister: a source of limit switches alone says nothing in the open.
func TestLostLimitsAreToldByTheirCanister(t *testing.T) {
	w := opened(t, nil)
	src := newSource("limits", 0)
	limit := slices.IndexFunc(w.station.canisters, func(c *canister) bool { return c.position == 1 })
	if w.station.sensing(src, route{canister: w.station.canisters[limit]}) {
		t.Error("it would void the run")
	}
	if !w.station.sensing(src, route{sensor: w.station.sensors[0]}) {
		t.Error("a source whose first edge is a beam's would not")
	}
}

// TestAGapVoidsTheRun: what nobody numbered is lost all the same, unless only limit switches were away.
func TestAGapVoidsTheRun(t *testing.T) {
	var sink bus.Sink = inlet{}
	if _, wants := sink.(bus.GapSink); !wants {
		t.Fatal("the station does not hear of gaps")
	}
	for _, c := range []struct {
		lines []string
		voids int
	}{{[]string{"beam2", "c1a.opened"}, 1}, {[]string{"c1a.opened"}, 0}, {nil, 0}} {
		w := opened(t, nil)
		w.until(100 * ms)
		inlet{w.station}.Gap(bus.Gap{Source: "gpio", Lines: c.lines, From: 50 * ms})
		w.until(200 * ms)
		voids := 0
		for _, e := range w.events {
			if e.Type == event.EdgesLost {
				voids++
			}
		}
		if voids != c.voids {
			t.Errorf("a gap of %v: %d voids, want %d", c.lines, voids, c.voids)
		}
	}
}

// TestLossesAreCountedAndShown: by source, with what the bus says of the latest, at the source's own marks.
func TestLossesAreCountedAndShown(t *testing.T) {
	w := opened(t, nil)
	w.At(101*ms, func() { w.edge("beam2", true) })
	w.At(102*ms, func() {
		w.seq += 40
		inlet{w.station}.Gap(bus.Gap{Source: "gpio", Lines: []string{"beam2"}, Lost: 40, Why: "the buffer was full"})
		w.edge("beam2", false)
	})
	w.At(103*ms, func() {
		inlet{w.station}.Gap(bus.Gap{Source: "gpio", Lines: []string{"1A.opened"}, Why: "no edge told of it"})
	})
	w.until(500 * ms)
	expect(t, "once", w.heard(), []string{"120 edges-lost gpio true edges that came: 2; numbered and never came: 40; " +
		"gaps that nobody could count: 1; the latest: no edge told of it"})
	if got := w.station.Status(); got.Lost["gpio"] != 40 || got.Gaps["gpio"] != 1 {
		t.Errorf("%+v", got)
	}
	if n := w.losses(); n != 1 {
		t.Errorf("%d losses told, want that of the beam, once", n)
	}
	w.At(501*ms, func() { w.seq++; w.edge("beam2", true) })
	w.until(600 * ms)
	if n := w.losses(); n != 2 {
		t.Errorf("%d losses told, want one more, of which no gap told", n)
	}
	if got := w.heard(); len(got) != 1 || !strings.HasPrefix(got[0], "520 edges-lost gpio true edges that came: 3; numbered and never came: 41") {
		t.Errorf("%q", got)
	}
}

// losses counts what was told of edges that are missing.
func (w *world) losses() (n int) {
	for _, e := range w.events {
		if e.Type == event.EdgesLost {
			n++
		}
	}
	return n
}

// TestWhatALossSays: how many, when and why, in a sealed body that fits into its length whatever the bus says.
func TestWhatALossSays(t *testing.T) {
	w := opened(t, nil)
	w.until(100 * ms)
	inlet{w.station}.Gap(bus.Gap{Source: "gpio", Lines: []string{"beam2"}, Lost: 1 << 62, From: 1, To: 1 << 62, Why: strings.Repeat("\"", 500)})
	e := w.events[len(w.events)-1]
	if e.Type != event.EdgesLost || len(e.Secret.(*event.Loss).Why) != event.MaxWhy {
		t.Fatalf("%+v", e)
	}
}
