package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/trial"
)

// TestAnAbsentDeviceRefusesTheSessionsThatNeedIt: when one is opened and when a run is armed, with the reason; and when
// the device is there, the same command is taken.
func TestAnAbsentDeviceRefusesTheSessionsThatNeedIt(t *testing.T) {
	h := newHouse(t)
	var asked []string
	absent := true
	h.missing = func(n int, sealed bool) string {
		asked = append(asked, fmt.Sprint(n, " ", sealed))
		if absent {
			return "beam-2 is absent"
		}
		return ""
	}
	refused := func(e event.Event) {
		t.Helper()
		size := h.host.Snapshot().Size
		answers := *h.do(e)
		h.w.RunFor(20 * time.Millisecond)
		if len(answers) != 0 {
			t.Fatalf("answered before anybody looked: %+v", answers)
		}
		if h.host.Snapshot().Size != size {
			t.Errorf("%s left a record", e.Type)
		}
	}
	open := event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)}
	answers := h.do(open)
	h.w.RunFor(20 * time.Millisecond)
	if a := *answers; len(a) != 1 || !a[0].Refused.Says(host.CannotStart) || a[0].Refused.Value("detail") != "beam-2 is absent" || a[0].Seq != -1 {
		t.Fatalf("opened: %+v", a)
	}
	refused(open)
	absent = false
	h.sealed()
	absent = true
	arm := event.Event{Type: event.RunArmed, By: "Vera"}
	answers = h.do(arm)
	h.w.RunFor(20 * time.Millisecond)
	if a := *answers; len(a) != 1 || !a[0].Refused.Says(host.CannotStart) || a[0].Refused.Value("detail") != "beam-2 is absent" || a[0].Seq != -1 {
		t.Fatalf("armed: %+v", a)
	}
	refused(arm)
	absent = false
	h.searching()
	if got, want := fmt.Sprint(asked), "[2 false 2 false 2 false 2 true 2 true 2 true]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// TestAPlanWhoseCanistersTheStationLacksIsNotOpened: at every position it is said what is there and what is wanted, and
// nothing is written. Opened, a run that draws one of them could not be shown.
func TestAPlanWhoseCanistersTheStationLacksIsNotOpened(t *testing.T) {
	h := newHouse(t)
	whole := h.canisters[2]
	h.canisters[1], h.canisters[2] = []string{"1A"}, []string{"2A", "2C"}
	open := func() trial.Answer {
		t.Helper()
		answers := h.do(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)})
		h.w.RunFor(20 * time.Millisecond)
		if len(*answers) != 1 {
			t.Fatalf("answered %+v", *answers)
		}
		return (*answers)[0]
	}
	size := h.host.Snapshot().Size
	a := open()
	for _, want := range []string{"position 1 has 1A, and the plan loads 1A, 1B and 1C", "position 2 has 2A and 2C, and the plan loads 2A, 2B and 2C"} {
		if !a.Refused.Says(host.CanistersLack) || !strings.Contains(a.Refused.Value("detail"), want) || a.Seq != -1 {
			t.Errorf("answered %+v, want %s", a, want)
		}
	}
	if s := h.host.Snapshot(); s.Size != size || s.View.Phase != trial.Idle {
		t.Errorf("%s with %d records, there were %d", s.View.Phase, s.Size, size)
	}
	h.canisters[1], h.canisters[2] = []string{"1A", "1B", "1C"}, whole
	if a := open(); a.Refused != nil {
		t.Errorf("with all canisters: %+v", a)
	}
}
