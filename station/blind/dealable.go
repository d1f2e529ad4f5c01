package blind

import "scentpost/station/event"

// refusal is why a plan cannot be dealt, at a path of the plan.
type refusal struct{ path, hint, message string }

// Error returns the message with its hint.
func (r *refusal) Error() string { return r.message + " (" + r.hint + ")" }

func (p Plan) dealable(s shelf) *refusal { return nil }

var _ event.Loaded
