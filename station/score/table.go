package score

import "scentpost/station/event"

// Add counts one outcome; what was not decided counts nowhere.
func (c *Counts) Add(o event.Outcome) {
	switch o {
	case event.Hit:
		c.TP++
	case event.Miss:
		c.FN++
	case event.FalseAlert:
		c.FP++
	case event.CorrectRejection:
		c.TN++
	}
}

// Tally counts the decided presentations of the runs that were completed.
func Tally(runs []event.RunResult) Counts {
	var c Counts
	for _, r := range runs {
		if r.Result == Void {
			continue
		}
		for _, p := range r.Presentations {
			c.Add(p.Outcome)
		}
	}
	return c
}
