package trial

import (
	"fmt"
	"reflect"

	"scentpost/station/event"
)

// Player runs a machine over the records of a session, in their order: facts are fed to it, and what it writes
// besides must be the records that follow.
type Player struct {
	Machine *Machine
	expect  []Effect // what the log must hold next: records and openings
}

// Play takes the next record of the session. Records of type event.Opened are expected where the machine asked
// for openings; that all and only the right bodies are open is for the caller to check. The error says what the
// engine would have written instead.
func (p *Player) Play(e event.Event) error {
	if e.Type == event.Opened {
		if len(p.expect) == 0 || p.expect[0].Kind != Open {
			return fmt.Errorf("a sealed body is opened where the engine opens none")
		}
		return nil
	}
	for len(p.expect) > 0 && p.expect[0].Kind == Open {
		p.expect = p.expect[1:]
	}
	if len(p.expect) == 0 {
		for _, effect := range p.Machine.Step(e) {
			if effect.Kind == Record || effect.Kind == Open {
				p.expect = append(p.expect, effect)
			}
		}
	}
	if len(p.expect) == 0 {
		return fmt.Errorf("the engine writes no record for this %s: %s", e.Type, p.Machine.Refusal())
	}
	want := p.expect[0].Event
	p.expect = p.expect[1:]
	if !same(want, e) {
		return fmt.Errorf("the engine writes %s of run %d here, the record holds %s of run %d",
			want.Type, want.Run, e.Type, e.Run)
	}
	return nil
}

// Rest returns the effects that the engine still expects to find after the last record: none in a whole log,
// records and openings that were never made durable in one that was cut.
func (p *Player) Rest() []Effect { return p.expect }

func same(a, b event.Event) bool {
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
