//go:build linux

package linux

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// KernelClock is a clock with a battery that the kernel knows.
type KernelClock struct {
	Name string // "rtc0"
	Chip string // what the kernel calls it: "rtc-ds1307 1-0068", "rpi-rtc"; "" when it does not say
	Time time.Time
	// Why says why it keeps no time that can be trusted, "" when it does.
	Why string
}

// earliest is the first year that a clock can show: before it there was no such station.
const earliest = 2024

// KernelClocks lists the clocks that the kernel knows, from the folder where it shows them (SysFolder). One whose battery
// failed has no time: the kernel's drivers refuse to read a clock that has stopped.
func KernelClocks(sys string) []KernelClock {
	folders, _ := filepath.Glob(filepath.Join(sys, "class/rtc/rtc*")) // the pattern is sound; sorted
	var clocks []KernelClock
	for _, folder := range folders {
		c := KernelClock{Name: filepath.Base(folder)}
		if text, err := os.ReadFile(filepath.Join(folder, "name")); err == nil {
			c.Chip = strings.TrimSpace(string(text))
		}
		c.Time, c.Why = kernelTime(filepath.Join(folder, "since_epoch"))
		clocks = append(clocks, c)
	}
	return clocks
}

// kernelTime reads what a clock shows, or why that is not to be trusted.
func kernelTime(file string) (time.Time, string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, fmt.Sprintf("the kernel cannot read it (%v): its battery may be empty", err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Sprintf("it shows %q, expected seconds since 1970", strings.TrimSpace(string(text)))
	}
	shown := time.Unix(seconds, 0).UTC()
	if shown.Year() < earliest {
		return time.Time{}, fmt.Sprintf("it shows %s, which cannot be true: its battery may be empty", shown.Format(time.DateOnly))
	}
	return shown, ""
}
