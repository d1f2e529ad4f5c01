package devices

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
	"scentpost/station/event"
	"scentpost/station/templates"
)

// TestAFactIsAnEventOfItsClass: what is entered is no beam because something entered it, and what is pressed is no button.
func TestAFactIsAnEventOfItsClass(t *testing.T) {
	want := map[told]event.Type{
		{templates.Beam.Name, bus.Entered}:   event.BeamEntered,
		{templates.Beam.Name, bus.Left}:      event.BeamLeft,
		{templates.Button.Name, bus.Pressed}: event.ButtonPressed,
		{templates.Button.Name, bus.Stuck}:   event.ButtonPressed,
	}
	for _, class := range append(templates.Classes(), templates.Class{Name: "door"}) {
		for _, fact := range []bus.FactKind{bus.Entered, bus.Left, bus.Pressed, bus.Stuck, "weighed"} {
			d := sensor{class: class.Name, position: 3, role: event.ButtonAlert}
			kind, body := d.means(bus.Fact{Kind: fact, Held: time.Second})
			if kind != want[told{class.Name, fact}] || (body != nil) != (kind != "") || body != nil && !event.HoldsBody(kind, body) {
				t.Errorf("a %s that tells %q: %q with a %T", class.Name, fact, kind, body)
			}
		}
	}
}

// TestNothingHappenedAfterNow: an edge that a source stamps after now, by a clock that is ahead of ours, is taken as of now, with
// a bound that reaches to its stamp.
func TestNothingHappenedAfterNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Station{clock: &world{now: rapid.Int64Range(0, 1000).Draw(t, "now")}}
		mono, bound := rapid.Int64Range(0, 2000).Draw(t, "mono"), rapid.Int64Range(0, 50).Draw(t, "bound")
		now := s.clock.Now().Mono
		at, within := s.past(mono, bound)
		if at > now || at > mono || within < bound || at+within < mono || mono <= now && (at != mono || within != bound) {
			t.Fatalf("at %d, %d within %d becomes %d within %d", now, mono, bound, at, within)
		}
	})
}
