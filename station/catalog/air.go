package catalog

import (
	"fmt"
	"strconv"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bme280"
	"scentpost/drivers/bus"
	"scentpost/drivers/buzzer"
	"scentpost/drivers/ds3231"
	"scentpost/drivers/fan"
	"scentpost/drivers/valve"
)

// The choices of SettingSounds, both of them instants at which no search is on.
const (
	AtSessionEnd = "session-end" // everything is revealed
	AtRunEnd     = "run-end"     // the air of a run is purged and the next may be armed; at the end of the session too
)

// bursts are the types that work for a bounded time between runs.
func bursts() []Type {
	return []Type{
		{
			Name: "valve", Class: Purge, About: "a valve that purges a position with clean air",
			Lines:    []Line{{Role: RoleLine, Output: true, About: "opens the valve; closed when it is off"}},
			Settings: []Setting{longest("open", valve.Shortest, valve.MaxLongest, valve.Longest)},
			Burst: func(out bus.Output, v Values) (bus.Burst, error) {
				return valve.New(out, v.Durations[SettingLongest])
			},
		},
		{
			Name: "fan", Class: Purge, About: "a fan that purges the air of the station",
			Lines: []Line{{Role: RoleLine, Output: true, About: "runs the fan; it stands when it is off"}},
			Settings: []Setting{
				longest("run", fan.Shortest, fan.MaxLongest, fan.Longest),
				{Name: SettingRundown, About: "how long it moves air after it was switched off", Max: fan.MaxRundown, Default: fan.Rundown.String()},
			},
			Burst: func(out bus.Output, v Values) (bus.Burst, error) {
				return fan.New(out, v.Durations[SettingLongest], v.Durations[SettingRundown])
			},
		},
		{
			Name: "buzzer", Class: Sound, About: "a buzzer that calls people between runs, silent during a search",
			Lines: []Line{{Role: RoleLine, Output: true, About: "sounds the buzzer"}},
			Settings: []Setting{
				{Name: SettingSounds, About: "when it calls people", Choices: []string{AtSessionEnd, AtRunEnd}, Default: AtSessionEnd},
				longest("sound", buzzer.Shortest, buzzer.MaxLongest, buzzer.Longest),
			},
			Burst: func(out bus.Output, v Values) (bus.Burst, error) {
				return buzzer.New(out, v.Durations[SettingLongest])
			},
		},
	}
}

// environments are the types that measure the air.
func environments() []Type {
	return []Type{
		{
			Name: "bme280", Class: Environment, About: "a sensor of temperature, humidity and pressure on I2C",
			Addresses: bme280.Addresses,
			Settings: []Setting{
				addresses(bme280.Addresses),
				{Name: SettingInterval, About: "time from one sample to the next", Min: 10 * time.Second, Max: time.Hour, Default: time.Minute.String()},
			},
			Environment: func(wires i2c.Bus, v Values) (bus.Environment, error) {
				at, err := strconv.ParseUint(v.Choices[SettingAddress], 0, 16)
				if err != nil {
					return nil, fmt.Errorf("bme280: address: %w", err)
				}
				return bme280.New(wires, uint16(at))
			},
		},
	}
}

// clocks are the types that keep the time over a power cut.
func clocks() []Type {
	known := []uint16{ds3231.Address}
	return []Type{
		{
			Name: "ds3231", Class: Timekeeper, About: "a clock with a battery on I2C, which keeps the time over a power cut",
			Addresses: known,
			Settings: []Setting{
				addresses(known),
				{Name: SettingInterval, About: "time from one look at it to the next", Min: 10 * time.Second, Max: 24 * time.Hour, Default: time.Hour.String()},
			},
			Timekeeper: func(wires i2c.Bus, _ Values) (bus.Timekeeper, error) { return ds3231.New(wires), nil },
		},
	}
}

func longest(does string, least, most, byDefault time.Duration) Setting {
	return Setting{Name: SettingLongest, About: "longest time that it may " + does + " on one command", Min: least, Max: most, Default: byDefault.String()}
}

func addresses(known []uint16) Setting {
	s := Setting{Name: SettingAddress, About: "its address on the I2C bus", Default: hex(known[0])}
	for _, a := range known {
		s.Choices = append(s.Choices, hex(a))
	}
	return s
}

// hex writes an address as a configuration does.
func hex(address uint16) string { return fmt.Sprintf("0x%02x", address) }
