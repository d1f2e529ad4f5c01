package trial

import (
	"testing"

	"scentpost/station/event"
)

// TestOnlyWhatWasLateIsLate: a record that calls a call late while the run still takes calls is a lie.
func TestOnlyWhatWasLateIsLate(t *testing.T) {
	lock := event.Lock{Reason: event.LockCall, At: 10}
	for name, c := range map[string]struct {
		run      *run
		at, said int64
		taken    bool
	}{
		"between runs":            {nil, 5, 5, false},
		"while the dog searches":  {&run{state: Searching}, 5, 5, false},
		"while a call waits":      {&run{state: Called, lock: lock}, 5, 5, false},
		"behind the lock":         {&run{state: Locked, lock: lock}, 5, 5, true},
		"at the lock":             {&run{state: Purging, lock: lock}, 10, 10, true},
		"stamped after the lock":  {&run{state: Locked, lock: lock}, 11, 11, false},
		"of a void":               {&run{state: Voided}, 5, 5, false},
		"stamped in another way":  {&run{state: Locked, lock: lock}, 11, 5, false},
		"later than it says here": {&run{state: Locked, lock: lock}, 5, 6, false},
	} {
		m := New("line-1", "e1")
		m.phase, m.session.id, m.run = Sealed, "s1", c.run
		m.Step(event.Event{Type: event.Late, At: event.Stamp{Mono: c.at}, By: "beam-1",
			Body: &event.Lateness{Type: event.ButtonPressed, At: c.said, Detail: "alert"}})
		if taken := m.Refusal() == nil; taken != c.taken {
			t.Errorf("%s: taken %v (%s)", name, taken, m.Refusal())
		}
	}
}
