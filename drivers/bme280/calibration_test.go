package bme280

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// example is the calibration of the maker's worked example (BMP280 data sheet, BST-BMP280-DS001, section 3.12; the
// formulas for temperature and pressure are the same), with values for humidity as real chips have them, for which the
// maker gives no example.
var example = Calibration{
	T1: 27504, T2: 26435, T3: -1000,
	P1: 36477, P2: -10685, P3: 3024, P4: 2855, P5: 140, P6: -7, P7: 15500, P8: -14600, P9: 6000,
	H1: 75, H2: 362, H3: 0, H4: 313, H5: 50, H6: 30,
}

// exampleRaw is what the example's converter measured, and a humidity.
var exampleRaw = Raw{Pressure: 415148, Temperature: 519888, Humidity: 28000}

// blocks lays a calibration out as the chip does.
func (c Calibration) blocks() (low, high []byte) {
	low, high = make([]byte, LowBytes), make([]byte, HighBytes)
	for i, v := range []uint16{c.T1, uint16(c.T2), uint16(c.T3), c.P1, uint16(c.P2), uint16(c.P3), uint16(c.P4), uint16(c.P5), uint16(c.P6), uint16(c.P7), uint16(c.P8), uint16(c.P9)} {
		binary.LittleEndian.PutUint16(low[2*i:], v)
	}
	low[25] = c.H1
	binary.LittleEndian.PutUint16(high, uint16(c.H2))
	high[2], high[6] = c.H3, byte(c.H6)
	high[3], high[5] = byte(c.H4>>4), byte(c.H5>>4)
	high[4] = byte(c.H4)&0x0F | byte(c.H5)<<4
	return low, high
}

func TestTheMakersExample(t *testing.T) {
	if fine := example.fine(519888); fine != 128422 {
		t.Errorf("t_fine %d, want 128422", fine)
	}
	air, err := example.Compensate(exampleRaw)
	if err != nil {
		t.Fatal(err)
	}
	// 25.08 °C and 100653.27 Pa
	if air.TemperatureMilliC != 25_082 {
		t.Errorf("%d m°C, want 25.082 °C", air.TemperatureMilliC)
	}
	if air.PressureMilliPa < 100_653_220 || air.PressureMilliPa > 100_653_320 { // theirs is of a t_fine with fractions
		t.Errorf("%d mPa, want 100653.27 Pa", air.PressureMilliPa)
	}
	if want := 1000 * humidity(example, 28000, 128422); math.Abs(float64(air.HumidityMilliPct)-want) > 20 {
		t.Errorf("humidity %d m%%, want %.0f m%%", air.HumidityMilliPct, want)
	}
}

// humidity is the maker's formula in floating point (BME280 data sheet, section 8.1), which is written quite otherwise
// than the one in integers.
func humidity(c Calibration, raw, fine float64) float64 {
	h := fine - 76800
	h = (raw - (float64(c.H4)*64 + float64(c.H5)/16384*h)) *
		(float64(c.H2) / 65536 * (1 + float64(c.H6)/67108864*h*(1+float64(c.H3)/67108864*h)))
	h *= 1 - float64(c.H1)*h/524288
	return min(max(h, 0), 100)
}

// real draws a calibration near those of real chips.
func real(t *rapid.T) Calibration {
	near := func(name string, middle, off int) int { return rapid.IntRange(middle-off, middle+off).Draw(t, name) }
	c := example
	c.T1, c.T2, c.T3 = uint16(near("t1", 28000, 500)), int16(near("t2", 26500, 500)), int16(near("t3", 50, 1000))
	c.P1 = uint16(near("p1", 36500, 1500))
	c.H1, c.H2, c.H3 = uint8(near("h1", 75, 10)), int16(near("h2", 362, 20)), uint8(rapid.IntRange(0, 10).Draw(t, "h3"))
	c.H4, c.H5, c.H6 = int16(near("h4", 313, 40)), int16(near("h5", 0, 60)), int8(near("h6", 30, 5))
	return c
}

func TestIntegersAgreeWithTheMakersFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := real(t)
		raw := Raw{
			Temperature: uint32(rapid.IntRange(480_000, 560_000).Draw(t, "t")),
			Pressure:    uint32(rapid.IntRange(300_000, 450_000).Draw(t, "p")),
			Humidity:    uint32(rapid.IntRange(20_000, 40_000).Draw(t, "h")),
		}
		air, err := c.Compensate(raw)
		if errors.Is(err, ErrRange) {
			t.Skip("out of range")
		}
		if err != nil {
			t.Fatal(err)
		}
		fine := float64(c.fine(int64(raw.Temperature)))
		if got, want := float64(air.HumidityMilliPct)/1000, humidity(c, float64(raw.Humidity), fine); math.Abs(got-want) > 0.1 {
			t.Fatalf("humidity %.3f %%, want %.3f %%", got, want)
		}
		if got, want := float64(air.PressureMilliPa)/1000, pressure(c, float64(raw.Pressure), fine); math.Abs(got-want) > 1 {
			t.Fatalf("pressure %.2f Pa, want %.2f Pa", got, want)
		}
	})
}

// pressure is the maker's formula in floating point (section 8.1), in Pa.
func pressure(c Calibration, raw, fine float64) float64 {
	x := fine/2 - 64000
	y := (x*x*float64(c.P6)/32768+x*float64(c.P5)*2)/4 + float64(c.P4)*65536
	x = (1 + (float64(c.P3)*x*x/524288+float64(c.P2)*x)/524288/32768) * float64(c.P1)
	p := (1048576 - raw - y/4096) * 6250 / x
	return p + (float64(c.P9)*p*p/2147483648+p*float64(c.P8)/32768+float64(c.P7))/16
}

func TestParseCalibration(t *testing.T) {
	// The two values that share a byte are signed: a package that reads them as unsigned is off by a third.
	negative := example
	negative.H4, negative.H5, negative.H6, negative.T3 = -2048, -1, -128, -32768
	for _, c := range []Calibration{example, negative} {
		low, high := c.blocks()
		got, err := ParseCalibration(low, high)
		if err != nil || got != c {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, c)
		}
	}
	low, high := example.blocks()
	if _, err := ParseCalibration(low[1:], high); err == nil {
		t.Error("a short block was taken")
	}
}

func TestABadCalibration(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(c *Calibration, low, high []byte)
		says  string
	}{
		"low all 00":  {func(_ *Calibration, low, _ []byte) { fill(low, 0) }, "all 00"},
		"low all FF":  {func(_ *Calibration, low, _ []byte) { fill(low, 0xFF) }, "all FF"},
		"high all FF": {func(_ *Calibration, _, high []byte) { fill(high, 0xFF) }, "all FF"},
		"high all 00": {func(_ *Calibration, _, high []byte) { fill(high, 0) }, "all 00"},
		"T1 is 0":     {func(_ *Calibration, low, _ []byte) { fill(low[0:2], 0) }, "is 0"},
		"T2 is 0":     {func(_ *Calibration, low, _ []byte) { fill(low[2:4], 0) }, "is 0"},
		"P1 is 0":     {func(_ *Calibration, low, _ []byte) { fill(low[6:8], 0) }, "is 0"},
		"H2 is 0":     {func(_ *Calibration, _, high []byte) { fill(high[0:2], 0) }, "is 0"},
		"T1 is high":  {func(_ *Calibration, low, _ []byte) { low[1] = 0xFF }, "half of full scale"},
		"T1 is low":   {func(_ *Calibration, low, _ []byte) { low[1] = 0x10 }, "half of full scale"},
	} {
		low, high := example.blocks()
		calibration := example
		c.spoil(&calibration, low, high)
		if _, err := ParseCalibration(low, high); !errors.Is(err, ErrCalibration) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}

func TestOutOfRange(t *testing.T) {
	for name, raw := range map[string]Raw{
		"hot":           {Pressure: 415148, Temperature: 0xFFFF0, Humidity: 28000},
		"cold":          {Pressure: 415148, Temperature: 0x10, Humidity: 28000},
		"high pressure": {Pressure: 0x10, Temperature: 519888, Humidity: 28000},
		"no pressure":   {Pressure: 0xFFFF0, Temperature: 519888, Humidity: 28000},
	} {
		if air, err := example.Compensate(raw); !errors.Is(err, ErrRange) || air.PressureMilliPa != 0 {
			t.Errorf("%s: %+v, %v", name, air, err)
		}
	}
	for raw, want := range map[uint32]int32{1: 0, 0xFFFF: 100_000} {
		air, err := example.Compensate(Raw{Pressure: 415148, Temperature: 519888, Humidity: raw})
		if err != nil || air.HumidityMilliPct != want {
			t.Errorf("humidity of %d: %d m%%, %v, want %d", raw, air.HumidityMilliPct, err, want)
		}
	}
}

// FuzzCalibration: whatever the chip holds, values come out within its range or not at all.
func FuzzCalibration(f *testing.F) {
	low, high := example.blocks()
	f.Add(low, high, []byte{0x65, 0x5A, 0xC0, 0x7E, 0xED, 0x00, 0x6D, 0x60})
	f.Add(make([]byte, LowBytes), make([]byte, HighBytes), make([]byte, 8))
	f.Add([]byte{1}, []byte{}, []byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0})
	f.Fuzz(func(t *testing.T, low, high, sample []byte) {
		c, err := ParseCalibration(low, high)
		if err != nil || len(sample) != 8 {
			return
		}
		raw, err := ParseSample([8]byte(sample))
		if err != nil {
			return
		}
		air, err := c.Compensate(raw)
		if err == nil && (air.TemperatureMilliC < minMilliC || air.TemperatureMilliC > maxMilliC ||
			air.PressureMilliPa < minMilliPa || air.PressureMilliPa > maxMilliPa || air.HumidityMilliPct < 0 || air.HumidityMilliPct > 100_000) {
			t.Errorf("%+v of %+v", air, raw)
		}
	})
}
