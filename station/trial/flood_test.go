package trial_test

import (
	"fmt"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// refusals tells what the record says of refused commands from a record on: "r" for one, "5r 2p" for a sum of five resumed
// and two paused.
func refusals(records []event.Event) (told []string, ones int) {
	for _, e := range records {
		switch body := e.Body.(type) {
		case *event.Refusal:
			ones++
		case *event.RefusalSum:
			for _, n := range body.Refused {
				told = append(told, fmt.Sprintf("%s %d %s", e.By, n.Count, n.Type))
			}
		}
	}
	return told, ones
}

// TestRefusalsThatComeTooFastAreSummed: a burst has its records, one each 200 ms as well, and all else is counted, by person and
// command.
func TestRefusalsThatComeTooFastAreSummed(t *testing.T) {
	s := ready(t)
	from := len(s.records)
	for i := range 1000 { // in five seconds
		s.command(event.Event{Type: event.SessionResumed, By: "p-h"})
		if s.refused == nil || s.refused.Code != trial.NotPaused {
			t.Fatalf("command %d is answered with %v", i, s.refused)
		}
		if i%2 == 0 {
			s.command(event.Event{Type: event.CallWithdrawn, By: "p-h", Body: &event.Why{}})
		}
		s.pass(5 * time.Millisecond)
	}
	s.command(event.Event{Type: event.SessionResumed, By: "p-l"}) // another person has a burst of their own
	s.pass(2 * time.Second)
	told, ones := refusals(s.records[from:])
	counted := 0
	for _, line := range told {
		var who, what string
		var n int
		if _, err := fmt.Sscan(line, &who, &n, &what); err != nil || who != "p-h" {
			t.Errorf("a sum says %q: %v", line, err)
		}
		counted += n
	}
	if counted+ones != 1501 || ones < 21 || ones > 60 || len(told) < 8 || len(told) > 12 {
		t.Errorf("%d refusals have a record and %d are summed, by %q", ones, counted, told)
	}
	s.replay()
	s.play("arm; 4s; press clear; 10s; arm; 4s; press clear; 10s")
	from = len(s.records)
	for range 25 {
		s.command(event.Event{Type: event.RunStarted, By: "p-a"})
	}
	s.play("close")
	if told, ones := refusals(s.records[from:]); ones != 20 || len(told) != 1 || told[0] != "p-a 5 run.started" || s.records[len(s.records)-1].Type != event.SessionClosed {
		t.Errorf("before the close: %d, %q", ones, told)
	}
	s.replay()
}

// TestNoCommandIsTurnedAwayByARate: what a person may do, they may do after any number of refusals.
func TestNoCommandIsTurnedAwayByARate(t *testing.T) {
	s := ready(t)
	for range 500 {
		s.command(event.Event{Type: event.SessionResumed, By: "p-a"})
	}
	if s.command(event.Event{Type: event.SessionAborted, By: "p-a", Body: &event.Why{Reason: "rain"}}); s.refused != nil {
		t.Errorf("the abort is refused: %v", s.refused)
	}
	s.pass(time.Minute)
	if told, _ := refusals(s.records); len(told) != 1 || told[0] != "p-a 480 session.resumed" {
		t.Errorf("%q", told)
	}
	s.replay()
}
