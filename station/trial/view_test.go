package trial_test

import (
	"runtime"
	"testing"

	"scentpost/station/trial"
)

// TestAViewTakesNoMoreAfterManyRuns: one is taken with each batch of records.
func TestAViewTakesNoMoreAfterManyRuns(t *testing.T) {
	s := newTheatre(t)
	s.prepare(lineupPlan, usual)
	bytes := func() uint64 {
		const views = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range views {
			_ = s.stage.View()
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / views
	}
	few, many := uint64(0), uint64(1<<63)
	for run := 1; s.stage.View().Phase == trial.Sealed; run++ {
		s.play("arm; 4s; beam 1")
		switch run {
		case 3:
			few = bytes()
		case 90:
			many = bytes()
		}
		s.play("press clear; 7s")
	}
	if many > few+64 {
		t.Errorf("a view takes %d bytes after 2 runs and %d after 89", few, many)
	}
	if v := s.stage.View(); len(v.Runs()) != 100 || v.Runs()[0].Result == nil {
		t.Errorf("%d runs are shown after the reveal", len(v.Runs()))
	}
}
