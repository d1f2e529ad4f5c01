package verify

import (
	"scentpost/station/blind"
	"scentpost/station/event"
)

// ending checks that nothing is said of a result that only the reveal gives, and that no run stands before its seal. With a
// reveal the replay shows it; without one nobody can replay, and a result would be what the station says it is.
func (c *checker) ending() {
	loaded, sealed, revealed := false, false, false
	for i := range c.records {
		revealed = revealed || c.records[i].Event.Type == event.SessionRevealed
	}
	for i := range c.records {
		e, seq := &c.records[i].Event, c.seqs[i]
		switch e.Type {
		case event.SessionLoaded:
			loaded = true
		case event.SessionSealed:
			if sealed = true; !loaded {
				c.recordProblem(seq, "a draw is sealed before anything was loaded")
			}
		case event.RunCommitted, event.RunArmed, event.RunLocked, event.RunVoided, event.RunScored, event.PlacementOpened, event.CallMade:
			if !sealed {
				c.recordProblem(seq, "there is a %s before the session is sealed", e.Type)
			}
		}
		if revealed {
			continue
		}
		switch e.Type {
		case event.SessionEnded, event.SessionScored, event.SessionClosed:
			c.recordProblem(seq, "there is a %s, and the session was never revealed", e.Type)
		case event.RunScored, event.PlacementOpened:
			if !c.perRun() {
				c.recordProblem(seq, "there is a %s before the reveal, and the plan gives no feedback after each run", e.Type)
			}
		}
	}
}

// perRun tells whether the plan opens each run once it is over.
func (c *checker) perRun() bool {
	plan, err := blind.ParsePlan(c.opening.Name, []byte(c.opening.Plan))
	return err == nil && plan.Feedback == blind.FeedbackPerRun
}
