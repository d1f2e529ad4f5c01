package trial

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"scentpost/station/event"
)

// Player runs the engine over the records of a session, in the order of the log: facts are fed to it, and what it writes
// besides must be the records that follow. Whoever brings a session back and whoever verifies one uses it.
type Player struct {
	Machine *Machine
	// Points are the checkpoints that the engine has asked for so far. They lie beside the log: to compare them is for the
	// caller.
	Points []Point

	expect []Effect // what the log must hold next: records, openings and checkpoints
	sealed []body   // the sealed bodies that are not open yet, in their order
	open   []body   // those of them that the log must open next, each by a record like opening
	// opening is what all of these records have in common.
	opening event.Event
}

// Point is a checkpoint: of the log up to a size, and why.
type Point struct {
	Size int64
	Why  string
}

// body is the sealed body of a record.
type body struct {
	seq int64
	run int
}

// errNoOpening is the fault of a log that opens what nothing asks to be open.
var errNoOpening = errors.New("a sealed body is opened here, and the engine opens none")

// Play takes the next record of the session, whose number is seq and whose sealed body is open; records of type event.Opened
// included. The error says what the engine would have written in its place.
func (p *Player) Play(seq int64, e event.Event) error {
	if err := p.take(seq, e); err != nil {
		return err
	}
	p.follow(seq + 1)
	return nil
}

// take compares a record with what must come next.
func (p *Player) take(seq int64, e event.Event) error {
	switch {
	case len(p.open) > 0:
		return p.takeOpening(&e)
	case e.Type == event.Opened:
		return errNoOpening
	}
	if len(p.expect) == 0 {
		p.step(e)
	}
	if len(p.expect) == 0 {
		return fmt.Errorf("the engine would not write this %s here: %s", e.Type, p.Machine.Refusal())
	}
	want := &p.expect[0].Event
	if !same(want, &e) {
		return fmt.Errorf("the engine writes %s of run %d with other words here than this %s of run %d", want.Type, want.Run, e.Type, e.Run)
	}
	p.expect = p.expect[1:]
	if event.IsSealed(e.Type) {
		p.sealed = append(p.sealed, body{seq, e.Run})
	}
	return nil
}

// takeOpening compares a record with the opening that must come next. Whether it opens the body that was sealed is for who
// can compute its hash.
func (p *Player) takeOpening(e *event.Event) error {
	of := p.open[0]
	opened, ok := e.Body.(*event.OpenedBody)
	if !ok || opened.Of != of.seq {
		return fmt.Errorf("the sealed body of record %d is opened here, not this", of.seq)
	}
	want := p.opening
	want.Run, want.Body = of.run, opened
	if !same(&want, e) {
		return fmt.Errorf("the sealed body of record %d is opened here with other words", of.seq)
	}
	p.open = p.open[1:]
	return nil
}

// step feeds a record that nothing before it has written. What an effect does to devices leaves no record.
func (p *Player) step(e event.Event) {
	p.expect = p.expect[:0]
	for _, effect := range p.Machine.Step(e) {
		switch effect.Kind {
		case Record, Open, Checkpoint:
			p.expect = append(p.expect, effect)
		}
	}
}

// follow takes the effects up to the next record, of a log of so many records.
func (p *Player) follow(size int64) {
	for len(p.open) == 0 && len(p.expect) > 0 && p.expect[0].Kind != Record {
		switch effect := p.expect[0]; effect.Kind {
		case Checkpoint:
			p.Points = append(p.Points, Point{Size: size, Why: effect.Name})
		case Open:
			p.openBodies(&effect)
		}
		p.expect = p.expect[1:]
	}
}

// openBodies has the log open every sealed body of a run, 0 for all, that is not open yet.
func (p *Player) openBodies(e *Effect) {
	p.opening = e.Event
	kept := p.sealed[:0]
	for _, b := range p.sealed {
		if e.Run != 0 && b.run != e.Run {
			kept = append(kept, b)
			continue
		}
		p.open = append(p.open, b)
	}
	p.sealed = kept
}

// Sealed returns the records whose sealed bodies are not open yet, in their order.
func (p *Player) Sealed() []int64 {
	var all []int64
	for _, b := range slices.Concat(p.open, p.sealed) {
		all = append(all, b.seq)
	}
	return all
}

// Rest returns what the log must hold after the last record, nil when it ends with a whole step: a log that was cut ends in
// the middle of one.
func (p *Player) Rest() error {
	switch {
	case len(p.open) > 0:
		return fmt.Errorf("record %d is opened there", p.open[0].seq)
	case len(p.expect) > 0:
		return fmt.Errorf("the engine writes %s there", p.expect[0].Event.Type)
	}
	return nil
}

func same(a, b *event.Event) bool {
	return a.Type == b.Type && a.Session == b.Session && a.Run == b.Run && a.At == b.At && a.By == b.By &&
		alike(reflect.ValueOf(a.Body), reflect.ValueOf(b.Body)) && alike(reflect.ValueOf(a.Secret), reflect.ValueOf(b.Secret))
}

// alike compares two bodies by what they say: a list that is nil and an empty one are written the same, and come back
// from the record as one of the two.
func alike(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		return a.IsValid() == b.IsValid() && !a.IsValid()
	}
	switch a.Kind() {
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || alike(a.Elem(), b.Elem()))
	case reflect.Struct:
		for i := range a.NumField() {
			if !alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
