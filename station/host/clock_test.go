package host_test

import (
	"testing"
	"time"

	"scentpost/simulator/world"
	"scentpost/station/event"
	"scentpost/station/record"
)

// kept returns a house on a machine whose clock is as change leaves it.
func kept(t testing.TB, change func(k *world.Kernel)) *house {
	h := newHouse(t)
	h.kernel = world.NewKernel(h.w)
	change(h.kernel)
	h.start("")
	return h
}

func served(k *world.Kernel) { k.Serve(time.Millisecond) }

// records returns the durable records of the session, and checks that UTC goes by one map between two clock.fixed.
func (h *house) records() []record.Record {
	h.t.Helper()
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(h.t, err)
	var all []record.Record
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		must(h.t, err)
		if r.Event.Session == "" {
			continue
		}
		if n := len(all); n > 0 && r.Event.Type != event.ClockFixed && !r.Event.At.SameMap(all[n-1].Event.At) {
			h.t.Errorf("record %d, %s, goes by another map than the one before it: %+v, %+v", r.Seq, r.Event.Type, r.Event.At, all[n-1].Event.At)
		}
		all = append(all, r)
	}
	return all
}

// fixes returns the bodies of the clock.fixed.
func (h *house) fixes() []event.ClockFix {
	h.t.Helper()
	var all []event.ClockFix
	for _, r := range h.records() {
		if fix, ok := r.Event.Body.(*event.ClockFix); ok {
			all = append(all, *fix)
		}
	}
	return all
}

func (h *house) wantFixes(want ...event.ClockFix) {
	h.t.Helper()
	got := h.fixes()
	if len(got) != len(want) {
		h.t.Fatalf("fixes %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			h.t.Errorf("fix %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

const hour = int64(time.Hour)

// TestAStepIsFixedBeforeAnythingByTheNewMap: the facts that wait when the clock steps go by the new map, those before
// it by the old one.
func TestAStepIsFixedBeforeAnythingByTheNewMap(t *testing.T) {
	h := kept(t, served).sealed().searching()
	before := h.host.Snapshot().At
	h.kernel.Set(-time.Hour)
	h.w.RunFor(2 * time.Second)
	h.host.Event(event.Event{Type: event.BeamEntered, At: h.w.Now().Add(-time.Second), By: "device", Body: &event.Beam{Position: 2}})
	h.press(event.ButtonClear)
	h.w.RunFor(100 * time.Millisecond)
	h.wantFixes(event.ClockFix{StepNS: -hour, Quality: event.Unset})
	if got := h.host.Snapshot().At; got.Offset() != before.Offset()-hour || got.Quality != event.Unset {
		t.Errorf("shown by another map: %+v", got)
	}
	h.kernel.Serve(time.Millisecond)
	h.w.RunFor(2 * time.Second)
	h.finish()
	h.wantFixes(event.ClockFix{StepNS: -hour, Quality: event.Unset}, event.ClockFix{StepNS: hour, Quality: event.Synced})
}

// TestOutsideASessionNothingIsWritten: an idle station writes nothing, and a session begins with the map in force.
func TestOutsideASessionNothingIsWritten(t *testing.T) {
	h := kept(t, served)
	size := h.store.Size()
	for range 5 {
		h.kernel.Set(time.Hour)
		h.w.RunFor(time.Minute)
		h.host.Watermark("gpio", h.w.Mono()) // whatever comes in
		h.w.RunFor(time.Second)
	}
	if now := h.store.Size(); now != size {
		t.Fatalf("%d records were written", now-size)
	}
	h.sealed()
	h.wantFixes()
	if first := h.records()[0].Event; first.Type != event.SessionOpened || first.At.UTC != h.kernel.UTC()-h.w.Mono()+first.At.Mono || first.At.Quality != event.Unset {
		t.Errorf("the session begins with %s at %+v", first.Type, first.At)
	}
}

func TestQualityIsFixed(t *testing.T) {
	h := kept(t, served).sealed()
	h.kernel.Lose()
	h.w.RunFor(2 * time.Second)
	h.done(event.Event{Type: event.SessionPaused, By: "Vera", Body: &event.Why{Reason: "lunch"}})
	h.w.RunFor(2 * time.Hour)
	h.done(event.Event{Type: event.SessionResumed, By: "Vera"})
	h.wantFixes(event.ClockFix{Quality: event.Holdover})
	all := h.records()
	if last := all[len(all)-1].Event.At; last.UTCBound < int64(720*time.Millisecond) || last.UTCBound > int64(730*time.Millisecond) {
		t.Errorf("after two hours without a time server the bound is %s", time.Duration(last.UTCBound))
	}
	h.finish()
}

// TestTheMapOutlivesTheDaemon: what the clock does within its floor is no step, and a restart makes none of it.
func TestTheMapOutlivesTheDaemon(t *testing.T) {
	h := kept(t, served).sealed().searching()
	h.kernel.Slew(30 * time.Millisecond)
	h.w.RunFor(2 * time.Second)
	h.start(event.CauseRestart)
	h.wantFixes()
	h.has(t, "run.voided daemon restarted")
	h.kernel.Set(time.Hour)
	h.start(event.CauseRestart)
	h.wantFixes(event.ClockFix{StepNS: hour + int64(30*time.Millisecond), Quality: event.Unset})
	h.finish()
}

// TestAnotherBootIsAnotherMap: the fix comes before the restart, so that nothing of the new boot goes by the old map.
func TestAnotherBootIsAnotherMap(t *testing.T) {
	h := kept(t, served).sealed().searching()
	h.w.Boot("another")
	h.kernel = world.NewKernel(h.w) // without a hardware clock
	h.start(event.CauseRestart)
	h.wantFixes(event.ClockFix{Quality: event.Unset, NewBoot: true})
	h.has(t, "run.voided power cut")
	for i, r := range h.records() {
		if r.Event.Type == event.SessionRestarted && h.records()[i-1].Event.Type != event.ClockFixed {
			t.Errorf("before the restart comes %s", h.records()[i-1].Event.Type)
		}
	}
	h.finish()
}

// TestAClockThatNobodySet: a named person says what the time is.
func TestAClockThatNobodySet(t *testing.T) {
	h := kept(t, func(*world.Kernel) {}).sealed()
	h.done(event.Event{Type: event.ClockSaid, By: "Vera", Body: &event.TimeSaid{Said: "2027-03-04T14:05+01:00"}})
	view := h.host.Snapshot().View.Clock
	if view.Said != "2027-03-04T14:05+01:00" || view.Quality != event.Unset || h.host.Snapshot().Names[view.SaidBy] != "Vera" {
		t.Errorf("%+v", view)
	}
	answers := h.do(event.Event{Type: event.ClockSaid, By: "", Body: &event.TimeSaid{Said: "2027-03-04"}})
	h.w.RunFor(20 * time.Millisecond)
	if a := *answers; len(a) != 1 || a[0].Refused == nil {
		t.Errorf("nobody said something and is answered by %+v", a)
	}
	h.finish()
}
