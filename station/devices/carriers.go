package devices

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/catalog"
	"scentpost/station/config"
)

// Carriers makes the devices of a checked configuration that carry lines for others, each on its wires, and has them
// looked after: whoever joins them with the lines of the machine owns them. One that is absent is no error: it is looked
// for until it is closed.
func Carriers(cfg config.Config, wires func(name string) (bus.Wires, error)) ([]carrier.Carrier, error) {
	var all []carrier.Carrier
	var failed []error
	for _, d := range cfg.Devices {
		typ, known := catalog.Find(d.Type)
		if !known || typ.Carrier == nil {
			continue
		}
		c, err := carries(cfg, d, typ, wires)
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

// carries makes one of them.
func carries(cfg config.Config, d config.Device, typ catalog.Type, wires func(name string) (bus.Wires, error)) (carrier.Carrier, error) {
	values, problems := typ.Check(d.Settings)
	if len(problems) > 0 {
		var all []error
		for _, setting := range slices.Sorted(maps.Keys(problems)) {
			all = append(all, fmt.Errorf("%s: %w", setting, problems[setting]))
		}
		return carrier.Carrier{}, errors.Join(all...)
	}
	on, err := wires(d.Bus)
	if err != nil {
		return carrier.Carrier{}, err
	}
	carried := catalog.Carried{Name: d.Name, Pins: map[string]catalog.Wiring{}}
	for _, other := range cfg.Devices {
		for _, line := range other.Lines {
			if _, pin, ours := carrier.Split(line, func(name string) bool { return name == d.Name }); ours {
				w := cfg.Driver.Wiring[line]
				carried.Pins[pin] = catalog.Wiring{ActiveLow: w.ActiveLow, PullUp: w.Bias == catalog.PullUp}
			}
		}
	}
	return typ.Carrier(on, carried, values)
}
