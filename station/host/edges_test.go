package host_test

import (
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
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
	if !strings.Contains(story, ",edges.lost,run.voided "+event.VoidLost) || strings.Count(story, "edges.lost") != 1 {
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
