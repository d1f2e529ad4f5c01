//go:build linux

package linux

import (
	"fmt"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// I2COptions are who wants to know of an I2C bus.
type I2COptions struct {
	// OnState, unless nil, is called when the bus is off or hangs, with the reason, and with nil when it is neither any
	// more. It must not wait for the bus.
	OnState func(err error)

	open func(name string) (i2c.BusCloser, error) // for tests
	mono func() int64                             // for tests
}

// I2C is one I2C bus of this machine. It is a bus.Wires with a goroutine of its own. A bus that is off is looked for at
// every transfer.
type I2C struct {
	*worker
	open func(name string) (i2c.BusCloser, error)

	// What follows is the worker's own.
	wires i2c.BusCloser // nil while the bus is not open
	stale bool          // a transfer failed: the bus may be another one by now
}

// OpenI2C returns the I2C bus of a name, such as i2c-1. That it is off is no error.
func OpenI2C(name string, opt I2COptions) (*I2C, error) {
	if _, err := numberOf(name); err != nil {
		return nil, err
	}
	b := &I2C{open: opt.open}
	if b.open == nil {
		b.open = openI2C
	}
	b.worker = newWorker(name, opt.OnState, opt.mono, func() {
		if b.wires != nil {
			b.wires.Close() // what was written is written, and nobody is left to be told
		}
	})
	return b, nil
}

// SetSpeed is refused: the kernel's configuration decides it for all chips of a bus.
func (b *I2C) SetSpeed(physic.Frequency) error {
	return fmt.Errorf("%s: the speed of an I2C bus is set in the machine's configuration (on a Raspberry Pi: dtparam=i2c_arm_baudrate)", b.name)
}

// Tx makes one transfer; see bus.Wires. It is called from within a job. After one that failed the bus is opened anew: its
// adapter may have been unplugged.
func (b *I2C) Tx(address uint16, write, read []byte) error {
	if b.stale && b.wires != nil {
		b.wires.Close() // it failed already
		b.wires = nil
	}
	b.stale = false
	if b.wires == nil {
		wires, err := b.open(b.name)
		b.is(err)
		if err != nil {
			return err
		}
		b.wires = wires
	}
	err := b.wires.Tx(address, write, read)
	b.stale = err != nil
	return err
}

// monotonic is the kernel's monotonic clock.
func monotonic() int64 { return read(unix.CLOCK_MONOTONIC) }
