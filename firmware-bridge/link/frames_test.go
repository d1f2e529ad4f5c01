package link

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/firmware-bridge/message"
)

// TestStaleFrames: what comes of the session before, after the port was opened anew, is passed over: answers, events and
// the time.
func TestStaleFrames(t *testing.T) {
	w := newWorld(t, 60)
	w.open()
	old := w.link.session
	w.link.Shut(w.now, ErrDown)
	w.open()
	w.take()
	w.link.Set(w.now, "D5", true, w.now+100*ms, time.Second, 1)
	w.said()
	before := w.link.Stats()
	next, number, last := w.link.events.next, w.link.commands.sent[0].number, w.link.clock.open
	w.link.ping(w.now + second)
	w.said()
	cookie := w.link.clock.cookie
	edge := message.Event{Kind: message.Edge, Time: w.micros(w.now), Pin: 1, Level: true}
	done := message.Event{Kind: message.Done, Time: w.micros(w.now), Pin: 3, Number: number, Level: true}
	stale := []message.Message{&message.Events{First: next, Time: edge.Time, List: []message.Event{edge, done}}, &message.Ack{Of: message.TypeSet, Result: message.Late},
		&message.Pong{Cookie: cookie, Received: edge.Time, Levels: 0xFF, Next: next, Dropped: 9, Time: edge.Time}, &message.Pin{Index: 9}}
	for _, msg := range stale {
		n := byte(0)
		if msg.Type() == message.TypeAck {
			n = number
		}
		w.hear(old, n, msg)
	}
	w.hear(old, 0, &message.Board{Session: old})
	if _, said := w.said(); len(said) > 0 {
		t.Errorf("the link answered %+v", said)
	}
	if got := w.take(Ready, Away, Edge, Watermark, Gap, Done, Fell); len(got) > 0 {
		t.Errorf("facts %+v", got)
	}
	after := w.link.Stats()
	if n := after.Strange - before.Strange; n != uint64(len(stale))+1 || len(w.link.commands.sent) != 1 || len(w.link.clock.open) != len(last)+1 {
		t.Errorf("%d frames were strange, want %d; %+v", n, len(stale)+1, after)
	}
}

// TestSessionsDiffer: whatever the source of sessions draws, two in a row have no low byte in common, and none is 0.
func TestSessionsDiffer(t *testing.T) {
	for name, draw := range map[string]func() uint32{
		"one":        func() uint32 { return 0x1234_5678 },
		"none":       func() uint32 { return 0 },
		"a low byte": func() func() uint32 { n := uint32(0); return func() uint32 { n += 0x100; return n | 0x42 } }(),
	} {
		w := newWorld(t, 61)
		w.link.opt.Session = draw
		low := byte(0)
		for range 300 {
			w.link.Open(w.now)
			heads, _ := w.said()
			if heads[0].Session == 0 || heads[0].Session == low {
				t.Fatalf("%s: session byte 0x%02X after 0x%02X", name, heads[0].Session, low)
			}
			low = heads[0].Session
			w.link.Shut(w.now, ErrDown)
		}
	}
}

// TestOnlyWhatWasAsked: an answer with another cookie, or one that came already, says nothing of the time, the levels and
// whether the board is there.
func TestOnlyWhatWasAsked(t *testing.T) {
	w := newWorld(t, 62)
	w.open()
	w.take()
	w.until(w.now + 500*ms)
	w.take()
	w.cut, w.up, w.down = true, nil, nil
	answered := w.link.clock.cookie
	if n := len(w.link.clock.open); n > 0 {
		answered = w.link.clock.open[0].cookie - 1
	}
	cut := w.now
	for w.now < cut+300*ms {
		for _, cookie := range []uint32{answered, answered - 1, w.link.clock.cookie + 1, ^w.link.clock.cookie} {
			w.hear(w.link.session, 0, &message.Pong{Cookie: cookie, Received: w.micros(w.now), Levels: ^w.link.events.levels, Next: w.link.events.next, Time: w.micros(w.now)})
		}
		w.until(w.now + 50*ms)
	}
	if got := w.take(Watermark, Gap, Edge); len(got) > 0 {
		t.Errorf("facts %+v", got)
	}
	w.until(cut + 500*ms)
	if state, _ := w.link.State(); state == Up {
		t.Error("answers that nobody asked for kept the link up")
	}
}

// TestTheClocksAreCounted: answers that no wire can carry so soon, a clock that jumps, frames that the board passed over and
// outputs that are on, over several sessions.
func TestTheClocksAreCounted(t *testing.T) {
	w := newWorld(t, 72)
	for range 3 {
		w.open()
		w.link.Set(w.now, "D5", true, w.now, time.Minute, 1)
		w.exchange()
		w.board.Receive(w.now, []byte{0, 1, 2, 3, 0}) // no frame
		w.until(w.now + 500*ms)
		if on := w.link.Stats().Unsafe; on != 1<<3 {
			t.Errorf("outputs %b are unsafe, want D5 alone", on)
		}
		w.said()
		w.now += 200 * ms
		w.link.ping(w.now)
		w.said()
		soon := w.link.clock.last // it comes when it is asked for
		soon.Cookie, soon.Received, soon.Time = w.link.clock.cookie, w.micros(w.now), w.micros(w.now)
		w.hear(w.link.session, 0, &soon)
		w.link.Shut(w.now, ErrDown)
	}
	if s := w.link.Stats(); s.Fast != 3 || s.Passed < 3 {
		t.Errorf("%+v, want 3 answers that were too fast, and as many pieces passed over", s)
	}
}

// TestWatermarksAreOfPings: one that came with an edge would tell when that was, which may be a canister's arrival.
func TestWatermarksAreOfPings(t *testing.T) {
	w := newWorld(t, 63)
	w.link.Arm(true)
	w.open()
	w.take()
	for i := range 50 {
		w.now += 5 * ms
		at := w.micros(w.now - ms)
		e := message.Event{Kind: message.Edge, Time: at, Pin: 1, Level: i%2 == 0}
		all := [][]message.Event{{e}, {}, {{Kind: message.Done, Time: at, Pin: 3, How: message.ByLongest}}, {{Kind: message.Lost, Time: at, Lost: 1}}}
		w.hear(w.link.session, 0, &message.Events{First: w.link.events.next, Time: w.micros(w.now), List: all[i%len(all)]})
		w.said()
	}
	if got := w.take(Watermark); len(got) > 0 {
		t.Errorf("watermarks %+v came with events", got)
	}
}

// TestAStampIsNotExact: a board's interrupts wait for each other, which the map of its clock knows nothing of.
func TestAStampIsNotExact(t *testing.T) {
	w := newWorld(t, 64)
	w.open()
	w.take()
	at := w.micros(w.now)
	mono, bound := w.link.clock.fit.Host(at)
	w.now += ms
	w.hear(w.link.session, 0, &message.Events{First: w.link.events.next, Time: at, List: []message.Event{{Kind: message.Edge, Time: at, Pin: 1, Level: true}}})
	w.said()
	if got := w.take(Edge); len(got) != 1 || got[0].Mono != mono || got[0].Bound != bound+50*us {
		t.Errorf("edge %+v, want it at %d with a bound of %d and 50 us", got, mono, bound)
	}
}

// TestNothingIsLaterThanNow: a board whose stamps are broken does not lead the station into the future.
func TestNothingIsLaterThanNow(t *testing.T) {
	w := newWorld(t, 65)
	w.open()
	w.take()
	for i, at := range []uint64{w.micros(w.now + 3600*second), 1 << 63, 1<<64 - 1} {
		w.hear(w.link.session, 0, &message.Events{First: w.link.events.next, Time: at, List: []message.Event{{Kind: message.Edge, Time: at, Pin: 1, Level: i%2 == 0}}})
		w.said()
		if got := w.take(Edge); len(got) != 1 || got[0].Mono > w.now || got[0].Bound < second {
			t.Errorf("stamped %d: %+v, and it is %d", at, got, w.now)
		}
	}
}

// setsOf are the Sets of a pin among messages.
func setsOf(msgs []message.Message, pin byte) (n int) {
	for _, msg := range msgs {
		if s, is := msg.(*message.Set); is && s.Pin == pin {
			n++
		}
	}
	return n
}

// resent are what the link says in the next second on a line that is cut.
func (w *world) resent() (all []message.Message) {
	for end := w.now + 400*ms; w.now < end; w.now += 10 * ms {
		w.link.Tick(w.now)
		_, msgs := w.said()
		all = append(all, msgs...)
	}
	return all
}

// TestASafeTakesBackWhatWasSent: the number stays in the row, or the board would wait for it; the command does not.
func TestASafeTakesBackWhatWasSent(t *testing.T) {
	const d5, d6 = 3, 4
	w := newWorld(t, 66)
	w.open()
	w.take()
	number := w.link.commands.next
	for i, pin := range []string{"D5", "D6", "D5"} {
		w.link.Set(w.now, pin, pin == "D5", w.now+second, time.Second, uint64(i+1))
	}
	if _, msgs := w.said(); setsOf(msgs, d5) != 2 || setsOf(msgs, d6) != 1 {
		t.Fatalf("the link said %+v", msgs)
	}
	w.link.Safe(w.now, map[string]uint64{"D5": 4})
	heads, msgs := w.said()
	safe, is := msgs[0].(*message.Safe)
	if len(msgs) != 1 || !is || safe.Pins != 1<<d5 {
		t.Fatalf("the link said %+v, want one SAFE of D5", msgs)
	}
	if safe.Before != number+3 {
		t.Errorf("SAFE %d is before %d, want %d: the number of the next command", heads[0].Number, safe.Before, number+3)
	}
	again := w.resent()
	nothings := slices.IndexFunc(again, func(m message.Message) bool { return m.Type() == message.TypeNothing })
	if setsOf(again, d5) > 0 || setsOf(again, d6) == 0 || nothings < 0 {
		t.Errorf("without an answer it said %d times to open D5, %d times to open D6: %+v", setsOf(again, d5), setsOf(again, d6), again)
	}
}

// TestASafeTakesBackWhatWaits: a command that was not sent yet, whatever it waits for, never opens what was closed since.
func TestASafeTakesBackWhatWaits(t *testing.T) {
	for name, wait := range map[string]func(w *world){
		"behind another SAFE": func(w *world) { w.link.Safe(w.now, map[string]uint64{"D6": 9}) },
		"behind a full window": func(w *world) {
			for range window {
				w.link.Set(w.now, "D6", true, w.now+second, time.Second, 9)
			}
		},
	} {
		w := newWorld(t, 67)
		w.open()
		w.take()
		w.deaf = true
		wait(w)
		w.link.Set(w.now, "D5", true, w.now+100*ms, 10*time.Second, 1)
		if len(w.link.commands.queue) == 0 {
			t.Fatalf("%s: the command does not wait", name)
		}
		w.link.Safe(w.now, map[string]uint64{"D5": 2})
		w.exchange()
		w.until(w.now + 60*ms)
		w.deaf = false
		w.until(w.now + second)
		var got []string
		for _, f := range w.take(Done) {
			if f.Token < 9 {
				got = append(got, map[bool]string{true: "done", false: "not"}[f.Err == nil])
			}
		}
		for _, c := range w.changes {
			if c.Pin == "D5" && c.Level {
				t.Errorf("%s: D5 opened after it was closed", name)
			}
		}
		if strings.Join(got, " ") != "not done" {
			t.Errorf("%s: the tokens' answers are %q, want the first not done and the SAFE done", name, got)
		}
	}
}

// TestDoneOfAnOlderCommand: that a SET is done says nothing of a newer one of the same output that was not sent yet,
// whose number is not known.
func TestDoneOfAnOlderCommand(t *testing.T) {
	w := newWorld(t, 68)
	w.open()
	w.link.Shut(w.now, ErrDown)
	w.open() // it is configured already, so that the first SET has the number 0
	w.take()
	w.link.Set(w.now, "D5", true, w.now+100*ms, 10*time.Second, 1)
	w.exchange()
	w.until(w.now + 80*ms) // it is taken, and not done yet
	w.deaf = true
	w.link.Safe(w.now, map[string]uint64{"D6": 2})
	late := w.now + 400*ms
	w.link.Set(w.now, "D5", true, late, 10*time.Second, 3)
	w.exchange()
	w.until(w.now + 100*ms)
	if n := w.link.commands.outputs[3]; n.number != 0 || n.sent {
		t.Fatalf("the newer command is on its way: %+v", n)
	}
	w.deaf = false
	w.until(w.now + 600*ms)
	for _, f := range w.take(Done) {
		if f.Token == 3 && (f.Err != nil || f.Mono < late-ms) {
			t.Errorf("the command for %d is answered %d ms early: %+v", late, (late-f.Mono)/ms, f)
		}
	}
}

// TestWhatFailedIsNotDoneLater: a command that was given up is taken back.
func TestWhatFailedIsNotDoneLater(t *testing.T) {
	w := newWorld(t, 69)
	w.open()
	w.take()
	w.link.Set(w.now, "D5", true, w.now, 10*time.Second, 1)
	w.said() // it is lost, and so are all that are sent again
	for end := w.now + int64(doneWithin) + 50*ms; w.now < end; w.now += 10 * ms {
		w.link.heard = w.now
		w.link.Tick(w.now)
		w.said()
	}
	if got := w.take(Done); len(got) != 1 || got[0].Err == nil {
		t.Fatalf("done %+v, want a failure", got)
	}
	w.link.heard = w.now
	if again := w.resent(); setsOf(again, 3) > 0 {
		t.Errorf("after it had failed it was sent again: %+v", again)
	}
}
