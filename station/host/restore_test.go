package host_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/archive"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// recorded plays a session with a call, a void and an all clear, and returns its batches.
func recorded(t testing.TB) (*house, []journal.Batch) {
	h := newHouse(t).sealed().searching()
	h.press(event.ButtonAlert)
	h.w.RunFor(10 * time.Second)
	h.searching()
	h.done(event.Event{Type: event.RunVoided, By: "Vera", Body: &event.Void{Why: event.Why{Reason: "a cat"}}})
	h.w.RunFor(10 * time.Second)
	h.searching()
	h.done(event.Event{Type: event.CallMade, By: "Vera", Body: &event.Call{Kind: event.CallClear, MadeBy: "Agron", EnteredBy: "Vera", Means: event.ByVoice}})
	h.finish()
	return h, h.batches
}

// cut returns a house whose journal holds the first batches of another one's, with a host that came back.
func cut(t testing.TB, of *house, batches []journal.Batch, cause event.Cause) *house {
	h := &house{t: t, plan: smallPlan, w: of.w, store: journal.NewMemory(), log: of.log, key: of.key}
	must(t, h.store.BeginEpoch("e1", "first"))
	for _, b := range batches {
		must(t, h.store.Commit(b))
	}
	h.start(cause)
	return h
}

// TestTheHostComesBackFromEveryPrefix cuts a session's records behind every batch.
func TestTheHostComesBackFromEveryPrefix(t *testing.T) {
	whole, batches := recorded(t)
	for k := 1; k <= len(batches); k++ {
		h := cut(t, whole, batches[:k], event.CauseRestart)
		v := h.host.Snapshot().View
		switch v.Run.State {
		case trial.Armed, trial.Shown, trial.Searching, trial.Called:
			t.Fatalf("after %d batches the run is still %s", k, v.Run.State)
		}
		if len(h.seen) > 0 && k < len(batches) && !strings.Contains(strings.Join(h.seen, ","), "close") {
			t.Errorf("after %d batches nothing was closed: %v", k, h.seen)
		}
		if v.Phase == trial.Idle {
			continue // nothing was begun yet, or all is over
		}
		h.finish()
		if v := h.host.Snapshot().View; v.Verdict == nil || v.Runs()[len(v.Runs())-1].State == "" {
			t.Errorf("after %d batches there is no verdict", k)
		}
		h.whole(k)
	}
}

// whole checks that each run ended once and every sealed body was opened once.
func (h *house) whole(k int) {
	h.t.Helper()
	lines, err := h.store.Lines(0, 1<<20, 1<<30)
	must(h.t, err)
	armed, ended, sealed, opened := map[int]int{}, map[int]int{}, map[int64]bool{}, map[int64]int{}
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		must(h.t, err)
		if event.IsSealed(r.Event.Type) {
			sealed[l.Seq] = true
		}
		switch r.Event.Type {
		case event.RunArmed:
			armed[r.Event.Run]++
		case event.RunLocked, event.RunVoided:
			ended[r.Event.Run]++
		case event.Opened:
			opened[r.Event.Body.(*event.OpenedBody).Of]++
		}
	}
	if fmt.Sprint(armed) != fmt.Sprint(ended) {
		h.t.Errorf("after %d batches: armed %v, ended %v", k, armed, ended)
	}
	for seq := range sealed {
		if opened[seq] != 1 {
			h.t.Errorf("after %d batches: the body of record %d was opened %d times", k, seq, opened[seq])
		}
	}
}

// TestComingBackTwice: a host that is stopped again while it comes back comes back again.
func TestComingBackTwice(t *testing.T) {
	h := newHouse(t).sealed().searching()
	for _, cause := range []event.Cause{event.CauseRestart, event.CausePower, event.CauseJournal} {
		h.w.RunFor(300 * time.Millisecond)
		h.start(cause)
	}
	h.has(t, "run.voided daemon restarted")
	h.has(t, "session.restarted power cut")
	h.has(t, "session.restarted journal failed")
	h.finish()
	h.whole(0)
}

// TestEveryPositionIsClosedAgain: the run that is void after a restart writes what its canisters did, one record a
// position, as every run does.
func TestEveryPositionIsClosedAgain(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.start(event.CauseRestart)
	h.w.RunFor(2 * time.Second)
	types := strings.Join(h.types(), ",")
	_, behind, _ := strings.Cut(types, "run.voided daemon restarted,")
	if behind != "canister.moved,canister.moved,run.closed" {
		t.Errorf("behind the void: %s", behind)
	}
}

func TestAnotherBootIsAPowerCut(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.w.Boot("another")
	h.start(event.CauseRestart)
	h.has(t, "run.voided power cut")
	h.finish()
}

// TestAChangedJournalIsNotRestored: what the engine would not have written is named, with its record.
func TestAChangedJournalIsNotRestored(t *testing.T) {
	whole, _ := recorded(t)
	size := whole.store.Size()
	for name, spoil := range map[string]func(was *host.Interrupted){
		"a record is missing":      func(was *host.Interrupted) { was.Lines = append(was.Lines[:9:9], was.Lines[10:]...) },
		"a step is cut in half":    func(was *host.Interrupted) { was.Lines = was.Lines[:4] },
		"a line that is none":      func(was *host.Interrupted) { was.Lines[3].Bytes = []byte("{}") },
		"a sealed body is missing": func(was *host.Interrupted) { was.Vault = nil },
		"a sealed body is another": func(was *host.Interrupted) {
			was.Vault = slices.Clone(was.Vault)
			last := &was.Vault[len(was.Vault)-1] // what a canister did: nothing that the engine would stumble over
			last.Body = bytes.Replace(last.Body, []byte(`"canister":"`), []byte(`"canister":"X`), 1)[:len(last.Body)]
		},
	} {
		was := whole.interrupted(size, event.CauseRestart)
		spoil(&was)
		err := cut(t, whole, nil, "").host.Restore(was)
		if err == nil || !strings.Contains(err.Error(), "record") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnotherConfigurationAbortsTheSession: it takes effect between sessions only. Everything is closed, written and
// revealed as at any abort; the record says why and verifies, and a daemon with the same configuration goes on.
func TestAnotherConfigurationAbortsTheSession(t *testing.T) {
	for name, stage := range map[string]func(h *house){
		"opened":    func(h *house) { h.done(event.Event{Type: event.SessionOpened, By: "Vera", Body: opening(h.plan)}) },
		"sealed":    func(h *house) { h.sealed() },
		"searching": func(h *house) { h.sealed().searching() },
		"called":    func(h *house) { h.sealed().searching().press(event.ButtonAlert); h.w.RunFor(20 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			stage(h)
			h.start(event.CauseRestart)
			h.w.RunFor(100 * time.Millisecond)
			if got := h.host.Snapshot().View.Aborted; got != nil {
				t.Fatalf("with the same configuration: aborted, %s", got)
			}
			h.config = strings.Repeat("ab", 32)
			h.canisters = map[int][]string{1: {"1A"}} // it may lack a canister that the session draws
			h.start(event.CauseRestart)
			h.w.RunFor(10 * time.Second)
			if v := h.host.Snapshot().View; v.Phase != trial.Ended || v.Aborted.Cause != event.CauseConfig || h.open {
				t.Fatalf("with another one: %s, aborted by %v, a canister open: %t", v.Phase, v.Aborted, h.open)
			}
			h.has(t, "session.aborted "+string(event.CauseConfig))
			h.start(event.CauseRestart) // a session that is revealed waits to be closed, under whatever configuration
			h.close()
			if n := strings.Count(strings.Join(h.types(), ","), "session.aborted"); n != 1 {
				t.Errorf("aborted %d times", n)
			}
			_, bundle, err := archive.New(h.store).Bundle("", true)
			must(t, err)
			if r := verify.Verify(bundle, verify.Options{}); !r.Consistent || r.Replay != verify.ReplayChecked {
				t.Errorf("the record: %+v", r)
			}
		})
	}
}

// TestAnAbortUnderWayStays: a daemon that is killed between an abort and its end, and comes back with another configuration,
// gives no second reason.
func TestAnAbortUnderWayStays(t *testing.T) {
	h := newHouse(t).sealed().searching()
	h.done(event.Event{Type: event.SessionAborted, By: "Vera", Body: &event.Why{Reason: "rain"}})
	h.config = "another"
	h.start(event.CauseRestart)
	h.w.RunFor(10 * time.Second)
	if v := h.host.Snapshot().View; v.Phase != trial.Ended || *v.Aborted != (event.Why{Reason: "rain"}) {
		t.Errorf("%s, aborted by %v", v.Phase, v.Aborted)
	}
}
