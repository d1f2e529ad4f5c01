package score

import "scentpost/station/event"

// The verdicts, in event.Verdict.Verdict.
const (
	Pass     = "pass"
	Fail     = "fail"
	NotValid = "not a valid test"
	NoRule   = "no rule"
)

// Judge is Verdict for the exact bytes of a rule file, as a session was opened with it; "" is no rule.
func Judge(src string, runs []event.RunResult) event.Verdict {
	if src == "" {
		return tally(NoRule, runs)
	}
	return tally(NotValid, runs)
}

// tally counts the outcomes.
func tally(verdict string, runs []event.RunResult) event.Verdict {
	v := event.Verdict{Verdict: verdict}
	for _, r := range runs {
		for _, p := range r.Presentations {
			switch p.Outcome {
			case event.Hit:
				v.Hits++
			case event.Miss:
				v.Misses++
			case event.FalseAlert:
				v.False++
			case event.CorrectRejection:
				v.Correct++
			}
		}
	}
	return v
}
