package bustest

import (
	"fmt"
	"time"
)

// DS3231 is a clock with a battery at register level, as an i2c.Bus that carries it alone. Its behaviour follows Maxim's
// data sheet 19-5170: registers in BCD, OSF set when the oscillator stopped, reads that roll over at the end.
type DS3231 struct {
	Faults
	now   func() time.Time
	fixed map[byte]byte // registers that hold what was poked
	stood time.Time     // when it stands still, what it shows
}

// clockRegisters is how many registers a DS3231 has.
const clockRegisters = 0x13

// NewDS3231 returns a clock that was set right and shows now, in UTC.
func NewDS3231(now func() time.Time) *DS3231 {
	d := &DS3231{now: now, fixed: map[byte]byte{}}
	d.constant = -1
	return d
}

// Follow makes it show another clock.
func (d *DS3231) Follow(now func() time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = now
}

// Stand makes it stand still from now on, or go again.
func (d *DS3231) Stand(still bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stood = time.Time{}
	if still {
		d.stood = d.now()
	}
}

// Poke makes a register hold a value whatever the time is.
func (d *DS3231) Poke(register, value byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fixed[register] = value
}

// Release lets a register go on with the time.
func (d *DS3231) Release(register byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.fixed, register)
}

// LoseBattery is a power cut without a battery: the clock begins anew and says that it had stopped.
func (d *DS3231) LoseBattery() {
	for register, value := range map[byte]byte{0x03: 1, 0x04: 1, 0x05: 1, 0x06: 0, 0x0E: 0x1C, 0x0F: 0x88} {
		d.Poke(register, value)
	}
}

// String names the bus.
func (d *DS3231) String() string { return "fake ds3231 at 0x68" }

// Tx is one transfer: the first byte is the address of a register, what is written behind it stays there.
func (d *DS3231) Tx(address uint16, write, read []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.tx(); err != nil {
		return err
	}
	if address != 0x68 || len(write) == 0 {
		return fmt.Errorf("address 0x%02X: %w", address, ErrNoChip)
	}
	reg := d.registers()
	for i, value := range write[1:] {
		d.fixed[(write[0]+byte(i))%clockRegisters] = value
	}
	for i := range read {
		read[i] = reg[(int(write[0])+i)%clockRegisters]
	}
	d.spoil(read)
	return nil
}

// registers lays out what the clock shows.
func (d *DS3231) registers() [clockRegisters]byte {
	shown := d.stood
	if shown.IsZero() {
		shown = d.now()
	}
	shown = shown.UTC()
	reg := [clockRegisters]byte{bcd(shown.Second()), bcd(shown.Minute()), bcd(shown.Hour()), byte(shown.Weekday()) + 1,
		bcd(shown.Day()), bcd(int(shown.Month())), bcd(shown.Year() % 100), 0x0E: 0x1C, 0x0F: 0x08, 0x11: 25, 0x12: 0x40}
	for register, value := range d.fixed {
		reg[register] = value
	}
	return reg
}

func bcd(n int) byte { return byte(n/10<<4 | n%10) }
