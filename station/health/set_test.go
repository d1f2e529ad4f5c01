package health_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/health"
)

// rule opens beams, shows that "gpio" is absent without saying why, and freezes all else.
func rule(_ health.Code, on string) health.Exposure {
	switch {
	case strings.HasPrefix(on, "beam"):
		return health.Open
	case on == "gpio":
		return health.Bare
	}
	return health.Frozen
}

// seen writes what a reader of the set can see.
func seen(s *health.Set) string {
	out := fmt.Sprintf("worst %d", s.Worst())
	for _, c := range s.Snapshot() {
		out += "\n" + line(c)
	}
	return out
}

func line(c health.Condition) string {
	return fmt.Sprintf("%s %s %q %d-%d x%d", c.Code, c.On, c.Evidence, c.Since, c.Until, c.Times)
}

// TestBetweenSealAndRevealConditionsAreFrozen plays a session: what a canister does is told at its end, with its times.
func TestBetweenSealAndRevealConditionsAreFrozen(t *testing.T) {
	s := health.NewSet(rule)
	s.Raise(health.DeviceFault, "canister-1a", "did not arrive", at(1))
	s.Raise(health.DeviceAbsent, "gpio", "no line x", at(2))
	atSeal := seen(&s)
	if want := "worst 3\ndevice-absent gpio \"no line x\" 2-0 x1\ndevice-fault canister-1a \"did not arrive\" 1-0 x1"; atSeal != want {
		t.Fatalf("before the seal %s", atSeal)
	}
	s.Freeze()
	version := s.Version()
	for _, c := range []struct {
		what string
		news bool
	}{
		{"a fault that is over", s.Clear(health.DeviceFault, "canister-1a", at(10))},
		{"a fault", s.Raise(health.DeviceFault, "canister-2b", "jammed", at(11))},
		{"the same again", s.Raise(health.DeviceFault, "canister-2b", "jammed still", at(12))},
		{"a fault that comes", s.Raise(health.DeviceFault, "canister-3c", "jammed", at(13))},
		{"and goes", s.Clear(health.DeviceFault, "canister-3c", at(14))},
		{"and comes", s.Raise(health.DeviceFault, "canister-3c", "jammed", at(15))},
		{"and goes again", s.Clear(health.DeviceFault, "canister-3c", at(16))},
		{"an absence that was there", s.Raise(health.DeviceAbsent, "gpio", "no line y", at(17))},
	} {
		if c.news {
			t.Errorf("%s is news", c.what)
		}
	}
	if got := seen(&s); got != atSeal || s.Version() != version || !s.Frozen() {
		t.Errorf("while sealed it shows\n%s\nand at the seal it was\n%s", got, atSeal)
	}
	if s.Holds(health.DeviceFault, "canister-1a") || !s.Holds(health.DeviceFault, "canister-2b") {
		t.Error("it does not know any more what holds")
	}
	var told []string
	for _, c := range s.Thaw() {
		told = append(told, line(c))
	}
	if want := []string{
		`device-fault canister-1a "did not arrive" 1-10 x1`, `device-absent gpio "no line y" 2-0 x2`,
		`device-fault canister-2b "jammed still" 11-0 x2`, `device-fault canister-3c "jammed" 13-16 x2`,
	}; !slices.Equal(told, want) {
		t.Errorf("after the reveal it tells\n%s", strings.Join(told, "\n"))
	}
	if got, want := seen(&s), `worst 3
device-absent gpio "no line y" 2-0 x2
device-fault canister-2b "jammed still" 11-0 x2
device-fault canister-1a "did not arrive" 1-10 x1
device-fault canister-3c "jammed" 13-16 x2`; got != want {
		t.Errorf("after the reveal it shows\n%s", got)
	}
	if s.Thaw() != nil {
		t.Error("told twice")
	}
	s.Freeze()
	if got, want := seen(&s), "worst 3\ndevice-absent gpio \"no line y\" 2-0 x2\ndevice-fault canister-2b \"jammed still\" 11-0 x2"; got != want {
		t.Errorf("at the next seal it shows\n%s", got)
	}
}

// TestABareConditionShowsThatItHolds and not what was seen, nor how often.
func TestABareConditionShowsThatItHolds(t *testing.T) {
	s := health.NewSet(rule)
	s.Freeze()
	if !s.Raise(health.DeviceAbsent, "gpio", "line c3b.drive failed", at(5)) || s.Raise(health.DeviceAbsent, "gpio", "again", at(6)) {
		t.Error("the first is no news, or the second is")
	}
	if got, want := seen(&s), fmt.Sprintf("worst 3\ndevice-absent gpio %q 5-0 x1", health.Withheld); got != want {
		t.Errorf("it shows %s", got)
	}
	if !s.Clear(health.DeviceAbsent, "gpio", at(7)) || s.Clear(health.DeviceAbsent, "gpio", at(8)) || seen(&s) != "worst 0" {
		t.Errorf("when it is over: %s", seen(&s))
	}
	if told := s.Thaw(); len(told) != 1 || line(told[0]) != `device-absent gpio "again" 5-7 x2` {
		t.Errorf("after the reveal: %+v", told)
	}
}

// TestWhatNobodyThoughtOfIsFrozen: without a rule all conditions of devices are, and none of the station's.
func TestWhatNobodyThoughtOfIsFrozen(t *testing.T) {
	open := []string{}
	for _, code := range health.Codes() {
		var s health.Set
		s.Freeze()
		if s.Raise(code, "beam-1", "", at(1)) {
			open = append(open, string(code))
		}
	}
	if slices.Contains(open, "device-fault") || slices.Contains(open, "device-absent") || slices.Contains(open, "edges-lost") ||
		slices.Contains(open, "source-silent") || !slices.Contains(open, "broker-away") {
		t.Errorf("seen from seal to reveal: %q", open)
	}
}

// TestFrozenConditionsLeaveNoTrace: two sets that are given the same, but for conditions that are frozen, look the same
// at every step, whatever those are.
func TestFrozenConditionsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := health.NewSet(rule), health.NewSet(rule)
		step := func(s *health.Set, raise bool, on string, n int64) bool {
			if raise {
				return s.Raise(health.DeviceFault, on, fmt.Sprint(n), at(n))
			}
			return s.Clear(health.DeviceFault, on, at(n))
		}
		draw := func(secret bool, s *health.Set, others *health.Set, n int64) {
			on := rapid.SampledFrom([]string{"beam-1", "beam-2"}).Draw(t, "public")
			if secret {
				on = rapid.SampledFrom([]string{"canister-1a", "canister-1b"}).Draw(t, "secret")
			}
			raise := rapid.Bool().Draw(t, "raise")
			news := step(s, raise, on, n)
			if others != nil && step(others, raise, on, n) != news {
				t.Fatalf("step %d: %s is news to one of them", n, on)
			}
		}
		for n := range rapid.Int64Range(0, 5).Draw(t, "before the seal") {
			draw(rapid.Bool().Draw(t, "of a canister"), &a, &b, n)
		}
		a.Freeze()
		b.Freeze()
		for n := range rapid.Int64Range(0, 40).Draw(t, "while sealed") {
			switch rapid.IntRange(0, 2).Draw(t, "whose") {
			case 0:
				draw(true, &a, nil, 100+n)
			case 1:
				draw(true, &b, nil, 100+n)
			default:
				draw(false, &a, &b, 100+n)
			}
			if seen(&a) != seen(&b) || a.Version() != b.Version() {
				t.Fatalf("step %d: one shows\n%s\nthe other\n%s", n, seen(&a), seen(&b))
			}
		}
	})
}

// TestSetHoldsWhatWasRaisedAndNotCleared compares the set with the plainest model of it.
func TestSetHoldsWhatWasRaisedAndNotCleared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s health.Set
		model := map[string]int{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			code := rapid.SampledFrom(health.Codes()).Draw(t, "code")
			on := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "on")
			key, before := string(code)+"|"+on, s.Version()
			if rapid.Bool().Draw(t, "raise") {
				if s.Raise(code, on, "", at(1)) != (model[key] == 0) {
					t.Fatalf("raise of %s: wrong news", key)
				}
				model[key]++
			} else {
				if s.Clear(code, on, at(2)) != (model[key] > 0) {
					t.Fatalf("clear of %s: wrong answer", key)
				}
				if model[key] == 0 {
					before-- // nothing changed, and the version must not either
				}
				delete(model, key)
			}
			if s.Version() != before+1 {
				t.Fatalf("version %d after %d", s.Version(), before)
			}
		}
		all := s.Snapshot()
		if len(all) != len(model) {
			t.Fatalf("holds %d, want %d", len(all), len(model))
		}
		for i, c := range all {
			if model[string(c.Code)+"|"+c.On] != c.Times || (i > 0 && all[i-1].Severity < c.Severity) {
				t.Fatalf("%d: %+v", i, c)
			}
		}
	})
}
