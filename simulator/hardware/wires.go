package hardware

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

// Wires returns an I2C bus of the station by its name. Its jobs run on the world's goroutine, each at the instant at
// which it was asked for: in one process wires take no time.
func (c *Connection) Wires(name string) (bus.Wires, error) {
	if c.closed {
		return nil, bus.ErrClosed
	}
	chips := c.station.buses[name]
	if chips == nil {
		return nil, fmt.Errorf("%w: the virtual station has no I2C bus %q", bus.ErrUnknownLine, name)
	}
	return &wires{connection: c, chips: chips, name: name}, nil
}

// wires are an I2C bus in a connection's hand.
type wires struct {
	connection *Connection
	chips      *bustest.Chips
	name       string
}

// String names the bus.
func (w *wires) String() string { return w.name }

// SetSpeed does nothing.
func (w *wires) SetSpeed(physic.Frequency) error { return nil }

// Tx implements i2c.Bus.
func (w *wires) Tx(address uint16, write, read []byte) error {
	if w.connection.closed {
		return bus.ErrClosed
	}
	return w.chips.Tx(address, write, read)
}

// Now implements bus.Wires.
func (w *wires) Now() int64 { return w.connection.station.world.Mono() }

// At implements bus.Wires.
func (w *wires) At(mono int64, f func()) (stop func()) {
	return w.connection.station.world.At(mono, f)
}

// Do implements bus.Wires.
func (w *wires) Do(job func()) error {
	if w.connection.closed {
		return bus.ErrClosed
	}
	w.connection.station.world.After(time.Duration(0), func() {
		if !w.connection.closed {
			job()
		}
	})
	return nil
}

// Chip returns the model of a chip by its name, nil when the station has none of that name.
func (s *Station) Chip(name string) i2c.Bus {
	for _, c := range s.layout.Chips {
		if c.Name == name {
			return c.Chip
		}
	}
	return nil
}

// Unplug takes a chip off its bus, or puts it back when it was off: nothing answers at its address meanwhile.
func (s *Station) Unplug(name string) error {
	for i, c := range s.layout.Chips {
		if c.Name != name {
			continue
		}
		s.layout.Chips[i].off = !c.off
		if e, carries := c.Chip.(*expander); carries {
			e.off()
		}
		if c.off {
			s.buses[c.Bus].Put(c.Address, c.Chip)
		} else {
			s.buses[c.Bus].Put(c.Address, nil)
		}
		return nil
	}
	return fmt.Errorf("virtual station: it has no chip %q", name)
}
