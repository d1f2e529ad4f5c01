package devices

import (
	"scentpost/station/catalog"
	"scentpost/station/config"
)

// Types returns what a configuration may name: the drivers that this program has and the catalogue's types.
func Types() config.Types {
	types := config.Types{Drivers: []string{config.DriverVirtual, config.DriverLinux}}
	for _, t := range catalog.Types() {
		device := config.Type{Name: t.Name, Class: config.Class(t.Class), OnI2C: t.OnI2C(), Port: t.Port}
		for _, l := range t.Lines {
			device.Lines = append(device.Lines, config.Line{Role: l.Role, Output: l.Output})
		}
		for _, s := range t.Settings {
			device.Settings = append(device.Settings,
				config.Setting{Name: s.Name, Choices: s.Choices, Min: s.Min, Max: s.Max, Default: s.Default})
		}
		device.Interrupt, device.Carrier = t.Interrupts, offers(t)
		types.Devices = append(types.Devices, device)
	}
	return types
}

// offers returns what a type offers that carries lines, nil for every other one.
func offers(t catalog.Type) *config.Carrier {
	if t.Carrier == nil {
		return nil
	}
	c := &config.Carrier{Biases: t.Biases, Supply: t.Supply, NoPins: t.NoPins, Refuse: func(on, d config.Device, l config.Line, pin string) error { return refuses(t, on, d, l, pin) }}
	for _, p := range t.Pins {
		c.Pins = append(c.Pins, p.Name)
	}
	return c
}

// refuses asks the catalogue whether a carrier can serve a line of a device.
func refuses(t catalog.Type, on, d config.Device, l config.Line, pin string) error {
	part, known := catalog.Find(d.Type)
	values, problems := t.Check(on.Settings)
	if !known || problems != nil {
		return nil // which is told where it stands
	}
	return t.Carries(values, part, d.Settings, catalog.Line{Role: l.Role, Output: l.Output}, pin)
}
