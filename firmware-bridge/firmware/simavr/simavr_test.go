package simavr_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// board reads the port until the board says what is wanted of itself.
func board(t *testing.T, port io.Reader, wanted func(*message.Board) bool) *message.Board {
	t.Helper()
	var splitter frame.Splitter
	var found *message.Board
	line := make([]byte, 256)
	for found == nil {
		n, err := port.Read(line)
		if err != nil {
			t.Fatalf("reading the port: %v", err)
		}
		splitter.Write(line[:n], func(body []byte) {
			if _, m, err := message.Parse(body); err == nil {
				if b, is := m.(*message.Board); is && wanted(b) {
					found = b
				}
			}
		}, func(error) {}) // it was opened in the midst of something
	}
	return found
}

func open(t *testing.T, link string) *os.File {
	t.Helper()
	port, err := os.OpenFile(link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return port
}

// TestLive: the real firmware behind a port, in real time: spoken to, torn away, back, and reset by opening.
func TestLive(t *testing.T) {
	built := simavrtest.Build(t, 500_000)
	link := filepath.Join(t.TempDir(), "board-0")
	reports := make(chan simavr.Report, 1000)
	live, err := simavr.StartLive(built.Runner, built.Flash(), 500_000, link, func(r simavr.Report) { reports <- r })
	if err != nil {
		t.Fatal(err)
	}
	await := func(kind simavr.Kind) simavr.Report {
		t.Helper()
		for {
			select {
			case r := <-reports:
				if r.Kind == kind {
					return r
				}
			case <-live.Ended():
				t.Fatalf("the runner ended without a report of %s", kind)
			}
		}
	}
	await(simavr.Clocked)
	port := open(t, link)
	hello := frame.Append(nil, message.Append(nil, 0x78, 0, &message.Hello{Session: 0x12345678, Lowest: 1, Highest: 1}))
	if _, err := port.Write(hello); err != nil {
		t.Fatal(err)
	}
	boot := board(t, port, func(b *message.Board) bool { return b.Session == 0x12345678 }).Boot

	live.Pin("D2", true)
	if r := await(simavr.Edge); r.Pin != "D2" || !r.Level {
		t.Errorf("an edge %+v", r)
	}
	// Levels that come together are edges all the same: in one cycle they would be none.
	const apart = 99 * simavr.PerMicrosecond // 100, and an edge may come some cycles late
	for i := range 100 {
		live.Pin("D3", i%2 == 0)
	}
	for i, before := 0, uint64(0); i < 100; i++ {
		r := await(simavr.Edge)
		if r.Pin != "D3" || r.Level != (i%2 == 0) || r.At < before+apart {
			t.Fatalf("edge %d of a burst: %+v, the one before was at %d", i, r, before)
		}
		before = r.At
	}
	live.Unplug()
	if n, err := port.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("a port that was torn away gives %d bytes, %v", n, err)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("its link is still there")
	}
	live.Plug()
	await(simavr.Plugged)
	live.OpeningResets(true)
	port = open(t, link)
	if r := await(simavr.Started); r.As != simavr.ByPin {
		t.Errorf("opening the port: a start by %s", r.As)
	}
	if b := board(t, port, func(b *message.Board) bool { return b.Session == 0 }); b.Boot != boot+1 || b.Cause != message.CauseReset {
		t.Errorf("after opening the port the board says %+v", b)
	}
	if err := live.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link outlived the runner")
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	built := simavrtest.Build(t, 500_000)
	if _, err := simavr.Start(filepath.Join(t.TempDir(), "runner"), built.Flash(), 500_000); err == nil || !strings.Contains(err.Error(), "libsimavr-dev") {
		t.Errorf("without a runner: %v, want what to install", err)
	}
	none := filepath.Join(t.TempDir(), "none.elf")
	if _, err := simavr.StartLive(built.Runner, simavr.Flash{Firmware: none}, 500_000, filepath.Join(t.TempDir(), "x"), func(simavr.Report) {}); err == nil || !strings.Contains(err.Error(), "none.elf") {
		t.Errorf("without a firmware: %v, want its name", err)
	}
	for content, want := range map[string]string{
		":0280000000007E\n:00000001FF\n": "it ends at 0x8002, the flash at 0x8000",
		"":                               "not an Intel HEX file",
	} {
		hex := filepath.Join(t.TempDir(), "boot.hex")
		if err := os.WriteFile(hex, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		flash := simavr.Flash{Firmware: built.ELF, BootLoader: hex}
		if _, err := simavr.StartLive(built.Runner, flash, 500_000, filepath.Join(t.TempDir(), "x"), func(simavr.Report) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a boot loader of %q: %v, want %q", content, err, want)
		}
	}
}

func TestTheRunnerRefusesNonsense(t *testing.T) {
	c := simavrtest.Start(t, 500_000)
	if _, err := c.Run(1000); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []func(){
		func() { c.Pin(0, "D20", true) },
		func() { c.Reset(0, "lightning") },
		func() { c.Poke(5000, []byte{1}) },
	} {
		bad()
		if _, err := c.Run(c.Now() + 100); err == nil {
			t.Error("a line that is no command was taken")
		}
		if _, err := c.Run(c.Now() + 100); err != nil {
			t.Errorf("after a line that is no command: %v", err)
		}
	}
	if _, err := c.Peek(2300, 10); err == nil {
		t.Error("memory beyond the end was read")
	}
}
