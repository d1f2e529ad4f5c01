package host_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
)

// TestALostSourceVoidsTheRun: with the lines the canisters fell shut and edges were lost, so nothing of it may count.
func TestALostSourceVoidsTheRun(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.host.Lost()
	h.w.RunFor(100 * time.Millisecond)
	if h.open {
		t.Error("a canister is open")
	}
	h.has(t, "run.voided "+event.VoidSource)
	h.finish()
	h = newHouse(t).sealed().searching()
	h.fact(event.RunVoided, &event.Void{Reason: event.VoidSource}) // as devices say it
	h.w.RunFor(100 * time.Millisecond)
	h.has(t, "run.voided "+event.VoidSource)
	between := newHouse(t).sealed()
	size := between.host.Snapshot().Size
	between.host.Lost()
	between.fact(event.RunVoided, &event.Void{Reason: event.VoidSource})
	between.w.RunFor(time.Second)
	if between.host.Snapshot().Size != size {
		t.Error("between runs it leaves a record")
	}
}

// TestTheLastDrainLeavesNothingOpen: what became durable at the very end may let a run's moves out.
func TestTheLastDrainLeavesNothingOpen(t *testing.T) {
	h := newHouse(t).sealed()
	h.held, h.seen = true, nil
	h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(100 * time.Millisecond)
	h.commit() // and nobody looks before the signal
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := h.host.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(h.seen, func(s string) bool { return strings.HasSuffix(s, "move") }) {
		t.Fatalf("no move was let out: %v", h.seen)
	}
	if last := h.seen[len(h.seen)-1]; !strings.HasSuffix(last, "close") {
		t.Errorf("the last thing done is %s: %v", last, h.seen)
	}
}
