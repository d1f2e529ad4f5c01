// Package ds3231 looks whether a Maxim DS3231 keeps the time over a power cut.
//
// Source: Maxim Integrated, DS3231 data sheet, 19-5170, revision 10, March 2015. Accuracy by it: 2 ppm from 0 to 40 °C,
// 3.5 ppm from -40 to 85 °C, which is a minute a year. It is no concern here: what the time of day is, the kernel takes
// from the chip at its start (dtoverlay=i2c-rtc,ds3231), and this part only reads, also while the kernel does.
//
// What can be told is whether the chip is there, whether its oscillator stopped since it was last set (a battery that was
// empty or missing at a power cut), whether its date can be true, and whether it goes.
package ds3231

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
)

// Address is the one that the chip has.
const Address = 0x68

// Registers is how many there are: seconds to the temperature's fraction.
const Registers = 0x13

// The registers that are looked at (figure 1).
const (
	regSeconds = 0x00
	regHours   = 0x02
	regMonth   = 0x05
	regYear    = 0x06
	regControl = 0x0E
	regStatus  = 0x0F
	regFine    = 0x12 // the temperature's fraction in its two highest bits
)

const (
	stoppedOnBattery = 0x80 // EOSC of control: the oscillator stops when the supply does
	hasStopped       = 0x80 // OSF of status: it has stopped since the flag was cleared
	twelveHours      = 0x40
	afternoon        = 0x20 // with twelveHours
	century          = 0x80 // of the month
	statusReserved   = 0x70
	fineReserved     = 0x3F
)

// Earliest is the first year that the date can be: before it there was no such station.
const Earliest = 2024

// standsStill is how long the chip may show the same second before it is taken for standing still.
const standsStill = int64(2 * time.Second)

// The errors of a clock, to be tested with errors.Is.
var (
	// ErrSilent: all that comes is 00 or FF, which is the wires and no chip.
	ErrSilent = errors.New("all bits read the same: the wires answer, not the chip (check SDA, SCL, supply and pull-ups)")
	// ErrChip: bits are set that a DS3231 never sets.
	ErrChip = errors.New("is no DS3231 (check the type in the configuration; a gyroscope has the same address)")
	// ErrStopped: the oscillator has stopped since the chip was last set.
	ErrStopped = errors.New("its oscillator has stopped since it was set: at a power cut it loses the time (replace its battery, then set it: hwclock --systohc)")
	// ErrOff: it is set up to stop when the supply does.
	ErrOff = errors.New("it is set up to stand still without supply (clear bit EOSC of register 0x0E: hwclock --systohc does)")
	// ErrDate: what it shows is no date, or one that cannot be.
	ErrDate = errors.New("its date cannot be true (set the time of day, then: hwclock --systohc)")
	// ErrFrozen: it shows the same second again and again.
	ErrFrozen = errors.New("it stands still (replace it)")
)

// Clock is one DS3231. It is a bus.Timekeeper, for one goroutine. Each call makes one transfer.
type Clock struct {
	chip i2c.Dev

	looked bool
	shown  time.Time // what it showed when that was news
	since  int64     // the monotonic instant of that look
}

// New returns the clock on a bus, without talking to it: an absent one is no reason not to start.
func New(wires i2c.Bus) *Clock { return &Clock{chip: i2c.Dev{Bus: wires, Addr: Address}} }

// Look reads the clock; see bus.Timekeeper.
func (c *Clock) Look(mono int64) (time.Time, error) {
	var reg [Registers]byte
	var shown time.Time
	err := c.chip.Tx([]byte{regSeconds}, reg[:])
	if err == nil {
		shown, err = Parse(reg)
	} else {
		err = fmt.Errorf("%w: %w", bus.ErrNoAnswer, err)
	}
	if err == nil {
		err = c.goes(shown, mono)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("ds3231 at 0x%02X: %w", Address, err)
	}
	return shown, nil
}

// goes tells whether the clock has gone on since it was looked at before.
func (c *Clock) goes(shown time.Time, mono int64) error {
	if !c.looked || !shown.Equal(c.shown) {
		c.looked, c.shown, c.since = true, shown, mono
		return nil
	}
	if mono-c.since >= standsStill {
		return ErrFrozen
	}
	return nil
}

// Parse reads the registers: the time in UTC, or why it is not to be trusted.
func Parse(reg [Registers]byte) (time.Time, error) {
	switch status := reg[regStatus]; {
	case repeated(reg[:]) && (reg[0] == 0x00 || reg[0] == 0xFF):
		return time.Time{}, fmt.Errorf("%w: %w", bus.ErrNoAnswer, ErrSilent)
	case reg[regSeconds]&0x80 != 0 || status&statusReserved != 0 || reg[regFine]&fineReserved != 0:
		return time.Time{}, ErrChip
	case status&hasStopped != 0:
		return time.Time{}, ErrStopped
	case reg[regControl]&stoppedOnBattery != 0:
		return time.Time{}, ErrOff
	}
	return date(reg)
}

// date reads what the chip shows.
func date(reg [Registers]byte) (time.Time, error) {
	hours, most := reg[regHours], 0x23
	if hours&twelveHours != 0 {
		hours, most = hours&^byte(twelveHours|afternoon), 0x12
	}
	fields := []struct {
		bcd         byte
		least, most int
	}{{reg[regSeconds], 0, 0x59}, {reg[1], 0, 0x59}, {hours, 0, most}, {reg[4], 1, 0x31}, {reg[regMonth] &^ century, 1, 0x12}, {reg[regYear], 0, 0x99}}
	var n [6]int
	for i, f := range fields {
		if int(f.bcd) < f.least || int(f.bcd) > f.most || f.bcd&0x0F > 9 {
			return time.Time{}, fmt.Errorf("it shows % X: %w", reg[:regYear+1], ErrDate)
		}
		n[i] = int(f.bcd>>4)*10 + int(f.bcd&0x0F)
	}
	if reg[regHours]&twelveHours != 0 {
		if n[2] == 0 {
			return time.Time{}, fmt.Errorf("it shows % X: %w", reg[:regYear+1], ErrDate)
		}
		n[2] %= 12
		if reg[regHours]&afternoon != 0 {
			n[2] += 12
		}
	}
	year := 2000 + n[5]
	if reg[regMonth]&century != 0 {
		year += 100
	}
	shown := time.Date(year, time.Month(n[4]), n[3], n[2], n[1], n[0], 0, time.UTC)
	if shown.Day() != n[3] || year < Earliest { // the 31st of February is some day in March
		return time.Time{}, fmt.Errorf("it shows %04d-%02d-%02d: %w", year, n[4], n[3], ErrDate)
	}
	return shown, nil
}

func repeated(block []byte) bool {
	for _, b := range block {
		if b != block[0] {
			return false
		}
	}
	return true
}
