package host_test

import (
	"slices"
	"testing"
	"time"

	"scentpost/station/event"
)

// TestPingIsAnsweredInItsTurn: by the owner, behind what came in before, and without a record.
func TestPingIsAnsweredInItsTurn(t *testing.T) {
	h := newHouse(t).sealed()
	size, appended := h.host.Snapshot().Size, len(h.batches)
	var order []string
	h.host.Ping(func() { order = append(order, "first") })
	h.host.Ping(func() { order = append(order, "second") })
	if order != nil {
		t.Errorf("answered on the goroutine of the one who asked: %v", order)
	}
	h.w.RunFor(20 * time.Millisecond)
	if !slices.Equal(order, []string{"first", "second"}) {
		t.Errorf("the answers: %v", order)
	}
	if h.host.Snapshot().Size != size || len(h.batches) != appended || len(h.queue) > 0 {
		t.Error("something was written for a ping")
	}
}

// TestPingAsksNothingOfTheJournal: the host's own loop is asked, and answers while the journal stalls.
func TestPingAsksNothingOfTheJournal(t *testing.T) {
	h := newHouse(t).sealed()
	h.held = true
	h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	answered := false
	h.host.Ping(func() { answered = true })
	h.w.RunFor(20 * time.Millisecond)
	if !answered || len(h.queue) == 0 {
		t.Errorf("answered: %v, with %d batches waiting", answered, len(h.queue))
	}
}

// TestPingOfAHostThatNobodyDrains is what the watchdog is for.
func TestPingOfAHostThatNobodyDrains(t *testing.T) {
	h := newHouse(t)
	h.wanted = true // whoever should drain takes it for done
	h.host.Ping(func() { t.Error("answered") })
	h.w.RunFor(time.Minute)
}
