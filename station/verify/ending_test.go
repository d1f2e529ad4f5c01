package verify

import (
	"testing"

	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// TestNoResultWithoutItsReveal: a station that leaves the reveal out, and signs what is left, could show any result.
func TestNoResultWithoutItsReveal(t *testing.T) {
	for name, c := range map[string]struct {
		write func(s *station)
		says  string
	}{
		"a verdict": {func(s *station) {
			s.event(event.SessionScored, 0, &event.Verdict{Verdict: "pass"}, nil)
			s.checkpoint("reveal")
		}, "there is a session.scored, and the session was never revealed"},
		"an end": {func(s *station) {
			s.event(event.SessionEnded, 0, &event.End{How: event.EndCompleted}, nil)
			s.event(event.SessionClosed, 0, &event.AidCount{}, nil)
			s.checkpoint("close")
		}, "there is a session.ended, and the session was never revealed"},
		"a run's outcomes": {func(s *station) {
			s.event(event.RunScored, 1, &event.RunResult{}, nil)
			s.event(event.RunLocked, 1, &event.Lock{Reason: event.LockTimeOut, At: 5}, nil)
			s.checkpoint("lock")
		}, "there is a run.scored before the reveal"},
	} {
		t.Run(name, func(t *testing.T) {
			s, b := unrevealed(t, 1)
			c.write(s)
			wantNo(t, Verify(zipOf(t, s.bundle(b.Places()[0])), Options{}), c.says)
		})
	}
}

// TestNoRunBeforeTheSeal: a pass of a few records that was never sealed is no record of a test.
func TestNoRunBeforeTheSeal(t *testing.T) {
	s := newStation(t, 1)
	s.session = "s-1"
	from := s.event(event.SessionOpened, 0, &event.Opening{Name: "Short", Mode: "double", Laws: trial.Laws(), Draft: event.Draft, Simulated: true}, nil)
	s.event(event.RunArmed, 1, &event.Arming{}, nil)
	s.event(event.RunLocked, 1, &event.Lock{Reason: event.LockCall}, nil)
	s.checkpoint("lock")
	wantNo(t, Verify(zipOf(t, s.bundle(from)), Options{Keys: []string{s.key}, Limits: record.DefaultLimits()}), "there is a run.armed before the session is sealed")
}
