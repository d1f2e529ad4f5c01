package ds3231

import (
	"errors"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

var _ bus.Timekeeper = (*Clock)(nil)

const second = int64(time.Second)

var errBus = errors.New("remote I/O error")

// bench is a clock on a chip, in front of a world that goes on when the test says so.
type bench struct {
	mono int64
	chip *bustest.DS3231
	*Clock
}

// begin is when the world begins: at the end of a century's worth of digits.
var begin = time.Date(2026, 12, 31, 23, 59, 58, 0, time.UTC)

func newBench() *bench {
	b := &bench{}
	b.chip = bustest.NewDS3231(func() time.Time { return begin.Add(time.Duration(b.mono)) })
	b.Clock = New(b.chip)
	return b
}

func TestASoundClockShowsItsTime(t *testing.T) {
	b := newBench()
	for range 5 {
		shown, err := b.Look(b.mono)
		if want := begin.Add(time.Duration(b.mono)); err != nil || !shown.Equal(want) {
			t.Errorf("%s, %v; want %s", shown, err, want)
		}
		b.mono += second
	}
	if n := b.chip.Transfers(); n != 5 {
		t.Errorf("5 looks took %d transfers", n)
	}
}

func TestWhatIsWrongWithAClock(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*bustest.DS3231)
		want  error
		says  string
	}{
		"no battery at the power cut": {func(d *bustest.DS3231) { d.LoseBattery() }, ErrStopped, "replace its battery"},
		"stops without supply":        {func(d *bustest.DS3231) { d.Poke(0x0E, 0x9C) }, ErrOff, "EOSC"},
		"never set":                   {func(d *bustest.DS3231) { d.LoseBattery(); d.Poke(0x0F, 0x08) }, ErrDate, "2000-01-01"},
		"no such day":                 {func(d *bustest.DS3231) { d.Poke(0x04, 0x31); d.Poke(0x05, 0x02) }, ErrDate, "2026-02-31"},
		"no number":                   {func(d *bustest.DS3231) { d.Poke(0x01, 0x5A) }, ErrDate, "5A"},
		"no month":                    {func(d *bustest.DS3231) { d.Poke(0x05, 0x00) }, ErrDate, "cannot be true"},
		"hour 24":                     {func(d *bustest.DS3231) { d.Poke(0x02, 0x24) }, ErrDate, "24"},
		"hour 0 of 12":                {func(d *bustest.DS3231) { d.Poke(0x02, 0x40) }, ErrDate, "cannot be true"},
		"all 00":                      {func(d *bustest.DS3231) { d.Silence(0) }, ErrSilent, "SDA"},
		"all FF":                      {func(d *bustest.DS3231) { d.Silence(0xFF) }, ErrSilent, "SDA"},
		"all the same, otherwise":     {func(d *bustest.DS3231) { d.Silence(0x41) }, ErrChip, "gyroscope"},
		"another chip":                {func(d *bustest.DS3231) { d.Poke(0x12, 0x41) }, ErrChip, "no DS3231"},
		"a bus that hangs":            {func(d *bustest.DS3231) { d.Fail(errBus) }, errBus, "ds3231 at 0x68"},
	} {
		b := newBench()
		if _, err := b.Look(0); err != nil {
			t.Fatal(err)
		}
		c.spoil(b.chip)
		b.mono = second
		shown, err := b.Look(b.mono)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !shown.IsZero() {
			t.Errorf("%s: %s, %v; want %v with %q", name, shown, err, c.want, c.says)
		}
		if absent := c.want == ErrSilent || c.want == errBus; absent != errors.Is(err, bus.ErrNoAnswer) {
			t.Errorf("%s: said to be absent: %v", name, !absent)
		}
	}
}

func TestTheTwelveHourFormat(t *testing.T) {
	for hours, want := range map[byte]int{0x40 | 0x12: 0, 0x40 | 0x01: 1, 0x60 | 0x12: 12, 0x60 | 0x11: 23, 0x23: 23, 0x00: 0} {
		b := newBench()
		b.chip.Poke(0x02, hours)
		if shown, err := b.Look(0); err != nil || shown.Hour() != want {
			t.Errorf("%02X is hour %d, %v; want %d", hours, shown.Hour(), err, want)
		}
	}
}

func TestTheNextCentury(t *testing.T) {
	b := newBench()
	b.chip.Poke(0x05, 0x81)
	b.chip.Poke(0x06, 0x01)
	if shown, err := b.Look(0); err != nil || shown.Year() != 2101 {
		t.Errorf("%s, %v", shown, err)
	}
}

// TestAClockThatStandsStill is found by the look that comes two seconds later, and is well again when it goes.
func TestAClockThatStandsStill(t *testing.T) {
	b := newBench()
	b.chip.Stand(true)
	for _, c := range []struct {
		at    int64
		still bool
	}{{0, false}, {second, false}, {2 * second, true}, {60 * second, true}} {
		b.mono = c.at
		if _, err := b.Look(b.mono); errors.Is(err, ErrFrozen) != c.still || !c.still && err != nil {
			t.Errorf("after %d s: %v", c.at/second, err)
		}
	}
	b.chip.Stand(false)
	if _, err := b.Look(b.mono); err != nil {
		t.Errorf("going again: %v", err)
	}
}

func TestAClockThatDisappearsAndComesBack(t *testing.T) {
	b := newBench()
	b.chip.Fail(errBus)
	if _, err := b.Look(0); !errors.Is(err, errBus) {
		t.Errorf("absent: %v", err)
	}
	b.chip.Fail(nil)
	if _, err := b.Look(0); err != nil {
		t.Errorf("back: %v", err)
	}
}

// FuzzParse: no registers panic, and what is taken is a time that the registers show.
func FuzzParse(f *testing.F) {
	f.Add([]byte{0x58, 0x59, 0x23, 5, 0x31, 0x12, 0x26, 0, 0, 0, 0, 0, 0, 0, 0x1C, 0x08, 0, 25, 0x40})
	f.Add(make([]byte, Registers))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var reg [Registers]byte
		copy(reg[:], raw)
		shown, err := Parse(reg)
		if err != nil {
			if !shown.IsZero() {
				t.Errorf("%s with %v", shown, err)
			}
			return
		}
		if shown.Year() < Earliest || shown.Year() > 2199 || int(reg[0]>>4)*10+int(reg[0]&15) != shown.Second() {
			t.Errorf("% X is %s", reg, shown)
		}
	})
}
