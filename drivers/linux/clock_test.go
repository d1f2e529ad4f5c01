//go:build linux

package linux

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestClock(t *testing.T) {
	c, err := NewClock()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Boot()) != 36 {
		t.Errorf("boot id %q, want a UUID", c.Boot())
	}
	before := c.Mono()
	if after := c.Mono(); before <= 0 || after < before {
		t.Errorf("monotonic clock went from %d to %d", before, after)
	}
	if c.UTC() <= 0 {
		t.Errorf("UTC %d", c.UTC())
	}
	if _, maxError, err := c.Sync(); err == nil && maxError < 0 {
		t.Errorf("maximum error %s", maxError)
	}
}

func TestWhatTheKernelSaysOfItsClock(t *testing.T) {
	for name, c := range map[string]struct {
		state    int
		status   int32
		maxError int64
		synced   bool
		error    time.Duration
	}{
		"synchronised":                {unix.TIME_OK, unix.STA_PLL, 1500, true, 1500 * time.Microsecond},
		"in nanoseconds":              {unix.TIME_OK, unix.STA_PLL | unix.STA_NANO, 1500, true, 1500 * time.Microsecond},
		"never":                       {unix.TIME_ERROR, unix.STA_UNSYNC, 16_000_000, false, 16 * time.Second},
		"not any more":                {unix.TIME_ERROR, unix.STA_UNSYNC | unix.STA_NANO, 900_000, false, 900 * time.Millisecond},
		"unsynchronised by its flags": {unix.TIME_OK, unix.STA_UNSYNC, 10, false, 10 * time.Microsecond},
		"a broken clock":              {unix.TIME_OK, unix.STA_CLOCKERR, 10, false, 10 * time.Microsecond},
		"a leap second to come":       {unix.TIME_INS, unix.STA_PLL | unix.STA_INS, 10, true, 10 * time.Microsecond},
		"a leap second to leave out":  {unix.TIME_DEL, unix.STA_PLL | unix.STA_DEL, 10, true, 10 * time.Microsecond},
		"a leap second under way":     {unix.TIME_OOP, unix.STA_PLL | unix.STA_INS, 10, true, 10 * time.Microsecond},
		"a leap second just over":     {unix.TIME_WAIT, unix.STA_PLL | unix.STA_INS, 10, true, 10 * time.Microsecond},
	} {
		timex := unix.Timex{Status: c.status}
		set(&timex.Maxerror, c.maxError)
		if synced, maxError := judge(c.state, &timex); synced != c.synced || maxError != c.error {
			t.Errorf("%s: synchronised %v, error %s", name, synced, maxError)
		}
	}
}

// set sets a field that is as wide as the machine's words.
func set[T int32 | int64](field *T, to int64) { *field = T(to) }

// BenchmarkSync is what a look at the kernel's clock costs beside reading it.
func BenchmarkSync(b *testing.B) {
	c, err := NewClock()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := c.Sync(); err != nil {
			b.Skip(err)
		}
	}
}
