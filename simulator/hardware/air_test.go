package hardware

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOdourComesAndSeepsAway(t *testing.T) {
	s := newStand(t, 1, nil)
	drive := s.out(t, "c1a.drive")
	strength := func() int {
		for _, scent := range s.Smell(1) {
			if scent.Odour == "tnt" {
				return scent.Strength
			}
		}
		return 0
	}
	check := func(when string, from, to int) {
		t.Helper()
		if got := strength(); got < from || got > to {
			t.Errorf("%s the strength is %d, want %d to %d", when, got, from, to)
		}
		if len(s.Smell(2)) != 0 {
			t.Errorf("%s position 2 smells of %v", when, s.Smell(2))
		}
	}
	check("shut", 0, 0)
	drive.Set(true, 0, time.Minute, nil)
	s.world.RunFor(Reach)
	check("before it reaches the nose", 0, 0)
	s.world.RunFor(Rise / 2)
	check("while it rises", Full/2-1, Full/2+1)
	s.world.RunFor(10 * time.Second)
	check("open", Full, Full)
	drive.Set(false, 0, 0, nil)
	s.world.RunFor(shutSlowest + travelJitter)
	check("just shut", Full*9/10, Full)
	s.world.RunFor(HalfLife)
	check("after a half-life", Full*4/10, Full*6/10)
	drive.Set(true, 0, time.Minute, nil) // again, before it was gone
	s.world.RunFor(Reach)
	check("again before the new odour", Full*4/10, Full*6/10)
	s.world.RunFor(2 * Rise)
	check("again", Full, Full)
	drive.Set(false, 0, 0, nil)
	s.world.RunFor(40 * time.Second)
	check("purged", 0, 0)
}

func TestABlankSmellsOfNothing(t *testing.T) {
	s := newStand(t, 1, nil)
	s.out(t, "c1d.drive").Set(true, 0, time.Minute, nil)
	s.world.RunFor(10 * time.Second)
	if got := s.Smell(1); len(got) != 0 {
		t.Errorf("it smells of %v", got)
	}
	if err := s.Load("1D", "glove"); err != nil {
		t.Fatal(err)
	}
	s.world.RunFor(10 * time.Second)
	if got := s.Smell(1); len(got) != 1 || got[0] != (Scent{"glove", Full}) {
		t.Errorf("loaded anew it smells of %v", got)
	}
}

func TestStrongestFirstAndOnce(t *testing.T) {
	s := newStand(t, 1, nil)
	if err := s.Load("1C", "tnt"); err != nil {
		t.Fatal(err)
	}
	a, b, c := s.out(t, "c1a.drive"), s.out(t, "c1b.drive"), s.out(t, "c1c.drive")
	a.Set(true, 0, time.Minute, nil)
	s.world.RunFor(5 * time.Second)
	a.Set(false, 0, 0, nil)
	s.world.RunFor(4 * time.Second)
	b.Set(true, 0, time.Minute, nil)
	s.world.RunFor(5 * time.Second)
	got := s.Smell(1)
	if len(got) != 2 || got[0] != (Scent{"smokeless-powder", Full}) || got[1].Odour != "tnt" || got[1].Strength > Full/4 {
		t.Errorf("it smells of %v", got)
	}
	c.Set(true, 0, time.Minute, nil)
	s.world.RunFor(5 * time.Second)
	if got := s.Smell(1); len(got) != 2 || got[0].Strength != Full || got[1].Strength != Full {
		t.Errorf("with the same odour from two canisters it smells of %v", got)
	}
}

// TestPlume: the strength never leaves its range, never falls while open, never rises while shut, and does not
// jump when the canister turns.
func TestPlume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p plume
		now := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			before := p.at(now)
			p.turn(rapid.Bool().Draw(t, "open"), now)
			if p.at(now) != before {
				t.Fatalf("turning changed the strength from %d to %d", before, p.at(now))
			}
			for range rapid.IntRange(1, 5).Draw(t, "looks") {
				was := p.at(now)
				now += rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pass")
				is := p.at(now)
				if is < 0 || is > Full || (p.open && is < was) || (!p.open && is > was) {
					t.Fatalf("%+v went from %d to %d", p, was, is)
				}
			}
		}
	})
}

// TestABlowerClearsTheAir: of its position, or of all, and only while it runs.
func TestABlowerClearsTheAir(t *testing.T) {
	s := newStand(t, 1, func(l *Layout) {
		l.Blowers = []Blower{{Name: "fan", Line: "fan"}, {Name: "valve", Position: 2, Line: "valve"}}
	})
	first, second, fan, valve := s.out(t, "c1a.drive"), s.out(t, "c2a.drive"), s.out(t, "fan"), s.out(t, "valve")
	stale := func() [2]int {
		first.Set(true, 0, time.Minute, nil)
		second.Set(true, 0, time.Minute, nil)
		s.world.RunFor(5 * time.Second)
		first.Set(false, 0, 0, nil)
		second.Set(false, 0, 0, nil)
		s.world.RunFor(3 * time.Second)
		var left [2]int
		for i := range left {
			for _, scent := range s.Smell(i + 1) {
				left[i] = scent.Strength
			}
		}
		return left
	}
	apart := func(what string, got [2]int, one, two bool) {
		t.Helper()
		for i, fast := range []bool{one, two} {
			if third := Full / 3; fast == (got[i] > third) {
				t.Errorf("%s: position %d keeps %d", what, i+1, got[i])
			}
		}
	}
	apart("nothing runs", stale(), false, false)
	fan.Set(true, 0, time.Hour, nil)
	s.world.RunFor(time.Minute)
	apart("the fan runs", stale(), true, true)
	fan.Set(false, 0, 0, nil)
	valve.Set(true, 0, time.Hour, nil)
	apart("the valve is open", stale(), false, true)
	valve.Set(false, 0, 0, nil)
	apart("both stand", stale(), false, false)
}
