package dwell_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/beam"
	"scentpost/drivers/bus"
	"scentpost/station/dwell"
	"scentpost/station/event"
)

// record holds raw edges as a record does: among those of another beam and what else happens.
func record(in []dwell.Edge) []event.Event {
	out := []event.Event{{Type: event.RunStarted}}
	for _, e := range in {
		out = append(out,
			event.Event{Type: event.Edge, At: event.Stamp{Mono: e.At, Bound: e.Bound}, Body: &event.RawEdge{Device: "beam-2", Active: e.Active}},
			event.Event{Type: event.Edge, At: event.Stamp{Mono: e.At}, Body: &event.RawEdge{Device: "beam-1", Active: !e.Active}},
			event.Event{Type: event.RunLocked, Body: &event.Lock{}})
	}
	return out
}

// told runs raw edges through the part that a station has, and returns the events that it tells of by the end.
func told(t *rapid.T, in []dwell.Edge, until int64) []event.Event {
	part, err := beam.New(beam.Settle)
	if err != nil {
		t.Fatal(err)
	}
	facts, latest := part.Start(nil, false, 0), int64(0)
	for _, e := range in {
		latest = max(latest, e.At)
		facts = part.Edge(part.Advance(facts, latest), e.Active, e.At, e.Bound)
	}
	out := []event.Event{{Type: event.RunStarted}}
	for _, f := range part.Advance(facts, until) {
		kind := event.BeamLeft
		if f.Kind == bus.Entered {
			kind = event.BeamEntered
		}
		out = append(out, event.Event{Type: kind, At: event.Stamp{Mono: f.Mono, Bound: f.Bound}, Body: &event.Beam{Position: 2}})
	}
	return out
}

// What a beam told comes out again of its raw edges.
func TestBeamsComeOutOfTheirEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, until := raw(t)
		for i := range in { // raw draws for a settling time of a few milliseconds
			in[i].At *= int64(beam.Settle / (4 * time.Millisecond))
		}
		until = until*int64(beam.Settle/(4*time.Millisecond)) + int64(beam.Settle)
		edges := dwell.Edges(record(in), "beam-2")
		if !slices.Equal(edges, in) {
			t.Fatalf("the edges %v came out as %v", in, edges)
		}
		got := dwell.Passes(2, dwell.Debounce(false, edges, beam.Settle, until))
		if want := dwell.Told(told(t, in, until)); !slices.Equal(got, want) {
			t.Fatalf("out of the edges %v, told %v", got, want)
		}
	})
}

func TestNothingComesOutOfOtherEvents(t *testing.T) {
	other := []event.Event{{}, {Type: event.Edge}, {Type: event.BeamEntered}, {Type: event.Refused, Body: &event.Beam{Position: 1}},
		{Type: event.Late, Body: &event.RawEdge{Device: "beam-2"}}}
	if edges, passes := dwell.Edges(other, "beam-2"), dwell.Told(other); edges != nil || passes != nil {
		t.Errorf("%v and %v", edges, passes)
	}
}
