//go:build linux

package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// configRoot is where chips of gpio-sim are made.
const configRoot = "/sys/kernel/config/gpio-sim"

// Chip is a chip of the kernel's own GPIO simulator.
type Chip struct {
	label   string
	lines   []string
	folder  string // its configuration
	sysfs   string // its lines, while it is there
	base    int    // the kernel's global number of its first line, while it is there
	drivers []*os.File
}

// NewChip makes a chip with a label and named lines, and plugs it in.
func NewChip(label string, lines ...string) (*Chip, error) {
	c := &Chip{label: label, lines: lines, folder: filepath.Join(configRoot, label)}
	bank := filepath.Join(c.folder, "bank0")
	failed := []error{os.MkdirAll(bank, 0o755), put(filepath.Join(bank, "num_lines"), fmt.Sprint(len(lines))), put(filepath.Join(bank, "label"), label)}
	for i, name := range lines {
		line := filepath.Join(bank, fmt.Sprintf("line%d", i))
		failed = append(failed, os.Mkdir(line, 0o755), put(filepath.Join(line, "name"), name))
	}
	if err := errors.Join(failed...); err != nil {
		return nil, fmt.Errorf("make the chip %s: %w", label, err)
	}
	return c, c.Plug()
}

// Plug puts the chip in; all its lines read low, and are pulled down, until Pull.
func (c *Chip) Plug() error {
	if err := put(filepath.Join(c.folder, "live"), "1"); err != nil {
		return fmt.Errorf("plug in the chip %s: %w", c.label, err)
	}
	device, err := get(filepath.Join(c.folder, "dev_name"))
	if err != nil {
		return err
	}
	chip, err := get(filepath.Join(c.folder, "bank0", "chip_name"))
	if err != nil {
		return err
	}
	c.sysfs = filepath.Join("/sys/devices/platform", device, chip)
	if c.base, err = globalBase(c.label); err != nil {
		return fmt.Errorf("plug in the chip %s: %w", c.label, err)
	}
	for i := range c.lines {
		f, err := os.OpenFile(filepath.Join(c.sysfs, fmt.Sprintf("sim_gpio%d", i), "pull"), os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("open a line of %s: %w", c.label, err)
		}
		c.drivers = append(c.drivers, f)
	}
	return nil
}

// globalBase finds the global number of the first line of a chip: the trace names lines by it.
func globalBase(label string) (int, error) {
	files, err := filepath.Glob("/sys/class/gpio/gpiochip*/label")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if found, err := get(file); err != nil || found != label {
			continue
		}
		text, err := get(filepath.Join(filepath.Dir(file), "base"))
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(text)
	}
	return 0, fmt.Errorf("none of %q has the label %q", files, label)
}

// Named returns the place of a line on the chip, -1 when it has no such line.
func (c *Chip) Named(line string) int { return slices.Index(c.lines, line) }

// There tells whether the chip is plugged in.
func (c *Chip) There() bool { return c.drivers != nil }

// Global returns the name of the line of a global number, "" when it is none of this chip's.
func (c *Chip) Global(line int) string {
	if i := line - c.base; c.There() && i >= 0 && i < len(c.lines) {
		return c.lines[i]
	}
	return ""
}

// Unplug removes the chip while it is in use.
func (c *Chip) Unplug() error {
	var failed []error
	for _, f := range c.drivers {
		failed = append(failed, f.Close())
	}
	c.drivers = nil
	return errors.Join(append(failed, put(filepath.Join(c.folder, "live"), "0"))...)
}

// Remove unplugs the chip and forgets it.
func (c *Chip) Remove() error {
	var failed []error
	if c.There() {
		failed = append(failed, c.Unplug())
	}
	bank := filepath.Join(c.folder, "bank0")
	for i := range c.lines {
		failed = append(failed, os.Remove(filepath.Join(bank, fmt.Sprintf("line%d", i))))
	}
	return errors.Join(append(failed, os.Remove(bank), os.Remove(c.folder))...)
}

// The words of gpio-sim for the two pulls.
var pulls = map[bool][]byte{true: []byte("pull-up"), false: []byte("pull-down")}

// Pull pulls a line up or down. On an input this is an edge, in the kernel before Pull returns.
func (c *Chip) Pull(line int, up bool) error {
	// A system call and nothing else: what is measured begins here.
	_, err := syscall.Pwrite(int(c.drivers[line].Fd()), pulls[up], 0)
	return err
}

// Value is the voltage on a line, whoever drives it.
func (c *Chip) Value(line int) (bool, error) {
	text, err := get(filepath.Join(c.sysfs, fmt.Sprintf("sim_gpio%d", line), "value"))
	return text == "1", err
}

func put(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

func get(path string) (string, error) {
	b, err := os.ReadFile(path)
	return strings.TrimSpace(string(b)), err
}
