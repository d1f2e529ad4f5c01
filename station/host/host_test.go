package host_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/record"
	"scentpost/station/trial"
)

var errDisk = errors.New("input/output error")

func TestASessionRunsToItsEnd(t *testing.T) {
	h := newHouse(t).sealed()
	h.finish()
	v := h.host.Snapshot().View
	if v.Verdict == nil || len(v.Runs()) != 2 || v.Runs()[0].State != trial.Completed || h.open {
		t.Errorf("%+v", v)
	}
	if types := h.types(); types[len(types)-1] != "session.closed" {
		t.Errorf("the last record is %s", types[len(types)-1])
	}
}

func TestNothingIsShownBeforeItIsDurable(t *testing.T) {
	h := newHouse(t).sealed()
	h.held = true
	h.seen = nil
	size := h.host.Snapshot().Size
	answers := h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(time.Second)
	if len(*answers) != 0 || len(h.seen) != 0 || h.host.Snapshot().Size != size || h.host.Snapshot().View.Run.Index != 0 {
		t.Fatalf("seen before it is durable: %v, %+v", h.seen, h.host.Snapshot().View.Run)
	}
	h.held = false
	h.commit()
	h.w.RunFor(time.Millisecond)
	if len(*answers) != 1 || (*answers)[0].Seq != size || !slices.Equal(names(h.seen), []string{"move", "reply"}) {
		t.Errorf("released: %v, %+v", h.seen, *answers)
	}
	if h.host.Snapshot().View.Run.Index != 1 {
		t.Error("the run is not shown")
	}
}

// names drops the times of what was seen.
func names(seen []string) []string {
	var all []string
	for _, s := range seen {
		_, name, _ := strings.Cut(s, " ")
		all = append(all, name)
	}
	return all
}

// TestALateSyncOpensNothing: the moves of a run that became durable behind their instant are never made.
func TestALateSyncOpensNothing(t *testing.T) {
	for name, stall := range map[string]time.Duration{"behind the moves": 2500 * time.Millisecond, "behind the presentation": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t).sealed()
			h.held, h.seen = true, nil
			h.do(event.Event{Type: event.RunArmed, By: "Vera"})
			h.w.RunFor(stall)
			h.held = false
			h.commit()
			h.w.RunFor(time.Second)
			if got := names(h.seen); slices.Contains(got, "move") || slices.Contains(got, "ready true") {
				t.Errorf("seen: %v", h.seen)
			}
			h.has(t, "run.voided late sync")
			h.finish()
			h.has(t, "session.closed")
		})
	}
}

// TestSafetyNeverWaits is point 5 of the issue: the journal stalls for 5 s with a canister open.
func TestSafetyNeverWaits(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.held, h.seen = true, nil
	h.w.RunFor(time.Second)
	pressed := h.w.Mono()
	h.press(event.ButtonEStop)
	h.w.RunFor(time.Millisecond)
	if h.open || len(h.seen) == 0 || !strings.HasSuffix(h.seen[0], "close") {
		t.Fatalf("open 1 ms after the e-stop: %t, %v", h.open, h.seen)
	}
	h.w.RunFor(5 * time.Second)
	if got := names(h.seen); slices.ContainsFunc(got, func(s string) bool { return s != "close" }) {
		t.Fatalf("seen while nothing is durable: %v", got)
	}
	h.held = false
	h.commit()
	h.w.RunFor(time.Second)
	h.has(t, "run.voided emergency stop")
	h.has(t, "session.paused emergency stop")
	lines, _ := h.store.Lines(0, 1<<20, 1<<30)
	for _, l := range lines {
		if r, err := record.Decode(l.Bytes); err == nil && r.Event.Type == event.ButtonPressed && r.Event.At.Mono != pressed {
			t.Errorf("the press is stamped %d, it was at %d", r.Event.At.Mono, pressed)
		}
	}
	if v := h.host.Snapshot().View; v.Paused == nil {
		t.Error("the pause is not shown")
	}
	h.finish()
}

// TestAFailedJournalStopsTheHost: closed at once, nothing parked is let out, everybody is told why.
func TestAFailedJournalStopsTheHost(t *testing.T) {
	h := newHouse(t).sealed().searching()
	size := h.store.Size()
	h.held, h.seen = true, nil
	waiting := h.do(event.Event{Type: event.CallMade, By: "Vera", Body: &event.Call{Kind: event.CallAt, Position: 1, MadeBy: "Agron", EnteredBy: "Vera", Means: event.ByVoice}})
	h.w.RunFor(time.Second)
	h.host.Failed(errDisk)
	h.host.Failed(errDisk)
	h.w.RunFor(time.Millisecond)
	if h.open || len(h.failed) != 1 || !errors.Is(h.failed[0], errDisk) {
		t.Errorf("open: %t, failed: %v", h.open, h.failed)
	}
	if a := *waiting; len(a) != 1 || !a[0].Refused.Says(host.JournalFailed) || a[0].Refused.Value("detail") != errDisk.Error() {
		t.Errorf("who waited is told %+v", a)
	}
	for _, e := range []event.Event{{Type: event.SessionResumed}, {Type: event.RunArmed}, {Type: event.SessionOpened}} {
		a := *h.doNow(e)
		if len(a) != 1 || !a[0].Refused.Says(host.JournalFailed) || a[0].Refused.Value("detail") != errDisk.Error() {
			t.Errorf("%s is answered by %+v", e.Type, a)
		}
	}
	h.press(event.ButtonClear)
	h.w.RunFor(time.Minute)
	h.host.Durable(1 << 40) // a word that comes too late
	h.w.RunFor(time.Second)
	for _, s := range names(h.seen) {
		if s != "close" && s != "reply" {
			t.Errorf("let out after the journal failed: %s", s)
		}
	}
	if s := h.host.Snapshot(); !s.Failed.Says(host.JournalFailed) || !strings.Contains(s.Failed.Value("detail"), "input/output error") || s.Size != size {
		t.Errorf("shown: %v, %d records of %d", s.Failed, s.Size, size)
	}
	h.start(event.CauseJournal)
	h.has(t, "run.voided journal failed")
	h.finish()
	h.has(t, "session.closed")
}

func (h *house) doNow(e event.Event) *[]trial.Answer {
	answers := h.do(e)
	h.w.RunFor(time.Millisecond)
	return answers
}

// TestAFullQueueStopsTheHost: what the journal does not take is gone, so nothing behind it may be written.
func TestAFullQueueStopsTheHost(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.broken = errDisk
	a := *h.doNow(event.Event{Type: event.SessionPaused, By: "Vera", Body: &event.Why{Reason: "rain"}})
	if len(a) != 1 || !a[0].Refused.Says(host.JournalFailed) || a[0].Refused.Value("detail") != errDisk.Error() || len(h.failed) != 1 || h.open {
		t.Errorf("answered by %+v, failed %v, open %t", a, h.failed, h.open)
	}
}

func TestMechanicalVoidsFallOnTheGrid(t *testing.T) {
	h := newHouse(t).sealed().searching()
	presented := h.host.Snapshot().View.Run.PresentedAt
	for _, canister := range []string{"1C", "2B"} { // what the run does not use is heard of as well; the second changes nothing
		h.host.Event(event.Event{Type: event.CanisterMoved, At: h.w.Now(), Body: &event.Handling{Position: 1}, Secret: &event.Moves{Canister: canister, Fault: "fell open"}})
		h.w.RunFor(50 * time.Millisecond)
	}
	if v := h.host.Snapshot().View; v.Run.State != trial.Searching || !h.open {
		t.Fatal("the fault is seen at once")
	}
	h.w.RunFor(time.Second)
	lines, _ := h.store.Lines(0, 1<<20, 1<<30)
	found := false
	for _, l := range lines {
		r, _ := record.Decode(l.Bytes)
		if v, ok := r.Event.Body.(*event.Void); ok {
			found = true
			if v.Cause != event.CauseMechanical || (r.Event.At.Mono-presented)%int64(time.Second) != 0 {
				t.Errorf("void %q at %s behind the presentation", v.Cause, time.Duration(r.Event.At.Mono-presented))
			}
		}
	}
	if !found || h.open {
		t.Error("the run is not void")
	}
	h.finish()
}

func TestAJammedCanisterIsNotPresented(t *testing.T) {
	h := newHouse(t).sealed()
	h.jam = 2
	h.done(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(4 * time.Second)
	h.jam = 0
	h.has(t, "run.voided mechanical")
	h.finish()
}

func TestTooManyFactsVoidTheRun(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.wanted = true // the owner does not look
	for range 1<<16 + 5000 {
		h.fact(event.Edge, &event.RawEdge{Device: "beam-1"})
	}
	commands := 0
	for range 2000 {
		h.host.Submit(event.Event{Type: event.RunFinished, By: "Vera"}, func(a trial.Answer) {
			if a.Refused.Says(host.Busy) {
				commands++
			}
		})
	}
	if commands != 2000-1<<10 {
		t.Errorf("%d of 2000 commands were turned away", commands)
	}
	h.wanted = false
	h.press(event.ButtonStart) // dropped as well
	h.host.Durable(0)
	h.host.Drain()
	h.w.RunFor(time.Second)
	h.has(t, "run.voided edge budget spent")
	h.finish()
}

func TestLostFactsVoidTheRun(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.wanted = true
	for range 1<<16 + 10 {
		h.host.Watermark("gpio", 1)
	}
	h.host.Drain()
	h.wanted = false
	h.w.RunFor(time.Second)
	h.has(t, "run.voided source lost")
	h.finish()
}

// TestBadCommandsAreAnswered: none of them may stop the station.
func TestBadCommandsAreAnswered(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("x", 300<<10)
	for name, e := range map[string]event.Event{
		"an opening without a body": {Type: event.SessionOpened},
		"an opening of nothing":     {Type: event.SessionOpened, Body: (*event.Opening)(nil)},
		"an opening too long":       {Type: event.SessionOpened, Body: &event.Opening{Name: "x", Plan: long}},
		"a load with another body":  {Type: event.SessionLoaded, Body: &event.Seed{}},
		"a load at no time":         {Type: event.SessionLoaded, Body: &event.Load{}},
		"a call without a run":      {Type: event.CallMade, Body: &event.Call{}},
		"a reason that is no text":  {Type: event.SessionAborted, Body: &event.Why{Reason: "\xff"}},
		"dice that are no text":     {Type: event.SessionSealed, Body: &event.Seed{Source: event.Dice, Dice: "\xff"}},
		"a reason too long":         {Type: event.SessionAborted, Body: &event.Why{Reason: long}},
		"no type":                   {},
	} {
		for _, state := range []string{"idle", "searching"} {
			t.Run(name+" "+state, func(t *testing.T) {
				h := newHouse(t)
				if state == "searching" {
					h.sealed().searching()
				}
				e := e
				e.By = "Vera"
				answers := h.do(e)
				h.w.RunFor(20 * time.Millisecond)
				if a := *answers; len(a) != 1 || a[0].Refused == nil {
					t.Errorf("answered by %+v", a)
				}
				if len(h.failed) > 0 {
					t.Errorf("it stopped the station: %v", h.failed)
				}
			})
		}
	}
	h.sealed()
}

func TestNewWantsAllItsParts(t *testing.T) {
	if _, err := host.New(host.Options{}, record.Tree{}); err == nil {
		t.Error("a host of nothing")
	}
}

// TestWhatIsDurableReleasesNothingBeyond: a batch that became durable lets out what it caused, and nothing of the
// batch behind it.
func TestWhatIsDurableReleasesNothingBeyond(t *testing.T) {
	h := newHouse(t).sealed()
	h.held = true
	size := h.host.Snapshot().Size
	pausing := h.do(event.Event{Type: event.SessionPaused, By: "Vera", Body: &event.Why{Reason: "rain"}})
	h.w.RunFor(time.Millisecond)
	resuming := h.do(event.Event{Type: event.SessionResumed, By: "Vera"})
	h.w.RunFor(time.Millisecond)
	h.host.Durable(size) // the pause, and no more
	h.w.RunFor(time.Millisecond)
	if len(*pausing) != 1 || len(*resuming) != 0 || h.host.Snapshot().View.Paused.Reason != "rain" || h.host.Snapshot().Size != size+1 {
		t.Errorf("pause answered %v, resume answered %v, paused %q at %d records, want only the first of two batches",
			*pausing, *resuming, h.host.Snapshot().View.Paused, h.host.Snapshot().Size)
	}
}
