package bme280

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"scentpost/drivers/bus"
)

// The lengths of the two calibration blocks in bytes: registers 0x88 to 0xA1 and 0xE1 to 0xE7.
const (
	LowBytes  = 26
	HighBytes = 7
)

// Calibration holds what the maker measured on one chip, by the data sheet's names (table 16), dig_T1 to dig_H6.
type Calibration struct {
	T1                             uint16
	T2, T3                         int16
	P1                             uint16
	P2, P3, P4, P5, P6, P7, P8, P9 int16
	H1, H3                         uint8
	H2, H4, H5                     int16
	H6                             int8
}

// Raw is what the converter measured: 20, 20 and 16 bits.
type Raw struct{ Pressure, Temperature, Humidity uint32 }

// The errors of calibration and values, to be tested with errors.Is.
var (
	// ErrCalibration: the chip's calibration cannot be true, so none of its values can be.
	ErrCalibration = errors.New("its calibration cannot be true (check the wiring and the supply; if it stays, replace the sensor)")
	// ErrRange: a value lies outside of what the chip can measure.
	ErrRange = errors.New("a value is out of the sensor's range (if the weather is not to blame, replace the sensor)")
)

// What the chip measures, by its data sheet (tables 1 to 3): -40 to 85 °C and 300 to 1100 hPa; humidity is clamped by
// the data sheet's own formula.
const (
	minMilliC, maxMilliC   = -40_000, 85_000
	minMilliPa, maxMilliPa = 30_000_000, 110_000_000
)

// half is the middle of the converter's 20 bits, and its code for "not measured" too.
const half = 0x80000

// ParseCalibration reads the two blocks of LowBytes and HighBytes. The chip gives no checksum with them, so what can be
// told is only what cannot be: blocks of one repeated byte, divisors of 0, and a temperature that is out of range in the
// middle of the converter (our assumption: on every chip the converter's middle is a temperature that it can measure).
func ParseCalibration(low, high []byte) (Calibration, error) {
	if len(low) != LowBytes || len(high) != HighBytes {
		return Calibration{}, fmt.Errorf("calibration blocks of %d and %d bytes, expected %d and %d", len(low), len(high), LowBytes, HighBytes)
	}
	if repeated(low) || repeated(high) {
		return Calibration{}, fmt.Errorf("calibration is all %02X or all %02X: %w", low[0], high[0], ErrCalibration)
	}
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(low[i:]) }
	signed := func(i int) int16 { return int16(word(i)) }
	c := Calibration{
		T1: word(0), T2: signed(2), T3: signed(4),
		P1: word(6), P2: signed(8), P3: signed(10), P4: signed(12), P5: signed(14), P6: signed(16), P7: signed(18), P8: signed(20), P9: signed(22),
		H1: low[25], H2: int16(binary.LittleEndian.Uint16(high)), H3: high[2],
		// Two values of 12 bits share the byte in the middle; both are signed.
		H4: int16(int8(high[3]))<<4 | int16(high[4]&0x0F),
		H5: int16(int8(high[5]))<<4 | int16(high[4]>>4),
		H6: int8(high[6]),
	}
	if c.T1 == 0 || c.T2 == 0 || c.P1 == 0 || c.H2 == 0 {
		return Calibration{}, fmt.Errorf("a factor of the calibration is 0: %w", ErrCalibration)
	}
	if milli := milliC(c.fine(half)); milli < minMilliC || milli > maxMilliC {
		return Calibration{}, fmt.Errorf("half of full scale would be %d °C: %w", milli/1000, ErrCalibration)
	}
	return c, nil
}

func repeated(block []byte) bool {
	for _, b := range block {
		if b != block[0] {
			return false
		}
	}
	return true
}

// Compensate turns what was measured into values, by the integer formulas of the data sheet (section 4.2.3), in 64 bits
// so that nothing wraps. Integers give the same on every processor.
func (c Calibration) Compensate(r Raw) (bus.Air, error) {
	fine := c.fine(int64(r.Temperature))
	air := bus.Air{TemperatureMilliC: int32(milliC(fine))}
	if t := milliC(fine); t < minMilliC || t > maxMilliC {
		return bus.Air{}, fmt.Errorf("temperature of %d.%03d °C: %w", t/1000, max(t, -t)%1000, ErrRange)
	}
	q8, ok := c.pressure(int64(r.Pressure), fine)
	if air.PressureMilliPa = q8 * 125 / 32; !ok || air.PressureMilliPa < minMilliPa || air.PressureMilliPa > maxMilliPa {
		return bus.Air{}, fmt.Errorf("pressure of %d Pa: %w", q8/256, ErrRange)
	}
	air.HumidityMilliPct = int32(c.humidity(int64(r.Humidity), fine) * 125 / 128)
	return air, nil
}

// fine is the temperature in 1/5120 °C, which the other two values need.
func (c Calibration) fine(raw int64) int64 {
	t1 := int64(c.T1)
	linear := (raw>>3 - t1<<1) * int64(c.T2) >> 11
	off := raw>>4 - t1
	return linear + (off*off>>12)*int64(c.T3)>>14
}

// milliC rounds 1/5120 °C to 1/1000 °C.
func milliC(fine int64) int64 { return (fine*25 + 64) >> 7 }

// pressure is in 1/256 Pa; ok is false when a calibration that cannot be true leads out of 64 bits.
func (c Calibration) pressure(raw, fine int64) (q8 int64, ok bool) {
	x := fine - 128_000
	offset := x*x*int64(c.P6) + x*int64(c.P5)<<17 + int64(c.P4)<<35
	slope := x*x*int64(c.P3)>>8 + x*int64(c.P2)<<12
	scaled, ok := product(1<<47+slope, int64(c.P1))
	if divisor := scaled >> 33; ok && divisor != 0 {
		scaled, ok = product((1_048_576-raw)<<31-offset, 3125)
		p := scaled / divisor
		if !ok || p < 0 || p > 1<<40 { // of 2^34 at the top of the range
			return 0, false
		}
		square := int64(c.P9) * (p >> 13) * (p >> 13) >> 25
		return (p+square+int64(c.P8)*p>>19)>>8 + int64(c.P7)<<4, true
	}
	return 0, false
}

// product multiplies where a wrong calibration could leave 64 bits; b is from 0 up.
func product(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(max(a, -a)), uint64(b))
	return a * b, high == 0 && low < 1<<63
}

// humidity is in 1/1024 % of relative humidity, from 0 to 100 %.
func (c Calibration) humidity(raw, fine int64) int64 {
	x := fine - 76_800
	measured := (raw<<14 - int64(c.H4)<<20 - int64(c.H5)*x + 16_384) >> 15
	drift := (x * int64(c.H6) >> 10) * (x*int64(c.H3)>>11 + 32_768) >> 10
	h := measured * (((drift+2_097_152)*int64(c.H2) + 8_192) >> 14)
	h -= ((h >> 15) * (h >> 15) >> 7) * int64(c.H1) >> 4
	return min(max(h, 0), 100<<22) >> 12
}
