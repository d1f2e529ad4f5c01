package dog

import (
	"errors"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
)

// Call is what the handler called, whether by button or aloud.
type Call struct {
	Mono     int64
	Position int // 0: all clear
}

// Team is a dog and its handler at a station, waiting for the ready light.
type Team struct {
	world      *world.World
	place      Place
	dog        Dog
	handler    Handler
	nose, hand *world.Stream
	lit, going bool
	in         int // the position that the nose is in, 0 for none
	next       func()
	onCall     func(Call)
}

// Enter lets a team work at a place for as long as the world goes on. onCall, unless nil, hears every call.
func Enter(w *world.World, place Place, d Dog, h Handler, onCall func(Call)) (*Team, error) {
	if err := errors.Join(d.Check(), h.Check()); err != nil {
		return nil, err
	}
	if onCall == nil {
		onCall = func(Call) {}
	}
	t := &Team{world: w, place: place, dog: d, handler: h, nose: w.Rand("dog"), hand: w.Rand("handler"),
		next: func() {}, onCall: onCall}
	place.See(func(s hardware.Sight) {
		if s.What == string(hardware.Lamp) && s.Name == hardware.LightReady {
			t.light(s.State == "on")
		}
	})
	return t, nil
}

// Go lets the dog go when the ready light is on and it does not search yet; otherwise it does nothing.
func (t *Team) Go() {
	if t.lit && !t.going {
		t.going = true
		t.plan(0, func() { t.walk(1) })
	}
}

// light is the ready light: on when a run is presented, off when it is locked or void.
func (t *Team) light(on bool) {
	t.lit = on
	switch {
	case !on:
		t.going = false
		t.plan(t.handler.React.draw(t.hand), t.leave)
	case t.handler.Starts:
		t.plan(t.handler.React.draw(t.hand), func() {
			t.press(hardware.ButtonStart, t.handler.Short)
			t.plan(t.handler.Short, t.Go)
		})
	case t.handler.GoAfter > 0:
		t.plan(t.handler.GoAfter, t.Go)
	}
}

// plan replaces what the team was about to do. They do one thing at a time.
func (t *Team) plan(after time.Duration, f func()) {
	t.next()
	t.next = t.world.After(after, f)
}

// walk goes to a position, past the last one to the end of the line.
func (t *Team) walk(position int) {
	if position > t.place.Positions() {
		t.plan(t.handler.React.draw(t.hand), func() { t.call(0) })
		return
	}
	t.plan(t.dog.Walk.draw(t.nose), func() {
		if t.nose.Happens(t.dog.Skip) {
			t.walk(position + 1)
			return
		}
		t.sniff(position)
	})
}

// sniff puts the nose in. The dog decides at the end of its sniff, by what is in the air then.
func (t *Team) sniff(position int) {
	t.in = position
	t.place.Beam(position, true)
	t.plan(t.dog.Sniff.draw(t.nose), func() {
		if t.dog.responds(t.place.Smell(position), t.nose) {
			t.plan(t.handler.React.draw(t.hand), func() { t.call(position) })
			return
		}
		t.leave()
		t.walk(position + 1)
	})
}

// leave takes the nose out, wherever it is.
func (t *Team) leave() {
	if t.in != 0 {
		t.place.Beam(t.in, false)
		t.in = 0
	}
}

// call makes the handler's call while the dog holds its response. Where the run goes on after a call, so do they.
func (t *Team) call(position int) {
	wait := t.handler.Patience
	if t.handler.Calls {
		held := t.handler.Short
		if position == 0 {
			held = t.handler.Long
		}
		t.press(hardware.ButtonAlert, held)
		wait = t.dog.Hold.draw(t.nose)
	}
	t.plan(wait, func() {
		t.leave()
		if position != 0 {
			t.walk(position + 1)
		}
	})
	t.onCall(Call{Mono: t.world.Mono(), Position: position})
}

// press holds a button down for a while. Letting it go is never given up for something else.
func (t *Team) press(button string, held time.Duration) {
	if t.place.Button(button, true) != nil {
		return // a station without that button: the press meets nothing
	}
	t.world.After(held, func() { _ = t.place.Button(button, false) })
}
