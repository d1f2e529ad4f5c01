package host_test

import (
	"slices"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/record"
)

// letGo lets the journal go on.
func (h *house) letGo() {
	h.held = false
	h.commit()
	h.w.RunFor(time.Millisecond)
}

// TestAPurgeWaitsForItsCauseAndIsTakenBackByAStop: a purge that an abort finds still parked never begins.
func TestAPurgeWaitsForItsCauseAndIsTakenBackByAStop(t *testing.T) {
	for name, c := range map[string]struct {
		stop event.Type
		want []string
	}{
		"nothing happens": {"", []string{"purge for 4.9s"}},
		"an abort":        {event.SessionAborted, []string{"close", "reply"}},
	} {
		h := newHouse(t).sealed()
		h.searching()
		h.press(event.ButtonClear)
		h.w.RunFor(time.Second)
		h.held, h.seen = true, nil
		h.w.RunFor(650 * time.Millisecond)
		if len(h.seen) != 0 {
			t.Fatalf("%s: seen before it is durable: %v", name, h.seen)
		}
		if c.stop != "" {
			h.do(event.Event{Type: c.stop, By: "Vera", Body: &event.Why{Reason: "x"}})
			h.w.RunFor(0)
		}
		h.letGo()
		if got := names(h.seen); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestASoundThatTheJournalHeldBackIsNotHeardInTheNextRun: nothing sounds from the arming on.
func TestASoundThatTheJournalHeldBackIsNotHeardInTheNextRun(t *testing.T) {
	for name, arm := range map[string]bool{"between runs": false, "in the next run": true} {
		h := newHouse(t).sealed()
		h.searching()
		h.press(event.ButtonClear)
		h.w.RunFor(6 * time.Second)
		h.held, h.seen = true, nil
		h.w.RunFor(time.Second)
		if arm {
			h.do(event.Event{Type: event.RunArmed, By: "Vera"})
			h.w.RunFor(0)
		}
		if len(h.seen) != 0 {
			t.Fatalf("%s: seen before it is durable: %v", name, h.seen)
		}
		h.letGo()
		if heard := slices.Contains(names(h.seen), "sound run-end"); heard == arm {
			t.Errorf("%s: %v", name, h.seen)
		}
	}
}

// TestArmingEndsEverySoundAtOnce: it does not wait for the journal.
func TestArmingEndsEverySoundAtOnce(t *testing.T) {
	h := newHouse(t).sealed()
	h.held = true
	h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(0)
	if h.hushed != 1 {
		t.Errorf("hushed %d times", h.hushed)
	}
}

// TestTheAirIsRecordedWithTheInstantThatAskedForIt: in one batch with the seal and with the arming, under their stamps.
func TestTheAirIsRecordedWithTheInstantThatAskedForIt(t *testing.T) {
	h := newHouse(t)
	h.air = []event.Air{{Device: "in", MeasuredAt: 5, AgeMS: 7, Readings: []event.Reading{{Quantity: event.Temperature, Milli: -1500}}},
		{Device: "out", Why: "it is absent"}}
	h.sealed()
	h.searching()
	var causes, airs []record.Record
	for _, b := range h.batches {
		var cause record.Record
		for _, row := range b.Rows {
			r, err := record.Decode(row.Line)
			must(t, err)
			switch r.Event.Type {
			case event.SessionSealed, event.RunArmed:
				cause = r
				causes = append(causes, r)
			case event.AirSampled:
				airs = append(airs, r)
				if r.Event.At != cause.Event.At || r.Event.Run != cause.Event.Run {
					t.Errorf("%+v was asked for by %s", r.Event, cause.Event.Type)
				}
			}
		}
	}
	if len(causes) != 2 || len(airs) != 4 {
		t.Fatalf("%d causes, %d records of the air", len(causes), len(airs))
	}
	if got := airs[2].Event.Body.(*event.Air); got.Readings[0].Milli != -1500 || got.AgeMS != 7 {
		t.Errorf("%+v", got)
	}
	if got := airs[3].Event.Body.(*event.Air); len(got.Readings) != 0 || got.Why != "it is absent" {
		t.Errorf("%+v", got)
	}
}

// TestASessionWithSamplesOfTheAirIsBroughtBack: what a restart replays has them too.
func TestASessionWithSamplesOfTheAirIsBroughtBack(t *testing.T) {
	h := newHouse(t)
	h.air = []event.Air{{Device: "in", Why: "it is absent"}}
	h.sealed()
	h.searching()
	h.start(event.CauseRestart)
	h.has(t, "run.voided daemon restarted")
	if air := h.host.Snapshot().View.Air; len(air) != 1 {
		t.Errorf("the view has %+v", air)
	}
	h.finish()
	h.has(t, "session.closed")
}
