package trial

import (
	"testing"
	"time"

	"scentpost/station/event"
)

const second = int64(time.Second)

func TestTimersFireInOrder(t *testing.T) {
	var h horizon
	if _, ok := h.next(0); ok {
		t.Error("an empty horizon has a timer")
	}
	h.set(event.RunPurged, 5)
	h.set(event.RunClosed, 3)
	h.set(event.RunPresented, 3)
	h.set(event.RunPurged, 1) // replaces the first
	if at, _ := h.next(0); at != 1 {
		t.Errorf("next at %d, want 1", at)
	}
	if d, ok := h.due(0, 0); ok {
		t.Errorf("%s fires early", d.timer)
	}
	if d, ok := h.due(0, 9); ok {
		t.Errorf("%s is due by 0", d.timer)
	}
	for _, want := range []deadline{{timer: event.RunPurged, at: 1}, {timer: event.RunClosed, at: 3}, {timer: event.RunPresented, at: 3}} {
		if d, ok := h.due(9, 9); !ok || d != want {
			t.Errorf("%v is due, want %v", d, want)
		}
	}
	h.set(event.RunClosed, 3)
	h.stop(event.RunPurged) // not set
	h.stop(event.RunClosed)
	if _, ok := h.next(0); ok {
		t.Error("a stopped timer is left")
	}
	h.set(event.RunClosed, 3)
	h.clear()
	if _, ok := h.due(9, 9); ok {
		t.Error("a cleared timer fires")
	}
}

// TestALockWaitsForItsSources: until each has reported past the instant, or its lateness has run out.
func TestALockWaitsForItsSources(t *testing.T) {
	const at = 10 * second
	for name, c := range map[string]struct {
		marks map[string]int64
		fires int64
	}{
		"nobody reports":            {nil, at + 2*second},
		"the slow one reports":      {map[string]int64{"board": at + 1}, at + second/2},
		"the fast one reports":      {map[string]int64{"gpio": at + 1}, at + 2*second},
		"both report":               {map[string]int64{"gpio": at + 1, "board": at + 1}, at},
		"a report up to it":         {map[string]int64{"gpio": at + 1, "board": at}, at + 2*second},
		"a stranger reports":        {map[string]int64{"other": at + 1}, at + 2*second},
		"reports that are too soon": {map[string]int64{"gpio": 0, "board": 0}, at + 2*second},
	} {
		t.Run(name, func(t *testing.T) {
			var h horizon
			h.declare("gpio", time.Second/2, false)
			h.declare("board", 2*time.Second, false)
			h.set(event.RunLocked, at)
			h.set(event.RunClosed, at)
			for source, mark := range c.marks {
				h.mark(source, mark)
				h.mark(source, mark-1) // a mark never goes back
			}
			if d, ok := h.due(at, at); !ok || (c.fires > at && d.timer != event.RunClosed) {
				t.Errorf("%v is due at its instant", d)
			}
			h.stop(event.RunClosed)
			if c.fires == at {
				return
			}
			if !h.waiting(at) || h.waiting(at-1) {
				t.Error("the horizon does not know that a lock waits")
			}
			if next, _ := h.next(at); next != c.fires {
				t.Errorf("looks again at %d, want %d", next, c.fires)
			}
			if _, ok := h.due(c.fires-1, c.fires-1); ok {
				t.Error("the lock falls early")
			}
			if d, ok := h.due(c.fires, c.fires); !ok || d.at != at {
				t.Errorf("the lock does not fall: %v", d)
			}
		})
	}
}

// TestAVeiledSource: when a lock falls does not depend on when it reports, and that it has not is known all the same.
func TestAVeiledSource(t *testing.T) {
	const at = 10 * second
	for _, mark := range []int64{0, at, at + 1, at + second} {
		var h horizon
		h.declare("gpio", time.Second/2, false)
		h.declare("board", 2*time.Second, true)
		h.set(event.RunLocked, at)
		h.mark("gpio", at+1)
		h.mark("board", mark)
		if _, ok := h.due(at+2*second-1, at+2*second-1); ok {
			t.Errorf("reported up to %d: the lock falls early", mark)
		}
		if d, ok := h.due(at+2*second, at+2*second); !ok || d.at != at {
			t.Errorf("reported up to %d: the lock does not fall", mark)
		}
		if names, veiled := h.silent(at); len(names) > 0 != (mark <= at) || !veiled {
			t.Errorf("reported up to %d: silent %q, all veiled %t", mark, names, veiled)
		}
		if names, veiled := h.silent(at + 1); names[len(names)-1] != "gpio" || veiled {
			t.Errorf("silent %q, all veiled %t", names, veiled)
		}
	}
}

func TestTheCurtainReleasesByPosition(t *testing.T) {
	var c curtain
	c.begin(3, []event.Move{{Position: 1, Canister: "1B", Open: true}, {Position: 2, Canister: "2A", Open: true}})
	c.report(2, event.Moves{Canister: "2A", Open: true, Commanded: 5, Confirmed: 9})
	c.report(1, event.Moves{Canister: "1B", Open: true, Commanded: 5, Confirmed: 12})
	c.report(1, event.Moves{Canister: "1C", Open: true, Commanded: 5, Confirmed: 8}) // not used in this run
	c.report(0, event.Moves{Canister: "0A", Fault: "jammed"})                        // no such positions
	c.report(3, event.Moves{Canister: "3A", Fault: "jammed"})
	if c.faulty() {
		t.Error("a fault where there is none")
	}
	all := c.lift(event.RunPresented, event.Stamp{Mono: 20}, "s")
	if len(all) != 3 || all[2].Type != event.RunPresented {
		t.Fatalf("%d events, the last %s", len(all), all[len(all)-1].Type)
	}
	for i, want := range []event.Moves{{Canister: "1B", Open: true, Commanded: 5, Confirmed: 12}, {Canister: "2A", Open: true, Commanded: 5, Confirmed: 9}} {
		e := all[i]
		handling := *e.Body.(*event.Handling)
		if e.Run != 3 || e.At.Mono != 20 || handling != (event.Handling{Position: i + 1, Instant: event.Presented}) || *e.Secret.(*event.Moves) != want {
			t.Errorf("position %d: %+v %+v", i+1, handling, e.Secret)
		}
	}
	if firing := c.lift(event.RunLocked, event.Stamp{}, "s"); len(firing) != 1 || firing[0].Body != nil {
		t.Error("a lock brings sealed facts")
	}
}

func TestFaultsStayUntilTheRunEnds(t *testing.T) {
	var c curtain
	secret := func(i int) event.Moves {
		return *c.release(event.ClosedAgain, event.Stamp{}, "s")[i].Secret.(*event.Moves)
	}
	c.begin(1, []event.Move{{Position: 1, Canister: "1A", Open: true}, {Position: 2, Canister: "2A", Open: true}})
	c.report(1, event.Moves{Canister: "1A", Open: true, Commanded: 5, Fault: "jammed"})
	c.report(1, event.Moves{Canister: "1A", Open: true, Commanded: 5, Confirmed: 9}) // it came after all
	c.report(2, event.Moves{Canister: "2A", Open: true, Commanded: 5, Confirmed: 9})
	c.report(2, event.Moves{Canister: "2C", Open: true, Fault: "fell open"}) // speaks for its position, in its own name
	if got := secret(0); got.Fault != "jammed" || got.Confirmed != 9 {
		t.Errorf("%+v", got)
	}
	if got := secret(1); got.Canister != "2A" || got.Confirmed != 9 || got.Fault != "2C: fell open" {
		t.Errorf("%+v", got)
	}
	c.close()
	if got := secret(1); got.Open || got.Confirmed != 0 || got.Fault == "" || !c.faulty() {
		t.Errorf("closed: %+v", got)
	}
	c.begin(2, []event.Move{{Position: 1, Canister: "1A", Open: true}})
	if c.faulty() || secret(0).Fault != "" {
		t.Error("a fault goes into the next run")
	}
	c.restore(2, event.NewPlacement([]event.Slot{{Position: 1, Canister: "1C"}}))
	if got := secret(0); got.Canister != "1C" || got.Fault == "" || c.faulty() {
		t.Errorf("restored: %+v", got)
	}
}
