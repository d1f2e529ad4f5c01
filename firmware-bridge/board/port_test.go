package board

import (
	"errors"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

// TestAWriteThatComesBackLate: the port was opened anew meanwhile, and what waits belongs to the new session.
func TestAWriteThatComesBackLate(t *testing.T) {
	l := &line{stop: make(chan struct{}), broken: make(chan error, 2), writes: make(chan struct{}, 1)}
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
