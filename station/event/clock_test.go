package event_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
)

func TestSameMap(t *testing.T) {
	a := event.Stamp{Boot: "b", Mono: 1000, UTC: 5000, Quality: event.Synced, UTCBound: 3}
	later := a.Add(time.Hour)
	later.UTCBound = 9
	if !a.SameMap(later) || a.Offset() != 4000 {
		t.Error("an hour later the map is another")
	}
	for name, change := range map[string]func(*event.Stamp){
		"boot": func(s *event.Stamp) { s.Boot = "c" }, "offset": func(s *event.Stamp) { s.UTC++ }, "quality": func(s *event.Stamp) { s.Quality = event.Holdover },
	} {
		b := later
		if change(&b); a.SameMap(b) {
			t.Errorf("another %s is the same map", name)
		}
	}
}

func TestWhatPeopleSay(t *testing.T) {
	for said, want := range map[string]string{
		"2027-03-04":                "2027-03-04T00:00:00Z",
		"2027-03-04T14:05Z":         "2027-03-04T14:05:00Z",
		"2027-03-04T14:05+01:00":    "2027-03-04T14:05:00+01:00",
		"2027-03-04T14:05:59-11:30": "2027-03-04T14:05:59-11:30",
		"":                          "", "today": "", "14:05": "", "2027-3-4": "", "2027-02-30": "", "2027-03-04T14:05": "", "2027-03-04 14:05Z": "", "2027-03-04\n": "",
	} {
		got, err := event.TimeSaid{Said: said}.Time()
		switch {
		case want == "" && (err == nil || !strings.Contains(err.Error(), "zone")):
			t.Errorf("%q: %v, %v", said, got, err)
		case want != "" && (err != nil || got.Format(time.RFC3339) != want):
			t.Errorf("%q: %v, %v, want %s", said, got, err, want)
		}
	}
}

// FuzzSaid: what is taken for a time is one that can be written again, and holds nothing but digits and signs.
func FuzzSaid(f *testing.F) {
	f.Add("2027-03-04")
	f.Add("2027-03-04T14:05+01:00")
	f.Fuzz(func(t *testing.T, said string) {
		if _, err := (event.TimeSaid{Said: said}).Time(); err == nil && strings.Trim(said, "0123456789-:+.,TZ") != "" {
			t.Errorf("taken: %q", said)
		}
	})
}

// fold takes events and returns what they say of the clock.
func fold(events ...event.Event) event.SessionClock {
	var c event.SessionClock
	for i := range events {
		c.Take(&events[i])
	}
	return c
}

func TestSessionClock(t *testing.T) {
	at := func(q event.Quality, bound time.Duration) event.Event {
		return event.Event{At: event.Stamp{Quality: q, UTCBound: int64(bound)}}
	}
	fix := func(q event.Quality, step time.Duration, newBoot bool) event.Event {
		e := at(q, 0)
		e.Body = &event.ClockFix{StepNS: int64(step), Quality: q, NewBoot: newBoot}
		return e
	}
	said := func(text string) event.Event {
		return event.Event{At: event.Stamp{Quality: event.Unset}, By: "p-1", Body: &event.TimeSaid{Said: text}}
	}
	heldOver := at(event.Holdover, 9*time.Second)
	heldOver.By, heldOver.Body = "p-1", &event.TimeSaid{Said: "2027-03-04"}
	for want, events := range map[string][]event.Event{
		"simulated":                  {at(event.Simulated, 0)},
		"synchronised, within 120ms": {at(event.Synced, 100*time.Millisecond), at(event.Synced, 120*time.Millisecond), at(event.Synced, 0)},
		"held over since the clock was last synchronised, within 9s":                       {at(event.Synced, time.Second), at(event.Holdover, 9*time.Second), at(event.Synced, time.Second)},
		"held over since the clock was last synchronised, within 9s; Vera said 2027-03-04": {heldOver},
		"never set":                   {at(event.Unset, 7*time.Second)},
		"as said by Vera: 2027-03-05": {at(event.Unset, 0), said("2027-03-04"), said("2027-03-05")},
		"never set; the clock was set in mid-session (synchronised, within 1s); UTC stepped once, at most by +30m0s": {at(event.Unset, 0), fix(event.Synced, 30*time.Minute, false), at(event.Synced, time.Second)},
		"as said by Vera: 2027-03-04; UTC stepped 2 times, at most by -1h0m0s":                                       {said("2027-03-04"), fix(event.Unset, time.Minute, false), fix(event.Unset, -time.Hour, false), fix(event.Unset, 0, false)},
		"never set; UTC stepped once, at most by +1m0s":                                                              {said("2027-03-04"), fix(event.Unset, time.Minute, false), fix(event.Unset, 0, true)},
	} {
		got := fold(events...).Text(func(string) string { return "Vera" })
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if c := fold(fix(event.Unset, math.MinInt64, false), fix(event.Unset, math.MaxInt64, false)); c.LargestNS != math.MinInt64 || c.Steps != 2 {
		t.Errorf("the largest steps there can be: %+v", c)
	}
}
