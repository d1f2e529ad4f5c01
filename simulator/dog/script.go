package dog

import (
	"time"

	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
)

// Visit is a nose at a position. At counts from the ready light.
type Visit struct {
	At       time.Duration
	Position int
	For      time.Duration
}

// Push is a button that is held for a while. At counts from the ready light.
type Push struct {
	At     time.Duration
	Button string
	For    time.Duration
}

// Script is all that happens in one run. It reacts to nothing but the ready light, which is public: played before
// two placements it gives the same inputs at the same instants.
type Script struct {
	Visits []Visit
	Pushes []Push
}

// Play performs the n-th script from the moment that the ready light comes on for the n-th time. Later runs have
// nobody.
func Play(w *world.World, place Place, scripts []Script) {
	place.See(func(s hardware.Sight) {
		if s.What == string(hardware.Lamp) && s.Name == hardware.LightReady && s.State == "on" && len(scripts) > 0 {
			perform(w, place, scripts[0])
			scripts = scripts[1:]
		}
	})
}

func perform(w *world.World, place Place, s Script) {
	for _, v := range s.Visits {
		w.After(v.At, func() { place.Beam(v.Position, true) })
		w.After(v.At+v.For, func() { place.Beam(v.Position, false) })
	}
	for _, p := range s.Pushes {
		w.After(p.At, func() { _ = place.Button(p.Button, true) })
		w.After(p.At+p.For, func() { _ = place.Button(p.Button, false) })
	}
}

// Improvise makes up a script from chance alone: the start button, then positions in order with some left out,
// some sniffed twice and some held long, then now and then a call at the position of the last nose, sometimes with
// a nose after it; else all clear, or no call at all.
func Improvise(chance *world.Stream, positions int) Script {
	const (
		short, long = 200 * time.Millisecond, 2500 * time.Millisecond
		held        = 5 * time.Second // over every usual dwell
	)
	at := chance.Between(500*time.Millisecond, 2*time.Second)
	s := Script{Pushes: []Push{{At: at, Button: hardware.ButtonStart, For: short}}}
	called := false
	for p := 1; p <= positions; p++ {
		for range chance.Below(8)/3 + chance.Below(2) { // 0 to 3 visits, mostly 1 or 2
			at += chance.Between(800*time.Millisecond, 2500*time.Millisecond)
			stay := chance.Between(300*time.Millisecond, 2*time.Second)
			if chance.Happens(0.15) {
				stay = held
			}
			s.Visits = append(s.Visits, Visit{At: at, Position: p, For: stay})
			if !called && chance.Happens(0.1) {
				called = true
				s.Pushes = append(s.Pushes, Push{At: at + stay/2, Button: hardware.ButtonAlert, For: short})
			}
			at += stay
		}
		if called && chance.Happens(0.7) {
			return s
		}
	}
	if !called && chance.Happens(0.9) {
		s.Pushes = append(s.Pushes, Push{At: at + time.Second, Button: hardware.ButtonAlert, For: long})
	}
	return s
}
