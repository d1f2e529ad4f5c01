package board

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/firmware-bridge/twin"
)

// outputs asks for both outputs and watches both inputs.
func (r *rig) start() (d5, d6 bus.Output) {
	r.Helper()
	var err error
	if d5, err = r.board.Output("D5", false); err != nil {
		r.Fatal(err)
	}
	if d6, err = r.board.Output("D6", false); err != nil {
		r.Fatal(err)
	}
	if err := r.board.Watch([]string{"D2", "D3"}, r); err != nil {
		r.Fatal(err)
	}
	return d5, d6
}

const (
	absent  = "here false [D2 D3 D5 D6] map[]"
	present = "here true [D2 D3 D5 D6] map[D2:false D3:false]"
)

func TestABoardIsABus(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, d6 := r.start()
		pass(2 * time.Second)
		r.want("heard", r.take(), absent, present)
		if level, driven := r.level("D6"); !driven || !level {
			t.Errorf("D6 is driven %t to %t, want its safe level, which is high", driven, level)
		}
		if level, err := r.board.Level("D3"); err != nil || level {
			t.Errorf("D3, pulled up and active low, is %t, %v", level, err)
		}
		r.do(func(b *twin.Board, now int64) { b.Input(now, "D3", false) })
		pass(10 * time.Millisecond)
		r.do(func(b *twin.Board, now int64) { b.Input(now, "D2", true) })
		pass(50 * time.Millisecond)
		r.want("edges", r.take(), "1 D3 true near true", "2 D2 true near true")
		var done []string
		note := func(what string) func(int64, error) {
			return func(mono int64, err error) { done = append(done, fmt.Sprintf("%s %v %t", what, err, mono > 0)) }
		}
		d5.Set(true, r.now()+int64(100*time.Millisecond), time.Second, note("on"))
		pass(300 * time.Millisecond)
		d6.Set(true, 0, time.Second, note("on6"))
		pass(50 * time.Millisecond)
		if level, _ := r.level("D6"); level {
			t.Error("D6 is active low, was set, and is high")
		}
		d6.Set(false, r.now()+int64(time.Hour), 0, note("off6"))
		pass(50 * time.Millisecond)
		if level, _ := r.level("D6"); !level {
			t.Error("D6 was set to its safe level, and is low")
		}
		pass(time.Second)
		if level, _ := r.level("D5"); level {
			t.Error("D5 is on past its longest time")
		}
		r.want("done", done, "on <nil> true", "on6 <nil> true", "off6 <nil> true")
	})
}

func TestAnOutputThatMayStayOn(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		d5.Set(true, 0, 0, nil)
		for range 5 {
			pass(5 * time.Minute)
			if level, _ := r.level("D5"); !level {
				t.Fatal("a light went out")
			}
		}
		d5.Set(false, 0, 0, nil)
		pass(11 * time.Minute)
		if level, _ := r.level("D5"); level {
			t.Error("it came on again by itself")
		}
	})
}

func TestUnpluggedAndPluggedAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		d5.Set(true, 0, 10*time.Second, nil)
		pass(100 * time.Millisecond)
		r.take()
		r.deny(errors.New("no such file"))
		r.unplug()
		pass(time.Second)
		if level, _ := r.level("D5"); level {
			t.Error("D5 is on a second after the cable was pulled")
		}
		heard := r.take()
		if len(heard) < 2 || heard[0] != "gap 0 [D2 D3]" || heard[1] != absent {
			t.Errorf("heard %q", heard)
		}
		if since := r.now() - r.from; since < int64(time.Second) || since > int64(2*time.Second) {
			t.Errorf("last seen %s ago, and the cable was pulled a second ago", time.Duration(since))
		}
		var got error
		d5.Set(true, 0, time.Second, func(_ int64, err error) { got = err })
		if !errors.Is(got, bus.ErrGone) {
			t.Errorf("set while it is out: %v", got)
		}
		if _, err := r.board.Level("D2"); !errors.Is(err, bus.ErrGone) {
			t.Errorf("level while it is out: %v", err)
		}
		r.deny(nil)
		pass(5 * time.Second)
		heard = r.take()
		if n := len(heard); n < 2 || heard[n-1] != present || heard[n-2] != "gap 1 [D2 D3]" { // that D5 fell was thrown away
			t.Errorf("heard %q, want the end of the gap, and that it is here", heard)
		}
		if r := r.board.Report(); r.State != link.Up || r.Why != nil || r.Opens != 2 || r.Stats.Sessions != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// TestABoardThatNobodyPlugsInCostsLittle: its port is tried every 2 s for a minute, and then on a grid of 5 s.
func TestABoardThatNobodyPlugsInCostsLittle(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		r.deny(errors.New("no such file"))
		r.unplug()
		tried := func(within time.Duration) int {
			before := r.opens
			pass(within)
			return r.opens - before
		}
		if n := tried(retryFor); n < int(retryFor/retryMost) {
			t.Errorf("%d tries in the first minute", n)
		}
		pass(retryMost + retryGrid)
		if n := tried(time.Minute); n != int(time.Minute/retryGrid) {
			t.Errorf("%d tries in a later minute, want %d", n, time.Minute/retryGrid)
		}
		r.deny(nil)
		pass(retryGrid + 3*time.Second)
		if at := r.board.Report(); at.State != link.Up {
			t.Errorf("it is not found again: %+v", at)
		}
	})
}

func TestAResetIsAGap(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		r.take()
		r.do(func(b *twin.Board, now int64) { b.Reset(now, message.CauseWatchdog) })
		pass(2 * time.Second)
		r.want("heard", r.take(), "gap 0 [D2 D3]", absent, "gap 0 [D2 D3]", present)
		if got := r.board.Report(); got.Board.Cause != message.CauseWatchdog || got.Board.Boot != 2 {
			t.Errorf("%+v", got.Board)
		}
	})
}

// TestAPortThatTakesNothing: nobody waits for it, not even the end.
func TestAPortThatTakesNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		r.mu.Lock()
		stuck := r.cable
		r.mu.Unlock()
		stuck.deaf = true
		before := r.now()
		d5.Set(true, 0, time.Second, nil)
		if r.now() != before {
			t.Error("Set waited for the port")
		}
		pass(time.Second)
		if got := r.board.Report(); got.State == link.Up {
			t.Errorf("a board that nobody reaches is %s", got.State)
		}
		r.board.Close()
		if waited := time.Duration(r.now() - before); waited > 3*time.Second {
			t.Errorf("Close took until %s", waited)
		}
		close(stuck.out)
	})
}

// TestAPortWhoseCloseHangs: neither the end of the board nor the opening of a new port waits for it.
func TestAPortWhoseCloseHangs(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		hang := make(chan struct{})
		r.mu.Lock()
		r.cable.hang = hang
		r.mu.Unlock()
		r.unplug()
		pass(5 * time.Second)
		if got := r.board.Report(); got.State != link.Up || got.Opens != 2 {
			t.Errorf("%s after %d openings", got.State, got.Opens)
		}
		r.mu.Lock()
		r.cable.hang = hang
		r.mu.Unlock()
		before := r.now()
		if err := r.board.Close(); err != nil {
			t.Error(err)
		}
		if waited := time.Duration(r.now() - before); waited > time.Second {
			t.Errorf("the end took %s", waited)
		}
		close(hang)
	})
}

func TestRefusals(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		for what, err := range map[string]error{
			"an input as output": second(r.board.Output("D2", false)),
			"an output twice":    second(r.board.Output("D5", false)),
			"safe when on":       second(r.board.Output("D6", true)),
			"an unknown line":    second(r.board.Level("D9")),
			"an output's level":  second(r.board.Level("D5")),
			"watched twice":      r.board.Watch(nil, r),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "board nano-1: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	if _, err := New(Options{}); err == nil {
		t.Error("a board without a port was made")
	}
	if _, err := New(Options{Options: pinbus.Options{Name: "x"}, Open: func() (bus.Port, error) { return nil, nil }, Now: func() int64 { return 0 }}); err == nil || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("a board without a heartbeat: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestGarbageAsOfAnotherSpeed: it is counted, nobody is there, and when frames come the board is.
func TestGarbageAsOfAnotherSpeed(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.mu.Lock()
		r.noise = []byte{0xE0, 0x1C, 0, 0x9F, 0xFF, 0}
		r.mu.Unlock()
		r.start()
		pass(3 * time.Second)
		r.want("heard", r.take(), absent)
		if got := r.board.Report(); got.State != link.Greeting || got.Known || got.Why == nil || got.Stats.Frames != 0 || got.Stats.Errors < 20 {
			t.Errorf("%+v", got)
		}
		r.mu.Lock()
		r.noise = nil
		r.mu.Unlock()
		pass(3 * time.Second)
		r.want("heard", r.take(), present)
		if got := r.board.Report(); got.State != link.Up || got.Why != nil {
			t.Errorf("%+v", got)
		}
	})
}
