package visit

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

// line is a port with a twin at its other end, on which nothing takes time, in a bubble of virtual time.
type line struct {
	board *twin.Board
	began time.Time
	mute  time.Duration // the board is in its boot loader for so long
	noise []byte        // what comes in place of what the board says
	gone  bool
	lose  int // frames to the board that are lost from now on
}

func (l *line) now() int64 { return int64(time.Since(l.began)) }

func (l *line) Read(p []byte) (int, error) {
	if l.gone {
		return 0, bus.ErrGone
	}
	<-time.After(10 * time.Millisecond) // of the bubble
	l.board.Tick(l.now())
	out, _ := l.board.Take()
	switch {
	case time.Since(l.began) < l.mute:
		return 0, nil
	case l.noise != nil:
		return copy(p, l.noise), nil
	}
	return copy(p, out), nil
}

func (l *line) Write(p []byte) (int, error) {
	if l.lose--; l.lose < 0 && time.Since(l.began) >= l.mute {
		l.board.Receive(l.now(), p)
	}
	return len(p), nil
}

func (l *line) Flush() error { return nil }
func (l *line) Close() error { return nil }

func id(text string) (id message.ID) {
	copy(id[:], text)
	return id
}

// visited runs a test in a bubble, with a board that has an id or none.
func visited(t *testing.T, has message.ID, test func(l *line, v *Visitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &line{began: time.Now()}
		l.board = twin.New(twin.Options{Kind: "twin", ID: has, Build: [8]byte{1, 2}, Pins: []message.Pin{{Index: 0, Name: "D2", Abilities: message.AbleInput}, {Index: 1, Name: "D4", Abilities: message.AbleOutput}},
			Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
		test(l, New(l, 0x1200))
	})
}

func TestWhoIsThere(t *testing.T) {
	visited(t, id("nano-1"), func(l *line, v *Visitor) {
		l.mute, l.lose = 2*time.Second, 3 // an old boot loader, and a noisy line
		if _, err := v.Greet(); err != nil {
			t.Fatal(err)
		}
		l.lose = 2
		seen, err := v.Look()
		if err != nil || Text(seen.Board.ID) != "nano-1" || seen.Board.Kind != "twin" || len(seen.Pins) != 2 || seen.Pins[1].Name != "D4" {
			t.Errorf("%v: %+v", err, seen)
		}
		if seen.Fastest <= 0 || seen.Slowest < seen.Fastest || seen.Resends < 5 {
			t.Errorf("round trips %s to %s, asked again %d times", seen.Fastest, seen.Slowest, seen.Resends)
		}
	})
}

// TestAnIDIsGivenOnce: by the one who comes first, also when the answer is lost; then never another one.
func TestAnIDIsGivenOnce(t *testing.T) {
	visited(t, message.NoID, func(l *line, v *Visitor) {
		if b, err := v.Greet(); err != nil || Text(b.ID) != "" {
			t.Fatal(b, err)
		}
		l.lose = 1
		if err := v.Name(id("nano-1")); err != nil {
			t.Fatal(err)
		}
		again := New(l, 2)
		if b, err := again.Greet(); err != nil || Text(b.ID) != "nano-1" {
			t.Fatalf("%q, %v", Text(b.ID), err)
		}
		if err := again.Name(id("nano-1")); err != nil {
			t.Errorf("the id that it has: %v", err)
		}
		if err := again.Name(id("nano-2")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nano-1") {
			t.Errorf("another id: %v", err)
		}
	})
}

func TestNobodyIsThere(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(*line)
		want   error
	}{
		{"silence", func(l *line) { l.mute = time.Hour }, ErrSilent},
		{"another speed", func(l *line) { l.noise = []byte{0xE0, 0x1C, 0, 0x9F, 0xFF, 0} }, ErrGarbage},
		{"unplugged", func(l *line) { l.gone = true }, bus.ErrGone},
	} {
		visited(t, message.NoID, func(l *line, v *Visitor) {
			c.damage(l)
			if _, err := v.Greet(); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		})
	}
	visited(t, message.NoID, func(l *line, v *Visitor) {
		if _, err := v.Greet(); err != nil {
			t.Fatal(err)
		}
		l.mute = time.Hour
		if _, err := v.Look(); !errors.Is(err, ErrMute) {
			t.Errorf("one that goes silent: %v", err)
		}
	})
}

// TestAnotherVersion: such a board answers with its own version, and is told apart from noise.
func TestAnotherVersion(t *testing.T) {
	visited(t, message.NoID, func(l *line, v *Visitor) {
		v.frames = append(v.frames, received{message.Header{Version: 2, Type: message.TypeBoard}, &message.Board{}})
		if _, err := v.Greet(); !errors.Is(err, ErrVersion) {
			t.Error(err)
		}
	})
}
