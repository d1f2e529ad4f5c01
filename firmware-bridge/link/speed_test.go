package link

import (
	"bytes"
	"testing"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// heardAt is what a receiver at one speed makes of bytes that were sent back to back at another: it looks at each bit in its
// middle, and drops what has no stop bit.
func heardAt(line []byte, from, to float64) (heard []byte) {
	high := func(at float64) bool { // of the line, in seconds
		n := int(at * from)
		if at < 0 || n/10 >= len(line) {
			return true
		}
		switch bit := n % 10; bit {
		case 0:
			return false
		case 9:
			return true
		default:
			return line[n/10]>>(bit-1)&1 != 0
		}
	}
	const looks = 16 // a bit, for the begin of a byte
	end := float64(10*len(line)) / from
	for at := -1 / to; at < end; at += 1 / to / looks {
		if high(at) || !high(at-1/to/looks) {
			continue
		}
		var b byte
		for bit := range 8 {
			if high(at + (1.5+float64(bit))/to) {
				b |= 1 << bit
			}
		}
		at += 9.5 / to
		if high(at) {
			heard = append(heard, b)
		}
	}
	return heard
}

func TestTheModelOfAReceiver(t *testing.T) {
	line := frame.Append(nil, message.Append(nil, 7, 0, &message.Hello{Session: 7, Lowest: 1, Highest: 1}))
	for _, off := range []float64{1, 0.979, 1.021} {
		if got := heardAt(line, 115_200*off, 115_200); !bytes.Equal(got, line) {
			t.Errorf("%.3f of the speed: %x, sent %x", off, got, line)
		}
	}
}

// TestAnotherSpeedIsSeen: a board that was built for another speed than the configured one, either way round. What comes
// is told as pieces that are no frames within the half minute between two looks, and often enough: four are the fewest
// that are believed to be that.
func TestAnotherSpeedIsSeen(t *testing.T) {
	for _, c := range []struct{ board, host float64 }{{500_000, 115_200}, {115_200, 500_000}} {
		w := newWorld(t, 70)
		w.link.opt.Baud, w.link.wire = int(c.host), wire(int(c.host))
		w.link.Open(w.now)
		bytesCame := 0
		for end := w.now + 30*second; w.now < end; w.now += ms {
			w.link.Tick(w.now)
			w.board.Tick(w.now)
			out, _ := w.link.Take()
			w.board.Receive(w.now, heardAt(out, c.host, c.board))
			said, _ := w.board.Take()
			came := heardAt(said, c.board, c.host)
			bytesCame += len(came)
			w.link.Receive(w.now, came)
		}
		state, _ := w.link.State()
		s := w.link.Stats()
		t.Logf("a board at %.0f, heard at %.0f: %d bytes came, %d errors", c.board, c.host, bytesCame, s.Errors)
		if state != Greeting || s.Frames > 0 || s.Errors < 8 {
			t.Errorf("a board at %.0f, heard at %.0f: the link is %s, %d bytes came: %+v", c.board, c.host, state, bytesCame, s)
		}
	}
}

// TestASoundLineHasNoErrors: a frame that comes byte by byte is no garbage, nor is silence.
func TestASoundLineHasNoErrors(t *testing.T) {
	w := newWorld(t, 71)
	w.open()
	w.link.Shut(w.now, ErrDown)
	w.cut = true
	w.link.Open(w.now)
	w.until(w.now + 10*second)
	w.cut = false
	w.open()
	if s := w.link.Stats(); s.Errors > 0 {
		t.Errorf("%+v, want no errors", s)
	}
}
