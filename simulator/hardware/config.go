package hardware

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/motor"
	"scentpost/drivers/shutter"
	"scentpost/station/blind"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

// FromConfig returns the layout that a station's configuration describes: exactly its devices, on their lines.
// Canisters that the loading leaves out are blank. Without a loading (nil) each position is loaded by letter from
// DefaultLoading. A loading that names a canister which the station does not have is refused: it is a plan for another
// station.
func FromConfig(cfg config.Config, loading []event.Loaded) (Layout, error) {
	var l Layout
	if lacks := blind.Lacks(loading, cfg.Canisters()); lacks != "" {
		return Layout{}, errors.New(lacks)
	}
	buttons := map[string]bool{}
	for _, d := range cfg.Devices {
		switch d.Type.Class {
		case templates.Canister:
			c := Canister{Position: d.Position, Name: d.Canister, Odour: odourOf(d.Canister, loading),
				Drive: d.Lines[shutter.Drive], Opened: d.Lines[shutter.Opened], Closed: d.Lines[shutter.Closed]}
			if d.Lines[motor.Open] != "" {
				c.Drive, c.Shut = d.Lines[motor.Open], d.Lines[motor.Close]
			}
			l.Canisters = append(l.Canisters, c)
		case templates.Beam:
			l.Beams = append(l.Beams, Beam{Position: d.Position, Line: soleLine(d)})
		case templates.Button:
			// A button is called by its role, a second one of the role by its own name.
			name := d.Values.Choices[templates.SettingRole]
			if buttons[name] {
				name = d.Name
			}
			buttons[name] = true
			l.Buttons = append(l.Buttons, Button{Name: name, Line: soleLine(d)})
		case templates.Light:
			l.Lights = append(l.Lights, Light{Name: d.Name, Line: soleLine(d)})
		case templates.Purge:
			l.Blowers = append(l.Blowers, Blower{Name: d.Name, Position: d.Position, Line: soleLine(d)})
		case templates.Sound:
			l.Sounders = append(l.Sounders, Sounder{Name: d.Name, Line: soleLine(d)})
		case templates.Board: // what plays it has its pins as lines: package rig
		default:
			if err := l.other(d); err != nil {
				return Layout{}, fmt.Errorf("device %s: %w", d.Name, err)
			}
		}
	}
	return l, l.Check()
}

// other adds a device of a class that the virtual station does nothing of its own for: a chip, or lines that rest.
func (l *Layout) other(d config.Device) error {
	if d.Type.OnI2C() {
		chip, err := newChip(d)
		l.Chips = append(l.Chips, chip)
		return err
	}
	for _, line := range d.Type.Lines {
		name := d.Name
		if len(d.Type.Lines) > 1 {
			name += "." + line.Role
		}
		if line.Output {
			l.Switches = append(l.Switches, Switch{Name: name, Line: d.Lines[line.Role]})
			continue
		}
		l.Contacts = append(l.Contacts, Contact{Name: name, Line: d.Lines[line.Role], Sealed: d.Type.Tells != templates.Nothing})
	}
	return nil
}

// odourOf returns what a loading puts into a canister.
func odourOf(canister string, loading []event.Loaded) string {
	if loading == nil {
		return byLetter(canister)
	}
	for _, l := range loading {
		if l.Canister == canister {
			return l.Odour
		}
	}
	return NoOdour
}

// byLetter returns the odour of the default loading for a canister such as "1A".
func byLetter(canister string) string {
	if n := len(canister); n > 0 {
		if i := int(canister[n-1]) - 'A'; i >= 0 && i < len(DefaultLoading) {
			return DefaultLoading[i]
		}
	}
	return NoOdour
}

// soleLine returns the one line of a device that has no more.
func soleLine(d config.Device) string {
	for _, line := range d.Lines {
		return line
	}
	return ""
}

// chips are the models of those that a device of a type on I2C can be, by the type's name.
var chips = map[string]func(address uint16) i2c.Bus{
	"bme280": func(address uint16) i2c.Bus { return bustest.NewBME280(address) },
	"ds3231": func(uint16) i2c.Bus { return bustest.NewDS3231(func() time.Time { return time.Time{} }) }, // until New has it follow the world
	// Every output has its external pull towards the safe level, and every switch one towards inactive.
	"mcp23017": func(address uint16) i2c.Bus { return bustest.NewMCP23017(address, 0) },
}

// newChip returns the chip that a device on I2C is.
func newChip(d config.Device) (Chip, error) {
	model := chips[d.Type.Name]
	if model == nil {
		return Chip{}, fmt.Errorf("a virtual station has no model of a %s: give it one in drivers/bus/bustest, and name it in simulator/hardware", d.Type.Name)
	}
	address, err := strconv.ParseUint(d.Address, 0, 16)
	if err != nil {
		return Chip{}, fmt.Errorf("address %q: expected one such as 0x76", d.Address)
	}
	return Chip{Name: d.Name, Bus: d.Bus, Address: uint16(address), Chip: model(uint16(address)), Interrupt: d.Interrupt}, nil
}
