package valve

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

var _ bus.Burst = (*Valve)(nil)

func TestValve(t *testing.T) {
	part := func(out bus.Output, longest time.Duration) (bus.Burst, error) { return New(out, longest) }
	if err := (bustest.Burst{What: "valve", New: part, Shortest: Shortest, Longest: Longest, MaxLongest: MaxLongest}).Check(); err != nil {
		t.Error(err)
	}
}
