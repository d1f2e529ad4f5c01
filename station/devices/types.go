package devices

import (
	"scentpost/drivers/catalog"
	"scentpost/station/config"
)

// Types returns what a configuration may name: the drivers that this program has and the catalogue's types.
func Types() config.Types {
	types := config.Types{Drivers: []string{config.DriverVirtual, config.DriverLinux}}
	for _, t := range catalog.Types() {
		device := config.Type{Name: t.Name, Class: config.Class(t.Class), OnI2C: t.OnI2C()}
		for _, l := range t.Lines {
			device.Lines = append(device.Lines, config.Line{Role: l.Role, Output: l.Output})
		}
		for _, s := range t.Settings {
			device.Settings = append(device.Settings,
				config.Setting{Name: s.Name, Choices: s.Choices, Min: s.Min, Max: s.Max, Default: s.Default})
		}
		types.Devices = append(types.Devices, device)
	}
	return types
}
