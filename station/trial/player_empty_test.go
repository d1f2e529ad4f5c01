package trial

import (
	"testing"

	"scentpost/station/event"
)

// TestAnEmptyListIsOne: a session without a pass rule was not restored after its reveal, since a verdict without
// clauses is read back with an empty list of them, where the engine writes none.
func TestAnEmptyListIsOne(t *testing.T) {
	verdict := func(v event.Verdict) event.Event { return event.Event{Type: event.SessionScored, Body: &v} }
	none := verdict(event.Verdict{Verdict: "no rule"})
	for name, c := range map[string]struct {
		other event.Event
		want  bool
	}{
		"read back":    {verdict(event.Verdict{Verdict: "no rule", Clauses: []event.Clause{}}), true},
		"a clause":     {verdict(event.Verdict{Verdict: "no rule", Clauses: []event.Clause{{Name: "hits"}}}), false},
		"a number":     {verdict(event.Verdict{Verdict: "no rule", Hits: 1}), false},
		"no body":      {event.Event{Type: event.SessionScored}, false},
		"another body": {event.Event{Type: event.SessionScored, Body: &event.Why{}}, false},
	} {
		if same(&none, &c.other) != c.want || same(&c.other, &none) != c.want {
			t.Errorf("%s: the same is %v, want %v", name, !c.want, c.want)
		}
	}
}
