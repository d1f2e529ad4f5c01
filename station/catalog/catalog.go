// Package catalog is the one table of the device types that a station's configuration may name: a row is a template and a
// constructor.
//
// The template is a file of configs/devices and says all that is data: the class, the lines, the settings with their bounds
// and defaults. The constructor makes the part of such a device from its values. It is one of the types of this package, each
// of which is a contract of drivers/bus.
package catalog

import (
	"fmt"
	"slices"
	"sync"

	"periph.io/x/conn/v3/i2c"

	"scentpost/configs"
	"scentpost/drivers/beam"
	"scentpost/drivers/bme280"
	"scentpost/drivers/bus"
	"scentpost/drivers/button"
	"scentpost/drivers/buzzer"
	"scentpost/drivers/ds3231"
	"scentpost/drivers/fan"
	"scentpost/drivers/light"
	"scentpost/drivers/motor"
	"scentpost/drivers/shutter"
	"scentpost/drivers/valve"
	"scentpost/station/templates"
)

// rows is the table. The name of a row is that of its template.
var rows = []struct {
	name string
	part templates.Part
}{
	{"beam", Sensor(func(v templates.Values) (bus.Sensor, error) { return beam.New(v.Durations[settle]) })},
	{"button", Sensor(newButton)},
	{"shutter", Canister{Gate: newShutter}},
	{"motor-shutter", Canister{Gate: newShutter, Drive: newMotor}},
	{"light", Lamp(func(out bus.Output) bus.Lamp { return light.New(out) })},
	{"valve", Burst(func(out bus.Output, v templates.Values) (bus.Burst, error) {
		return valve.New(out, v.Durations[longest])
	})},
	{"fan", Burst(func(out bus.Output, v templates.Values) (bus.Burst, error) {
		return fan.New(out, v.Durations[longest], v.Durations[templates.SettingRundown])
	})},
	{"buzzer", Burst(func(out bus.Output, v templates.Values) (bus.Burst, error) {
		return buzzer.New(out, v.Durations[longest])
	})},
	{"bme280", Environment(newBME280)},
	{"ds3231", Timekeeper(func(wires i2c.Bus, _ templates.Values) (bus.Timekeeper, error) { return ds3231.New(wires), nil })},
	{"mcp23017", Carrier(newMCP23017)},
	{"nano", Carrier(newBoard)},
}

// The settings that parts alone read, and one that the station reads too.
const (
	settle    = "settle"    // a change counts when the line then stood still for this long
	stuck     = "stuck"     // a button that is held longer is stuck
	poll      = "poll"      // from one look at a chip to the next
	heartbeat = "heartbeat" // the outputs of a board that hears nothing for this long fall back

	longest = templates.SettingLongest
)

// Types returns the table, in the order in which it is shown to people.
func Types() []templates.Type { return slices.Clone(table()) }

// Find returns the type of a name; ok is false when there is none.
func Find(name string) (t templates.Type, ok bool) {
	i := slices.IndexFunc(table(), func(t templates.Type) bool { return t.Name == name })
	if i < 0 {
		return templates.Type{}, false
	}
	return table()[i], true
}

// table joins the rows with their templates, once. Both come with the program, so that a row without its template, or one that
// does not fit, is a mistake in the program; a test reads them all.
var table = sync.OnceValue(func() []templates.Type {
	all := make([]templates.Type, len(rows))
	for i, row := range rows {
		file, src, err := configs.Files{}.Read(configs.Devices, row.name)
		if err != nil {
			panic(fmt.Sprintf("catalog: %s has no template: %v", row.name, err))
		}
		all[i].Part = row.part
		if all[i].Template, err = templates.Parse(file, src, templates.Classes()); err != nil {
			panic(fmt.Sprintf("catalog: %v", err))
		}
		if err := row.part.Fits(all[i].Template); err != nil {
			panic(fmt.Sprintf("catalog: %s: %v", file, err))
		}
	}
	return all
})

func newButton(v templates.Values) (bus.Sensor, error) {
	if v.Choices[templates.SettingRole] == templates.RoleEmergency {
		return button.NewEmergency(v.Durations[settle])
	}
	return button.New(v.Durations[settle], v.Durations[stuck])
}

func newShutter(v templates.Values) (bus.Gate, error) {
	return shutter.New(v.Durations[settle], v.Durations[templates.SettingTravel])
}

func newMotor(out map[string]bus.Output, v templates.Values) (bus.Drive, error) {
	return motor.New(out[motor.Open], out[motor.Close], v.Durations[templates.SettingTravel])
}

func newBME280(wires i2c.Bus, v templates.Values) (bus.Environment, error) {
	at, err := addressOf(v)
	if err != nil {
		return nil, fmt.Errorf("bme280: %w", err)
	}
	return bme280.New(wires, at)
}
