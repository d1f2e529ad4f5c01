package buzzer

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

var _ bus.Burst = (*Buzzer)(nil)

func TestBuzzer(t *testing.T) {
	part := func(out bus.Output, longest time.Duration) (bus.Burst, error) { return New(out, longest) }
	if err := (bustest.Burst{What: "buzzer", New: part, Shortest: Shortest, Longest: Longest, MaxLongest: MaxLongest}).Check(); err != nil {
		t.Error(err)
	}
}
