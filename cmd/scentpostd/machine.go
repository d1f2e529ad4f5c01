package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scentpost/drivers/linux"
	"scentpost/station/doctor"
)

// thisMachine is the doctor's view of the machine that it runs on. It reads; of package linux it uses Look, Buses,
// ProbeI2C, PortInUse and Stable, which ask for no line and open no port.
type thisMachine struct{}

const (
	modelFile     = "/proc/device-tree/model"
	socketsFile   = "/proc/net/unix"
	adapterFolder = "/sys/bus/i2c/devices"
	// answerWithin bounds how long a chip may take to answer: a byte takes 0.1 ms.
	answerWithin = 2 * time.Second
)

// Account implements doctor.Machine.
func (thisMachine) Account() doctor.Account {
	a := doctor.Account{Name: strconv.Itoa(os.Geteuid()), Root: os.Geteuid() == 0}
	if u, err := user.LookupId(a.Name); err == nil {
		a.Name = u.Username
		ids, _ := u.GroupIds() // unknown ones are no groups that give a right
		a.Listed = groupNames(ids)
	}
	ids := []string{strconv.Itoa(os.Getegid())}
	if own, err := os.Getgroups(); err == nil {
		for _, id := range own {
			ids = append(ids, strconv.Itoa(id))
		}
	}
	a.Groups = groupNames(ids)
	for _, name := range []string{"gpio", "i2c", "dialout"} {
		if _, err := user.LookupGroup(name); err == nil {
			a.Known = append(a.Known, name)
		}
	}
	return a
}

func groupNames(ids []string) []string {
	var names []string
	for _, id := range ids {
		if g, err := user.LookupGroupId(id); err == nil && !slices.Contains(names, g.Name) {
			names = append(names, g.Name)
		}
	}
	return names
}

// Model implements doctor.Machine.
func (thisMachine) Model() string {
	text, err := os.ReadFile(modelFile)
	if err != nil {
		return "" // no device tree: no board of that kind
	}
	return strings.TrimRight(string(text), "\x00\n")
}

// node tells who may use a device's file.
func node(path string) doctor.Node {
	n := doctor.Node{Path: path, Denied: unix.Access(path, unix.R_OK|unix.W_OK) != nil}
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return n
	}
	n.Mode, n.Group = fs.FileMode(stat.Mode).Perm(), strconv.Itoa(int(stat.Gid))
	if g, err := user.LookupGroupId(n.Group); err == nil {
		n.Group = g.Name
	}
	return n
}

// Chips implements doctor.Machine.
func (thisMachine) Chips() ([]doctor.Chip, error) {
	seen, err := linux.Look()
	if err != nil {
		return nil, err
	}
	var chips []doctor.Chip
	for _, c := range seen.Chips {
		chip := doctor.Chip{Node: node(c.Path), Label: c.Label, Keeps: linux.KeepsOutputs(linux.SysFolder, c.Label)}
		chip.Denied = errors.Is(c.Err, fs.ErrPermission)
		for _, l := range c.Lines {
			chip.Lines = append(chip.Lines, doctor.Line(l))
		}
		chips = append(chips, chip)
	}
	return chips, nil
}

// Port implements doctor.Machine.
func (thisMachine) Port(path string) doctor.Port {
	p := doctor.Port{Node: node(path)}
	used, err := linux.PortInUse(path)
	p.There, p.InUse = err == nil, used
	if stable, advice := linux.Stable(path); !stable {
		p.Moves = advice
	}
	return p
}

// Buses implements doctor.Machine.
func (thisMachine) Buses() ([]doctor.Bus, error) {
	names, err := linux.Buses()
	if err != nil {
		return nil, err
	}
	var buses []doctor.Bus
	for _, name := range names {
		buses = append(buses, doctor.Bus{Name: name, Node: node(filepath.Join("/dev", name))})
	}
	adapters, err := filepath.Glob(filepath.Join(adapterFolder, "i2c-*"))
	if err != nil {
		return nil, err
	}
	for _, path := range adapters {
		if name := filepath.Base(path); !slices.Contains(names, name) {
			buses = append(buses, doctor.Bus{Name: name})
		}
	}
	return buses, nil
}

// Probe implements doctor.Machine. A bus that hangs holds its goroutine up, which ends with the program.
func (thisMachine) Probe(at doctor.Place) doctor.Answer {
	address, err := strconv.ParseUint(at.Address, 0, 8)
	if err != nil {
		return doctor.Silent
	}
	answered := make(chan error, 1)
	go func() { answered <- linux.ProbeI2C(at.Bus, uint16(address)) }()
	select {
	case err = <-answered:
	case <-time.After(answerWithin):
		return doctor.Hangs
	}
	switch {
	case err == nil:
		return doctor.Answers
	case strings.Contains(err.Error(), unix.ETIMEDOUT.Error()): // periph keeps the text of the kernel's error alone
		return doctor.Hangs
	}
	return doctor.Silent
}

// Stands implements doctor.Machine. It does not connect: a station takes one client, and that may be a daemon.
func (thisMachine) Stands(socket string) bool {
	if _, err := os.Lstat(socket); err != nil {
		return false
	}
	f, err := os.Open(socketsFile)
	if err != nil {
		return false
	}
	defer f.Close()
	return listens(f, socket)
}

// listens tells whether a socket is among those that the kernel lists as waiting for connections. A socket may have been
// bound by a path that was relative to a folder of its owner's.
func listens(sockets io.Reader, socket string) bool {
	const (
		flags, path = 3, 7       // the columns, as proc(5) has them
		accepts     = "00010000" // __SO_ACCEPTCON
	)
	lines := bufio.NewScanner(sockets)
	for lines.Scan() {
		columns := strings.Fields(lines.Text())
		if len(columns) <= path || columns[flags] != accepts {
			continue
		}
		name := strings.Join(columns[path:], " ")
		if name == socket || !filepath.IsAbs(name) && filepath.Base(name) == filepath.Base(socket) {
			return true
		}
	}
	return false
}
