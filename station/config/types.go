package config

import (
	"slices"
	"time"
)

// Class says what a station uses a device for; the rules of a configuration go by it.
type Class string

// The classes of devices.
const (
	Beam     Class = "beam"     // a nose at a position
	Button   Class = "button"   // a hand
	Canister Class = "canister" // presents and closes an aid at a position
	Light    Class = "light"    // shows something to people

	Purge       Class = "purge"       // changes the air between runs, of a position or of all
	Sound       Class = "sound"       // is heard, never during a search
	Environment Class = "environment" // measures the air
	Timekeeper  Class = "clock"       // keeps the time over a power cut
	Expander    Class = "expander"    // carries lines for other devices
	Board       Class = "board"       // a microcontroller that carries lines for other devices
)

// Types is what a configuration may name. The caller makes it from its catalogue of drivers, so that this
// package needs to know none.
type Types struct {
	Drivers []string
	Devices []Type
}

// Type is one type of device.
type Type struct {
	Name     string
	Class    Class
	Lines    []Line
	Settings []Setting
	// OnI2C is set for a device on an I2C bus: it names the bus, and has the setting SettingAddress.
	OnI2C bool
	// Port is set for a device behind a serial port: it names the port, and has an id.
	Port bool
	// Interrupt is set for a device on an I2C bus that may ask to be read by a line.
	Interrupt bool
	// Carrier is what it offers to other devices, nil for a type that carries no lines.
	Carrier *Carrier
}

// Line is one line that a device of the type needs.
type Line struct {
	Role   string // its key under "lines"; the one line of a type that has no other is given as "line"
	Output bool
}

// Setting is one choice or duration that a device of the type may be given.
type Setting struct {
	Name string
	// Choices are the words allowed; nil for a duration from Min to Max.
	Choices  []string
	Min, Max time.Duration
	// Default counts when the file says nothing; "" means that it must say.
	Default string
}

// The settings that this package compares with the station's timing, in the types that have them.
const (
	SettingTravel  = "travel"  // a move that takes longer has failed
	SettingLongest = "longest" // the longest time that a canister may stay open
	SettingRole    = "role"    // of a button
	SettingPinch   = "pinch"   // what protects noses and hands from a canister's moves
	SettingOnLoss  = "on_loss" // what becomes of an open canister when the daemon is lost
	SettingAddress = "address" // of a device on an I2C bus
)

// onLossStays is the choice of SettingOnLoss that leaves a canister open.
const onLossStays = "stays"

// roleEStop is the role of the button that closes everything.
const roleEStop = "e-stop"

// find returns the type of a name.
func (t Types) find(name string) (Type, bool) {
	i := slices.IndexFunc(t.Devices, func(d Type) bool { return d.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return t.Devices[i], true
}

// names returns the names of all device types.
func (t Types) names() []string {
	var out []string
	for _, d := range t.Devices {
		out = append(out, d.Name)
	}
	return out
}

// value returns the text of a device's setting: what the file gives, or the default.
func (t Type) value(d Device, setting string) string {
	if text, ok := d.Settings[setting]; ok {
		return text
	}
	for _, s := range t.Settings {
		if s.Name == setting {
			return s.Default
		}
	}
	return ""
}

// settingNames returns the names of the type's settings.
func (t Type) settingNames() []string {
	var out []string
	for _, s := range t.Settings {
		out = append(out, s.Name)
	}
	return out
}

// roles returns the roles of the type's lines.
func (t Type) roles() []string {
	var out []string
	for _, l := range t.Lines {
		out = append(out, l.Role)
	}
	return out
}
