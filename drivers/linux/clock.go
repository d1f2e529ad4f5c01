//go:build linux

// Package linux is the only place with system calls.
package linux

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bootIDFile holds a random UUID that the kernel makes at every boot.
const bootIDFile = "/proc/sys/kernel/random/boot_id"

// Clock reads the kernel's clocks.
type Clock struct{ boot string }

// NewClock returns the kernel's clock. It fails when the boot id cannot be read, without which monotonic instants
// of two boots could be mixed up.
func NewClock() (*Clock, error) {
	id, err := os.ReadFile(bootIDFile)
	if err != nil {
		return nil, fmt.Errorf("read the boot id: %w (is /proc hidden, as by systemd's ProcSubset=pid?)", err)
	}
	boot := strings.TrimSpace(string(id))
	if boot == "" {
		return nil, fmt.Errorf("read the boot id: %s is empty", bootIDFile)
	}
	return &Clock{boot: boot}, nil
}

// Boot is the id of this boot.
func (c *Clock) Boot() string { return c.boot }

// Mono is CLOCK_MONOTONIC, which also stamps GPIO events, in nanoseconds.
func (c *Clock) Mono() int64 { return read(unix.CLOCK_MONOTONIC) }

// UTC is CLOCK_REALTIME in nanoseconds since 1970.
func (c *Clock) UTC() int64 { return read(unix.CLOCK_REALTIME) }

func read(id int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic(fmt.Sprintf("clock_gettime(%d): %v", id, err)) // both clocks are part of every Linux kernel
	}
	return t.Nano()
}

// Sync tells whether something disciplines the clock, and the kernel's maximum error, which grows by 500 ppm
// from one correction to the next (adjtimex(2)). It fails where a sandbox forbids to ask.
func (c *Clock) Sync() (synced bool, maxError time.Duration, err error) {
	var t unix.Timex // modes 0: it reads and changes nothing
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return false, 0, fmt.Errorf("adjtimex: %w (is it forbidden, as by systemd's ProtectClock or SystemCallFilter?)", err)
	}
	synced, maxError = judge(state, &t)
	return synced, maxError, nil
}

// judge reads the kernel's answer. The maximum error is in microseconds with STA_NANO and without. A leap second that
// is announced (TIME_INS, TIME_DEL), under way (TIME_OOP) or just over (TIME_WAIT) leaves the clock synchronised: it
// shows as a step of a second.
func judge(state int, t *unix.Timex) (synced bool, maxError time.Duration) {
	synced = state != unix.TIME_ERROR && t.Status&(unix.STA_UNSYNC|unix.STA_CLOCKERR) == 0
	return synced, time.Duration(t.Maxerror) * time.Microsecond
}
