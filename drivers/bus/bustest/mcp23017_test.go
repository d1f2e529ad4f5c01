package bustest

import (
	"errors"
	"slices"
	"testing"

	"periph.io/x/conn/v3/i2c"
)

var _ i2c.Bus = (*MCP23017)(nil)

const chip = 0x20

// tx is a transfer that must succeed.
func tx(t *testing.T, m *MCP23017, write []byte, n int) []byte {
	t.Helper()
	read := make([]byte, n)
	if err := m.Tx(chip, write, read); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestTheFakeIsTheDataSheets holds the fake to the tables of the data sheet.
func TestTheFakeIsTheDataSheets(t *testing.T) {
	m := NewMCP23017(chip, 0xFFFF)
	if got := tx(t, m, []byte{0x00}, 4); !slices.Equal(got, []byte{0xFF, 0xFF, 0, 0}) {
		t.Errorf("after power-up: % X", got)
	}
	if got := tx(t, m, []byte{0x12}, 2); !slices.Equal(got, []byte{0xFF, 0xFF}) {
		t.Errorf("ports: % X", got)
	}
	tx(t, m, []byte{0x14, 0x55, 0xAA}, 0)
	if m.Trace() != nil {
		t.Error("a latch drove an input")
	}
	tx(t, m, []byte{0x00, 0xF0, 0xFF}, 0)
	if got, want := m.Trace(), []Change{{1, false}, {3, false}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	tx(t, m, []byte{0x12, 0x0F}, 0) // writing a port writes its latch
	if got := tx(t, m, []byte{0x14}, 1); got[0] != 0x0F {
		t.Errorf("latch % X", got)
	}
	if got := tx(t, m, []byte{0x15}, 2); got[1] != 0xF0 { // behind the last register comes the first
		t.Errorf("% X", got)
	}
}

func TestTheFakesLayouts(t *testing.T) {
	m := NewMCP23017(chip, 0)
	tx(t, m, []byte{0x0A, 0x80}, 0)
	tx(t, m, []byte{0x10, 0xF0}, 0) // IODIRB
	tx(t, m, []byte{0x1A, 0x0F}, 0) // OLATB
	tx(t, m, []byte{0x05, 0x00}, 0) // IOCON: back
	if got := tx(t, m, []byte{0x01}, 1); got[0] != 0xF0 {
		t.Errorf("% X", got)
	}
	if !m.Pin(8) || m.Pin(12) {
		t.Error("port B does not show its latch")
	}
}

func TestTheFakesInterrupts(t *testing.T) {
	m := NewMCP23017(chip, 0xFFFF)
	tx(t, m, []byte{0x04, 0x03, 0x00}, 0)
	m.Drive(5, false)
	if m.Interrupts() {
		t.Error("a pin that is not enabled interrupts")
	}
	m.Drive(0, false)
	m.Drive(1, false) // behind the first cause: not captured
	if !m.Interrupts() {
		t.Error("no interrupt")
	}
	if got := tx(t, m, []byte{0x0E}, 6); !slices.Equal(got, []byte{0x01, 0x00, 0xDE, 0x00, 0xDC, 0xFF}) {
		t.Errorf("% X", got)
	}
	if m.Interrupts() {
		t.Error("reading does not end it")
	}
	m.Drive(0, true)
	if tx(t, m, []byte{0x12}, 1); m.Interrupts() {
		t.Error("reading the port does not end it")
	}
	tx(t, m, []byte{0x06, 0x00, 0x00, 0x01}, 0) // compare A0, which is 1, with 0
	m.Drive(1, true)                            // behind that cause
	if got := tx(t, m, []byte{0x0E}, 1); got[0] != 0x01 {
		t.Errorf("flags % X", got)
	}
}

func TestTheFakesFaults(t *testing.T) {
	m := NewMCP23017(chip, 0)
	if err := m.Tx(chip+1, []byte{0}, nil); !errors.Is(err, ErrNoChip) {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	m.FailAt(m.Transfers()+1, broken)
	tx(t, m, []byte{0}, 1)
	for range 2 {
		if err := m.Tx(chip, []byte{0}, nil); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	}
	m.Fail(nil)
	m.Silence(0xFF)
	if got := tx(t, m, []byte{0x14}, 2); !slices.Equal(got, []byte{0xFF, 0xFF}) {
		t.Errorf("% X", got)
	}
	m.Silence(-1)
	m.Poke(0x00, 0x00)
	m.Reset()
	if got := tx(t, m, []byte{0x00}, 1); got[0] != 0xFF || m.String() == "" || m.SetSpeed(0) != nil {
		t.Errorf("% X", got)
	}
}
