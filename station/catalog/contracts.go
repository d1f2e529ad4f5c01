package catalog

import (
	"errors"
	"fmt"
	"strconv"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
	"scentpost/station/templates"
)

// Sensor makes what makes facts of the edges of one input line. Its edges and facts are public records.
type Sensor func(templates.Values) (bus.Sensor, error)

// Canister makes what presents and closes an aid.
type Canister struct {
	Gate func(templates.Values) (bus.Gate, error)
	// Drive makes what moves a canister with several outputs, by their roles; nil where its one output does.
	Drive func(map[string]bus.Output, templates.Values) (bus.Drive, error)
}

// Lamp makes what shows something, on one output line.
type Lamp func(bus.Output) bus.Lamp

// Burst makes what works for a bounded time, on one output line.
type Burst func(bus.Output, templates.Values) (bus.Burst, error)

// Environment makes a sensor of the air, on its wires. Its samples are public records.
type Environment func(i2c.Bus, templates.Values) (bus.Environment, error)

// Timekeeper makes a clock that goes on over a power cut, on its wires.
type Timekeeper func(i2c.Bus, templates.Values) (bus.Timekeeper, error)

// Fits implements templates.Part.
func (Sensor) Fits(t templates.Template) error {
	return errors.Join(public(t), soleLine(t, false))
}

// Fits implements templates.Part.
func (c Canister) Fits(t templates.Template) error {
	outputs := 0
	for _, l := range t.Lines {
		if l.Output {
			outputs++
		}
	}
	switch {
	case outputs == 0 || (outputs > 1) != (c.Drive != nil):
		return fmt.Errorf("%d outputs: one is expected, or several with a constructor of the drive that has them", outputs)
	case t.Tells != templates.Placement:
		return fmt.Errorf("tells %s: a canister tells %s", t.Tells, templates.Placement)
	}
	return settings(t, templates.SettingLongest, templates.SettingPinch)
}

// Fits implements templates.Part.
func (Lamp) Fits(t templates.Template) error { return soleLine(t, true) }

// Fits implements templates.Part.
func (Burst) Fits(t templates.Template) error {
	return errors.Join(soleLine(t, true), settings(t, templates.SettingLongest))
}

// Fits implements templates.Part.
func (Environment) Fits(t templates.Template) error {
	return errors.Join(public(t), onI2C(t))
}

// Fits implements templates.Part.
func (Timekeeper) Fits(t templates.Template) error { return onI2C(t) }

// public refuses what may not be told before the reveal: a contract whose facts are public records has no seal for it.
func public(t templates.Template) error {
	if t.Tells != templates.Nothing {
		return fmt.Errorf("tells %s: what it gives would be public before the reveal; an event with a sealed body is needed, and a contract that gives it", t.Tells)
	}
	return nil
}

// soleLine expects one line, in or out.
func soleLine(t templates.Template, output bool) error {
	if len(t.Lines) != 1 || t.Lines[0].Role != templates.RoleLine || t.Lines[0].Output != output {
		return fmt.Errorf("one line with the role %s is expected, output: %t", templates.RoleLine, output)
	}
	return nil
}

// onI2C expects addresses, and how often the device is asked.
func onI2C(t templates.Template) error {
	if !t.OnI2C() {
		return errors.New("addresses on an I2C bus are expected")
	}
	return settings(t, templates.SettingInterval)
}

// settings expects settings that the station reads.
func settings(t templates.Template, names ...string) error {
	for _, name := range names {
		if _, known := t.Setting(name); !known {
			return fmt.Errorf("a setting %s is expected", name)
		}
	}
	return nil
}

// addressOf is the address on an I2C bus.
func addressOf(v templates.Values) (uint16, error) {
	text := v.Choices[templates.SettingAddress]
	at, err := strconv.ParseUint(text, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("address %q: one such as 0x76 is expected", text)
	}
	return uint16(at), nil
}
