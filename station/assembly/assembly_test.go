package assembly

import (
	"log/slog"
	"testing"

	"scentpost/simulator/world"
	"scentpost/station/config"
	"scentpost/station/host"
	"scentpost/station/journal"
)

// options are those of a station without devices, in a world.
func options(w *world.World) Options {
	log := slog.New(slog.DiscardHandler)
	return Options{Log: log, Conditions: NewChart(config.Config{}, log, w.Now), Wake: func() {},
		Chance:  func(string, int64) host.Chance { return host.Chance{} },
		EpochID: func() (string, error) { return "e1", nil },
		Write:   func(journal.Committer, func(int64), func(error)) host.Journal { return nil }}
}

func newStation(t *testing.T, w *world.World) *Station {
	t.Helper()
	s, err := New(options(w))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStationWantsAllThatItIsMadeOf(t *testing.T) {
	for name, without := range map[string]func(*Options){
		"log":        func(o *Options) { o.Log = nil },
		"conditions": func(o *Options) { o.Conditions = nil },
		"chance":     func(o *Options) { o.Chance = nil },
		"epoch id":   func(o *Options) { o.EpochID = nil },
		"writer":     func(o *Options) { o.Write = nil },
		"wake":       func(o *Options) { o.Wake = nil },
	} {
		o := options(world.New(1))
		without(&o)
		if s, err := New(o); err == nil || s != nil {
			t.Errorf("without %s: %v, %v", name, s, err)
		}
	}
}

// TestTheLeadIsRealTime: a card takes as long for a commit however fast a virtual station runs.
func TestTheLeadIsRealTime(t *testing.T) {
	for _, c := range []struct {
		configured int
		scale      float64
		want       int
	}{{3000, 1, 3000}, {100, 1, 500}, {3000, 10, 5000}, {3000, 0.5, 3000}, {3000, 50, 25000}} {
		if got := leadMS(c.configured, c.scale); got != c.want {
			t.Errorf("%d ms at %g: %d, want %d", c.configured, c.scale, got, c.want)
		}
	}
}
