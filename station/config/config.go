// Package config turns the text of a station.yaml into a checked Config, or into all that is wrong with it.
package config

import (
	"crypto/sha256"
	"slices"
	"time"

	"scentpost/station/event"
	"scentpost/station/strict"
	"scentpost/station/templates"
	"scentpost/station/uplink/address"
)

// Config is a station as it is to be, checked as far as it can be without the station.
type Config struct {
	// Site and Station name the station in its records and topics: small letters, digits and hyphens.
	Site, Station string
	// Data is the station's own folder, Socket the Unix socket for commands.
	Data, Socket string
	Driver       Driver
	Broker       Broker
	People       []Person
	// Authorities are the verifier keys (note form) whose shares of a seed are taken.
	Authorities []string
	// Positions is how many positions the station has, numbered from 1.
	Positions int
	Timing    Timing
	Clock     Clock
	Metrics   Metrics
	Devices   []Device
	// Warnings are what is allowed but seldom meant, by place.
	Warnings []strict.Problem

	hash [sha256.Size]byte
}

// The drivers.
const (
	DriverVirtual = "virtual" // of a station without hardware
	DriverLinux   = "linux"   // GPIO lines and I2C buses of this machine
)

// drivers are all of them.
var drivers = []string{DriverVirtual, DriverLinux}

// The biases of a line: what holds it when nothing drives it. As it is when not given.
var biases = []string{PullUp, pullDown, noBias}

// Driver says where the lines are.
type Driver struct {
	Type   string // one of the drivers
	Socket string // of a virtual station
	// Simulated is set where what the lines of this machine lead to is played, as by a rig of boards.
	Simulated bool
	// Wiring says how lines of this machine are wired; a line that is not in it is active when it is high.
	Wiring map[string]Wiring
}

// Wiring is how a line is wired.
type Wiring struct {
	ActiveLow bool   `yaml:"active_low"`
	Bias      string `yaml:"bias"` // pull-up, pull-down, none; "" leaves it as it is
	// External is the resistor that holds the line while nobody drives it, pull-up or pull-down; "" for none. The kernel is
	// not told: it is what the canisters' safe state rests on.
	External string `yaml:"external"`
}

// Broker is where the station reports to; without an address it reports nowhere.
type Broker struct {
	Address  address.Address
	ClientID string // site and station when the file does not say
	User     string
	// PasswordFile is the file that holds the password. The password itself is never in the configuration.
	PasswordFile string
	// CAFile holds the authorities that may sign the broker's certificate, in PEM; "" for those of the system.
	CAFile string
	// CertFile and KeyFile hold the station's own certificate and its key, in PEM; both or none.
	CertFile, KeyFile string
}

// Person is somebody who uses the station.
type Person struct {
	Name  string
	Roles []event.Role
	// UID is the person's account on the machine, -1 without one. Accounts may be shared; it costs blindness.
	UID int
}

// Timing are the station's numbers that trials run by.
type Timing struct {
	Lead       time.Duration // from arming to the common start of all moves
	Travel     time.Duration // from the start of the moves to "presented"
	Close      time.Duration // from the lock or void to "closed"
	Grid       time.Duration // the public grid that a mechanical void falls on
	Withdraw   time.Duration // how long an entered call may be taken back
	LongPress  time.Duration // a press of the alert button as long as this is all clear
	Open       time.Duration // the longest time that a canister may stay open
	EdgeBudget int           // raw edges of one line in one run
}

// Device is one device with its lines.
type Device struct {
	// Name is the device's name in records ("beam-3"); a light's name is what it is asked for by.
	Name string
	Type templates.Type
	// Position is the position from 1, 0 for a device that has none.
	Position int
	// Canister is the canister's id: its position and a letter ("1A"); "" for other classes.
	Canister string
	// Lines are the names of the lines by the type's line roles. One that begins with the name of a carrier and a colon
	// is a pin of that device; every other one is a line of this machine.
	Lines map[string]string
	// Bus is the I2C bus of a device that is reached over one ("i2c-1"), Address its address there.
	Bus     string
	Address string
	// Port is the serial port of a device behind one, ID what that device calls itself.
	Port, ID string
	// Values are its settings, those of the file and the defaults of its type.
	Values templates.Values
	// Interrupt is the line of this machine that a device on an I2C bus asks with, "" for none.
	Interrupt string
}

// Hash returns the SHA-256 of the exact bytes that the configuration was read from.
func (c Config) Hash() [sha256.Size]byte { return c.hash }

// Simulated tells whether all that the station does is a simulation.
func (c Config) Simulated() bool { return c.Driver.Type == DriverVirtual || c.Driver.Simulated }

// Settings returns the numbers that a trial runs by, as they are sealed.
func (c Config) Settings() event.Settings {
	ms := func(d time.Duration) int { return int(d / time.Millisecond) }
	t := c.Timing
	return event.Settings{LeadMS: ms(t.Lead), TravelMS: ms(t.Travel), CloseMS: ms(t.Close), GridMS: ms(t.Grid),
		WithdrawMS: ms(t.Withdraw), LongPress: ms(t.LongPress), EdgeBudget: t.EdgeBudget, OpenMS: ms(t.Open)}
}

// Of returns the devices of a class, in the order of the file.
func (c Config) Of(class templates.Class) []Device {
	var out []Device
	for _, d := range c.Devices {
		if d.Type.Class == class {
			out = append(out, d)
		}
	}
	return out
}

// Canisters returns the names of the station's canisters by their position.
func (c Config) Canisters() map[int][]string {
	all := map[int][]string{}
	for _, d := range c.Of(templates.Canister) {
		all[d.Position] = append(all[d.Position], d.Canister)
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all
}

// Pinch returns the pinch protections that the station's canisters declare, each once, sorted.
func (c Config) Pinch() []string {
	var out []string
	for _, d := range c.Of(templates.Canister) {
		if says := d.Values.Choices[templates.SettingPinch]; says != "" && !slices.Contains(out, says) {
			out = append(out, says)
		}
	}
	slices.Sort(out)
	return out
}

// SharesAccount tells whether the person's account also belongs to somebody else.
func (c Config) SharesAccount(name string) bool {
	owners := map[int]int{}
	for _, p := range c.People {
		owners[p.UID]++
	}
	for _, p := range c.People {
		if p.Name == name {
			return p.UID >= 0 && owners[p.UID] > 1
		}
	}
	return false
}
