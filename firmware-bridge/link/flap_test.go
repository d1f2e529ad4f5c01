package link

import (
	"testing"
	"time"

	"scentpost/firmware-bridge/message"
)

// TestAFlappingBeamHoldsUpNothing: an input that never stands still, from before the link was up. The link comes up, and
// its watermarks go on.
func TestAFlappingBeamHoldsUpNothing(t *testing.T) {
	w := newWorld(t, 21)
	level := false
	for at := w.now; at < w.now+6*second; at += 3 * ms {
		w.script = append(w.script, action{at, func() { level = !level; w.board.Input(w.now, "D3", level) }})
	}
	w.link.Arm(true)
	w.open()
	w.take()
	w.until(w.now + 2*second)
	mark, widest := int64(0), time.Duration(0)
	for _, f := range w.take(Watermark, Gap, Away) {
		if f.Kind != Watermark {
			t.Fatalf("%+v", f)
		}
		if mark != 0 {
			widest = max(widest, time.Duration(f.Mono-mark))
		}
		mark = f.Mono
	}
	if mark == 0 || widest > 150*time.Millisecond {
		t.Errorf("the last watermark is at %d, the widest pause between two %s", mark, widest)
	}
}

// TestLossesAreCountedForEver: the board's counters have 16 bits.
func TestLossesAreCountedForEver(t *testing.T) {
	w := newWorld(t, 22)
	w.open()
	w.take()
	const each = 40_000
	for range 4 {
		w.link.counted(message.Pong{Dropped: w.link.clock.last.Dropped + each}, w.now)
	}
	if got := w.link.Stats().Lost; got != 4*each {
		t.Errorf("%d lost, want %d", got, 4*each)
	}
}

func TestPingsWhileArmed(t *testing.T) {
	w := newWorld(t, 23)
	w.link.Arm(true)
	w.open()
	for range 1000 {
		for wait := range pingsOpen {
			w.link.clock.open = make([]asked, wait)
			w.link.clock.cookie++
			if pause := w.link.pause(); pause > 50*time.Millisecond {
				t.Fatalf("a pause of %s between pings while armed, %d of which wait", pause, wait)
			}
		}
	}
}
