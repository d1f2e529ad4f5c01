package board

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

// TestAWriteThatComesBackLate: the port was opened anew meanwhile, and what waits belongs to the new session.
func TestAWriteThatComesBackLate(t *testing.T) {
	l := &line{now: func() int64 { return 1 }, stop: make(chan struct{}), broken: make(chan error, 2), writes: make(chan struct{}, 1)}
	l.port = &cable{}
	close(l.stop)
	taken := false
	more := make(chan struct{}, 1)
	more <- struct{}{}
	l.write(more, func() []byte { taken = true; return []byte{1} })
	if taken {
		t.Error("the old port's writer took bytes of the new session")
	}
	select {
	case <-l.writes:
	default:
		t.Error("the token is gone with it")
	}
}

// TestCommandsToABoardThatIsAway: each is answered in its place, to the safe level too, however many.
func TestCommandsToABoardThatIsAway(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.deny(errors.New("no such file"))
		d5, _ := r.start()
		pass(time.Second)
		answers := 0
		for range 1000 {
			for _, level := range []bool{true, false} {
				d5.Set(level, 0, time.Second, func(_ int64, err error) {
					if !errors.Is(err, bus.ErrGone) {
						t.Fatalf("set %t: %v", level, err)
					}
					answers++
				})
			}
		}
		if answers != 2000 || len(r.board.tells) > 0 {
			t.Errorf("%d answers, and %d things to be told", answers, len(r.board.tells))
		}
		r.board.Close()
		var after error
		d5.Set(false, 0, 0, func(_ int64, err error) { after = err })
		if !errors.Is(after, bus.ErrClosed) {
			t.Errorf("after Close: %v", after)
		}
	})
}

// TestAnOutputThatFalls: that its time was over is told, with its instant.
func TestAnOutputThatFalls(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		r.take()
		d5.Set(true, 0, 300*time.Millisecond, nil)
		pass(time.Second)
		r.want("heard", r.take(), "fell D5 near true")
	})
}

// TestAStuckPortIsOpenedAgain soon, though hardly anything is said to a board that does not answer; and says so meanwhile. What
// was for the old port does not go to the new one.
func TestAStuckPortIsOpenedAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		r.mu.Lock()
		stuck := r.cable
		stuck.deaf = true
		r.mu.Unlock()
		pass(1900 * time.Millisecond)
		if got := r.board.Report(); got.Opens != 1 || got.State != link.Greeting {
			t.Errorf("%d openings, %s", got.Opens, got.State)
		}
		pass(500 * time.Millisecond)
		if whys := r.told(); !strings.Contains(whys, errStuck.Error()) {
			t.Errorf("told: %s", whys)
		}
		pass(2 * time.Second)
		if got := r.board.Report(); got.Opens != 2 || got.State != link.Up {
			t.Errorf("%d openings, %s", got.Opens, got.State)
		}
		close(stuck.out) // it comes back late
		pass(time.Second)
		var split frame.Splitter
		split.Write(r.cable.said, func(body []byte) {
			head, msg, err := message.Parse(body)
			if hello, greets := msg.(*message.Hello); greets && err == nil {
				head.Session = byte(hello.Session)
			}
			if want := byte(r.board.Report().Board.Session); err != nil || head.Session != want {
				t.Errorf("the new port got a %T of session %d, want %d", msg, head.Session, want)
			}
		}, func(err error) { t.Error(err) })
	})
}

// TestAPortThatBringsNothing any more is opened again, once: an adapter that hangs may still take what is written.
func TestAPortThatBringsNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		r.change(func() { r.mute = true })
		pass(silentAfter - time.Second)
		if got := r.board.Report(); got.Opens != 1 {
			t.Errorf("%d openings", got.Opens)
		}
		pass(3 * time.Second)
		if whys := r.told(); !strings.Contains(whys, errSilent.Error()) {
			t.Errorf("told: %s", whys)
		}
		pass(5 * silentAfter)
		r.change(func() { r.mute = false })
		pass(2 * time.Second)
		if got := r.board.Report(); got.Opens != 2 || got.State != link.Up {
			t.Errorf("%d openings, %s", got.Opens, got.State)
		}
	})
}

// TestAWrongBoardIsNoHangingPort: it is left alone, and its port stays open.
func TestAWrongBoardIsNoHangingPort(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.change(func() {
			r.twin = twin.New(twin.Options{ID: message.NoID, Kind: "other", Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
		})
		pass(5 * silentAfter)
		if got := r.board.Report(); got.Opens != 1 || got.State == link.Up {
			t.Errorf("%d openings, %s", got.Opens, got.State)
		}
	})
}
