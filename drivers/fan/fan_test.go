package fan

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

var _ bus.Burst = (*Fan)(nil)

func TestFan(t *testing.T) {
	part := func(out bus.Output, longest time.Duration) (bus.Burst, error) { return New(out, longest, Rundown) }
	if err := (bustest.Burst{What: "fan", New: part, Shortest: Shortest, Longest: Longest, MaxLongest: MaxLongest}).Check(); err != nil {
		t.Error(err)
	}
}

func TestRundown(t *testing.T) {
	out := &output{}
	for rundown, fits := range map[time.Duration]bool{0: true, MaxRundown: true, MaxRundown + 1: false, -1: false} {
		f, err := New(out, Longest, rundown)
		if (err == nil) != fits || fits && f.Rundown() != rundown {
			t.Errorf("rundown %s: %v", rundown, err)
		}
	}
}

// output is a bus.Output that nothing is on.
type output struct{}

func (*output) Set(bool, int64, time.Duration, func(int64, error)) {}
