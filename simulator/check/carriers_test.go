package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/config"
	"scentpost/station/event"
)

// carried is the station of the pairs with the canisters and the valve of each position on a port expander of their own,
// as the configuration asks for, and the sensor of the air on the same bus: which pins move depends on the draw.
func carried() *config.Config {
	text := stationText(3, 3)
	for p := 1; p <= 3; p++ {
		for i, letter := range []string{"a", "b", "c"} {
			for role, pin := range map[string]string{"drive": fmt.Sprint("A", i), "opened": fmt.Sprint("B", i), "closed": fmt.Sprint("B", i+3)} {
				text = strings.Replace(text, fmt.Sprintf("%s: c%d%s.%s", role, p, letter, role), fmt.Sprintf("%s: \"exp-%d:%s\"", role, p, pin), 1)
			}
		}
		text = strings.Replace(text, fmt.Sprintf("line: valve%d", p), fmt.Sprintf("line: \"exp-%d:A7\"", p), 1)
		text += fmt.Sprintf("  - {name: exp-%d, type: mcp23017, bus: i2c-1, address: \"0x2%d\", interrupt: asks, hold_on_loss: accepted}\n", p, p)
	}
	cfg := mustConfig(text)
	return &cfg
}

// TestTwoSecretsLookAlikeOnExpanders compares pairs of sessions whose canisters are driven over I2C.
func TestTwoSecretsLookAlikeOnExpanders(t *testing.T) {
	t.Parallel()
	cfg := carried()
	lookAlike(t, carriedPairs.count(), func(i int) performance {
		return performance{seed: uint64(i), secrets: uint64(2*i + 1), mode: []string{"double", "single"}[i%2], station: cfg}
	}, nil)
}

// TestAnExpanderThatGoesTellsNothingButTheVoid: one loses its power because it drives something, as a weak supply does, and
// has it again after a while. Another draw in which the test itself voids the same runs at the same instants looks alike.
func TestAnExpanderThatGoesTellsNothingButTheVoid(t *testing.T) {
	t.Parallel()
	cfg, voids := carried(), 0
	for i := range lostPairs.count() {
		p := performance{seed: uint64(i), secrets: uint64(1000 + 2*i), mode: "double", station: cfg}
		p.before = func(y *yard.Yard, _ *check.Sights) {
			weaken(t, y, i, time.Duration(i)*37*time.Millisecond)
		}
		a, ya := perform(t, p)
		instants := mechanicalVoids(t, ya)
		voids += len(instants)
		p.secrets++
		p.before = func(y *yard.Yard, _ *check.Sights) { voidAt(y, instants) }
		b, _ := perform(t, p)
		for _, seen := range []*check.Sights{a, b} {
			seen.Forget(check.Outside) // a canister without power falls shut, and that is heard
		}
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, voids at %v: %v", i, instants, err)
		}
	}
	if n := lostPairs.count(); voids < n/4 {
		t.Fatalf("only %d voids in %d pairs: nothing was shown", voids, n)
	}
}

// weaken takes an expander's power, for a while, some time after it opens one of its canisters for the first time.
func weaken(t *testing.T, y *yard.Yard, which int, after time.Duration) {
	position, letter, done := 1+which%3, string(rune('A'+which/3%3)), false
	chip := fmt.Sprint("exp-", position)
	y.Hardware.Subscribe(func(c hardware.Change) {
		if done || c.What != hardware.Drive || c.State != "open" || c.Name != fmt.Sprint(position, letter) {
			return
		}
		done = true
		for _, at := range []time.Duration{after, after + 3*time.Second} {
			y.World.After(at, func() {
				if err := y.Hardware.Unplug(chip); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// voidAt voids the runs of a session at instants, as a canister's fault does.
func voidAt(y *yard.Yard, instants []int64) {
	for _, at := range instants {
		y.World.At(at-1, func() {
			y.Host.Event(event.Event{Type: event.CanisterMoved, By: event.ByStation, At: y.World.Now(),
				Body: &event.Handling{Position: 1}, Secret: &event.Moves{Fault: "voided by the test"}})
		})
	}
}
