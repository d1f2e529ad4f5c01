package templates

import (
	"fmt"
	"slices"
	"time"
)

// The settings that the station itself reads, in the types that have them. What else there is a part alone reads.
const (
	SettingAddress    = "address"      // of a device on an I2C bus
	SettingBaud       = "baud"         // the speed of a device behind a serial port
	SettingHoldOnLoss = "hold_on_loss" // whether what carries lines may hold a canister open when the daemon is lost
	SettingInterval   = "interval"     // from one measurement to the next
	SettingLongest    = "longest"      // the longest time that a canister may stay open, or that something may work
	SettingOnLoss     = "on_loss"      // what becomes of an open canister when the daemon is lost
	SettingPinch      = "pinch"        // what protects noses and hands from a canister's moves
	SettingRole       = "role"         // of a button
	SettingRundown    = "rundown"      // how long something has an effect after it was switched off
	SettingSounds     = "sounds"       // when a device that sounds calls people
	SettingTravel     = "travel"       // a move that takes longer has failed
)

// The choices of settings that the station itself looks at.
const (
	RoleEmergency = "e-stop"      // of SettingRole: the button that closes every canister at once
	Stays         = "stays"       // of SettingOnLoss: the canister stays open
	Refused       = "refused"     // of SettingHoldOnLoss
	Accepted      = "accepted"    // of SettingHoldOnLoss: somebody looks after it
	AtSessionEnd  = "session-end" // of SettingSounds: everything is revealed
	AtRunEnd      = "run-end"     // of SettingSounds: the air of a run is purged and the next may be armed
)

// RoleLine is the role of the line of a type that has no other.
const RoleLine = "line"

// Values are checked settings of one device: each duration and choice of its type, by name.
type Values struct {
	Durations map[string]time.Duration
	Choices   map[string]string
}

// Check returns the values of a device of the type: the texts that are given, by setting, and the defaults for the rest.
// It returns every problem by the setting's name, nil when there is none; such a setting has no value.
func (t Template) Check(given map[string]string) (Values, map[string]error) {
	v := Values{Durations: map[string]time.Duration{}, Choices: map[string]string{}}
	problems := map[string]error{}
	for _, s := range t.Settings {
		text, said := given[s.Name]
		if !said {
			text = s.Default
		}
		if err := s.read(text, v); err != nil {
			problems[s.Name] = err
		}
	}
	for name := range given {
		if _, known := t.Setting(name); !known {
			problems[name] = fmt.Errorf("a %s has no such setting", t.Name)
		}
	}
	if len(problems) == 0 {
		return v, nil
	}
	return v, problems
}

// Setting returns the setting of a name.
func (t Template) Setting(name string) (Setting, bool) {
	i := slices.IndexFunc(t.Settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return t.Settings[i], true
}

// read puts the value of a text into v.
func (s Setting) read(text string, v Values) error {
	if s.Choices != nil {
		if !slices.Contains(s.Choices, text) {
			return fmt.Errorf("%q cannot be chosen", text)
		}
		v.Choices[s.Name] = text
		return nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no duration", text)
	case d < s.Min || d > s.Max:
		return fmt.Errorf("%s is out of range: from %s to %s", d, s.Min, s.Max)
	}
	v.Durations[s.Name] = d
	return nil
}
