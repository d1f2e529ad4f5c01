package trial

import (
	"fmt"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// Malformed returns why the engine cannot read the public body of an event, nil when it can. The instants of a run are
// given without a body and come back from a record with one.
func Malformed(e event.Event) *refusal.Reason { return malformed(&e) }

func malformed(e *event.Event) *refusal.Reason {
	if !event.HoldsBody(e.Type, e.Body) && event.Known(e.Type) && !(e.Body == nil && bodiless(e)) {
		return inconsistent(fmt.Sprintf("%s with a body that is none of its kind", e.Type))
	}
	return nil
}

// bodiless tells whether an event may be given without the body that its record has.
func bodiless(e *event.Event) bool {
	return e.Type == event.RunArmed || e.Type == event.RunLocked || e.Type == event.RunVoided && e.By == event.ByStation
}

// secretless returns why the sealed body of an event cannot be read, nil when it can.
func secretless(e *event.Event) *refusal.Reason {
	if !event.HoldsSecret(e.Type, e.Secret) {
		return inconsistent(fmt.Sprintf("%s with a sealed body that is none of its kind", e.Type))
	}
	return nil
}
