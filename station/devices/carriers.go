package devices

import (
	"errors"
	"fmt"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/station/catalog"
	"scentpost/station/config"
)

// Machine is what the carriers are reached by.
type Machine struct {
	// Wires returns an I2C bus by its name, Port opens a serial port at a speed.
	Wires func(name string) (bus.Wires, error)
	Port  func(path string, baud int) (bus.Port, error)
	// Now is the monotonic clock of the bus that the carriers are joined with, Chance draws 32 bits.
	Now    func() int64
	Chance func() uint32
	// Board makes the bus of a board in another way than over a port; nil for never.
	Board catalog.BoardMaker
}

// Carriers makes the devices of a checked configuration that carry lines for others, each on its wires, and has them
// looked after: whoever joins them with the lines of the machine owns them. One that is absent is no error: it is looked
// for until it is closed.
func Carriers(cfg config.Config, m Machine) ([]carrier.Carrier, error) {
	var all []carrier.Carrier
	var failed []error
	for _, d := range cfg.Devices {
		make, carries := d.Type.Part.(catalog.Carrier)
		if !carries {
			continue
		}
		c, err := carry(cfg, d, make, m)
		if err != nil {
			failed = append(failed, fmt.Errorf("device %s: %w", d.Name, err))
			continue
		}
		c.Interrupt = d.Interrupt
		all = append(all, c)
	}
	if err := errors.Join(failed...); err != nil {
		for _, c := range all {
			err = errors.Join(err, c.Bus.Close())
		}
		return nil, err
	}
	return all, nil
}

// carry makes one of them.
func carry(cfg config.Config, d config.Device, make catalog.Carrier, m Machine) (carrier.Carrier, error) {
	reach := catalog.Reach{ID: d.ID, Now: m.Now, Chance: m.Chance, Board: m.Board, Open: func(baud int) (bus.Port, error) { return m.Port(d.Port, baud) }}
	if d.Type.OnI2C() {
		var err error
		if reach.Wires, err = m.Wires(d.Bus); err != nil {
			return carrier.Carrier{}, err
		}
	}
	carried := catalog.Carried{Name: d.Name, Pins: map[string]catalog.Wiring{}}
	for _, other := range cfg.Devices {
		for role, line := range other.Lines {
			if _, pin, ours := carrier.Split(line, func(name string) bool { return name == d.Name }); ours {
				l, _ := other.Type.Line(role)
				w := cfg.Driver.Wiring[line]
				carried.Pins[pin] = catalog.Wiring{Output: l.Output, ActiveLow: w.ActiveLow, PullUp: w.Bias == config.PullUp}
			}
		}
	}
	return make(reach, carried, d.Values)
}
