package access

import (
	"slices"
	"testing"

	"scentpost/station/event"
)

var (
	everyRole  = []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin, event.Public}
	everyMode  = []event.Mode{event.ModeOpen, event.ModeSingle, event.ModeDouble, "", "unknown"}
	everyStage = []Stage{Sealed, Armed, Revealed, "", "unknown"}
	everyField = []Field{Placement, Result, Verdict, "", "unknown"}
)

// wantSee is the table of who may see what in other words.
func wantSee(field Field, mode event.Mode, stage Stage, role event.Role) bool {
	switch {
	case !slices.Contains([]Field{Placement, Result, Verdict}, field):
		return false
	case stage == Revealed:
		return true
	case field != Placement || stage != Armed:
		return false
	}
	return mode == event.ModeOpen || mode == event.ModeSingle && role == event.Assessor
}

// TestWhoMaySeeWhat walks every role, mode, stage and field, and what is in no table: denied.
func TestWhoMaySeeWhat(t *testing.T) {
	for _, field := range everyField {
		for _, mode := range everyMode {
			for _, stage := range everyStage {
				for _, role := range everyRole {
					if got, want := MaySee(field, mode, stage, []event.Role{role}), wantSee(field, mode, stage, role); got != want {
						t.Errorf("%s may see %q of a run that is %q in mode %q: %v, want %v", role, field, stage, mode, got, want)
					}
				}
			}
		}
	}
}
