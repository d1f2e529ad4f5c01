package dwell

import "scentpost/station/event"

// Edges returns the raw edges of a device in a row of events.
func Edges(events []event.Event, device string) []Edge {
	var out []Edge
	for _, e := range events {
		if raw, ok := e.Body.(*event.RawEdge); ok && e.Type == event.Edge && raw.Device == device {
			out = append(out, Edge{Active: raw.Active, At: e.At.Mono, Bound: e.At.Bound})
		}
	}
	return out
}

// Told returns the passes that the beams themselves told of in a row of events.
func Told(events []event.Event) []Pass {
	var out []Pass
	for _, e := range events {
		beam, ok := e.Body.(*event.Beam)
		if ok && (e.Type == event.BeamEntered || e.Type == event.BeamLeft) {
			out = append(out, Pass{Position: beam.Position, Entered: e.Type == event.BeamEntered, At: e.At.Mono, Bound: e.At.Bound})
		}
	}
	return out
}
