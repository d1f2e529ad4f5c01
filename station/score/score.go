// Package score turns the facts of runs into outcomes, statistics and the verdict of a pass rule.
package score

import "scentpost/station/event"

// Law is the version of this package's outcomes and verdicts. A change of either for the same facts is a new law.
const Law = 1

// NotValid is the verdict when a rule's preconditions are not met or the session was not completed.
const NotValid = "not a valid test"

// Entry is a nose that entered a position.
type Entry struct {
	Position int
	At       int64 // monotonic nanoseconds
}

// CallFact is a call that stands.
type CallFact struct {
	event.Call
	At           int64 // monotonic nanoseconds
	Inconclusive bool  // error bounds leave open whether it came first
}

// RunFacts are what one run is scored by. Facts after the lock are not among them.
type RunFacts struct {
	Placement          []event.Slot
	Calls              []CallFact
	Entries            []Entry      // in the order of their stamps
	HasBeam            []int        // positions with a beam
	Observed           map[int]bool // positions that the assessor saw sampled
	StartedAt          int64        // 0 when the search was never started
	Lock               event.Lock
	FirstEnds          bool   // the first call ends the run
	InconclusivePolicy string // "wrong" or "left-out"
}

// Run scores one run.
func Run(f RunFacts) event.RunResult {
	return event.RunResult{Presentations: []event.Presentation{}}
}

// Judge applies the pass rule whose file's exact bytes are ruleText, "" for none, to the completed runs.
func Judge(ruleText string, runs []event.RunResult) event.Verdict {
	return event.Verdict{Verdict: "no rule", Clauses: []event.Clause{}}
}
