package history

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/station/event"
)

// told is a session with one run of each end, a sample of the air, and a clock that nobody set at first.
func told() []event.Event {
	at := func(s int64, q event.Quality) event.Stamp {
		return event.Stamp{Boot: "b", Mono: s * int64(time.Second), UTC: time.Date(2027, 3, 4, 5, 6, int(s), 999, time.UTC).UnixNano(), Quality: q, UTCBound: s}
	}
	all := []event.Event{
		{Type: event.SessionOpened, Body: &event.Opening{Name: "six", Mode: "double", Simulated: true, Team: event.Team{Dog: "p-1", Handler: "p-2"}}},
		{Type: event.SessionLoaded, Body: &event.Load{}},
		{Type: event.SessionSealed, Body: &event.Seed{Source: event.Dice}},
		{Type: event.AirSampled, Body: &event.Air{Device: "air", AgeMS: 5}},
		{Type: event.RunArmed, Run: 1, Body: &event.Arming{}},
		{Type: event.AirSampled, Run: 1, Body: &event.Air{Device: "air", AgeMS: 6}},
		{Type: event.RunLocked, Run: 1, Body: &event.Lock{}},
		{Type: event.RunClosed, Run: 1},
		{Type: event.RunArmed, Run: 2, Body: &event.Arming{}},
		{Type: event.RunVoided, Run: 2, Body: &event.Void{Why: event.Why{Reason: "rain"}}},
		{Type: event.RunClosed, Run: 2},
		{Type: event.RunArmed, Run: 3, Body: &event.Arming{}},
		{Type: event.SessionAborted, Body: &event.Why{Reason: "storm"}},
		{Type: event.RunClosed, Run: 3},
		{Type: event.SessionEnded, Body: &event.End{How: "aborted"}},
		{Type: event.RunScored, Run: 1, Body: &event.RunResult{Result: "correct", LatencyMS: 7, SinceStartMS: 8, EffectiveBlind: "double"}},
		{Type: event.SessionRevealed},
		{Type: event.SessionScored, Body: &event.Verdict{Verdict: "not a valid test"}},
		{Type: event.SessionClosed, Body: &event.AidCount{Out: 6, Back: 5}},
	}
	for i := range all {
		all[i].Session, all[i].At = "s1", at(int64(i), event.Synced)
	}
	all[4].At.Quality = event.Holdover
	return all
}

func TestASessionIsToldInShort(t *testing.T) {
	var s Session
	for _, e := range told() {
		s.Take(&e)
	}
	want := Session{
		Line: Line{ID: "s1", Opened: "2027-03-04T05:06:00Z", Plan: "six", Mode: "double", Simulated: true, Sealed: true, Armed: 3, State: Closed, How: "aborted", AidsOut: 6, AidsBack: 5,
			Clock: event.SessionClock{Quality: event.Holdover, Last: event.Synced, BoundNS: 18}},
		Dog: "p-1", Handler: "p-2", Air: []event.Air{{Device: "air", AgeMS: 5}}, Verdict: event.Verdict{Verdict: "not a valid test"},
		Runs: []Run{
			{Run: 1, How: RunCompleted, Result: "correct", LatencyMS: 7, SinceStartMS: 8, Blindness: "double", Air: []event.Air{{Device: "air", AgeMS: 6}}},
			{Run: 2, How: RunVoided, Why: event.Why{Reason: "rain"}, LatencyMS: -1, SinceStartMS: -1},
			{Run: 3, How: RunAborted, LatencyMS: -1, SinceStartMS: -1},
		},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// TestHowFarASessionCame after each of its records.
func TestHowFarASessionCame(t *testing.T) {
	var states []string
	var line Line
	for _, e := range told() {
		before := line
		line.Take(&e)
		if line.State != before.State || line.Secret() != before.Secret() || line.Finished() != before.Finished() {
			secret := map[bool]string{true: " secret"}[line.Secret()] + map[bool]string{true: " finished"}[line.Finished()]
			states = append(states, string(e.Type)+": "+string(line.State)+secret)
		}
	}
	want := []string{"session.opened: unfinished", "session.sealed: unfinished secret", "session.ended: ended secret",
		"session.revealed: revealed finished", "session.closed: closed finished"}
	if !slices.Equal(states, want) {
		t.Errorf("got  %q\nwant %q", states, want)
	}
}

// TestALineGoesOnFromItsEntry: wherever it was written, what comes after gives the same as the whole.
func TestALineGoesOnFromItsEntry(t *testing.T) {
	events := told()
	events[6].Body = &event.ClockFix{StepNS: -5, Quality: event.Unset}
	events[7].Body = &event.TimeSaid{Said: "2027-03-04"}
	events[6].Type, events[7].Type, events[7].By = event.ClockFixed, event.ClockSaid, "p-3"
	var whole Line
	for _, e := range events {
		whole.Take(&e)
	}
	for at := 1; at <= len(events); at++ {
		var before Line
		for _, e := range events[:at] {
			before.Take(&e)
		}
		line, err := ParseLine(before.write())
		if err != nil || line != before {
			t.Fatalf("after %d records: %+v, %v, want %+v", at, line, err, before)
		}
		for _, e := range events[at:] {
			line.Take(&e)
		}
		if line != whole {
			t.Errorf("from record %d on: %+v, want %+v", at, line, whole)
		}
	}
}

// TestNoteworthyRecordsAreThoseThatChangeALine, but for its clock.
func TestNoteworthyRecordsAreThoseThatChangeALine(t *testing.T) {
	for _, kind := range event.Types() {
		with := Line{ID: "s1", State: Unfinished, Clock: event.SessionClock{Quality: event.Synced, Last: event.Synced}}
		without := with
		e := event.Event{Type: kind, Session: "s1", At: event.Stamp{Quality: event.Synced}, Body: event.NewBody(kind)}
		if opening, ok := e.Body.(*event.Opening); ok {
			opening.Name = "six"
		}
		with.Take(&e)
		with.Clock, without.Clock = event.SessionClock{}, event.SessionClock{}
		if changed := with != without; changed != noteworthy(kind) {
			t.Errorf("%s changes a line: %t, noteworthy: %t", kind, changed, noteworthy(kind))
		}
		if entry, last := with.Entry(kind); (entry != nil) != noteworthy(kind) || last != (kind == event.SessionClosed) {
			t.Errorf("after %s the entry is %q, the last %t", kind, entry, last)
		}
	}
}

func TestEntriesThatAreNone(t *testing.T) {
	for _, text := range []string{"", "null", "{}", "[]", `{"id":""}`, `{"id":"s1","runs":-1}`, `{"id":"s1"`, `{"id":3}`} {
		if line, err := ParseLine([]byte(text)); err == nil || !strings.Contains(err.Error(), "an entry of the index of sessions") {
			t.Errorf("%s gives %+v, %v", text, line, err)
		}
	}
}

// TestNoOrderOfRecordsIsTooStrange: records of a damaged or hostile bundle may come in any order.
func TestNoOrderOfRecordsIsTooStrange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom(event.Types()), 0, 40).Draw(rt, "kinds")
		var s Session
		armed := 0
		for i, kind := range kinds {
			if kind == event.RunArmed {
				armed++
			}
			s.Take(&event.Event{Type: kind, Session: "s1", Run: i % 4, Body: event.NewBody(kind)})
		}
		if s.Armed != armed || len(s.Runs) != armed {
			rt.Errorf("%d runs were armed, %d and %d are told", armed, s.Armed, len(s.Runs))
		}
	})
}
