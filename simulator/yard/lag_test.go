package yard_test

import (
	"testing"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/clock"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/verify"
)

// lagging is a clock that is behind the one that the lines are stamped by, by a time that changes at random: messages travel,
// and machines are held up. It never goes back.
type lagging struct {
	world *world.World
	most  int64 // ns
	last  int64
	seed  *world.Stream
}

// Now implements clock.Clock.
func (l *lagging) Now() event.Stamp {
	now := l.world.Now()
	l.last = max(l.last, now.Mono-int64(l.seed.Below(int(l.most))))
	return now.AtMono(l.last)
}

// Resume implements clock.Resumer.
func (l *lagging) Resume(last event.Stamp) { l.last = max(l.last, last.Mono) }

// At implements clock.Clock: late, as such a clock is.
func (l *lagging) At(mono int64, f func()) (stop func()) { return l.world.At(mono+l.most, f) }

// observes has the assessor say something at once after each change of a line.
func observes(t *testing.T, y *yard.Yard) {
	t.Helper()
	assessor, known := y.Control.Person("Assessor")
	if !known {
		t.Fatal("there is no assessor")
	}
	y.Hardware.Subscribe(func(hardware.Change) {
		y.World.After(0, func() {
			y.Control.Do(assessor, control.Request{Command: "observe", What: "hesitation"}, func(control.Response) {})
		})
	})
}

// TestHonestSessionsVerifyWithAClockThatLags: 40 sessions here, 370 in make long. Without the clamp where lines and clock meet,
// commands and restarts are stamped before edges that they follow.
func TestHonestSessionsVerifyWithAClockThatLags(t *testing.T) {
	sessions := 370
	if testing.Short() {
		sessions = 40
	}
	for seed := range sessions {
		y := sealedYard(t, func(o *yard.Options) {
			o.Seed, o.Secrets = uint64(seed), uint64(1000+seed)
			o.Clock = func(c clock.Clock) clock.Clock {
				w := c.(*world.World)
				return &lagging{world: w, most: int64(66 * time.Millisecond), seed: w.Rand("how far the clock lags")}
			}
		})
		observes(t, y)
		does(t, y, "arm")
		y.World.RunFor(time.Duration(seed%7) * time.Second)
		if seed%3 == 0 { // the program is started again in mid-run
			if err := y.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := y.Start(); err != nil {
				t.Fatal(err)
			}
		}
		if err := y.Conduct(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		_, bundle, err := y.Archive.Bundle("", false)
		if err != nil {
			t.Fatal(err)
		}
		if report := verify.Verify(bundle, verify.Options{}); !report.Consistent {
			t.Errorf("seed %d: %+v", seed, report.Problems)
		}
	}
}
