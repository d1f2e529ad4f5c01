package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
	"scentpost/station/control"
)

// plugTwin is "twin LINK [ID]": a board behind a serial port, until the script ends. "twin LINK garbage" is a port from which
// what another speed makes of frames comes, "twin LINK silence" one from which nothing does.
func plugTwin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: twin LINK [ID|garbage|silence]")
	}
	pty, err := linux.OpenPTY(ts.MkAbs(args[0]))
	ts.Check(err)
	how := ""
	if len(args) == 2 {
		how = args[1]
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		play(pty, how)
	}()
	ts.Defer(func() {
		_ = pty.Close()
		<-ended
	})
}

// play plays the board until its port is closed.
func play(pty *linux.PTY, how string) {
	id := message.NoID
	if how != "" {
		id = message.ID{}
		copy(id[:], how)
	}
	began := time.Now()
	now := func() int64 { return int64(time.Since(began)) }
	b := twin.New(twin.Options{Kind: "twin", ID: id, Micros: func(mono int64) uint64 { return uint64(mono / 1000) }, Pins: []message.Pin{
		{Index: 0, Name: "D2", Abilities: message.AbleInput | message.AbleTimed | message.AblePullUp}, {Index: 1, Name: "D4", Abilities: message.AbleOutput}}})
	buffer := make([]byte, 512)
	next := time.Now()
	for level := false; ; {
		if err := pty.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			return
		}
		n, _ := pty.Read(buffer)
		travel(n)
		b.Receive(now(), buffer[:n])
		if time.Now().After(next) { // an edge now and then
			level, next = !level, time.Now().Add(200*time.Millisecond)
			b.Input(now(), "D2", level)
		}
		b.Tick(now())
		out, _ := b.Take()
		switch {
		case how == "silence":
			continue
		case how == "garbage":
			out = []byte{0xE0, 0x1C, 0, 0x9F, 0xFF, 0}
		}
		travel(len(out))
		if _, err := pty.Write(out); err != nil {
			return
		}
	}
}

// travel takes as long as bytes take on a line of 500,000 baud, at the least: an answer that is faster than the wire is no
// measurement of a clock.
func travel(bytes int) { <-time.After(time.Duration(bytes) * 10 * time.Second / 500_000) }

// own is "owned PORT": another program has the port, until the script ends.
func own(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: owned PORT")
	}
	port, err := linux.OpenSerial(ts.MkAbs(args[0]), 500_000)
	ts.Check(err)
	ts.Defer(func() { _ = port.Close() })
}

// TestAdvice: each figure of a board that is not well has its own advice, and one that is well has none.
func TestAdvice(t *testing.T) {
	for _, c := range []struct {
		change  func(*control.BoardFigures)
		resends int
		says    string
	}{
		{func(*control.BoardFigures) {}, 0, ""},
		{func(f *control.BoardFigures) { f.ID = "" }, 0, "no id yet"},
		{func(f *control.BoardFigures) { f.Cause = "brown-out" }, 0, "stronger supply"},
		{func(f *control.BoardFigures) { f.Cause = "watchdog" }, 0, "its program hung"},
		{func(f *control.BoardFigures) {}, manyResends, "sent again"},
		{func(f *control.BoardFigures) { f.Resends = 20 }, 0, "sent again"},
		{func(f *control.BoardFigures) { f.Errors = 20 }, 0, "sent again"},
		{func(f *control.BoardFigures) { f.Lost = 1 }, 0, "found no room"},
		{func(f *control.BoardFigures) { f.RoundTrip = 8 * time.Millisecond }, 0, "longer than the wire"},
	} {
		f := control.BoardFigures{Kind: "m328p", ID: "one", Cause: "power", Frames: 1000, RoundTrip: time.Millisecond}
		c.change(&f)
		got := advice(f, "/dev/null", c.resends)
		if (c.says == "") != (len(got) == 0) || len(got) > 1 || c.says != "" && !strings.Contains(got[0], c.says) {
			t.Errorf("%+v: %q, want %q", f, got, c.says)
		}
	}
}
