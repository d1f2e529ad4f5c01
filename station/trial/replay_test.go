package trial_test

import (
	"scentpost/station/trial"
)

// replay runs the records that were written through a new engine: it must write the same ones.
func (s *stage) replay() {
	s.t.Helper()
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
