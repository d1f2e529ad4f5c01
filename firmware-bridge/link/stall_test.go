package link

import (
	"testing"
	"time"
)

// stall is the host standing still: what comes waits, and nothing is said.
func (w *world) stall(by int64) {
	beat := w.beat
	w.sleepy, w.wakes, w.beat = true, w.now+2*by, 0
	w.until(w.now + by)
	w.sleepy, w.wakes, w.beat = false, 0, max(beat, w.now)
	for len(w.up) > 0 && w.up[0].at <= w.now {
		w.link.Receive(w.now, w.up[0].bytes)
		w.up = w.up[1:]
	}
	w.link.Late(w.now, time.Duration(by))
	w.link.Tick(w.now)
	w.exchange()
}

// TestAStallIsNoSilence: however long the host stands still, a board that answers is there, and what it did has not failed.
func TestAStallIsNoSilence(t *testing.T) {
	for _, by := range []int64{100 * ms, 449 * ms, 700 * ms, 30 * second} {
		for phase := range int64(12) {
			w := newWorld(t, uint64(60+phase))
			w.open()
			w.until(w.now + 10*phase*ms)
			w.take()
			w.link.Set(w.now, "D5", true, w.now, time.Minute, 1)
			w.exchange()
			w.stall(by)
			w.until(w.now + second)
			if s := w.link.Stats(); s.Sessions != 1 {
				t.Errorf("after %s, phase %d: %d sessions", time.Duration(by), phase, s.Sessions)
			}
			done := w.take(Done)
			if by < 500*ms && (len(done) != 1 || done[0].Err != nil) { // later its heartbeat was over
				t.Errorf("after %s, phase %d: %+v", time.Duration(by), phase, done)
			}
		}
	}
}

// TestAStallHidesNoDeath: a line that died meanwhile is noticed in the time that any is.
func TestAStallHidesNoDeath(t *testing.T) {
	for phase := range int64(12) {
		w := newWorld(t, uint64(80+phase))
		w.open()
		w.until(w.now + 10*phase*ms)
		w.take()
		w.cut, w.up, w.down = true, nil, nil
		w.stall(3 * second)
		at := w.now
		w.until(at + second)
		if away := w.take(Away); len(away) != 1 || time.Duration(away[0].Mono-at) > Lateness {
			t.Errorf("phase %d: %+v, the host was back at %d", phase, away, at)
		}
	}
}

// TestALateStallFailsNoCommand: the answer to a command may come as long after its time as the host stood still.
func TestALateStallFailsNoCommand(t *testing.T) {
	w := newWorld(t, 90)
	w.open()
	w.take()
	w.link.Set(w.now, "D5", true, w.now, time.Minute, 1)
	w.exchange()
	back := w.now + 2*second
	w.script = append(w.script, action{back - ms, func() {
		for i := range w.up {
			w.up[i].at = back + ms
		}
	}})
	w.stall(2 * second)
	w.until(w.now + second)
	if done := w.take(Done); len(done) != 1 || done[0].Err != nil {
		t.Errorf("%+v", done)
	}
}
