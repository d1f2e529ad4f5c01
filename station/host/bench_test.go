package host_test

import (
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// BenchmarkHost runs line-ups of six positions with records, hashes, seals and a store in memory: every input is
// drained and committed in batches as large as one pass of the dog along a position. b.N counts runs.
func BenchmarkHost(b *testing.B) {
	h := newHouse(b)
	h.plan = strings.NewReplacer("positions: 2", "positions: 6", "runs: 2", "runs: 12").Replace(smallPlan)
	events, runs := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if v := h.host.Snapshot().View; v.Phase == trial.Idle || v.Phase == trial.Ended {
			b.StopTimer()
			if v.Phase == trial.Ended {
				h.close()
			}
			h.batches = nil
			h.sealed()
			b.StartTimer()
		}
		began := h.store.Size()
		h.search()
		size := h.store.Size()
		events += int(size - began)
		runs++
	}
	spent := b.Elapsed()
	b.ReportMetric(float64(events)/spent.Seconds(), "events/s")
	b.ReportMetric(float64(runs)/spent.Seconds(), "runs/s")
	b.ReportMetric(float64(events)/float64(runs), "records/run")
}

// search is one run with the dog past all six positions.
func (h *house) search() {
	h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(4 * time.Second)
	for p := 1; p <= 6; p++ {
		device := "beam-" + string(rune('0'+p))
		for i := range 8 {
			h.host.Event(event.Event{Type: event.Edge, At: h.w.Now(), By: device, Body: &event.RawEdge{Device: device, Active: i%2 == 0}})
		}
		h.fact(event.BeamEntered, &event.Beam{Position: p})
		h.w.RunFor(300 * time.Millisecond)
		h.fact(event.BeamLeft, &event.Beam{Position: p})
		h.w.RunFor(500 * time.Millisecond)
	}
	h.press(event.ButtonClear)
	h.w.RunFor(8 * time.Second)
}
