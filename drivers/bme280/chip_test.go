package bme280

import (
	"errors"
	"testing"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

// measured asks a sensor for one sample, and begins first when it must.
func measured(s *Sensor, begin bool) (bus.Air, error) {
	if begin {
		if err := s.Begin(); err != nil {
			return bus.Air{}, err
		}
	}
	if _, err := s.Measure(); err != nil {
		return bus.Air{}, err
	}
	for {
		if air, err := s.Fetch(); !errors.Is(err, bus.ErrNotReady) {
			return air, err
		}
	}
}

var errBus = errors.New("remote I/O error")

// TestOnAChipOfRegisters runs the sensor on the fake that a virtual station has, through everything that can be wrong.
func TestOnAChipOfRegisters(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*bustest.BME280)
		want  error
		again bool // the next sample is sound, after a new beginning
	}{
		"sound":             {func(*bustest.BME280) {}, nil, true},
		"slow":              {func(b *bustest.BME280) { b.Slow(3) }, nil, true},
		"stuck":             {func(b *bustest.BME280) { b.Slow(-1) }, ErrStuck, false},
		"no value":          {func(b *bustest.BME280) { b.Measures(bustest.NoAir) }, ErrNoValue, false},
		"all 00":            {func(b *bustest.BME280) { b.Silence(0) }, ErrSilent, false},
		"all FF":            {func(b *bustest.BME280) { b.Silence(0xFF) }, ErrSilent, false},
		"gone":              {func(b *bustest.BME280) { b.Fail(errBus) }, errBus, false},
		"out of range":      {func(b *bustest.BME280) { b.Measures(bustest.RawAir{Pressure: 1, Temperature: 519888, Humidity: 1}) }, ErrRange, false},
		"reset":             {func(b *bustest.BME280) { b.Reset() }, ErrReset, true},
		"another chip":      {func(b *bustest.BME280) { b.Poke(0xD0, 0x58) }, nil, false},
		"calibration of FF": {func(b *bustest.BME280) { calibration(b, 0xFF) }, nil, false},
	} {
		chip := bustest.NewBME280(address)
		s, err := New(chip, address)
		if err != nil {
			t.Fatal(err)
		}
		if air, err := measured(s, true); err != nil || air.TemperatureMilliC/100 != 250 {
			t.Fatalf("%s: before it: %+v, %v", name, air, err)
		}
		c.spoil(chip)
		if _, err := measured(s, false); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := measured(s, true); (err == nil) != c.again {
			t.Errorf("%s: begun again: %v", name, err)
		}
	}
}

func calibration(b *bustest.BME280, value byte) {
	for r := 0x88; r <= 0xA1; r++ {
		b.Poke(r, value)
	}
}

// TestEveryTransferMayFail: whichever it is, no sample is made of it, and the next beginning mends it.
func TestEveryTransferMayFail(t *testing.T) {
	for i := 0; ; i++ {
		chip := bustest.NewBME280(address)
		s, _ := New(chip, address)
		chip.FailAt(i, errBus)
		air, err := measured(s, true)
		if err == nil {
			if i < 10 || chip.Transfers() != i {
				t.Errorf("%d transfers for a sample, of which %d were tried", chip.Transfers(), i)
			}
			return
		}
		if !errors.Is(err, errBus) || air != (bus.Air{}) {
			t.Errorf("transfer %d: %+v, %v", i, air, err)
		}
		chip.Fail(nil)
		if _, err := measured(s, true); err != nil {
			t.Errorf("transfer %d: begun again: %v", i, err)
		}
	}
}

func TestAFrozenChip(t *testing.T) {
	chip := bustest.NewBME280(address)
	chip.Freeze(true)
	s, _ := New(chip, address)
	for i := 1; ; i++ {
		_, err := measured(s, i == 1)
		if errors.Is(err, ErrFrozen) && i == FrozenAfter {
			return
		}
		if err != nil || i == FrozenAfter {
			t.Fatalf("sample %d: %v", i, err)
		}
	}
}
