package main

import (
	"errors"
	"path/filepath"
	"testing"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
)

// TestAPortIsOpenedOnce: an opening may reset the board.
func TestAPortIsOpenedOnce(t *testing.T) {
	pty, err := linux.OpenPTY("")
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	at := boardAt{Board: pty.Port, Baud: 500_000}
	open, err := at.opener()
	if err != nil {
		t.Fatal(err)
	}
	if used, err := linux.PortInUse(pty.Port); err != nil || !used {
		t.Errorf("in use: %t, %v", used, err)
	}
	for range 2 { // the port that was opened, and after its end another one
		port, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open(); !errors.Is(err, linux.ErrInUse) {
			t.Errorf("while it is open: %v", err)
		}
		if err := port.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (boardAt{Board: filepath.Join(t.TempDir(), "none"), Baud: 500_000}).opener(); !errors.Is(err, bus.ErrGone) {
		t.Errorf("a port that is not there: %v", err)
	}
}
