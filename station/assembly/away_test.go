package assembly

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/simulator/world"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/readiness"
)

// TestThePauseHasABound: it grows from a second, never beyond half a minute, whatever the number of tries.
func TestThePauseHasABound(t *testing.T) {
	var sum, before time.Duration
	for tries := range 1000 {
		pause := Pause(tries)
		if pause < before || pause < time.Second || pause > 30*time.Second {
			t.Fatalf("after %d tries: %v after %v", tries, pause, before)
		}
		if before = pause; tries < 5 {
			sum += pause
		}
	}
	if sum != 31*time.Second || Pause(-1) != mostPause || Pause(1<<62) != mostPause {
		t.Errorf("the first five take %v", sum)
	}
}

// TestNoErrorOfTheStartEndsIt: damage asks for a new epoch, once; everything else for another try.
func TestNoErrorOfTheStartEndsIt(t *testing.T) {
	damage := fmt.Errorf("record 7: %w", journal.ErrDamaged)
	for name, c := range map[string]struct {
		since Again
		err   error
		epoch string
		tries int // 0: not away
	}{
		"damage":               {Again{}, damage, journal.WhyTailLost, 0},
		"damage again":         {Again{NewEpoch: journal.WhyTailLost}, damage, journal.WhyTailLost, 1},
		"a full disk":          {Again{}, syscall.ENOSPC, "", 1},
		"a full disk, again":   {Again{Tries: 4}, syscall.ENOSPC, "", 5},
		"before a new epoch":   {Again{NewEpoch: journal.WhyBeyond, Past: []string{"e0"}}, syscall.EIO, journal.WhyBeyond, 1},
		"whatever else it may": {Again{}, errors.New("nobody knows"), "", 1},
	} {
		s := newStation(t, world.New(1))
		s.since = c.since
		var again Again
		if err := s.withheld("read it", c.err); !errors.As(err, &again) {
			t.Errorf("%s: %v ends the program", name, err)
			continue
		}
		if again.NewEpoch != c.epoch || again.Tries != c.tries || (again.Away != nil) != (c.tries > 0) || again.Away != nil && (!errors.Is(again.Away, c.err) || !slices.Equal(again.Past, c.since.Past)) {
			t.Errorf("%s: %+v", name, again)
		}
	}
	law := &event.UnknownLaw{}
	if err := newStation(t, world.New(1)).withheld("read it", law); !errors.Is(err, law) || errors.As(err, new(Again)) {
		t.Errorf("a later version: %v", err)
	}
}

// TestAStationWithoutItsJournalShowsWhy, in what it refuses, in its conditions, and when it is asked for records.
func TestAStationWithoutItsJournalShowsWhy(t *testing.T) {
	s := newStation(t, world.New(1))
	if err := s.Serve(Storage{Away: fmt.Errorf("opening epoch e1: %w", syscall.EACCES)}); err != nil {
		t.Fatal(err)
	}
	why := s.Obstacle(readiness.Question{Positions: 1})
	if why == nil || why.Code != readiness.JournalAway || !strings.Contains(why.Error(), "chown") {
		t.Errorf("%v", why)
	}
	if !s.conditions.Holds(health.JournalAway, "") || !s.conditions.Sealed() {
		t.Error("no condition, or what devices do is told although a session may be sealed")
	}
	for _, command := range []string{"list", "export", "status"} {
		s.Control().Do(control.Person{}, control.Request{Command: command}, func(r control.Response) {
			if r.OK != (command == "status") || r.Refused != nil && !strings.Contains(r.Refused.Error(), "opening epoch e1: permission denied") {
				t.Errorf("%s: %+v", command, r.Refused)
			}
		})
	}
	s.WatchOver(&patient{}).Look(0)
	if err := s.Serve(Storage{Journal: journal.NewMemory(), Disk: &patient{}}); err != nil || s.conditions.Holds(health.JournalAway, "") {
		t.Errorf("the condition outlives its cause: %v", err)
	}
}
