//go:build linux

package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// SysFolder is where the kernel shows what it knows of the machine.
const SysFolder = "/sys"

// Vitals are how the machine fares, as far as it tells.
type Vitals struct {
	// MilliCelsius is the hottest of its thermal zones, in thousandths of a degree; HasTemperature is false where there
	// is none.
	MilliCelsius   int
	HasTemperature bool
	// UnderVoltage is set while the supply is too low; TellsVoltage is false where nothing would tell.
	UnderVoltage, TellsVoltage bool
}

// ReadVitals reads how the machine fares from the folder where the kernel shows it (SysFolder). What is not there or
// cannot be read is left out: no machine has all of it.
func ReadVitals(sys string) Vitals {
	var v Vitals
	zones, _ := filepath.Glob(filepath.Join(sys, "class/thermal/thermal_zone*/temp")) // the pattern is sound
	for _, zone := range zones {
		if milli, ok := number(zone); ok && (!v.HasTemperature || milli > v.MilliCelsius) {
			v.MilliCelsius, v.HasTemperature = milli, true
		}
	}
	monitors, _ := filepath.Glob(filepath.Join(sys, "class/hwmon/hwmon*/name"))
	for _, name := range monitors {
		if text, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(text)) != voltageMonitor {
			continue
		}
		if alarm, ok := number(filepath.Join(filepath.Dir(name), voltageAlarm)); ok {
			v.UnderVoltage, v.TellsVoltage = alarm != 0, true
		}
	}
	return v
}

// The monitor of a Raspberry Pi's supply, and its alarm: 1 when less than 4.63 V came in since its driver, raspberrypi-hwmon,
// asked the firmware the time before, which it does every two seconds. A dip between two looks of ours is missed.
const (
	voltageMonitor = "rpi_volt"
	voltageAlarm   = "in0_lcrit_alarm"
)

// The chips of Raspberry Pi 0 to 4, and where their driver says whether it leaves the outputs of a program that has ended
// as they are; older ones never do.
const (
	keeperPrefix = "pinctrl-bcm2"
	keeperFile   = "module/pinctrl_bcm2835/parameters/persist_gpio_outputs"
)

// KeepsOutputs tells whether the kernel leaves the outputs of a chip with a label at their levels when the program that
// drove them ends, so that no pull takes them to their safe level. It reads the folder where the kernel shows it
// (SysFolder). Of chips that say nothing of it, it is false.
func KeepsOutputs(sys, label string) bool {
	if !strings.HasPrefix(label, keeperPrefix) {
		return false
	}
	text, err := os.ReadFile(filepath.Join(sys, keeperFile))
	return err == nil && strings.TrimSpace(string(text)) == "Y"
}

// number reads a file that holds a whole number.
func number(path string) (n int, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return n, err == nil
}

// Disk is the file system that a folder lies on.
type Disk struct {
	// Free is what this account may still write, in bytes.
	Free int64
	// ReadOnly is set when nothing can be written: a kernel that finds a card damaged mounts it so.
	ReadOnly bool
}

// DiskOf asks for the file system that a folder lies on.
func DiskOf(folder string) (Disk, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return Disk{}, fmt.Errorf("ask for the file system of %s: %w", folder, err)
	}
	return Disk{Free: int64(fs.Bavail) * int64(fs.Bsize), ReadOnly: fs.Flags&unix.ST_RDONLY != 0}, nil
}
