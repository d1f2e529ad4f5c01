// Package score decides what the facts of a run and of a session amount to: outcomes, verdicts of pass rules, and
// statistics.
//
// Every function is pure and gives the same on every machine: outcomes and verdicts are integers and exact ratios,
// statistics are rounded to the digits that are printed.
//
// The quantiles of the beta and of the normal distribution are those of gonum's mathext, which needs nothing else. Its
// distributions (stat/distuv) call the same functions and bring linear algebra with them: 3.0 of 32.9 MB of the daemon, and
// 2.1 of 25.0 MB of its resident memory.
package score

import "scentpost/station/event"

// Law is the version of the rules in this package. A change that could give another result for the same facts is a new
// law, and until release 0.1 a new draft (event.Draft) instead.
const Law = 1

// The results of a run, in event.RunResult.Result.
const (
	Correct      = "correct"
	Wrong        = "wrong"
	Inconclusive = "inconclusive"
	Void         = "void" // the run never locked: it is listed and counts nowhere
)

// How a presentation was sampled, in event.Presentation.Sampled.
const (
	SampledYes      = "yes"                  // a beam saw the nose
	SampledNo       = "no"                   // a beam did not see it
	SampledObserved = "observed by assessor" // no beam; a person saw it
	SampledUnknown  = "unknown"              // no beam, and nobody said
)

// The flags of a presentation, in event.Presentation.Flag.
const (
	FlagUnsearched = "unsearched" // a target was asserted to be absent where the dog never was
	FlagTimeOut    = "time-out"   // a target was missed because time ran out
)

// None is a latency that there is not, in milliseconds.
const None = -1

// RunFacts is what one run is scored by.
type RunFacts struct {
	// Placement is what stood at each position, in position order.
	Placement []event.Slot
	// Calls are the calls that stand, in any order.
	Calls []CallFact
	// Entries are the noses that beams saw, in any order; what is later than the lock does not count.
	Entries []Entry
	// HasBeam lists the positions that have a beam.
	HasBeam []int
	// Observed holds the positions without a beam at which the assessor saw the dog sample.
	Observed map[int]bool
	// StartedAt is the monotonic instant of the start in nanoseconds, 0 when the search was never started.
	StartedAt int64
	// Lock is how the run locked. A run without a reason never did: it was voided or aborted.
	Lock event.Lock
	// FirstEnds is set when the first call ends the run.
	FirstEnds bool
	// InconclusivePolicy is event.PolicyLeftOut, or event.PolicyWrong as which all else counts.
	InconclusivePolicy event.Policy
}

// CallFact is a call with the monotonic instant that it was made at, in nanoseconds.
type CallFact struct {
	event.Call
	At int64
	// Inconclusive is set when error bounds leave open whether the call came in time, or first.
	Inconclusive bool
}

// Entry is a nose that a beam saw enter a position, at a monotonic instant in nanoseconds.
type Entry struct {
	Position int
	At       int64
}
