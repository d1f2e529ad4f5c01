package bustest

import (
	"encoding/binary"
	"fmt"
)

// Registers of a BME280.
const (
	airID      = 0xD0
	airReset   = 0xE0
	airHum     = 0xF2
	airStatus  = 0xF3
	airMeasure = 0xF4
	airConfig  = 0xF5
	airData    = 0xF7
)

// RawAir is what the converter of a BME280 measures: 20, 20 and 16 bits.
type RawAir struct{ Pressure, Temperature, Humidity uint32 }

// NoAir is what its registers hold where nothing was measured: the chip's own code.
var NoAir = RawAir{0x80000, 0x80000, 0x8000}

// MakersAir is the maker's worked example: with the calibration that NewBME280 gives, 25.08 °C and 100653 Pa.
var MakersAir = RawAir{Pressure: 415148, Temperature: 519888, Humidity: 28000}

// BME280 is a sensor of the air at register level, as an i2c.Bus that carries it alone. Its behaviour follows Bosch's
// data sheet BST-BME280-DS002-15: registers after power-up, forced measurements that end in sleep, writes in pairs of
// register and value. A measurement is done when the chip is next looked at, or after Slow looks.
type BME280 struct {
	Faults
	address uint16
	reg     [256]byte
	hum     byte // ctrl_hum as written; it counts from the next write of ctrl_meas on
	air     RawAir
	noise   uint32
	frozen  bool
	slow    int
	looks   int // until the measurement is done
}

// NewBME280 returns a chip just powered, in the maker's example of air.
func NewBME280(address uint16) *BME280 {
	b := &BME280{address: address, air: MakersAir}
	b.constant = -1
	b.powerUp()
	return b
}

func (b *BME280) powerUp() {
	b.reg = [256]byte{airID: 0x60}
	// dig_T1 to dig_P9 of the maker's example; of humidity he gives none.
	for i, v := range []int{27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000} {
		binary.LittleEndian.PutUint16(b.reg[0x88+2*i:], uint16(v))
	}
	b.reg[0xA1] = 75
	copy(b.reg[0xE1:], []byte{0x6A, 0x01, 0x00, 0x13, 0x29, 0x03, 0x1E})
	b.put(NoAir)
	b.hum, b.looks = 0, 0
}

// String names the bus.
func (b *BME280) String() string { return fmt.Sprintf("fake bme280 at 0x%02X", b.address) }

// Measures sets what the converter measures from now on; the last bits of each value are noise besides.
func (b *BME280) Measures(air RawAir) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.air = air
}

// Freeze makes every measurement the same in each bit.
func (b *BME280) Freeze(frozen bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = frozen
}

// Slow makes a measurement take as many looks at the chip as it says; a negative number makes it never end.
func (b *BME280) Slow(looks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = looks
}

// Reset is a dip of the supply: every register is as after power-up.
func (b *BME280) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.powerUp()
}

// Poke sets a register behind everybody's back.
func (b *BME280) Poke(register int, value byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reg[register] = value
}

// Tx is one transfer: pairs of a register and its value are written, or from one register on is read.
func (b *BME280) Tx(address uint16, write, read []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.tx(); err != nil {
		return err
	}
	if address != b.address || len(write) == 0 {
		return fmt.Errorf("address 0x%02X: %w", address, ErrNoChip)
	}
	for i := 0; i+1 < len(write); i += 2 {
		b.write(write[i], write[i+1])
	}
	if len(read) > 0 {
		b.look()
	}
	for i := range read {
		read[i] = b.reg[byte(int(write[0])+i)]
	}
	b.spoil(read)
	return nil
}

func (b *BME280) write(register, value byte) {
	switch register {
	case airReset:
		if value == 0xB6 {
			b.powerUp()
		}
	case airHum:
		b.hum = value & 0x07
	case airConfig:
		b.reg[airConfig] = value
	case airMeasure:
		b.reg[airMeasure], b.reg[airHum] = value, b.hum
		if mode := value & 0x03; mode == 1 || mode == 2 {
			b.reg[airStatus] |= 0x08
			b.looks = b.slow
		}
	}
}

// look goes on with a measurement that is under way.
func (b *BME280) look() {
	if b.reg[airStatus]&0x08 == 0 || b.looks < 0 {
		return
	}
	if b.looks > 0 {
		b.looks--
		return
	}
	b.reg[airStatus] &^= 0x08
	b.reg[airMeasure] &^= 0x03
	air := b.air
	if !b.frozen && air != NoAir {
		b.noise++
		air.Temperature += b.noise % 3
		air.Pressure += b.noise % 5
		air.Humidity += b.noise % 2
	}
	b.put(air)
}

// put lays a sample out in the registers.
func (b *BME280) put(r RawAir) {
	copy(b.reg[airData:], []byte{byte(r.Pressure >> 12), byte(r.Pressure >> 4), byte(r.Pressure << 4),
		byte(r.Temperature >> 12), byte(r.Temperature >> 4), byte(r.Temperature << 4), byte(r.Humidity >> 8), byte(r.Humidity)})
}
