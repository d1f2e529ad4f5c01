// Package access is the table of who may see what: which parts of a view a role is shown, by the session's mode and how far
// the secret of a run has gone. What no row allows is denied.
package access

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// Field is a part of a view that not everybody may see at all times.
type Field string

// The guarded fields. All other fields of a view are public facts.
const (
	Placement Field = "placement" // what stands where in a run
	Result    Field = "result"    // the outcomes of a run
	Verdict   Field = "verdict"   // what the pass rule says
)

// Stage is how far the secret of a run has gone.
type Stage string

// The stages of a run's secret.
const (
	Sealed   Stage = "sealed"   // drawn, not armed yet
	Armed    Stage = "armed"    // from arming to the opening
	Revealed Stage = "revealed" // its placement was opened
)

// rule is one row of the table of who may see what; an empty mode stands for all modes.
type rule struct {
	field Field
	mode  event.Mode
	stage Stage
	roles []event.Role
}

// views is the table of who may see what. What no row allows is denied.
var views = []rule{
	{Placement, event.ModeOpen, Armed, []event.Role{event.Public}},
	{Placement, event.ModeSingle, Armed, []event.Role{event.Assessor}},
	{Placement, "", Revealed, []event.Role{event.Public}},
	{Result, "", Revealed, []event.Role{event.Public}},
	{Verdict, "", Revealed, []event.Role{event.Public}},
}

// MaySee tells whether somebody with these roles may see a field of a run whose secret is at a stage.
func MaySee(field Field, mode event.Mode, stage Stage, roles []event.Role) bool {
	for _, r := range views {
		if r.field == field && r.stage == stage && (r.mode == "" || r.mode == mode) && Holds(roles, r.roles) {
			return true
		}
	}
	return false
}

// Holds tells whether one of the roles is among those wanted; everybody is the public.
func Holds(roles, wanted []event.Role) bool {
	for _, w := range wanted {
		if w == event.Public || slices.Contains(roles, w) {
			return true
		}
	}
	return false
}

// StageOf returns how far the secret of a run has gone. A run whose result is out was opened.
func StageOf(v trial.View, r trial.RunView) Stage {
	switch {
	case v.Revealed || r.Result != nil:
		return Revealed
	case r.PresentedAt != 0:
		return Armed
	default:
		return Sealed
	}
}

// RolesIn returns by which of their roles a person of this name sees a session, none for the public, who has no name. Who handles
// its dog sees what a handler sees, whatever else they may be at this station. People are known by the references that the
// session has for them: when the reference of the person or the name of the handler cannot be found, the two may be one, and the
// person sees no more than a handler.
func RolesIn(state trial.Snapshot, name string, roles []event.Role) []event.Role {
	v := state.View
	_, known := state.Names[v.Team.Handler]
	present := false
	for _, p := range v.People {
		if called, named := state.Names[p.Ref]; named && called == name {
			present = true
			known = known && p.Ref != v.Team.Handler
		}
	}
	switch {
	case name == "":
		return nil
	case v.Session != "" && !(known && present):
		return []event.Role{event.Handler}
	}
	return roles
}
