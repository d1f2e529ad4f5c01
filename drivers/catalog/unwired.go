package catalog

import (
	"fmt"
	"strconv"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bme280"
	"scentpost/drivers/bus"
	"scentpost/drivers/buzzer"
	"scentpost/drivers/fan"
	"scentpost/drivers/mcp23017"
	"scentpost/drivers/valve"
)

// The classes of devices that no station uses yet.
const (
	Purge       Class = "purge"       // moves air between runs
	Sound       Class = "sound"       // is heard; never during a search
	Environment Class = "environment" // measures the air
	Expander    Class = "expander"    // carries lines for other devices
)

// The names of the settings of these types.
const (
	SettingAddress    = "address"
	SettingInterval   = "interval"
	SettingPoll       = "poll"
	SettingRundown    = "rundown"
	SettingHoldOnLoss = "hold_on_loss"
)

// Refused and Accepted are the choices of SettingHoldOnLoss.
const (
	Refused  = "refused"
	Accepted = "accepted"
)

// Unwired returns the types whose parts are finished and which no station can be given yet, as nothing above the parts
// uses their class. A type moves to Types with the wiring.
func Unwired() []Type {
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
			Name: "buzzer", Class: Sound, About: "a buzzer, silent during a search",
			Lines:    []Line{{Role: RoleLine, Output: true, About: "sounds the buzzer"}},
			Settings: []Setting{longest("sound", buzzer.Shortest, buzzer.MaxLongest, buzzer.Longest)},
			Burst: func(out bus.Output, v Values) (bus.Burst, error) {
				return buzzer.New(out, v.Durations[SettingLongest])
			},
		},
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
		{
			Name: "mcp23017", Class: Expander, About: "a port expander on I2C, whose sixteen pins serve other devices as lines",
			Addresses: expanders(), HoldsOnLoss: true,
			Settings: []Setting{
				addresses(expanders()),
				{Name: SettingPoll, About: "time from one look at the chip to the next", Min: 50 * time.Millisecond, Max: time.Second, Default: (250 * time.Millisecond).String()},
				{Name: SettingHoldOnLoss, About: "whether a canister may stay open until the daemon is back", Choices: []string{Refused, Accepted}, Default: Refused},
			},
		},
	}
}

// expanders are the addresses of an MCP23017.
func expanders() []uint16 {
	var out []uint16
	for at := mcp23017.FirstAddress; at <= mcp23017.LastAddress; at++ {
		out = append(out, uint16(at))
	}
	return out
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

// Carries tells whether a device of type part may have its outputs on the lines of a carrier of type t with the values
// v. A carrier whose outputs keep their level when nobody speaks to it may carry a canister only when the configuration
// accepts that: the dead-man of a dead daemon closes nothing.
func (t Type) Carries(v Values, part Type) error {
	if !t.HoldsOnLoss || part.Class != Canister || v.Choices[SettingHoldOnLoss] == Accepted {
		return nil
	}
	return fmt.Errorf("a %s holds its outputs when the daemon is lost, so the %s would stay open until the daemon is back "+
		"(put its drive on a line of the board, or set %s: %s on the %s and say in your procedure who looks after it)",
		t.Name, part.Name, SettingHoldOnLoss, Accepted, t.Name)
}
