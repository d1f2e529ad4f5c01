package devices

import (
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// sensor makes facts of one line, as a beam and a button do.
type sensor struct {
	name     string
	class    string // the name of its class
	line     string
	member   *member
	position int              // of a beam; 0 for what stands nowhere
	role     event.ButtonRole // of a button
	part     bus.Sensor
	stuck    bool    // held for too long, and not let go since
	stopping bool    // an emergency stop that the sink was told is pressed
	source   *source // of its latest edge; nil before the first
}

func (d *sensor) emergency() bool { return d.role == event.ButtonEStop }

// known is the instant before which the sensor has every edge.
func (d *sensor) known(s *Station, now int64) int64 {
	if d.source == nil {
		return s.known(now)
	}
	return d.source.known(now)
}

// lateness is how long after an instant the sensor may have to wait for its edges.
func (d *sensor) lateness(s *Station) time.Duration {
	if d.source == nil {
		return s.slowest()
	}
	return d.source.lateness
}

// edge takes a raw edge of a sensor's line.
func (s *Station) edge(d *sensor, src *source, e bus.Edge) {
	d.source = src
	s.tell(event.Event{
		Type: event.Edge, At: s.stamp(e.Mono, e.Bound), By: d.name,
		Body: &event.RawEdge{Device: d.name, Active: e.Level},
	})
	if d.member.here() {
		s.sensed(d, d.part.Edge(s.facts[:0], e.Level, e.Mono, e.Bound))
	}
}

// sensed passes on the facts of a sensor. An emergency stop closes everything before anybody hears of it.
func (s *Station) sensed(d *sensor, facts []bus.Fact) {
	for _, f := range facts {
		kind, body := d.means(f)
		if body == nil {
			s.condition(health.DeviceFault, d.name, fmt.Sprintf("it tells %q, and the station has no event for that of a %s: write it as CONTRIBUTING.md says", f.Kind, d.class))
			continue
		}
		if f.Kind == bus.Stuck {
			d.stuck = true
			s.condition(health.ButtonStuck, d.name, fmt.Sprintf("held for %s", f.Held.Round(time.Millisecond)))
		}
		if d.emergency() {
			s.closeAll(s.clock.Now().Mono)
		}
		s.tell(event.Event{Type: kind, At: s.stamp(f.Mono, f.Bound), By: d.name, Body: body})
	}
	s.facts = facts[:0]
}

// means returns the event that a fact is, by the class of its sensor: a door that somebody entered is no beam. There is no
// body where the station has no event for it.
func (d *sensor) means(f bus.Fact) (event.Type, any) {
	held := int(f.Held / time.Millisecond)
	switch (told{d.class, f.Kind}) {
	case told{templates.Beam.Name, bus.Entered}:
		return event.BeamEntered, &event.Beam{Position: d.position}
	case told{templates.Beam.Name, bus.Left}:
		return event.BeamLeft, &event.Beam{Position: d.position}
	case told{templates.Button.Name, bus.Pressed}:
		return event.ButtonPressed, &event.Press{Role: d.role, HeldMS: held}
	case told{templates.Button.Name, bus.Stuck}:
		return event.ButtonPressed, &event.Press{Role: event.ButtonStuck, HeldMS: held}
	}
	return "", nil
}

// told is a kind of fact that the sensors of a class give.
type told struct {
	class string
	kind  bus.FactKind
}

// stopped tells whether an emergency stop is held: nothing opens until it is let go.
func (s *Station) stopped() bool {
	for _, d := range s.sensors {
		if d.emergency() && d.part.Active() {
			return true
		}
	}
	return false
}

// barred says why nothing may open, or work in the air, "" when it may: an emergency stop is held, or cannot be heard.
func (s *Station) barred() string {
	if s.stopped() {
		return FaultStopped
	}
	for _, d := range s.sensors {
		if d.emergency() && !d.member.here() {
			return FaultNoStop
		}
	}
	return ""
}

// hold is the longest that a fact may come after the last edge that it is made of was due.
func (s *Station) hold() time.Duration {
	var longest time.Duration
	for _, d := range s.sensors {
		longest = max(longest, d.part.Hold())
	}
	return longest
}
