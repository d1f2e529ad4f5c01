//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/sysfs"
)

// i2cPrefix is where the I2C buses lie, by number.
const i2cPrefix = "/dev/i2c-"

// The errors of an I2C bus, to be tested with errors.Is.
var (
	// ErrBusOff: the machine has no I2C bus of that name.
	ErrBusOff = errors.New("there is no such I2C bus (on a Raspberry Pi: raspi-config, Interface Options, I2C, and the module i2c-dev)")
	// ErrDenied: the account may not use it.
	ErrDenied = errors.New("the account may not use the I2C bus (is the user in the group i2c?)")
)

// Buses names the I2C buses of this machine, as a configuration does ("i2c-1").
func Buses() ([]string, error) {
	paths, err := filepath.Glob(i2cPrefix + "*")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names, nil
}

// numberOf returns the number of the bus of a name.
func numberOf(name string) (int, error) {
	digits, named := strings.CutPrefix(name, filepath.Base(i2cPrefix))
	number, err := strconv.Atoi(digits)
	if !named || err != nil || number < 0 {
		return 0, fmt.Errorf("I2C bus %q: a name such as i2c-1 is expected", name)
	}
	return number, nil
}

// openI2C opens the bus of a name. The error wraps ErrBusOff or ErrDenied where it is one of them.
func openI2C(name string) (i2c.BusCloser, error) {
	number, err := numberOf(name)
	if err != nil {
		return nil, err
	}
	path := i2cPrefix + strconv.Itoa(number)
	if err := mayUse(path); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	wires, err := sysfs.NewI2C(number)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return wires, nil
}

// mayUse says in our own words why a bus cannot be opened: periph keeps the text of the kernel's error alone.
func mayUse(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrBusOff
	case errors.Is(err, fs.ErrPermission):
		return ErrDenied
	case err != nil:
		return err
	}
	return f.Close()
}

// ProbeI2C tells whether something answers at an address of a bus, by reading one byte from it. It returns nil when it
// does. It may wait for as long as the wires hang, and takes the byte from under whoever uses the chip: it is for a
// machine on which no station runs.
func ProbeI2C(name string, address uint16) error {
	wires, err := openI2C(name)
	if err != nil {
		return err
	}
	var b [1]byte
	if err := wires.Tx(address, nil, b[:]); err != nil {
		err = fmt.Errorf("nothing answers at 0x%02x of %s: %w (check its power, its wires, and the pins that set its address)", address, name, err)
		return errors.Join(err, wires.Close())
	}
	return wires.Close()
}
