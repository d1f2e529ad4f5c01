package devices

import (
	"testing"
	"time"

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
