//go:build linux

package board

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
)

// TestARealPortThatTakesNothing: it is opened again, by the one who had it.
func TestARealPortThatTakesNothing(t *testing.T) {
	t.Parallel()
	pty, err := linux.OpenPTY("")
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	clock, err := linux.NewClock()
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 8)
	b, err := New(Options{Now: clock.Mono, Open: func() (bus.Port, error) {
		port, err := linux.OpenSerial(pty.Port, 500_000)
		select {
		case opened <- err:
		default:
		}
		return port, err
	}, Options: pinbus.Options{Name: "nano-1", ID: message.NoID, Pins: boardPins, Beat: 500 * time.Millisecond, Baud: 500_000, Session: func() uint32 { return 0x101 }}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-opened:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it is not opened again")
		}
		fill(t, pty)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// fill fills a port whose other end is not read.
func fill(t *testing.T, pty *linux.PTY) {
	t.Helper()
	fd, err := unix.Open(pty.Port, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	full := os.NewFile(uintptr(fd), pty.Port)
	defer full.Close()
	// The board throws away what lies in a port that it has just opened. Where the kernel has no room for much it may have some
	// for little.
	for _, size := range []int{1 << 20, 1 << 20, 1} {
		if err := full.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		for n := 0; err == nil; n++ {
			if _, err = full.Write(make([]byte, size)); n > 1<<20 {
				t.Fatal("a port that nobody reads took a megabyte")
			}
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		err = nil
	}
}
