package check_test

import (
	"fmt"
	"strings"
	"testing"

	"scentpost/simulator/check"
	"scentpost/simulator/yard"
)

// motorised is the station of the pairs with a motor at every canister: a line for each way, off at its end.
func motorised() string {
	text := strings.ReplaceAll(stationText(3, 3), "type: shutter,", "type: motor-shutter, on_loss: closes,")
	for p := 1; p <= 3; p++ {
		for _, l := range "abc" {
			c := fmt.Sprintf("c%d%c", p, l)
			text = strings.Replace(text, "drive: "+c+".drive", fmt.Sprintf("open: %s.open, close: %s.close", c, c), 1)
		}
	}
	return text
}

// TestMotorsTellNothing: a motor is switched off when its own canister arrives, and nobody who stands there can tell which
// one it was; nor by what a canister that fails has its motor do.
func TestMotorsTellNothing(t *testing.T) {
	t.Parallel()
	cfg := mustConfig(motorised())
	lookAlike(t, motorPairs.count(), func(i int) performance {
		return performance{seed: uint64(i), secrets: uint64(7000 + 2*i), mode: "double", station: &cfg}
	}, func(pair int, _ *check.Sights, y *yard.Yard) {
		for _, c := range y.Hardware.Canisters() {
			if c.State != "closed" || c.Shorted != 0 || c.Driven || c.Shutting {
				t.Fatalf("pair %d leaves %+v", pair, c)
			}
		}
	})
	voids := 0
	for i := range motorFaultPairs.count() {
		p, fail := failing(i)
		p.station = &cfg
		a, b, _, instants := faultPair(t, p, fail, nil)
		voids += len(instants)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, %s, voids at %v: %v", i, fail, instants, err)
		}
	}
	if voids == 0 {
		t.Error("no canister failed in any pair")
	}
}
