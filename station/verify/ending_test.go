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

// TestMarksThatContradictEachOther are no honest station's.
func TestMarksThatContradictEachOther(t *testing.T) {
	s := newStationAfter(t, 1, func(_ *station, e *event.Epoch) { e.Aborted = []string{"s-1"} })
	_, b := unrevealedOf(t, s)
	wantNo(t, Verify(zipOf(t, b), Options{}), "lists the session s-1 as one of the epoch before")
	for says, change := range map[string]func(*event.Stamp){
		"a bound of its time is below zero": func(at *event.Stamp) { at.Bound = -1 },
		"bound of its time is below zero":   func(at *event.Stamp) { at.UTCBound = -1 },
	} {
		s := newStation(t, 1)
		change(&s.now)
		_, b := unrevealedOf(t, s)
		wantNo(t, Verify(zipOf(t, b), Options{}), says)
	}
}

// TestSimulatedTimeNeedsASimulatedKey: no mark can be taken off by half.
func TestSimulatedTimeNeedsASimulatedKey(t *testing.T) {
	for key, problems := range map[string]int{"line-1+00000000+AA==": 1, record.SimulatedPrefix + "line-1+00000000+AA==": 0} {
		c := checker{seqs: []int64{1}, records: []record.Record{{Event: event.Event{At: event.Stamp{Quality: event.Simulated}}}}}
		c.bundle.Key = key
		if c.clock(); len(c.problems) != problems {
			t.Errorf("%s: %v", key, c.problems)
		}
	}
}
