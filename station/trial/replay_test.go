package trial_test

import (
	"slices"

	"scentpost/station/event"
	"scentpost/station/trial"
)

// replay runs the records that were written through a new engine: it must write the same ones, and ask for the same
// checkpoints. Between two clock.fixed all of them go by one map from monotonic time to UTC.
func (s *theatre) replay() {
	s.t.Helper()
	for i, e := range s.records {
		if i > 0 && e.Type != event.ClockFixed && !e.At.SameMap(s.records[i-1].At) {
			s.t.Errorf("record %d, %s, goes by another map than the one before it: %+v, %+v", i, e.Type, e.At, s.records[i-1].At)
		}
	}
	s.playAgain(&trial.Player{Machine: trial.New("line-1", "e1")})
}

func (s *theatre) playAgain(p *trial.Player) {
	s.t.Helper()
	for i, e := range s.records {
		if err := p.Play(int64(i), e); err != nil {
			s.t.Fatalf("record %d of %d (%s of run %d): %v", i, len(s.records), e.Type, e.Run, err)
		}
	}
	if err := p.Rest(); err != nil {
		s.t.Fatalf("record %d is missing: %v", len(s.records), err)
	}
	if !slices.Equal(p.Points, s.points) {
		s.t.Errorf("the engine asks for the checkpoints %v, it asked for %v", p.Points, s.points)
	}
}
