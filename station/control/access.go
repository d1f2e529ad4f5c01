// Package control is the one door for people: commands in, views out, and the table of who may do and see what.
//
// Socket, panel and MQTT all come through here; so do the tests that walk the table. Whatever the table does not
// allow is denied.
package control

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// Person is somebody who speaks with the station, as whoever let them in knows them: the socket by an account of the machine,
// the panel by a log-in. The public has no name and no roles.
type Person struct {
	Name  string
	Roles []event.Role
	// SharesAccount is set when somebody else of the station can speak as this person.
	SharesAccount bool
	// ReadsVault is set when the person can read the station's files, sealed bodies included.
	ReadsVault bool
}

// Field is a part of a view that not everybody may see at all times.
type Field string

// The guarded fields. All other fields of a view are public facts.
const (
	FieldPlacement Field = "placement" // what stands where in a run
	FieldResult    Field = "result"    // the outcomes of a run
	FieldVerdict   Field = "verdict"   // what the pass rule says
)

// Stage is how far the secret of a run has gone.
type Stage string

// The stages of a run's secret.
const (
	StageSealed   Stage = "sealed"   // drawn, not armed yet
	StageArmed    Stage = "armed"    // from arming to the opening
	StageRevealed Stage = "revealed" // its placement was opened
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
	{FieldPlacement, event.ModeOpen, StageArmed, []event.Role{event.Public}},
	{FieldPlacement, event.ModeSingle, StageArmed, []event.Role{event.Assessor}},
	{FieldPlacement, "", StageRevealed, []event.Role{event.Public}},
	{FieldResult, "", StageRevealed, []event.Role{event.Public}},
	{FieldVerdict, "", StageRevealed, []event.Role{event.Public}},
}

// MaySee tells whether somebody with these roles may see a field of a run whose secret is at a stage.
func MaySee(field Field, mode event.Mode, stage Stage, roles []event.Role) bool {
	for _, r := range views {
		if r.field == field && r.stage == stage && (r.mode == "" || r.mode == mode) && holds(roles, r.roles) {
			return true
		}
	}
	return false
}

// holds tells whether one of the roles is among those wanted; everybody is the public.
func holds(roles, wanted []event.Role) bool {
	for _, w := range wanted {
		if w == event.Public || slices.Contains(roles, w) {
			return true
		}
	}
	return false
}

// stageOf returns how far the secret of a run has gone. A run whose result is out was opened.
func stageOf(v trial.View, r trial.RunView) Stage {
	switch {
	case v.Revealed || r.Result != nil:
		return StageRevealed
	case r.PresentedAt != 0:
		return StageArmed
	default:
		return StageSealed
	}
}
