package bustest

import (
	"fmt"
	"sync"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// Chips is an I2C bus with several chips, each at its address; nothing answers elsewhere.
type Chips struct {
	mu    sync.Mutex
	chips map[uint16]i2c.Bus
}

// Put puts a chip at an address; nil takes it away.
func (c *Chips) Put(address uint16, chip i2c.Bus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chips == nil {
		c.chips = map[uint16]i2c.Bus{}
	}
	c.chips[address] = chip
}

// String names the bus.
func (c *Chips) String() string { return "fake bus" }

// SetSpeed does nothing.
func (c *Chips) SetSpeed(physic.Frequency) error { return nil }

// Tx is one transfer with the chip at an address.
func (c *Chips) Tx(address uint16, write, read []byte) error {
	c.mu.Lock()
	chip := c.chips[address]
	c.mu.Unlock()
	if chip == nil {
		return fmt.Errorf("address 0x%02X: %w", address, ErrNoChip)
	}
	return chip.Tx(address, write, read)
}

// Faults are the ways in which a chip of registers fails. Its methods may be called from any goroutine.
type Faults struct {
	mu       sync.Mutex // guards the chip as well
	fail     error
	failAt   int
	transfer int
	constant int // what every read gives in each byte; negative: the truth
}

// Fail makes every transfer fail from now on; nil ends it.
func (f *Faults) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.failAt = err, f.transfer
}

// FailAt makes the transfer of that number, from 0, and all behind it fail.
func (f *Faults) FailAt(transfer int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.failAt = err, transfer
}

// Transfers is the number of transfers so far.
func (f *Faults) Transfers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.transfer
}

// Silence makes every read give one byte again and again, as a bus without a chip does; -1 ends it.
func (f *Faults) Silence(constant int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.constant = constant
}

// tx counts a transfer and fails it if that is wanted.
func (f *Faults) tx() error {
	f.transfer++
	if f.fail != nil && f.transfer > f.failAt {
		return f.fail
	}
	return nil
}

// spoil replaces what was read.
func (f *Faults) spoil(read []byte) {
	if f.constant < 0 {
		return
	}
	for i := range read {
		read[i] = byte(f.constant)
	}
}

// SetSpeed does nothing.
func (f *Faults) SetSpeed(physic.Frequency) error { return nil }
