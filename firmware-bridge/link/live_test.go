package link

import (
	"testing"
	"time"
)

// TestADeadWayIsNoticed: whichever way of the line dies, and whatever still comes over the other, the link is down 500 ms
// later.
func TestADeadWayIsNoticed(t *testing.T) {
	for _, armed := range []bool{true, false} {
		for name, die := range map[string]func(*world){
			"to the board": func(w *world) { w.deaf, w.down = true, nil },
			"both":         func(w *world) { w.cut, w.down, w.up = true, nil, nil },
			// The board answers, but what it holds does not come: nothing that is told is of use.
			"of the events": func(w *world) { w.link.events.next -= 10 },
		} {
			w := newWorld(t, 31)
			w.link.Arm(armed)
			w.open()
			// The board holds something that it sends again and again, and finds more.
			for at := w.now; at < w.now+2*second; at += 70 * ms {
				level := at/(70*ms)%2 == 0
				w.script = append(w.script, action{at, func() { w.board.Input(w.now, "D3", level) }})
			}
			w.until(w.now + 333*ms)
			w.take()
			die(w)
			at := w.now
			w.until(at + second)
			away := w.take(Away)
			if len(away) == 0 || time.Duration(away[0].Mono-at) > Lateness {
				t.Errorf("%s, armed %t: it died at %d, told %+v", name, armed, at, away)
			}
		}
	}
}

// TestNoInstantIsOpenForLonger: while the link is up every instant is behind a watermark within the lateness, on a noisy
// line too. That is what its source declares.
func TestNoInstantIsOpenForLonger(t *testing.T) {
	for i, n := range []noise{{}, {flip: 1e-3}, {frame: 0.1}, {frame: 0.4}, {flip: 1e-3, drop: 1e-3, twice: 1e-3, frame: 0.1}} {
		w := newWorld(t, uint64(40+i))
		w.open()
		w.noise = n
		for at := w.now; at < w.now+20*second; at += 10 * ms {
			level := at/(10*ms)%2 == 0
			w.script = append(w.script, action{at, func() { w.board.Input(w.now, "D3", level) }})
		}
		mark, up, widest := w.now, true, time.Duration(0)
		for end := w.now + 20*second; w.now < end; w.until(w.now + ms) {
			w.link.Arm(w.now/(3*second)%2 == 0)
			for _, f := range w.take(Watermark, Ready, Away) {
				switch {
				case f.Kind == Watermark:
					mark = f.Mono
				case f.Kind == Ready:
					mark, up = w.now, true
				default:
					up = false
				}
			}
			if up {
				widest = max(widest, time.Duration(w.now-mark))
			}
		}
		if widest > Lateness {
			t.Errorf("%+v: an instant was open for %s", n, widest)
		}
		t.Logf("%+v: open for %s at most; %d sessions", n, widest, w.link.Stats().Sessions)
	}
}

// TestALossyLineStaysUp: a tenth of the frames lost either way, or bits that flip, for two minutes, at rest too.
func TestALossyLineStaysUp(t *testing.T) {
	for i, n := range []noise{{frame: 0.1}, {flip: 1e-4}, {flip: 5e-4}} {
		for _, armed := range []bool{true, false} {
			w := newWorld(t, uint64(50+i))
			w.link.Arm(armed)
			w.open()
			w.noise = n
			w.until(w.now + 120*second)
			if s := w.link.Stats(); s.Sessions != 1 {
				t.Errorf("%+v, armed %t: %d sessions", n, armed, s.Sessions)
			}
		}
	}
}
