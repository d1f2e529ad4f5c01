package yard_test

import (
	"testing"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/verify"
)

// TestAStationWithAnotherNameOrKey goes on in an epoch that says so, and all of its sessions verify: those before it under the
// name and key that they were made with.
func TestAStationWithAnotherNameOrKey(t *testing.T) {
	for _, c := range []struct {
		change func(o *identity)
		why    string
	}{
		{func(o *identity) { o.Station = "hall-2" }, journal.WhyRenamed},
		{func(o *identity) { o.Site = "elsewhere" }, journal.WhyRenamed},
		{func(o *identity) { o.key = true }, journal.WhyKeyLost},
		{func(o *identity) { o.Station, o.key = "hall-2", true }, journal.WhyRenamed + ", " + journal.WhyKeyLost},
		{func(*identity) {}, ""},
	} {
		y := sealedYard(t, nil)
		does(t, y, "arm")
		conclude(t, y)
		old := y.Store.Epoch().ID
		changed := identity{Site: "demo", Station: y.Config().Station}
		was := changed
		c.change(&changed)
		if err := y.Kill(); err != nil {
			t.Fatal(err)
		}
		y.Rename(changed.Site, changed.Station)
		if changed.key {
			if err := y.LoseKey(); err != nil {
				t.Fatal(err)
			}
		}
		if err := y.Start(); err != nil {
			t.Fatal(err)
		}
		now := y.Store.Epoch()
		if c.why == "" {
			if now.ID != old {
				t.Errorf("the same name and key, and epoch %+v begins", now)
			}
			continue
		}
		if now.Why != c.why || now.Prev != old {
			t.Errorf("%s: the epoch is %+v", c.why, now)
		}
		lines, err := y.Store.Lines(0, 1, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		first, err := record.Decode(lines[0].Bytes)
		if err != nil || first.Site != changed.Site || first.Station != changed.Station || first.Event.Body.(*event.Epoch).Why != c.why || first.Event.Body.(*event.Epoch).Key != y.Station.Key() {
			t.Errorf("%s: it begins with %+v, %v", c.why, first, err)
		}
		_, bundle, err := y.Archive.Bundle("", false)
		if err != nil {
			t.Fatal(err)
		}
		report := verify.Verify(bundle, verify.Options{})
		if !report.Consistent || report.Site != was.Site || report.Station != was.Station {
			t.Errorf("%s: the session before is %+v", c.why, report)
		}
	}
}

// identity is what a station is called; key is set when it gets another key.
type identity struct {
	Site, Station string
	key           bool
}
