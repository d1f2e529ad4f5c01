package host_test

import (
	"fmt"
	"testing"
	"time"

	"scentpost/station/event"
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
	if a := *answers; len(a) != 1 || a[0].Refused != "beam-2 is absent" || a[0].Seq != -1 {
		t.Fatalf("opened: %+v", a)
	}
	refused(open)
	absent = false
	h.sealed()
	absent = true
	arm := event.Event{Type: event.RunArmed, By: "Vera"}
	answers = h.do(arm)
	h.w.RunFor(20 * time.Millisecond)
	if a := *answers; len(a) != 1 || a[0].Refused != "beam-2 is absent" || a[0].Seq != -1 {
		t.Fatalf("armed: %+v", a)
	}
	refused(arm)
	absent = false
	h.searching()
	if got, want := fmt.Sprint(asked), "[2 false 2 false 2 false 2 true 2 true 2 true]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}
