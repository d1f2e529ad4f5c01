package trial

import (
	"fmt"

	"scentpost/station/event"
	"scentpost/station/refusal"
)

// holds tells whether v is a *T that points to something.
func holds[T any](v any) bool {
	p, ok := v.(*T)
	return ok && p != nil
}

// Malformed returns why the engine cannot read the public body of an event, nil when it can. The instants of a run are
// given without a body and come back from a record with one.
func Malformed(e event.Event) *refusal.Reason { return malformed(&e) }

func malformed(e *event.Event) *refusal.Reason {
	if !publicHolds(e) {
		return inconsistent(fmt.Sprintf("%s with a body that is none of its kind", e.Type))
	}
	return nil
}

// secretless returns why the sealed body of an event cannot be read, nil when it can.
func secretless(e *event.Event) *refusal.Reason {
	ok := e.Secret == nil
	switch e.Type {
	case event.SessionLoaded:
		ok = holds[event.StationShare](e.Secret)
	case event.SessionSealed:
		ok = holds[event.NonceSeed](e.Secret)
	case event.CanisterMoved:
		ok = holds[event.Moves](e.Secret)
	case event.EdgesLost:
		ok = holds[event.Loss](e.Secret)
	}
	if !ok {
		return inconsistent(fmt.Sprintf("%s with a sealed body that is none of its kind", e.Type))
	}
	return nil
}

func publicHolds(e *event.Event) bool {
	switch b := e.Body; e.Type {
	case event.Edge:
		return holds[event.RawEdge](b)
	case event.BeamEntered, event.BeamLeft:
		return holds[event.Beam](b)
	case event.CanisterMoved:
		return holds[event.Handling](b)
	case event.EdgesLost:
		return holds[event.LostEdges](b)
	case event.ButtonPressed:
		return holds[event.Press](b)
	case event.CallMade, event.CallClaimed:
		return holds[event.Call](b)
	case event.Observed:
		return holds[event.Observation](b)
	case event.AirSampled:
		return holds[event.Air](b)
	case event.CallWithdrawn, event.SessionPaused, event.SessionAborted, event.Noted:
		return holds[event.Reason](b)
	case event.RunArmed:
		return b == nil || holds[event.Arming](b)
	case event.RunLocked:
		return b == nil || holds[event.Lock](b)
	case event.RunVoided:
		return (b == nil && e.By == event.ByStation) || holds[event.Void](b)
	case event.RunPresented, event.RunStarted, event.RunFinished, event.RunClosed, event.RunPurged, event.SessionResumed:
		return b == nil
	}
	return sessionHolds(e)
}

func sessionHolds(e *event.Event) bool {
	switch b := e.Body; e.Type {
	case event.SessionOpened:
		return holds[event.Opening](b)
	case event.SessionLoaded:
		return holds[event.Load](b)
	case event.SessionSealed:
		return holds[event.Seed](b)
	case event.SessionRestarted:
		return holds[event.Restart](b)
	case event.SessionClosed:
		return holds[event.AidCount](b)
	case event.ClockFixed:
		return holds[event.ClockFix](b)
	case event.ClockSaid:
		return holds[event.TimeSaid](b)
	case event.EdgesSummed:
		return holds[event.EdgeSum](b)
	case event.Refused:
		return holds[event.Refusal](b)
	case event.Late:
		return holds[event.Lateness](b)
	}
	return true // not an input: refused as such
}
