package bustest

import (
	"errors"
	"fmt"
	"sync"

	"periph.io/x/conn/v3/physic"
)

// Registers of an MCP23017 by their addresses with IOCON.BANK = 0, each of port A; port B's is the next one.
const (
	iodir   = 0x00
	gpinten = 0x04
	defval  = 0x06
	intcon  = 0x08
	iocon   = 0x0A
	intf    = 0x0E
	intcap  = 0x10
	gpio    = 0x12
	olat    = 0x14

	expanderRegisters = 0x16
)

// Change is a level that appeared on a pin.
type Change struct {
	Pin   int // 0 to 7: A0 to A7, 8 to 15: B0 to B7
	Level bool
}

// MCP23017 is a port expander at register level with what is wired to its pins, as an i2c.Bus that carries it alone. Its
// behaviour follows Microchip's data sheet DS20001952C: registers after power-up, both layouts of the addresses,
// sequential access, interrupt on change with its capture, and latches that outlive whoever wrote them.
//
// Its zero value is not ready; see NewMCP23017.
type MCP23017 struct {
	mu       sync.Mutex
	address  uint16
	reg      [expanderRegisters]byte
	outside  uint16 // the levels that the pins have from outside
	before   [2]byte
	trace    []Change
	fail     error
	transfer int
	failAt   int
	constant int // what every read gives in each byte, -1: the truth
}

// NewMCP23017 returns a chip just powered, whose pins are pulled to the levels outside, one bit a pin.
func NewMCP23017(address, outside uint16) *MCP23017 {
	m := &MCP23017{address: address, outside: outside, constant: -1, failAt: -1}
	m.powerUp()
	return m
}

func (m *MCP23017) powerUp() {
	m.reg = [expanderRegisters]byte{iodir: 0xFF, iodir + 1: 0xFF}
	m.before = [2]byte{m.port(0), m.port(1)}
}

// String names the bus.
func (m *MCP23017) String() string { return fmt.Sprintf("fake mcp23017 at 0x%02X", m.address) }

// SetSpeed does nothing.
func (m *MCP23017) SetSpeed(physic.Frequency) error { return nil }

// Reset is a dip of the supply: every register is as after power-up.
func (m *MCP23017) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moving(m.powerUp)
}

// Fail makes every transfer fail from now on; nil ends it.
func (m *MCP23017) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.failAt = err, m.transfer
}

// FailAt makes the transfer of that number, from 0, and all behind it fail.
func (m *MCP23017) FailAt(transfer int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.failAt = err, transfer
}

// Transfers is the number of transfers so far.
func (m *MCP23017) Transfers() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.transfer
}

// Silence makes every read give one byte again and again, as a bus without a chip does; -1 ends it.
func (m *MCP23017) Silence(constant int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.constant = constant
}

// Poke sets a register behind everybody's back.
func (m *MCP23017) Poke(register int, value byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moving(func() { m.reg[register] = value })
}

// Drive sets the level that a pin has from outside.
func (m *MCP23017) Drive(pin int, level bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moving(func() {
		m.outside &^= 1 << pin
		if level {
			m.outside |= 1 << pin
		}
	})
}

// Pin is the level on a pin: the latch's when it is an output, else the one from outside.
func (m *MCP23017) Pin(pin int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.port(pin/8)>>(pin%8)&1 == 1
}

// Interrupts tells whether the chip asks to be read, on either port.
func (m *MCP23017) Interrupts() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reg[intf] != 0 || m.reg[intf+1] != 0
}

// Trace returns every change of a pin's level so far, in order.
func (m *MCP23017) Trace() []Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Change(nil), m.trace...)
}

// port is what the pins of a port show.
func (m *MCP23017) port(p int) byte {
	in := m.reg[iodir+p]
	return byte(m.outside>>(8*p))&in | m.reg[olat+p]&^in
}

// moving makes a change and does what it does to the pins: trace and interrupts.
func (m *MCP23017) moving(change func()) {
	was := [2]byte{m.port(0), m.port(1)}
	change()
	for p := range 2 {
		is := m.port(p)
		for bit := range 8 {
			if (was[p]^is)>>bit&1 == 1 {
				m.trace = append(m.trace, Change{8*p + bit, is>>bit&1 == 1})
			}
		}
		m.interrupt(p, is)
	}
}

// interrupt raises the flags of port p: of the first cause alone, until it is read.
func (m *MCP23017) interrupt(p int, is byte) {
	against := m.before[p]&^m.reg[intcon+p] | m.reg[defval+p]&m.reg[intcon+p]
	cause := (is ^ against) & m.reg[gpinten+p] & m.reg[iodir+p]
	if cause != 0 && m.reg[intf+p] == 0 {
		m.reg[intf+p], m.reg[intcap+p] = cause, is
	}
	m.before[p] = is
}

// index maps an address to a register by the layout in force; ok is false for an address without one.
func (m *MCP23017) index(address byte) (int, bool) {
	if m.reg[iocon]&0x80 == 0 {
		return int(address), address < expanderRegisters
	}
	return int(address&0x0F)*2 + int(address>>4), address&0x0F <= 0x0A && address>>4 <= 1
}

// ErrNoChip: nothing acknowledged the address.
var ErrNoChip = errors.New("no chip acknowledged")

// Tx is one transfer: the first byte is the address of a register, the rest is written from there, and read is filled
// from there.
func (m *MCP23017) Tx(address uint16, write, read []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.transfer++
	if m.fail != nil && m.transfer > m.failAt {
		return m.fail
	}
	if address != m.address || len(write) == 0 {
		return fmt.Errorf("address 0x%02X: %w", address, ErrNoChip)
	}
	at := write[0]
	for _, value := range write[1:] {
		if i, ok := m.index(at); ok {
			m.moving(func() { m.write(i, value) })
		}
		at = m.next(at)
	}
	for i := range read {
		read[i] = 0
		if r, ok := m.index(at); ok {
			read[i] = m.read(r)
		}
		if m.constant >= 0 {
			read[i] = byte(m.constant)
		}
		at = m.next(at)
	}
	return nil
}

// next is the address behind one, rolling over at the end of the registers.
func (m *MCP23017) next(at byte) byte {
	if m.reg[iocon]&0x80 == 0 && at+1 >= expanderRegisters {
		return 0
	}
	return at + 1
}

func (m *MCP23017) write(i int, value byte) {
	switch i &^ 1 {
	case intf, intcap: // read only
	case iocon:
		m.reg[iocon], m.reg[iocon+1] = value, value
	case gpio: // writes the latch
		m.reg[olat+(i&1)] = value
	default:
		m.reg[i] = value
	}
}

func (m *MCP23017) read(i int) byte {
	p := i & 1
	switch i &^ 1 {
	case gpio:
		m.reg[intf+p] = 0
		return m.port(p)
	case intcap:
		m.reg[intf+p] = 0
	}
	return m.reg[i]
}
