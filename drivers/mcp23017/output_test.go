package mcp23017

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

var _ bus.Bus = (*Expander)(nil)

func TestOpenAndClose(t *testing.T) {
	r, drive, _, light := running(t)
	if got := r.chip.Trace(); len(got) > 0 {
		t.Errorf("setting up moved pins: %v", got)
	}
	var open, shut, on answer
	drive.Set(true, 0, time.Minute, open.take)
	light.Set(true, 0, 0, on.take)
	if !r.chip.Pin(relay) || open.times > 0 {
		t.Error("it was done without the wires")
	}
	r.work()
	if r.chip.Pin(relay) || !r.chip.Pin(second) || !r.chip.Pin(lamp) {
		t.Error("the wrong pins moved")
	}
	drive.Set(false, 99999*ms, 0, shut.take) // to the safe level: now, whatever it says
	r.work()
	if !r.chip.Pin(relay) || !r.chip.Pin(lamp) {
		t.Error("not closed")
	}
	for _, a := range []answer{open, shut, on} {
		if a.times != 1 || a.err != nil || a.mono == 0 {
			t.Errorf("answered %+v", a)
		}
	}
}

func TestALaterStart(t *testing.T) {
	r, drive, _, _ := running(t)
	start := r.now + 500*ms
	var a answer
	drive.Set(true, start, time.Second, a.take)
	r.work()
	r.until(start - 1)
	r.work()
	if !r.chip.Pin(relay) || a.times > 0 {
		t.Error("opened early")
	}
	r.until(start)
	r.work()
	if r.chip.Pin(relay) || a.mono != start+ms {
		t.Errorf("not opened at its start: %+v", a)
	}
	r.until(start + int64(time.Second))
	r.work()
	if !r.chip.Pin(relay) || a.times != 1 {
		t.Error("it stayed open past its longest time")
	}
}

func TestReplaced(t *testing.T) {
	r, drive, _, _ := running(t)
	var first, second, third answer
	drive.Set(true, r.now+500*ms, time.Second, first.take)
	drive.Set(true, 0, time.Second, second.take)
	drive.Set(false, 0, 0, third.take)
	r.work()
	if !errors.Is(first.err, bus.ErrReplaced) || !errors.Is(second.err, bus.ErrReplaced) || third.err != nil || first.times+second.times+third.times != 3 {
		t.Errorf("%+v, %+v, %+v", first, second, third)
	}
	r.until(r.now + 5000*ms)
	r.work()
	if opened(r.chip.Trace(), relay) {
		t.Error("a command that was replaced before the wires took it showed on the line")
	}
}

// TestWiresThatHang: while a transfer hangs, time runs out for what waits behind it. When the wires are back, what
// should be closed by then never opens.
func TestWiresThatHang(t *testing.T) {
	r, drive, twin, _ := running(t)
	var a, b answer
	drive.Set(true, 0, 50*time.Millisecond, a.take)
	twin.Set(true, 0, time.Minute, b.take)
	r.until(r.now + 1000*ms)
	if !errors.Is(a.err, ErrOver) || b.times != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	r.work()
	if opened(r.chip.Trace(), relay) || r.chip.Pin(second) || b.times != 1 {
		t.Errorf("moves %v, %+v", r.chip.Trace(), b)
	}
}

// TestHungWiresGatherNoQueue: whatever comes while a transfer hangs, one job of each kind waits, and what it does then is
// what was wanted last.
func TestHungWiresGatherNoQueue(t *testing.T) {
	r, drive, twin, _ := running(t)
	for i := range 100 {
		drive.Set(i%2 == 0, 0, time.Minute, nil)
		twin.Set(i%2 == 1, 0, time.Minute, nil)
		r.Interrupt(r.now, 0)
		r.Poll()
		r.until(r.now + ms)
	}
	r.output("spare")
	if len(r.jobs) > int(jobs) {
		t.Errorf("%d jobs wait", len(r.jobs))
	}
	r.work()
	if !r.chip.Pin(relay) || r.chip.Pin(second) {
		t.Error("the last commands were not done")
	}
	drive.Set(true, 0, time.Minute, nil)
	if r.work(); r.chip.Pin(relay) {
		t.Error("no job is taken after that")
	}
}

// TestALookBeforeTheWriting: what is wanted is ahead of what the chip holds while a job waits, and that is no fault of the
// chip.
func TestALookBeforeTheWriting(t *testing.T) {
	r, drive, _, _ := running(t)
	r.Poll()
	var a answer
	drive.Set(true, 0, time.Minute, a.take)
	r.output("spare")
	r.work()
	if r.Err() != nil || a.err != nil || a.times != 1 || r.chip.Pin(relay) {
		t.Errorf("%v, %+v", r.Err(), a)
	}
}

// TestWhatWasLeftOpenCloses: the daemon died with a canister open; the chip holds it so until Begin.
func TestWhatWasLeftOpenCloses(t *testing.T) {
	r := fresh(t)
	r.chip.Poke(0x14, 0) // OLATA: low
	r.chip.Poke(0x00, 0xFE)
	if r.chip.Pin(relay) {
		t.Fatal("not open")
	}
	r.output("c1a.drive")
	r.work()
	if err := r.Begin(); err != nil || !r.chip.Pin(relay) {
		t.Errorf("%v, closed %v", err, r.chip.Pin(relay))
	}
	if moves := r.chip.Trace(); len(moves) != 2 { // down by the test, up by the pull, and no more
		t.Errorf("moves %v", moves)
	}
}

// TestWhatWasLeftOpenClosesFirst: the very next transfer may fail, so letting go of every pin comes before the rest.
func TestWhatWasLeftOpenClosesFirst(t *testing.T) {
	r := fresh(t)
	r.chip.Poke(0x14, 0)
	r.chip.Poke(0x00, 0xFE)
	r.output("c1a.drive")
	r.chip.FailAt(3, syscall.EREMOTEIO)
	if err := r.Begin(); err == nil || !r.chip.Pin(relay) {
		t.Errorf("%v, closed %v", err, r.chip.Pin(relay))
	}
}

// TestTheOtherLayout: somebody left the chip with its addresses the other way round.
func TestTheOtherLayout(t *testing.T) {
	r := fresh(t)
	r.chip.Poke(0x0A, 0x80)
	r.chip.Poke(0x0B, 0x80)
	drive := r.output("c1a.drive")
	r.work()
	if err := r.Begin(); err != nil {
		t.Fatal(err)
	}
	drive.Set(true, 0, time.Second, nil)
	r.work()
	if r.chip.Pin(relay) {
		t.Error("not opened")
	}
}

func TestAwayAndBack(t *testing.T) {
	for name, away := range map[string]func(*rig){
		"no answer": func(r *rig) { r.chip.Fail(syscall.EREMOTEIO) },
		"time-out":  func(r *rig) { r.chip.Fail(syscall.ETIMEDOUT) },
		"reset":     func(r *rig) { r.chip.Reset() },
		"all 00":    func(r *rig) { r.chip.Silence(0x00) },
		"all FF":    func(r *rig) { r.chip.Silence(0xFF) },
		"a bit":     func(r *rig) { r.chip.Poke(0x00, 0xFF) },
	} {
		r, drive, twin, _ := running(t)
		drive.Set(true, 0, time.Minute, nil)
		r.work()
		away(r)
		var open, pending, refused, shut answer
		twin.Set(true, r.now+5000*ms, time.Second, pending.take)
		twin.Set(true, 0, time.Second, open.take)
		r.work()
		if !errors.Is(open.err, bus.ErrGone) || !errors.Is(pending.err, bus.ErrReplaced) || r.Err() == nil {
			t.Errorf("%s: %+v, %+v, %v", name, open, pending, r.Err())
		}
		twin.Set(true, 0, time.Second, refused.take)
		drive.Set(false, 0, 0, shut.take)
		if !errors.Is(refused.err, bus.ErrGone) || !errors.Is(shut.err, bus.ErrGone) {
			t.Errorf("%s: %+v, %+v", name, refused, shut)
		}
		r.chip.Fail(nil)
		r.chip.Silence(-1)
		if err := r.Begin(); err != nil || r.Err() != nil {
			t.Errorf("%s: it does not come back: %v", name, err)
		}
		if !r.chip.Pin(relay) || !r.chip.Pin(second) {
			t.Errorf("%s: not safe once it is back", name)
		}
		drive.Set(true, 0, time.Minute, nil)
		r.work()
		if r.chip.Pin(relay) {
			t.Errorf("%s: it does not work once it is back", name)
		}
	}
}

// TestPollFindsAReset: nobody commands anything, and the supply dips.
func TestPollFindsAReset(t *testing.T) {
	r, _, _, _ := running(t)
	r.Poll()
	r.work()
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	r.chip.Reset()
	r.Poll()
	r.work()
	if !errors.Is(r.Err(), ErrSettings) || !errors.Is(r.Err(), bus.ErrGone) {
		t.Errorf("%v", r.Err())
	}
}

// TestBeginFailsAtEachTransfer: wherever it fails, nothing opens, and the next one starts from nothing.
func TestBeginFailsAtEachTransfer(t *testing.T) {
	r, _, _, _ := running(t)
	whole := r.chip.Transfers()
	for at := range whole {
		r := fresh(t)
		drive := r.output("c1a.drive")
		r.chip.FailAt(at, syscall.ETIMEDOUT)
		r.work()
		if err := r.Begin(); !errors.Is(err, syscall.ETIMEDOUT) || !errors.Is(r.Err(), bus.ErrGone) {
			t.Fatalf("transfer %d: %v, %v", at, err, r.Err())
		}
		if got := r.chip.Transfers(); got != at+1 {
			t.Errorf("transfer %d fails: %d were made", at, got)
		}
		var a answer
		drive.Set(true, 0, time.Second, a.take)
		r.work()
		if !errors.Is(a.err, bus.ErrGone) || opened(r.chip.Trace(), relay) {
			t.Errorf("transfer %d: %+v", at, a)
		}
		r.chip.Fail(nil)
		if err := r.Begin(); err != nil || len(r.chip.Trace()) > 0 {
			t.Errorf("transfer %d: then %v, %v", at, err, r.chip.Trace())
		}
	}
}

// TestClose: every output goes to its safe level, and nothing moves after.
func TestClose(t *testing.T) {
	r, drive, twin, _ := running(t)
	var a answer
	drive.Set(true, 0, time.Minute, nil)
	r.work()
	twin.Set(true, r.now+100*ms, time.Minute, a.take)
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	var refused answer
	drive.Set(true, 0, time.Minute, refused.take)
	r.work()
	r.until(r.now + 500*ms)
	r.work()
	if !r.chip.Pin(relay) || !r.chip.Pin(second) || !errors.Is(a.err, bus.ErrClosed) || !errors.Is(refused.err, bus.ErrClosed) {
		t.Errorf("%+v, %+v", a, refused)
	}
	if err := r.Begin(); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("it began again: %v", err)
	}
	if _, err := r.Output("lamp", false); !errors.Is(err, bus.ErrClosed) {
		t.Error(err)
	}
}

// TestNothingStaysOpen: whatever is commanded, whenever the wires hang, fail and come back: each command is answered
// once, and once time is over and the chip is there, both relays are closed.
func TestNothingStaysOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, drive, twin, _ := running(t)
		var answers []*answer
		failed := false
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			out := []bus.Output{drive, twin}[rapid.IntRange(0, 1).Draw(rt, "which")]
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2:
				a := &answer{}
				answers = append(answers, a)
				at := r.now + rapid.Int64Range(-100, 300).Draw(rt, "at")*ms
				out.Set(true, at, time.Duration(rapid.Int64Range(1, 500).Draw(rt, "longest")*ms), a.take)
			case 3:
				a := &answer{}
				answers = append(answers, a)
				out.Set(false, 0, 0, a.take)
			case 4:
				r.work()
			case 5:
				r.until(r.now + rapid.Int64Range(1, 400).Draw(rt, "pass")*ms)
			case 6:
				failed = true
				r.chip.Fail(syscall.EREMOTEIO)
			case 7:
				r.chip.Fail(nil)
				if err := r.Begin(); err != nil {
					rt.Fatal(err)
				}
			case 8:
				r.Poll()
			case 9:
				r.Interrupt(r.now, 0)
			}
			if err := r.Err(); err != nil && !failed {
				rt.Fatalf("a chip that never failed is given up: %v", err)
			}
		}
		r.chip.Fail(nil)
		r.until(r.now + 1000*ms)
		r.work()
		if r.Err() != nil {
			if err := r.Begin(); err != nil {
				rt.Fatal(err)
			}
		}
		if !r.chip.Pin(relay) || !r.chip.Pin(second) {
			rt.Fatal("a relay stayed open")
		}
		for i, a := range answers {
			if a.times != 1 {
				rt.Fatalf("command %d was answered %d times", i, a.times)
			}
		}
	})
}
