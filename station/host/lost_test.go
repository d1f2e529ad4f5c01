package host_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// TestALostSourceVoidsTheRun: with the lines the canisters fell shut and edges were lost, so nothing of it may count.
func TestALostSourceVoidsTheRun(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.host.Lost()
	h.w.RunFor(100 * time.Millisecond)
	if h.open {
		t.Error("a canister is open")
	}
	h.has(t, "run.voided "+string(event.CauseSource))
	h.finish()
	h = newHouse(t).sealed().searching()
	h.fact(event.RunVoided, &event.Void{Why: event.Why{Cause: event.CauseSource}}) // as devices say it
	h.w.RunFor(100 * time.Millisecond)
	h.has(t, "run.voided "+string(event.CauseSource))
	between := newHouse(t).sealed()
	size := between.host.Snapshot().Size
	between.host.Lost()
	between.fact(event.RunVoided, &event.Void{Why: event.Why{Cause: event.CauseSource}})
	between.w.RunFor(time.Second)
	if between.host.Snapshot().Size != size {
		t.Error("between runs it leaves a record")
	}
}

// TestALateVoidClosesFromNow: a button that sticks is stamped with its press and told seconds later. The run is closed,
// and its air purged, after the canisters were told to close: not after the press, when they still stood open.
func TestALateVoidClosesFromNow(t *testing.T) {
	const held = 5 * time.Second
	h := newHouse(t).sealed().searching()
	pressed := h.w.Mono()
	h.w.RunFor(held)
	told := h.w.Mono()
	h.host.Event(event.Event{Type: event.ButtonPressed, At: h.w.Now().AtMono(pressed), By: "button",
		Body: &event.Press{Role: event.ButtonStuck, HeldMS: int(held.Milliseconds())}})
	h.w.RunFor(10 * time.Second)
	at := map[event.Type]int64{}
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(t, err)
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		must(t, err)
		at[r.Event.Type] = r.Event.At.Mono
	}
	closed := told + int64(time.Duration(usual.CloseMS)*time.Millisecond)
	if at[event.RunVoided] != pressed || at[event.RunClosed] != closed || at[event.RunPurged] != closed+int64(5*time.Second) {
		t.Errorf("pressed %d, told %d: void %d, closed %d, purged %d", pressed, told, at[event.RunVoided], at[event.RunClosed], at[event.RunPurged])
	}
	h.start(event.CauseRestart) // runs the engine over the record again
	h.finish()
}

// TestTheLastDrainLeavesNothingOpen: what became durable at the very end may let a run's moves out.
func TestTheLastDrainLeavesNothingOpen(t *testing.T) {
	h := newHouse(t).sealed()
	h.held, h.seen = true, nil
	h.do(event.Event{Type: event.RunArmed, By: "Vera"})
	h.w.RunFor(100 * time.Millisecond)
	h.commit() // and nobody looks before the signal
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := h.host.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(h.seen, func(s string) bool { return strings.HasSuffix(s, "move") }) {
		t.Fatalf("no move was let out: %v", h.seen)
	}
	if last := h.seen[len(h.seen)-1]; !strings.HasSuffix(last, "close") {
		t.Errorf("the last thing done is %s: %v", last, h.seen)
	}
}

// TestWhatWasLostBeforeTheEndVoids: it is told while the lock waits for sources, as on GPIO, where a look at the levels
// finds just before the mark what nobody told of. Its own instant decides, not that of the telling.
func TestWhatWasLostBeforeTheEndVoids(t *testing.T) {
	edges := func(h *house, from int64) event.Event {
		return event.Event{Type: event.EdgesLost, At: h.w.Now(), By: event.ByStation,
			Body: &event.LostEdges{Source: "gpio"}, Secret: &event.Loss{From: from, To: h.w.Mono(), Why: "no edge told of it"}}
	}
	source := func(h *house, from int64) event.Event {
		return event.Event{Type: event.RunVoided, At: h.w.Now().AtMono(from), By: event.ByStation, Body: &event.Void{Why: event.Why{Cause: event.CauseSource}}}
	}
	for _, c := range []struct {
		name   string
		loss   func(h *house, from int64) event.Event
		finish bool
		since  time.Duration // the end of the search
		want   string
	}{
		{"edges before the time-out", edges, false, -3 * time.Second, "run.voided " + string(event.CauseLost)},
		{"edges at the time-out", edges, false, 0, "run.voided " + string(event.CauseLost)},
		{"edges after the time-out", edges, false, time.Nanosecond, "run.locked"},
		{"a source before the time-out", source, false, -3 * time.Second, "run.voided " + string(event.CauseSource)},
		{"a source after the time-out", source, false, time.Nanosecond, "run.locked"},
		{"edges before finished", edges, true, -time.Millisecond, "run.voided " + string(event.CauseLost)},
		{"edges after finished", edges, true, time.Nanosecond, "run.locked"},
		{"a source before finished", source, true, -time.Millisecond, "run.voided " + string(event.CauseSource)},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t).sealed().searching()
			if c.finish {
				h.host.Event(event.Event{Type: event.RunFinished, At: h.w.Now(), By: "device"})
			} else {
				h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono()))
			}
			end := h.w.Mono()
			h.w.RunFor(30 * time.Millisecond) // its lateness is 50 ms
			if !h.host.Waiting() {
				t.Fatal("no lock waits")
			}
			h.host.Event(c.loss(h, end+int64(c.since)))
			h.host.Watermark("gpio", end+1)
			h.w.RunFor(100 * time.Millisecond)
			h.has(t, c.want)
			if ended := strings.Count(strings.Join(h.types(), ","), "run.voided") + strings.Count(strings.Join(h.types(), ","), "run.locked"); ended != 1 || h.open {
				t.Errorf("%d ends, a canister open: %t", ended, h.open)
			}
			h.start(event.CauseRestart) // runs the engine over the record again
			h.finish()
		})
	}
}

// TestNobodyLocksOnSilence: a source that has not reported past the end of a search in the time that it declares may hold an
// alert. Such a run is void, unless a call ended it.
func TestNobodyLocksOnSilence(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(h *house)
		mark   time.Duration // past the end, 0 for none
		silent string
		want   string
	}{
		{"time-out", func(h *house) { h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono())) }, 0, "gpio", "run.voided " + string(event.CauseSource)},
		{"time-out, a report up to it", func(h *house) { h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono())) }, -1, "gpio", "run.voided " + string(event.CauseSource)},
		{"time-out, a report past it", func(h *house) { h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono())) }, 1, "", "run.locked"},
		{"finished", func(h *house) { h.fact(event.RunFinished, nil) }, 0, "gpio", "run.voided " + string(event.CauseSource)},
		{"a call", func(h *house) { h.press(event.ButtonClear) }, 0, "gpio", "run.locked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t).sealed().searching()
			c.end(h)
			end := h.w.Mono()
			h.w.RunFor(10 * time.Millisecond)
			if c.mark != 0 {
				h.host.Watermark("gpio", end+int64(c.mark))
			}
			h.w.RunFor(time.Second)
			h.has(t, c.want)
			if got := strings.Join(h.silent, " "); got != c.silent || h.open {
				t.Errorf("silent at the lock: %q, want %q; a canister open: %t", got, c.silent, h.open)
			}
			h.start(event.CauseRestart) // runs the engine over the record again
			h.finish()
		})
	}
}

// TestAVeiledSourceIsWaitedForEachTime: a run locks when all of its lateness is over, reports it at once or late; a run that
// nobody called, of which it has not reported past the end by then, is void as by a canister. Where another is silent too,
// that one is the reason.
func TestAVeiledSourceIsWaitedForEachTime(t *testing.T) {
	for _, c := range []struct {
		name  string
		marks time.Duration // after the end, 0 for never
		gpio  bool          // it reports too
		want  string
	}{
		{"at once", 10 * time.Millisecond, true, "run.locked"},
		{"late", 290 * time.Millisecond, true, "run.locked"},
		{"never", 0, true, "run.voided " + string(event.CauseMechanical)},
		{"never, nor does another", 0, false, "run.voided " + string(event.CauseSource)},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.veiled = []string{"nano-1"}
			h.start(event.CauseRestart)
			h.sealed().searching()
			h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt - h.w.Mono()))
			end := h.w.Mono()
			mark := func(source string) func() { return func() { h.host.Watermark(source, end+1) } }
			if c.gpio {
				h.w.At(end+1, mark("gpio"))
			}
			if c.marks != 0 {
				h.w.At(end+int64(c.marks), mark("nano-1"))
			}
			h.w.Run(end + int64(299*time.Millisecond))
			if !h.open || h.host.Snapshot().View.Run.State != trial.Searching {
				t.Errorf("the run is %s before the source's lateness is over", h.host.Snapshot().View.Run.State)
			}
			h.w.Run(end + int64(350*time.Millisecond))
			h.has(t, c.want)
			if h.open {
				t.Error("a canister is open")
			}
		})
	}
}

// TestWhoKnowsSinceWhen: facts that are missing since nobody knows when may be from before the end of the search.
func TestWhoKnowsSinceWhen(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.w.RunFor(time.Duration(h.host.Snapshot().View.Run.TimeOutAt-h.w.Mono()) + 30*time.Millisecond)
	h.host.Lost()
	h.w.RunFor(100 * time.Millisecond)
	h.has(t, "run.voided "+string(event.CauseSource))
}
