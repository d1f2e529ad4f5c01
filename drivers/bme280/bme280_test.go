package bme280

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c/i2ctest"

	"scentpost/drivers/bus"
)

var _ bus.Environment = (*Sensor)(nil)

const address = 0x76

// ops is what goes over the wires.
type ops []i2ctest.IO

func io(w []byte, r ...byte) i2ctest.IO { return i2ctest.IO{Addr: address, W: w, R: r} }

// beginning is Begin on a chip with these blocks.
func beginning(low, high []byte) ops {
	return ops{
		io([]byte{0xD0}, 0x60), io([]byte{0xF3}, 0x00),
		io([]byte{0x88}, low...), io([]byte{0xE1}, high...), io([]byte{0x88}, low...), io([]byte{0xE1}, high...),
		io([]byte{0xF4, 0x00}), io([]byte{0xF5, 0x00}), io([]byte{0xF2, 0x01}),
	}
}

func begun() ops { return beginning(example.blocks()) }

var (
	measure = io([]byte{0xF4, 0x25})
	ready   = io([]byte{0xF2}, 0x01, 0x00, 0x24)
)

// sample is the transfer of a raw sample.
func sample(r Raw) i2ctest.IO {
	return io([]byte{0xF7}, byte(r.Pressure>>12), byte(r.Pressure>>4), byte(r.Pressure<<4),
		byte(r.Temperature>>12), byte(r.Temperature>>4), byte(r.Temperature<<4), byte(r.Humidity>>8), byte(r.Humidity))
}

// wires plays ops back; an op of which fails names its number fails, and the ops behind it are not played.
type wires struct {
	i2ctest.Playback
	fails map[int]error
}

func (w *wires) Tx(addr uint16, write, read []byte) error {
	if err := w.fails[w.Count]; err != nil {
		return err
	}
	return w.Playback.Tx(addr, write, read)
}

// with returns a sensor on wires that play parts one after the other.
func with(t *testing.T, parts ...ops) (*Sensor, *wires) {
	t.Helper()
	w := &wires{Playback: i2ctest.Playback{DontPanic: true}, fails: map[int]error{}}
	for _, p := range parts {
		w.Ops = append(w.Ops, p...)
	}
	s, err := New(w, address)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// over fails the test when not all was played.
func over(t *testing.T, w *wires) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMeasurement(t *testing.T) {
	s, w := with(t, begun(), ops{measure, ready, sample(exampleRaw)})
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	wait, err := s.Measure()
	if err != nil || wait < 9300*time.Microsecond || wait > 100*time.Millisecond {
		t.Errorf("wait %s, %v", wait, err)
	}
	air, err := s.Fetch()
	if err != nil || air.TemperatureMilliC != 25_082 || air.PressureMilliPa/1000 != 100_653 {
		t.Errorf("%+v, %v", air, err)
	}
	if _, err := s.Fetch(); !errors.Is(err, ErrOrder) {
		t.Errorf("fetched twice: %v", err)
	}
	over(t, w)
}

func TestBeginRefuses(t *testing.T) {
	low, high := example.blocks()
	other := append([]byte(nil), low...)
	other[6] ^= 0x04
	for name, c := range map[string]struct {
		ops  ops
		want error
		says string
	}{
		"a BMP280":               {ops{io([]byte{0xD0}, 0x58)}, ErrChip, "BMP280"},
		"a BMP180":               {ops{io([]byte{0xD0}, 0x55)}, ErrChip, "BMP180"},
		"another chip":           {ops{io([]byte{0xD0}, 0x61)}, ErrChip, "0x61"},
		"all 00":                 {ops{io([]byte{0xD0}, 0x00)}, ErrSilent, "SDA"},
		"all FF":                 {ops{io([]byte{0xD0}, 0xFF)}, ErrSilent, "SDA"},
		"just powered":           {ops{io([]byte{0xD0}, 0x60), io([]byte{0xF3}, 0x01)}, bus.ErrNotReady, "calibration"},
		"calibration all FF":     {beginning([]byte(strings.Repeat("\xFF", LowBytes)), high)[:4], ErrCalibration, "replace"},
		"calibration all 00":     {beginning(make([]byte, LowBytes), high)[:4], ErrCalibration, "all 00"},
		"calibration that moves": {append(beginning(low, high)[:4], io([]byte{0x88}, other...), io([]byte{0xE1}, high...)), ErrCalibration, "differs"},
	} {
		s, w := with(t, c.ops)
		err := s.Begin()
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "bme280 at 0x76: ") {
			t.Errorf("%s: %v, want %v with %q", name, err, c.want, c.says)
		}
		over(t, w)
		if _, err := s.Measure(); !errors.Is(err, ErrOrder) {
			t.Errorf("%s: measured all the same: %v", name, err)
		}
	}
}

func TestFetchRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		ops  ops
		want error
	}{
		"no value of pressure":    {ops{ready, sample(Raw{0x80000, 519888, 28000})}, ErrNoValue},
		"no value of temperature": {ops{ready, sample(Raw{415148, 0x80000, 28000})}, ErrNoValue},
		"no value of humidity":    {ops{ready, sample(Raw{415148, 519888, 0x8000})}, ErrNoValue},
		"nothing measured":        {ops{ready, sample(Raw{0x80000, 0x80000, 0x8000})}, ErrNoValue},
		"sample all 00":           {ops{ready, io([]byte{0xF7}, 0, 0, 0, 0, 0, 0, 0, 0)}, ErrSilent},
		"sample all FF":           {ops{ready, io([]byte{0xF7}, 255, 255, 255, 255, 255, 255, 255, 255)}, ErrSilent},
		"control all 00":          {ops{io([]byte{0xF2}, 0, 0, 0)}, ErrSilent},
		"control all FF":          {ops{io([]byte{0xF2}, 255, 255, 255)}, ErrSilent},
		"humidity was forgotten":  {ops{io([]byte{0xF2}, 0, 0, 0x24)}, ErrReset},
		"samples were forgotten":  {ops{io([]byte{0xF2}, 1, 0, 0)}, ErrReset},
		"out of range":            {ops{ready, sample(Raw{415148, 0xFFFF0, 28000})}, ErrRange},
	} {
		s, w := with(t, begun(), ops{measure}, c.ops)
		if err := s.Begin(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Measure(); err != nil {
			t.Fatal(err)
		}
		air, err := s.Fetch()
		if !errors.Is(err, c.want) || air != (bus.Air{}) {
			t.Errorf("%s: %+v, %v, want %v", name, air, err, c.want)
		}
		if _, err := s.Fetch(); !errors.Is(err, ErrOrder) {
			t.Errorf("%s: then %v", name, err)
		}
		over(t, w)
	}
}

func TestAMeasurementThatIsNotReadyYet(t *testing.T) {
	measuring, forced := io([]byte{0xF2}, 0x01, 0x08, 0x25), io([]byte{0xF2}, 0x01, 0x00, 0x25)
	s, w := with(t, begun(), ops{measure, measuring, forced, ready, sample(exampleRaw)})
	if err := errors.Join(s.Begin(), second(s.Measure())); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Fetch(); !errors.Is(err, bus.ErrNotReady) {
			t.Errorf("%v, want not ready", err)
		}
	}
	if _, err := s.Fetch(); err != nil {
		t.Error(err)
	}
	over(t, w)
}

func second[T any](_ T, err error) error { return err }

// TestAMeasurementThatNeverEnds: periph's package would ask for ever.
func TestAMeasurementThatNeverEnds(t *testing.T) {
	never := ops{measure}
	for range maxPatience {
		never = append(never, io([]byte{0xF2}, 0x01, 0x08, 0x25))
	}
	s, w := with(t, begun(), never)
	if err := errors.Join(s.Begin(), second(s.Measure())); err != nil {
		t.Fatal(err)
	}
	for i := range maxPatience {
		want := bus.ErrNotReady
		if i == maxPatience-1 {
			want = ErrStuck
		}
		if _, err := s.Fetch(); !errors.Is(err, want) {
			t.Errorf("fetch %d: %v, want %v", i, err, want)
		}
	}
	over(t, w)
}

// TestFrozen: a chip whose values stand still is told at the tenth sample, goes on being told over a new beginning, and
// is believed again when anything moves.
func TestFrozen(t *testing.T) {
	s, w := with(t)
	take := func(r Raw) error {
		w.Ops = append(w.Ops, measure, ready, sample(r))
		if _, err := s.Measure(); err != nil {
			t.Fatal(err)
		}
		return second(s.Fetch())
	}
	w.Ops = append(w.Ops, begun()...)
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * FrozenAfter {
		if i == FrozenAfter+3 {
			w.Ops = append(w.Ops, begun()...)
			if err := s.Begin(); err != nil {
				t.Fatal(err)
			}
		}
		if err := take(exampleRaw); errors.Is(err, ErrFrozen) != (i >= FrozenAfter-1) {
			t.Errorf("sample %d: %v", i, err)
		}
	}
	moved := exampleRaw
	moved.Humidity++
	if err := take(moved); err != nil {
		t.Error(err)
	}
	over(t, w)
}

// TestWiresThatFail: a bus that hangs gives a time-out and a chip that went away is not acknowledged. At each transfer,
// both come out as errors that say which chip failed at what, with no transfer after them.
func TestWiresThatFail(t *testing.T) {
	whole := len(begun()) + 3
	for _, fault := range []error{syscall.ETIMEDOUT, syscall.EREMOTEIO, syscall.ENXIO} {
		for at := range whole {
			s, w := with(t, begun(), ops{measure, ready, sample(exampleRaw)})
			w.fails[at] = fmt.Errorf("sysfs-i2c: %w", fault)
			err := s.Begin()
			if err == nil {
				_, err = s.Measure()
			}
			if err == nil {
				_, err = s.Fetch()
			}
			if !errors.Is(err, fault) || w.Count != at || !strings.HasPrefix(err.Error(), "bme280 at 0x76: ") {
				t.Errorf("transfer %d fails with %v: %v after %d", at, fault, err, w.Count)
			}
		}
	}
}

// TestItComesBack: after a failure in mid-measurement Begin starts from nothing.
func TestItComesBack(t *testing.T) {
	s, w := with(t, begun(), ops{measure}, begun(), ops{measure, ready, sample(exampleRaw)})
	if err := errors.Join(s.Begin(), second(s.Measure())); err != nil {
		t.Fatal(err)
	}
	w.fails[w.Count] = syscall.EREMOTEIO
	if _, err := s.Fetch(); !errors.Is(err, syscall.EREMOTEIO) {
		t.Fatal(err)
	}
	clear(w.fails)
	if err := errors.Join(s.Begin(), second(s.Measure()), second(s.Fetch())); err != nil {
		t.Error(err)
	}
	over(t, w)
}

func TestNewRefuses(t *testing.T) {
	for _, at := range []uint16{0, 0x75, 0x78, 0x176} {
		if _, err := New(&i2ctest.Playback{}, at); err == nil {
			t.Errorf("address 0x%02X was taken", at)
		}
	}
	if _, err := New(&i2ctest.Playback{}, 0x77); err != nil {
		t.Error(err)
	}
}
