// Package catalog is the one table of the device types that a station's configuration may name.
package catalog

import (
	"fmt"
	"slices"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/beam"
	"scentpost/drivers/bus"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/bus/settle"
	"scentpost/drivers/button"
	"scentpost/drivers/light"
	"scentpost/drivers/motor"
	"scentpost/drivers/shutter"
)

// Class says what the station uses a device for.
type Class string

// The classes of devices.
const (
	Beam     Class = "beam"     // a nose at a position
	Button   Class = "button"   // a hand
	Canister Class = "canister" // presents and closes an aid at a position
	Light    Class = "light"    // shows something to people

	Purge       Class = "purge"       // changes the air between runs
	Sound       Class = "sound"       // is heard, never during a search
	Environment Class = "environment" // measures the air
	Timekeeper  Class = "clock"       // keeps the time over a power cut
	Expander    Class = "expander"    // carries lines for other devices
	Board       Class = "board"       // a microcontroller that carries lines for other devices
)

// Line is one line that a device of a type needs.
type Line struct {
	Role   string // its key in the configuration
	Output bool
	About  string
}

// Setting is one number or choice that a device of a type may be given.
type Setting struct {
	Name  string
	About string
	// Choices are the words allowed; nil for a duration between Min and Max.
	Choices  []string
	Min, Max time.Duration
	// Default is the duration or the choice when the configuration says nothing; "" means that it must say.
	Default string
}

// Values are checked settings: each duration and choice of the type, by name.
type Values struct {
	Durations map[string]time.Duration
	Choices   map[string]string
}

// Type is one device type.
type Type struct {
	Name     string // the word in the configuration
	Class    Class
	About    string
	Lines    []Line
	Settings []Setting
	// Sensor makes the part of a beam or button, whose one line is the first of Lines; nil for other classes.
	Sensor func(Values) (bus.Sensor, error)
	// Gate makes the part of a canister; nil for other classes.
	Gate func(Values) (bus.Gate, error)
	// Drive makes what moves a canister with several outputs, by their roles; nil where its one output does.
	Drive func(map[string]bus.Output, Values) (bus.Drive, error)
	// Lamp makes the part of a light on its one output; nil for other classes.
	Lamp func(bus.Output) bus.Lamp
	// Burst makes the part of what works for a bounded time on its one output; nil for other classes.
	Burst func(bus.Output, Values) (bus.Burst, error)
	// Environment makes the part of a sensor of the air on its wires; nil for other classes.
	Environment func(i2c.Bus, Values) (bus.Environment, error)
	// Timekeeper makes the part of a clock that survives a power cut, on its wires; nil for other classes.
	Timekeeper func(i2c.Bus, Values) (bus.Timekeeper, error)
	// Addresses are those that a part on I2C can have; nil for a part on lines.
	Addresses []uint16
	// Port says that it is reached over a serial port, and has an id of its own.
	Port bool
	// Carrier makes what carries lines for other devices on its wires, and has it looked after; nil for other classes.
	Carrier func(Reach, Carried, Values) (carrier.Carrier, error)
	// Pins are the lines that it carries, and Biases those that it can give them.
	Pins   []Pin
	Biases []string
	// Supply is what a resistor pulls its pins up to ("5 V").
	Supply string
	// NoPins says of names that people look for why they are no pins.
	NoPins string
	// Interrupts says that it may ask to be read, by a line of the machine. Polled says that what is over before it is
	// read leaves nothing, and HoldsOnLoss that its outputs keep their level when nobody speaks to it; see Carries.
	Interrupts, Polled, HoldsOnLoss bool
}

// The names of the settings, and the role of a sole line.
const (
	SettingSettle  = "settle"
	SettingStuck   = "stuck"
	SettingTravel  = "travel"
	SettingLongest = "longest"
	SettingRole    = "role"
	SettingPinch   = "pinch"
	SettingOnLoss  = "on_loss"
	RoleLine       = "line"

	SettingAddress  = "address" // of a device on an I2C bus
	SettingInterval = "interval"
	SettingRundown  = "rundown"
	SettingSounds   = "sounds"
)

// RoleEmergency is the role of a button that closes every canister at once.
const RoleEmergency = "e-stop"

// The choices of SettingPinch: what keeps a nose or a hand from being hurt between the shutter and its frame.
const (
	OutOfReach = "out-of-reach" // neither gets there while the shutter moves
	Guard      = "guard"        // a grille or collar keeps them out
	SoftEdge   = "soft-edge"    // the edge yields by itself, deeper than the drive runs on
	LowForce   = "low-force"    // the whole drive presses with at most LowForceN, measured at the closing edge
)

// The choices of SettingOnLoss. Both lines of a motor are off when the daemon is lost, so that nobody drives it.
const (
	Closes = "closes" // something else closes it, such as a spring behind a brake that needs power
	Stays  = "stays"  // a gear or a brake holds it where it is until the daemon is back, and somebody looks after it
)

// LowForceN is the most, in newtons, that a shutter of low force may press with. No standard knows a dog's nose: it is
// our assumption, a fifteenth of what standards for powered doors allow at a person.
const LowForceN = 10

// pinch is the setting of all that moves near a nose. It has no default: somebody must have looked.
func pinch() Setting {
	return Setting{Name: SettingPinch, About: "what keeps a nose or a hand from being hurt by a move",
		Choices: []string{OutOfReach, Guard, SoftEdge, LowForce}}
}

// Longest is the default of the longest time that a canister may stay open: an odour that stands longer than a
// run and its aftermath fills the room.
const Longest = 5 * time.Minute

// ButtonRoles are the roles that a button may have.
var ButtonRoles = []string{"alert", "all clear", "start", "abort", RoleEmergency}

// Types returns the table, in the order in which it is shown to people. The caller may change what it gets.
func Types() []Type {
	return slices.Concat(basics(), bursts(), environments(), clocks(), expanders(), boards())
}

// OnI2C tells whether a device of the type is reached over an I2C bus, which its configuration names beside its address.
func (t Type) OnI2C() bool { return t.Addresses != nil }

// basics are the types that no station is without.
func basics() []Type {
	return []Type{
		{
			Name: "beam", Class: Beam, About: "a light beam that a nose breaks",
			Lines:    []Line{{Role: RoleLine, About: "active while the beam is broken"}},
			Settings: []Setting{settling(beam.Settle)},
			Sensor:   func(v Values) (bus.Sensor, error) { return beam.New(v.Durations[SettingSettle]) },
		},
		{
			Name: "button", Class: Button, About: "a button in somebody's hand",
			Lines: []Line{{Role: RoleLine, About: "active while the button is pressed"}},
			Settings: []Setting{
				{Name: SettingRole, About: "what it is for", Choices: ButtonRoles},
				settling(button.Settle),
				{Name: SettingStuck, About: "held longer than this it is stuck", Min: button.MinStuck, Max: time.Minute, Default: button.Stuck.String()},
			},
			Sensor: newButton,
		},
		{
			Name: "shutter", Class: Canister, About: "a canister's shutter with a limit switch at either end",
			Lines: []Line{
				{Role: shutter.Drive, Output: true, About: "opens the shutter; closed when it is off"},
				{Role: shutter.Opened, About: "active while it is wholly open"},
				{Role: shutter.Closed, About: "active while it is wholly closed"},
			},
			Settings: []Setting{
				settling(shutter.Settle),
				{Name: SettingTravel, About: "a move that takes longer has failed", Min: time.Millisecond, Max: shutter.MaxTravel, Default: shutter.Travel.String()},
				{Name: SettingLongest, About: "longest time that it may stay open", Min: time.Second, Max: time.Hour, Default: Longest.String()},
				pinch(),
			},
			Gate: func(v Values) (bus.Gate, error) {
				return shutter.New(v.Durations[SettingSettle], v.Durations[SettingTravel])
			},
		},
		motorShutter(),
		{
			Name: "light", Class: Light, About: "a lamp",
			Lines: []Line{{Role: RoleLine, Output: true, About: "on while it burns"}},
			Lamp:  func(out bus.Output) bus.Lamp { return light.New(out) },
		},
	}
}

// Find returns the type of a name; ok is false when there is none.
func Find(name string) (t Type, ok bool) {
	for _, t := range Types() {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// motorShutter is the type of a shutter that a motor moves both ways.
func motorShutter() Type {
	return Type{
		Name: "motor-shutter", Class: Canister, About: "a canister's shutter moved both ways by a motor, with a limit switch at either end",
		Lines: []Line{
			{Role: motor.Open, Output: true, About: "moves it towards open while it is on"},
			{Role: motor.Close, Output: true, About: "moves it towards closed while it is on"},
			{Role: shutter.Opened, About: "active while it is wholly open"},
			{Role: shutter.Closed, About: "active while it is wholly closed"},
		},
		Settings: []Setting{
			settling(shutter.Settle),
			{Name: SettingTravel, About: "a move that takes longer has failed, and the motor is switched off", Min: time.Millisecond, Max: motor.MaxTravel, Default: shutter.Travel.String()},
			{Name: SettingLongest, About: "longest time that it may stay open", Min: time.Second, Max: time.Hour, Default: Longest.String()},
			pinch(),
			{Name: SettingOnLoss, About: "what becomes of it, open, when the daemon is lost", Choices: []string{Closes, Stays}},
		},
		Gate: func(v Values) (bus.Gate, error) {
			return shutter.New(v.Durations[SettingSettle], v.Durations[SettingTravel])
		},
		Drive: func(out map[string]bus.Output, v Values) (bus.Drive, error) {
			return motor.New(out[motor.Open], out[motor.Close], v.Durations[SettingTravel])
		},
	}
}

func settling(byDefault time.Duration) Setting {
	return Setting{Name: SettingSettle, About: "a change counts when the line then stood still for this long", Max: settle.MaxSettle, Default: byDefault.String()}
}

func newButton(v Values) (bus.Sensor, error) {
	if v.Choices[SettingRole] == RoleEmergency {
		return button.NewEmergency(v.Durations[SettingSettle])
	}
	return button.New(v.Durations[SettingSettle], v.Durations[SettingStuck])
}

// Check returns the values of a device of type t: what the configuration says, text by setting, and the defaults
// for the rest. It returns every problem by the setting's name, nil when there is none.
func (t Type) Check(given map[string]string) (Values, map[string]error) {
	v := Values{Durations: map[string]time.Duration{}, Choices: map[string]string{}}
	problems := map[string]error{}
	known := map[string]bool{}
	for _, s := range t.Settings {
		known[s.Name] = true
		text, said := given[s.Name]
		if !said {
			text = s.Default
		}
		if err := s.read(text, v); err != nil {
			problems[s.Name] = err
		}
	}
	for name := range given {
		if !known[name] {
			problems[name] = fmt.Errorf("a %s has no such setting", t.Name)
		}
	}
	if len(problems) > 0 {
		return Values{}, problems
	}
	return v, nil
}

// read puts the value of s into v.
func (s Setting) read(text string, v Values) error {
	if s.Choices != nil {
		for _, c := range s.Choices {
			if c == text {
				v.Choices[s.Name] = text
				return nil
			}
		}
		return fmt.Errorf("%q, expected one of %q", text, s.Choices)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < s.Min || d > s.Max {
		return fmt.Errorf("%q, expected a duration from %s to %s", text, s.Min, s.Max)
	}
	v.Durations[s.Name] = d
	return nil
}
