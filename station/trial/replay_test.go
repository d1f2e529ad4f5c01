package trial_test

import (
	"scentpost/station/event"
	"scentpost/station/trial"
)

// replay runs the records that were written through a new engine: it must write the same ones. Between two clock.fixed
// all of them go by one map from monotonic time to UTC.
func (s *stage) replay() {
	s.t.Helper()
	for i, e := range s.records {
		if i > 0 && e.Type != event.ClockFixed && !e.At.SameMap(s.records[i-1].At) {
			s.t.Errorf("record %d, %s, goes by another map than the one before it: %+v, %+v", i, e.Type, e.At, s.records[i-1].At)
		}
	}
	p := trial.Player{Machine: trial.New("line-1", "e1")}
	for i, e := range s.records {
		if err := p.Play(e); err != nil {
			s.t.Fatalf("record %d of %d (%s of run %d): %v", i, len(s.records), e.Type, e.Run, err)
		}
	}
	if rest := p.Rest(); len(rest) > 0 {
		s.t.Fatalf("the engine still expects %d records, first %s", len(rest), rest[0].Event.Type)
	}
}
