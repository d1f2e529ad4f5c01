package board

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/firmware-bridge/twin"
)

// slow is how much later than the owner others wake up after a stall.
const slow = int64(3 * time.Millisecond)

// holdUp has the sink of an edge hold the owner up, until an instant.
func (r *rig) holdUp(stall time.Duration, level bool) (until int64) {
	r.change(func() { r.hold = stall })
	until = r.now() + int64(stall)
	r.do(func(b *twin.Board, now int64) { b.Input(now, "D2", level) })
	pass(time.Millisecond)
	return until
}

// TestAnOwnerThatIsHeldUp: whether a sink takes its time or the whole machine stands still, a board that answers is not
// taken for one that is away.
func TestAnOwnerThatIsHeldUp(t *testing.T) {
	for _, stall := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 2 * silentAfter} {
		for _, whole := range []bool{false, true} {
			inBubble(t, func(r *rig) {
				r.start()
				pass(2 * time.Second)
				r.board.Attend(true)
				r.take()
				for i := range 8 {
					pass(time.Duration(40+7*i) * time.Millisecond) // in every phase of its pings
					until := r.holdUp(stall, i%2 == 0)
					if whole {
						r.change(func() { r.frozen, r.jammed = until+slow, until+slow })
					}
					pass(stall + time.Second)
					if heard := r.take(); len(heard) != 1 {
						t.Errorf("held up for %s, all of it %t, time %d: heard %q", stall, whole, i, heard)
					}
				}
				if got := r.board.Report(); got.Opens != 1 || got.Stats.Sessions != 1 || got.Why != nil {
					t.Errorf("held up for %s, all of it %t: %+v", stall, whole, got)
				}
			})
		}
	}
}

// TestABoardThatGoesMeanwhile: one that went away while nobody could listen is found to be, in the time that any is.
func TestABoardThatGoesMeanwhile(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.start()
		pass(2 * time.Second)
		r.take()
		r.holdUp(700*time.Millisecond, true)
		r.change(func() { r.mute = true })
		pass(700 * time.Millisecond)
		r.want("when it ends", r.take(), "1 D2 true near true")
		pass(500 * time.Millisecond)
		r.want("half a second later", r.take(), "gap 0 [D2 D3]", absent)
	})
}

// TestAttendingIsNoStall: that a ping is due at once when somebody begins to attend is nobody's lateness.
func TestAttendingIsNoStall(t *testing.T) {
	for i := range 10 {
		inBubble(t, func(r *rig) {
			r.start()
			pass(2*time.Second + time.Duration(10*i)*time.Millisecond)
			r.change(func() { r.mute = true })
			r.board.Attend(true)
			pass(time.Second)
			if most := 455 * time.Millisecond; r.away > most {
				t.Errorf("told after %s, want %s at most", r.away, most)
			}
		})
	}
}

// still is a board whose owner does not run, with a twin on a wire on which nothing takes time.
type still struct {
	*Board
	line *line
	twin *twin.Board
	now  int64
}

// newStill returns a board that is up.
func newStill(t *testing.T) *still {
	t.Helper()
	s := &still{line: &line{pieces: make(chan piece, chunks)}, now: int64(time.Hour)}
	pins, err := pinbus.New(pinbus.Options{Name: "nano-1", ID: message.NoID, Pins: boardPins, Beat: time.Second, Baud: wireless, Session: func() uint32 { return 0x101 }})
	if err != nil {
		t.Fatal(err)
	}
	s.Board = &Board{opt: Options{Now: func() int64 { return s.now }}, pins: pins, writes: make(chan struct{}, 1)}
	s.twin = newTwin(s.now)
	s.with((*pinbus.Machine).Open)
	for range 3000 {
		s.pass(time.Millisecond, s.answer())
	}
	return s
}

// answer is what the twin says to what was said.
func (s *still) answer() piece {
	s.twin.Receive(s.now, s.take())
	said, _ := s.twin.Take()
	return piece{said, s.now}
}

// pass lets the owner wake up a while later, with what came.
func (s *still) pass(while time.Duration, came piece) (up bool) {
	s.now += int64(while)
	s.catchUp(s.line, came, s.now)
	return s.pins.Report().State == link.Up
}

// TestWhatCameIsTakenFirst: an answer that lies there when the silence is over is an answer.
func TestWhatCameIsTakenFirst(t *testing.T) {
	silent := 0
	for s := newStill(t); s.pass(time.Millisecond, piece{}); {
		silent++
	}
	s := newStill(t)
	for range silent {
		s.pass(time.Millisecond, piece{})
	}
	s.line.pieces <- s.answer()
	if !s.pass(time.Millisecond, piece{}) {
		t.Errorf("down after %d ms in spite of an answer", silent)
	}
}

// TestALateCommandThatWasDone: what the board did while nobody could listen has not failed.
func TestALateCommandThatWasDone(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		stall := 1500 * time.Millisecond
		until := r.holdUp(stall, true)
		r.change(func() { r.frozen = until })
		var got []error
		d5.Set(true, 0, 10*time.Second, func(_ int64, err error) { got = append(got, err) })
		pass(stall + time.Second)
		if len(got) != 1 || got[0] != nil {
			t.Errorf("what became of it: %v", got)
		}
	})
}

// TestBytesAreStampedWhenTheyCome: an owner that is late does not lengthen the round trips by which times are told.
func TestBytesAreStampedWhenTheyCome(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.change(func() { r.lag = 2 * time.Millisecond })
		d5, _ := r.start()
		pass(time.Second)
		// Each of these commands takes the place of the one before, whose end holds the owner up: it is awake for one millisecond of ten.
		for range 1000 {
			d5.Set(true, r.now()+int64(10*time.Second), time.Second, func(int64, error) { time.Sleep(9 * time.Millisecond) })
			pass(10 * time.Millisecond)
		}
		if got := r.board.Report(); got.Stats.Sessions != 1 || got.Clock.RoundTrip > 5*time.Millisecond {
			t.Errorf("over lines of 2 ms a round trip takes %s (%d sessions)", got.Clock.RoundTrip, got.Stats.Sessions)
		}
		d5.Set(false, 0, 0, nil)
	})
}

// TestHeartbeatsAreTheOwnersAlone: whatever else passes, none is sent but those that somebody gives.
func TestHeartbeatsAreTheOwnersAlone(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.change(func() { r.still = true })
		d5, _ := r.start()
		r.board.Attend(true)
		var got error
		busy := func(while time.Duration) {
			for range while / (100 * time.Millisecond) {
				d5.Set(true, 0, time.Minute, func(_ int64, err error) { got = err })
				r.do(func(b *twin.Board, now int64) { b.Input(now, "D2", now/int64(100*time.Millisecond)%2 == 0) })
				pass(100 * time.Millisecond)
			}
		}
		busy(3 * time.Second)
		if _, driven := r.level("D5"); driven || got == nil {
			t.Errorf("D5 is driven %t by a board to which nobody gave a heartbeat, %v", driven, got)
		}
		r.change(func() { r.still = false })
		busy(time.Second)
		if level, _ := r.level("D5"); !level {
			t.Error("D5 does not follow")
		}
		r.change(func() { r.still = true })
		busy(time.Second)
		if level, _ := r.level("D5"); level {
			t.Error("D5 is on a second after the last heartbeat")
		}
		if r.board.Report().State != link.Up {
			t.Error("the board is away")
		}
	})
}

// TestWhatLiesInThePort when it is opened is thrown away.
func TestWhatLiesInThePort(t *testing.T) {
	inBubble(t, func(r *rig) {
		pass(time.Second)
		r.change(func() { r.stale = []byte{1, 2, 3, 0, 4, 5, 0} })
		r.unplug()
		pass(3 * time.Second)
		if got := r.board.Report(); got.Opens != 2 || got.Stats.Errors != 0 {
			t.Errorf("%d openings, %d pieces that are no frames", got.Opens, got.Stats.Errors)
		}
	})
}

// TestCloseTellsTheBoard: every output that is on is off when Close returns, by a word and not by a missing heartbeat, however
// long the line takes; and whoever waits for one is told.
func TestCloseTellsTheBoard(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, d6 := r.start()
		pass(2 * time.Second)
		for _, out := range []bus.Output{d5, d6} {
			out.Set(true, 0, time.Minute, nil)
		}
		pass(time.Second)
		var ends []error
		d5.Set(true, r.now()+int64(time.Second), time.Minute, func(_ int64, err error) { ends = append(ends, err) })
		pass(time.Second / 2)
		if five, _ := r.level("D5"); !five {
			t.Error("D5 is not on")
		}
		r.change(func() { r.lag = 40 * time.Millisecond })
		if err := r.board.Close(); err != nil {
			t.Error(err)
		}
		if five, _ := r.level("D5"); five {
			t.Error("D5 is on after Close")
		}
		if six, _ := r.level("D6"); !six {
			t.Error("D6, active low, is on after Close")
		}
		if len(ends) != 1 || ends[0] != bus.ErrReplaced {
			t.Errorf("who waited for D5 was told %v", ends)
		}
	})
}

// TestTheLastWordIsTold: what comes with the word that ends it is told before Close returns.
func TestTheLastWordIsTold(t *testing.T) {
	inBubble(t, func(r *rig) {
		d5, _ := r.start()
		pass(2 * time.Second)
		d5.Set(true, 0, time.Minute, nil)
		pass(time.Second + time.Millisecond/2) // between two looks of the twin
		r.take()
		r.change(func() { r.lag = 40 * time.Millisecond })
		go func() {
			time.Sleep(40*time.Millisecond - 100*time.Microsecond)
			r.change(func() { r.twin.Input(r.now(), "D2", true) }) // it waits for what the twin says next
		}()
		if err := r.board.Close(); err != nil {
			t.Error(err)
		}
		r.want("the end", r.take(), "1 D2 true near false")
	})
}
