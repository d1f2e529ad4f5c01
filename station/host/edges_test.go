package host_test

import (
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/record"
)

// TestLostEdgesAreInTheRecord: what is known of them lies in a sealed body, which the reveal opens; the run is void, once.
func TestLostEdgesAreInTheRecord(t *testing.T) {
	h := newHouse(t).sealed().searching()
	lose := func(n int64) {
		h.host.Event(event.Event{Type: event.EdgesLost, At: h.w.Now().Add(-time.Second), By: event.ByStation,
			Body: &event.LostEdges{Source: "gpio"}, Secret: &event.Loss{Lost: n, From: 5, To: 6, Why: "the buffer was full"}})
		h.w.RunFor(100 * time.Millisecond)
	}
	lose(41)
	lose(1)
	if h.open {
		t.Error("a canister is open")
	}
	story := strings.Join(h.types(), ",")
	if !strings.Contains(story, ",edges.lost,run.voided "+string(event.CauseLost)) || strings.Count(story, "edges.lost") != 1 {
		t.Errorf("the record: %s", story)
	}
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(t, err)
	for _, l := range lines {
		if strings.Contains(string(l.Bytes), "41") && strings.Contains(string(l.Bytes), "edges.lost") {
			t.Errorf("the public line tells how many: %s", l.Bytes)
		}
	}
	h.finish()
	lines, err = h.store.Lines(0, 1<<20, 1<<30)
	must(t, err)
	opened := ""
	for _, l := range lines {
		if strings.Contains(string(l.Bytes), "the buffer was full") {
			opened = string(l.Bytes)
		}
	}
	if !strings.Contains(opened, `scentpost.opened`) || !strings.Contains(opened, `\"lost\":\"41\"`) {
		t.Errorf("the reveal opens %q", opened)
	}
	between := newHouse(t).sealed()
	size := between.host.Snapshot().Size
	between.host.Event(event.Event{Type: event.EdgesLost, At: between.w.Now(), By: event.ByStation,
		Body: &event.LostEdges{Source: "gpio"}, Secret: &event.Loss{Lost: 1}})
	between.w.RunFor(time.Second)
	if between.host.Snapshot().Size != size {
		t.Error("between runs it leaves a record")
	}
}

// TestLostEdgesOfALimitSwitchVoidOnTheGrid: where it may have been one that made them lost, the void falls as by a canister's
// fault, and what is known lies behind the seal until the reveal. Nothing public names the source before.
func TestLostEdgesOfALimitSwitchVoidOnTheGrid(t *testing.T) {
	noise := func(h *house, from int64) {
		h.host.Event(event.Event{Type: event.EdgesLost, At: h.w.Now(), By: event.ByStation, Body: &event.LostEdges{},
			Secret: &event.Loss{Lost: 41, From: from, To: h.w.Mono(), Why: "noisy-1: \"the buffer\" was full of " + strings.Repeat("\\", 120)}})
	}
	h := newHouse(t).sealed().searching()
	presented := h.host.Snapshot().View.Run.PresentedAt
	h.w.RunFor(time.Duration(presented+3*int64(time.Second)-h.w.Mono()) - 700*time.Millisecond)
	noise(h, h.w.Mono())
	h.w.RunFor(600 * time.Millisecond)
	if !h.open {
		t.Fatal("the void falls before the grid")
	}
	h.w.RunFor(200 * time.Millisecond)
	if got := h.stamp(t, event.RunVoided); h.open || got != presented+3*int64(time.Second) {
		t.Errorf("void at %d of a run presented at %d, a canister open: %t", got, presented, h.open)
	}
	h.has(t, "run.voided "+string(event.CauseMechanical))
	if story := strings.Join(h.types(), ","); strings.Contains(story, "edges.lost") || strings.Contains(h.text(t), "noisy-1") {
		t.Errorf("before the reveal it is told: %s", story)
	}
	h.w.RunFor(2 * time.Second) // until it is written
	h.start(event.CauseRestart) // runs the engine over the record again
	h.finish()
	if !strings.Contains(h.text(t), "not known, edges were lost: noisy-1: the buffer was full") {
		t.Error("the reveal does not say what was lost")
	}
}

// TestLostEdgesOfALimitSwitchAndTheEnd: told while the lock waits, they void by their own instant, at the grid or where the
// lock would fall. Before the presentation they void it; between runs they are nothing.
func TestLostEdgesOfALimitSwitchAndTheEnd(t *testing.T) {
	noise := func(h *house, from int64) {
		h.host.Event(event.Event{Type: event.EdgesLost, At: h.w.Now(), By: event.ByStation, Body: &event.LostEdges{},
			Secret: &event.Loss{Lost: 41, From: from, To: h.w.Mono(), Why: "gpio: full"}})
	}
	for _, c := range []struct {
		since  time.Duration
		finish bool
		want   string
	}{
		{-time.Second, false, "run.voided " + string(event.CauseMechanical)}, {time.Nanosecond, false, "run.locked"},
		{-time.Millisecond, true, "run.voided " + string(event.CauseMechanical)}, {time.Nanosecond, true, "run.locked"},
	} {
		h := newHouse(t).sealed().searching()
		if c.finish {
			h.host.Event(event.Event{Type: event.RunFinished, At: h.w.Now(), By: "device"})
		} else {
			h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono()))
		}
		end := h.w.Mono()
		h.w.RunFor(30 * time.Millisecond)
		noise(h, end+int64(c.since))
		h.host.Watermark("gpio", end+1)
		h.w.RunFor(2 * time.Second)
		h.has(t, c.want)
		if h.open {
			t.Error("a canister is open")
		}
		h.start(event.CauseRestart)
		h.finish()
	}
	h := newHouse(t).sealed()
	size := h.host.Snapshot().Size
	noise(h, h.w.Mono())
	h.w.RunFor(time.Second)
	if h.host.Snapshot().Size != size {
		t.Error("between runs it leaves a record")
	}
	h.done(event.Event{Type: event.RunArmed, By: "Vera"})
	noise(h, h.w.Mono())
	h.w.RunFor(4 * time.Second)
	h.has(t, "run.voided "+string(event.CauseMechanical))
}

// stamp returns the instant of the latest record of a type.
func (h *house) stamp(t testing.TB, of event.Type) (mono int64) {
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(t, err)
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		must(t, err)
		if r.Event.Type == of {
			mono = r.Event.At.Mono
		}
	}
	return mono
}

// text is what the public lines say.
func (h *house) text(t testing.TB) string {
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(t, err)
	var text strings.Builder
	for _, l := range lines {
		text.Write(l.Bytes)
	}
	return text.String()
}
