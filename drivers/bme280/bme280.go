// Package bme280 measures temperature, humidity and pressure with a Bosch BME280 on I2C.
//
// Source: Bosch Sensortec, BME280 data sheet, BST-BME280-DS002-15, revision 1.6, September 2018. Accuracy by it:
// temperature ±1.0 °C from 0 to 65 °C (±0.5 °C at 25 °C), humidity ±3 % from 20 to 80 % at 25 °C, pressure ±1 hPa
// from 0 to 65 °C. In a box beside a warm board it measures the box.
//
// It is run in the sheet's mode for weather: a forced measurement now and then, one sample of each value, no filter.
// periph's own package for the chip is not used: it waits without end for a chip that never ends its measurement, reads
// two signed calibration values as unsigned, believes any calibration, sleeps, and takes the chip's code for "not
// measured" for a value.
package bme280

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
)

// Addresses are those that the chip can have: by its pin SDO low or high.
var Addresses = []uint16{0x76, 0x77}

// The registers (section 5.3).
const (
	regLow     = 0x88 // calibration, LowBytes
	regID      = 0xD0
	regHigh    = 0xE1 // calibration, HighBytes
	regControl = 0xF2 // ctrl_hum, status, ctrl_meas
	regHum     = 0xF2
	regStatus  = 0xF3
	regMeasure = 0xF4
	regConfig  = 0xF5
	regData    = 0xF7 // pressure 3 bytes, temperature 3, humidity 2
)

const (
	idBME280 = 0x60
	idBMP280 = 0x58
	idBMP180 = 0x55

	statusCopying   = 0x01 // the calibration is being copied into the registers
	statusMeasuring = 0x08

	humidityOnce = 0x01                  // one sample of humidity
	samplesOnce  = 0x01<<5 | 0x01<<2     // one sample of temperature and of pressure
	forced       = samplesOnce | 0x01    // and do it now, once
	maskSamples  = 0xFC                  // of ctrl_meas, without the mode
	maskMode     = 0x03                  // sleeping when 0
	noHumidity   = 0x8000                // in place of a value that was not measured; half is the one of 20 bits
	wait         = 10 * time.Millisecond // the sheet's longest time for these samples is 9.3 ms (section 9.1)
)

const (
	// FrozenAfter is the number of samples in a row that must be the same in every bit before the chip is taken
	// for frozen. Each of the three values has noise of about its last bit, so that even two are rare in live air.
	FrozenAfter = 10
	// maxPatience is how often a measurement may be not ready before the chip is taken for stuck.
	maxPatience = 10
)

// The errors of a sensor, to be tested with errors.Is.
var (
	// ErrChip: what answers at the address is no BME280.
	ErrChip = errors.New("is no BME280 (check the type and address in the configuration)")
	// ErrSilent: all that comes is 00 or FF, which is the wires and no chip.
	ErrSilent = errors.New("all bits read the same: the wires answer, not the chip (check SDA, SCL, supply and pull-ups)")
	// ErrReset: the chip lost its settings, as by a dip of its supply.
	ErrReset = errors.New("it was reset (it is set up again; if it recurs, check its supply)")
	// ErrNoValue: the chip says that it measured nothing. A true value can fall on that code by chance, so that
	// one sample may be missing without a fault.
	ErrNoValue = errors.New("it gave its code for no value (the next sample shows whether that was chance)")
	// ErrStuck: a measurement never ends.
	ErrStuck = errors.New("its measurement does not end (take its power away and give it again)")
	// ErrFrozen: sample after sample is the same in every bit.
	ErrFrozen = errors.New("its values do not change in any bit (take its power away and give it again)")
	// ErrOrder: Fetch without Measure, or Measure without Begin.
	ErrOrder = errors.New("nothing is under way: Begin, then Measure, then Fetch")
)

// Sensor is one BME280. It is a bus.Environment, for one goroutine. Each call makes at most eight transfers and none
// again, so that a bus that hangs costs a bounded number of its time-outs.
type Sensor struct {
	chip i2c.Dev

	begun, asked bool
	calibration  Calibration
	notReady     int

	last [8]byte // the latest sample, kept over Begin: a frozen chip is begun again and again
	same int     // how often it came
}

// New returns the sensor at one of Addresses of a bus, without talking to it: an absent sensor is no reason not to
// start.
func New(wires i2c.Bus, address uint16) (*Sensor, error) {
	if address != Addresses[0] && address != Addresses[1] {
		return nil, fmt.Errorf("bme280: address 0x%02X, expected 0x%02X or 0x%02X (by the pin SDO)", address, Addresses[0], Addresses[1])
	}
	return &Sensor{chip: i2c.Dev{Bus: wires, Addr: address}}, nil
}

// fail says which chip failed at what.
func (s *Sensor) fail(doing string, err error) error {
	return fmt.Errorf("bme280 at 0x%02X: %s: %w", s.chip.Addr, doing, err)
}

// Begin finds the chip, reads its calibration and sets it up; see bus.Environment.
func (s *Sensor) Begin() error {
	s.begun, s.asked, s.notReady = false, false, 0
	var id, status [1]byte
	if err := s.chip.Tx([]byte{regID}, id[:]); err != nil {
		return s.fail("read what chip it is", err)
	}
	if err := identify(id[0]); err != nil {
		return s.fail("look what chip it is", err)
	}
	if err := s.chip.Tx([]byte{regStatus}, status[:]); err != nil {
		return s.fail("read its status", err)
	}
	if status[0]&statusCopying != 0 {
		return s.fail("wait for its calibration", bus.ErrNotReady)
	}
	calibration, err := s.calibrate()
	if err != nil {
		return s.fail("read its calibration", err)
	}
	for _, set := range [][2]byte{{regMeasure, 0}, {regConfig, 0}, {regHum, humidityOnce}} {
		if err := s.chip.Tx(set[:], nil); err != nil {
			return s.fail("set it up", err)
		}
	}
	s.begun, s.calibration = true, calibration
	return nil
}

// identify tells what a chip's id says of it.
func identify(id byte) error {
	switch id {
	case idBME280:
		return nil
	case 0x00, 0xFF:
		return ErrSilent
	case idBMP280:
		return fmt.Errorf("it is a BMP280, which measures no humidity and is often sold as a BME280: %w", ErrChip)
	case idBMP180:
		return fmt.Errorf("it is a BMP180, which measures no humidity: %w", ErrChip)
	}
	return fmt.Errorf("its id is 0x%02X, expected 0x%02X: %w", id, idBME280, ErrChip)
}

// calibrate reads the calibration twice: it has no checksum, and one wrong bit would bend every value for as long as
// the sensor runs.
func (s *Sensor) calibrate() (Calibration, error) {
	var parsed [2]Calibration
	for i := range parsed {
		var low [LowBytes]byte
		var high [HighBytes]byte
		if err := s.chip.Tx([]byte{regLow}, low[:]); err != nil {
			return Calibration{}, err
		}
		if err := s.chip.Tx([]byte{regHigh}, high[:]); err != nil {
			return Calibration{}, err
		}
		c, err := ParseCalibration(low[:], high[:])
		if err != nil {
			return Calibration{}, err
		}
		parsed[i] = c
	}
	if parsed[0] != parsed[1] {
		return Calibration{}, fmt.Errorf("read twice it differs: %w", ErrCalibration)
	}
	return parsed[0], nil
}

// Measure starts one measurement; see bus.Environment.
func (s *Sensor) Measure() (time.Duration, error) {
	if !s.begun {
		return 0, s.fail("start a measurement", ErrOrder)
	}
	s.asked, s.notReady = false, 0
	if err := s.chip.Tx([]byte{regMeasure, forced}, nil); err != nil {
		return 0, s.fail("start a measurement", err)
	}
	s.asked = true
	return wait, nil
}

// Fetch returns the measurement; see bus.Environment. After an error but bus.ErrNotReady there is nothing to fetch
// until the next Measure.
func (s *Sensor) Fetch() (bus.Air, error) {
	if !s.asked {
		return bus.Air{}, s.fail("fetch a measurement", ErrOrder)
	}
	air, err := s.fetch()
	if errors.Is(err, bus.ErrNotReady) {
		if s.notReady++; s.notReady < maxPatience {
			return bus.Air{}, s.fail("fetch a measurement", err)
		}
		err = ErrStuck
	}
	s.asked = false
	if err != nil {
		return bus.Air{}, s.fail("fetch a measurement", err)
	}
	return air, nil
}

func (s *Sensor) fetch() (bus.Air, error) {
	var control [3]byte // as from regControl: humidity's samples, status, the other samples and the mode
	if err := s.chip.Tx([]byte{regControl}, control[:]); err != nil {
		return bus.Air{}, err
	}
	switch hum, status, measure := control[0], control[1], control[2]; {
	case repeated(control[:]) && (hum == 0x00 || hum == 0xFF):
		return bus.Air{}, ErrSilent
	case hum != humidityOnce || measure&maskSamples != samplesOnce:
		return bus.Air{}, ErrReset
	case status&(statusMeasuring|statusCopying) != 0 || measure&maskMode != 0:
		return bus.Air{}, bus.ErrNotReady
	}
	var sample [8]byte
	if err := s.chip.Tx([]byte{regData}, sample[:]); err != nil { // in one go: the chip keeps the values of one measurement together
		return bus.Air{}, err
	}
	raw, err := ParseSample(sample)
	if err != nil {
		return bus.Air{}, err
	}
	if sample != s.last {
		s.last, s.same = sample, 0
	}
	if s.same = min(s.same+1, FrozenAfter); s.same == FrozenAfter {
		return bus.Air{}, ErrFrozen
	}
	return s.calibration.Compensate(raw)
}

// ParseSample reads the eight bytes from register 0xF7: ErrSilent when they are the wires, ErrNoValue when one of the
// three values is the chip's code for "not measured".
func ParseSample(b [8]byte) (Raw, error) {
	if repeated(b[:]) && (b[0] == 0x00 || b[0] == 0xFF) {
		return Raw{}, ErrSilent
	}
	twenty := func(b []byte) uint32 { return uint32(b[0])<<12 | uint32(b[1])<<4 | uint32(b[2])>>4 }
	r := Raw{Pressure: twenty(b[0:3]), Temperature: twenty(b[3:6]), Humidity: uint32(b[6])<<8 | uint32(b[7])}
	for _, v := range []struct {
		name      string
		raw, code uint32
	}{{"pressure", r.Pressure, half}, {"temperature", r.Temperature, half}, {"humidity", r.Humidity, noHumidity}} {
		if v.raw == v.code {
			return Raw{}, fmt.Errorf("%s: %w", v.name, ErrNoValue)
		}
	}
	return r, nil
}
