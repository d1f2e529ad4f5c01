package event_test

import (
	"testing"

	"scentpost/station/event"
)

func TestBlinder(t *testing.T) {
	order := append([]event.Mode{"unknown"}, event.Modes()...)
	for i, a := range order {
		for j, b := range order {
			if got := a.Blinder(b); got != (i > j) {
				t.Errorf("%s is blinder than %s: %v", a, b, got)
			}
		}
	}
	if event.Mode("").Blinder("unknown") {
		t.Error("a word that is no mode hides something")
	}
}
