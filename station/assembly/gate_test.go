package assembly

import (
	"log/slog"
	"strings"
	"testing"

	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/trial"
)

// TestWhyItWaitsNamesNothingWhileSealed: what is absent after a restart may be a canister's line.
func TestWhyItWaitsNamesNothingWhileSealed(t *testing.T) {
	g := gate{conditions: NewChart(config.Config{}, slog.New(slog.DiscardHandler), func() event.Stamp { return event.Stamp{} })}
	g.wait("no session can be run before the lines are there", "device canister-1a: no line c1a.drive")
	if got := g.blocked(); got != "no session can be run before the lines are there" {
		t.Errorf("nobody knows yet whether a session is sealed: %q", got)
	}
	g.follow(trial.Snapshot{View: trial.View{Phase: trial.Idle}})
	if got := g.blocked(); !strings.HasSuffix(got, ": device canister-1a: no line c1a.drive") {
		t.Errorf("without a session: %q", got)
	}
	g.follow(trial.Snapshot{View: trial.View{Phase: trial.Sealed}})
	if got := g.blocked(); strings.Contains(got, "canister") {
		t.Errorf("while sealed: %q", got)
	}
}
