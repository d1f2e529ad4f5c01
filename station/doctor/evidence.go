package doctor

import (
	"io/fs"
	"slices"
	"strings"

	"scentpost/station/config"
)

// Evidence is what was seen of a machine and of the daemon on it.
type Evidence struct {
	// File is the configuration's, for commands that name it.
	File    string
	Account Account
	// Model is what the board says it is, "" when it says nothing.
	Model string
	// Daemon is what a running daemon answered, nil when none runs.
	Daemon *Daemon
	Chips  []Chip
	Buses  []Bus
	// Ports are the serial ports that the configuration names.
	Ports map[string]Port
	// Answers are those of the addresses that were asked, by bus and address.
	Answers map[Place]Answer
	// Places are the files and folders of the machine that the station needs; none while its daemon runs, which has them.
	Places []Looked
	// Stands tells whether somebody listens on the socket of a virtual station.
	Stands bool
}

// Looked is a file or folder that was looked at.
type Looked struct {
	Name string // the key of the configuration
	Type string // folder or socket
	Path string
	// What says why a daemon of this account cannot have it, and Do what mends that; "" when it can.
	What, Do string
}

// Account is who asks.
type Account struct {
	Name string
	Root bool
	// Groups are those that count for this process; Listed those that the machine has for the account, which count
	// when it logs in anew. Known are all groups of the machine among those that a station needs.
	Groups, Listed, Known []string
}

// Node is a device's file: who may open it.
type Node struct {
	Path  string
	Group string
	Mode  fs.FileMode
	// Denied is set when this account may not.
	Denied bool
}

// Chip is one GPIO chip.
type Chip struct {
	Node
	Label string
	Lines []Line
	// Keeps is set when outputs stay at their levels after the program that drove them has ended.
	Keeps bool
}

// Line is a line of a chip, with who has it; "" for nobody.
type Line struct{ Name, Consumer string }

// Bus is an I2C bus of the machine. It has no Node.Path while the module that makes the file is absent.
type Bus struct {
	Name string // i2c-1
	Node
}

// Port is a serial port, by the name that a configuration has for it.
type Port struct {
	Node
	There, InUse bool
	// Moves says how to name it instead, where its name may be another board's tomorrow.
	Moves string
}

// Place is an address on an I2C bus.
type Place struct{ Bus, Address string }

// Answer is what an address said to the reading of one byte.
type Answer string

// The answers.
const (
	Answers Answer = "answers"
	Silent  Answer = "silent" // nothing acknowledged it
	Hangs   Answer = "hangs"  // the bus did not come back in time
)

// Daemon is what a daemon said of its devices: public facts, as everybody is told them.
type Daemon struct {
	Socket string
	// Sealed is set while a session is sealed: then devices that could tell something of a canister are as they were
	// at the seal, and nothing else may be looked at.
	Sealed bool
	// Next is what can be done next, or why nothing can.
	Next    string
	Devices []Told
}

// Told is what a daemon says of one device.
type Told struct {
	Name  string
	Found bool
	// Why says what is wrong, "" when nothing is.
	Why string
	// AtSeal is set when it is what was so when the session was sealed; Untold when nothing can be told before the reveal,
	// as the daemon was started again since then.
	AtSeal, Untold bool
}

// Machine is what the doctor may ask of a machine. Nothing of it asks for a line or drives one. Probe reads a single
// byte from an address without writing a register number before it: no part of the catalogue does anything at that.
type Machine interface {
	Account() Account
	Model() string
	Chips() ([]Chip, error)
	Buses() ([]Bus, error)
	// Port looks at a serial port, and does not open it: that could reset the board behind it.
	Port(path string) Port
	Probe(at Place) Answer
	Stands(socket string) bool
}

// Examine looks at a machine for what a configuration needs of it. While a daemon runs no bus is read, since a byte
// would be taken from under it; while its session is sealed nothing is looked at but what it said itself.
func Examine(m Machine, cfg config.Config, daemon *Daemon) (Evidence, error) {
	seen := Evidence{Account: m.Account(), Model: m.Model(), Daemon: daemon, Ports: map[string]Port{}, Answers: map[Place]Answer{}}
	switch {
	case daemon != nil && daemon.Sealed:
		return seen, nil
	case cfg.Driver.Type != config.DriverLinux:
		seen.Stands = daemon != nil || m.Stands(cfg.Driver.Socket)
		return seen, nil
	}
	for _, d := range cfg.Devices {
		if d.Port != "" {
			seen.Ports[d.Port] = m.Port(d.Port)
		}
	}
	var err error
	if seen.Chips, err = m.Chips(); err != nil {
		return seen, err
	}
	if seen.Buses, err = m.Buses(); err != nil || daemon != nil {
		return seen, err
	}
	for _, at := range places(cfg) {
		i := slices.IndexFunc(seen.Buses, func(b Bus) bool { return b.Name == at.Bus })
		if i < 0 || seen.Buses[i].Path == "" || seen.Buses[i].Denied || seen.hangs(at.Bus) {
			continue // nobody can ask there
		}
		seen.Answers[at] = m.Probe(at)
	}
	return seen, nil
}

// hangs tells whether an address of a bus was found to hang: nobody waits for the others.
func (e Evidence) hangs(bus string) bool {
	for at, answer := range e.Answers {
		if at.Bus == bus && answer == Hangs {
			return true
		}
	}
	return false
}

// places are the addresses that are worth asking: on each bus those that a device of the configuration could have, and
// no others.
func places(cfg config.Config) []Place {
	var all []Place
	for _, d := range cfg.Devices {
		if d.Bus == "" {
			continue
		}
		for _, address := range slices.Concat([]string{d.Address}, d.Type.Addresses) {
			if at := (Place{d.Bus, address}); !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	return all
}

// usable tells whether the group of a node may read and write it, and is one that a person may be put into.
func (n Node) usable() bool {
	const group = 0o060
	return n.Group != "" && n.Group != "root" && n.Mode.Perm()&group == group
}

// label returns the chip that a line names, "" when it names none.
func label(line string) string {
	name, _, named := strings.Cut(line, ":")
	if !named {
		return ""
	}
	return name
}
