package devices

import (
	"slices"
	"strings"
	"testing"

	"scentpost/drivers/bus"
	"scentpost/station/event"
)

// TestLostEdgesVoidTheRun: one of them may have been a nose, or a call. Where none can have been a limit switch's, the source
// is named.
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
	for line := range w.station.routes { // the limit switches have a source of their own
		w.station.stamps[line] = newSource("limits", 0)
	}
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

// TestASourceThatIsSilentIsNamed: until the next lock that has heard of it.
func TestASourceThatIsSilentIsNamed(t *testing.T) {
	w := opened(t, nil)
	w.until(500 * ms)
	w.heard()
	w.station.Silent(nil)
	w.station.Silent([]string{"gpio"})
	w.until(600 * ms)
	w.station.Silent(nil)
	w.until(700 * ms)
	expect(t, "conditions", w.heard(), []string{
		"500 source-silent gpio true a run ended, and it did not say that it had told everything up to then; it last said so 0s ago",
		"600 source-silent gpio false"})
}

// TestLostLimitsAreToldByTheirCanister: a source of limit switches alone says nothing in the open.
func TestLostLimitsAreToldByTheirCanister(t *testing.T) {
	w := opened(t, nil)
	src := newSource("limits", 0)
	limit := slices.IndexFunc(w.station.canisters, func(c *canister) bool { return c.position == 1 })
	if !w.station.switching(src) {
		t.Error("whose edges nobody has seen yet may be those of a limit switch")
	}
	if w.station.sensing(src, route{canister: w.station.canisters[limit]}) {
		t.Error("it would void the run")
	}
	if !w.station.sensing(src, route{sensor: w.station.sensors[0]}) {
		t.Error("a source whose first edge is a beam's would not")
	}
}

// TestAGapVoidsTheRun: what nobody numbered is lost all the same, unless only limit switches were away. Where they may have
// been the cause, no source is named but behind the seal: its instant would tell when a canister arrived.
func TestAGapVoidsTheRun(t *testing.T) {
	var sink bus.Sink = inlet{}
	if _, wants := sink.(bus.GapSink); !wants {
		t.Fatal("the station does not hear of gaps")
	}
	for _, c := range []struct {
		lines  []string
		voids  int
		source string
	}{{[]string{"beam2", "beam3", "call"}, 1, "gpio"}, {[]string{"beam2", "1A.opened"}, 1, ""}, {[]string{"1A.opened"}, 0, ""}, {nil, 0, ""}} {
		w := opened(t, nil)
		w.until(100 * ms)
		inlet{w.station}.Gap(bus.Gap{Source: "gpio", Lines: c.lines, From: 50 * ms, Why: "full"})
		w.until(200 * ms)
		voids := 0
		for _, e := range w.events {
			if e.Type == event.EdgesLost {
				voids++
				why := e.Secret.(*event.Loss).Why
				if got := e.Body.(*event.LostEdges).Source; got != c.source || (got == "") != (why == "gpio: full") {
					t.Errorf("a gap of %v names %q, and behind the seal %q", c.lines, got, why)
				}
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

// TestNumbersTellWhoseTheyAre: a source that has stamped a limit switch, or one of which nobody knows yet what stamps it, may
// have lost an edge of it.
func TestNumbersTellWhoseTheyAre(t *testing.T) {
	w := opened(t, nil)
	named := func() string {
		w.events = nil
		w.seq++
		w.edge("beam2", true)
		for _, e := range w.events {
			if e.Type == event.EdgesLost {
				return e.Body.(*event.LostEdges).Source
			}
		}
		return "nothing"
	}
	w.edge("beam2", false)
	w.edge("beam2", true)
	if got := named(); got != "" {
		t.Errorf("before any limit switch spoke %q is named", got)
	}
	for line := range w.station.routes {
		inlet{w.station}.Edge(bus.Edge{Line: line, Level: w.levels[line], Mono: w.now, Source: "limits", Seq: 1})
	}
	w.edge("beam2", false)
	if got := named(); got != "gpio" {
		t.Errorf("with another source for all limit switches %q is named", got)
	}
	w.edge("1A.opened", false)
	w.edge("beam2", false)
	if got := named(); got != "" {
		t.Errorf("where a limit switch has the same source %q is named", got)
	}
}

// TestSensorsThatGoWithCanisters: what carries both may have failed as one of them was told to move. Nothing public is told.
func TestSensorsThatGoWithCanisters(t *testing.T) {
	for _, c := range []struct {
		lines  []string
		public bool
	}{{[]string{"beam2", "call"}, true}, {[]string{"beam2", "3A.drive"}, false}, {[]string{"call", "3A.opened"}, false}} {
		w := opened(t, nil)
		w.until(100 * ms)
		w.events = nil
		w.sink.(bus.PresenceSink).Presence(bus.Presence{Lines: c.lines, From: 40 * ms, Mono: w.now, Why: bus.ErrGone})
		var public, veiled int
		for _, e := range w.events {
			switch loss, _ := e.Secret.(*event.Loss); {
			case e.Type == event.RunVoided:
				public++
			case loss != nil && *e.Body.(*event.LostEdges) == event.LostEdges{} && loss.From == 40*ms:
				veiled++
			}
		}
		if c.public != (public == 1) || c.public != (veiled == 0) || public+veiled != 1 {
			t.Errorf("%v: %d in the open, %d behind the curtain", c.lines, public, veiled)
		}
	}
}
