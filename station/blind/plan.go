package blind

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"scentpost/station/event"
	"scentpost/station/strict"
)

// The limits of a plan. No session that a dog could do comes near them; they bound the work and the record.
const (
	MaxPositions  = 32    // as many as a station has
	MaxRuns       = 200   // scheduled runs of one session
	MaxReserve    = 50    // reserve runs
	MaxCanisters  = 26    // at one position: they are named by the letters A to Z
	MaxOdours     = 26    // targets and distractors, each
	MaxTargets    = 1_000 // of one session: bounds the work of a draw
	MaxOdourName  = 40    // characters
	MaxName       = 120   // characters of a plan's name, or of the name of its rule
	MaxPlacements = 1_000 // of the reserve: runs times compositions, each of them committed to and opened
)

// The words of the plan language, as they stand in a plan. Modes and policies are those of package event.
const (
	FormLineup = "lineup" // all positions at once; all clear is possible
	FormGoNoGo = "gonogo" // one presentation a run

	PresentationActuated = "actuated" // the station opens canisters

	CallsFirstEnds = "first-ends" // the first call ends the run
	CallsSeveral   = "several"    // each call locks itself, the run goes on

	FeedbackNone         = "none"
	FeedbackPerRun       = "per-run"
	FeedbackAfterSession = "after-session"

	RewardNone = "none"

	WitnessNone  = "none"
	WitnessPaper = "paper"
	WitnessHub   = "hub"
)

// Range is a count, or several to choose from: "1", or "0..1" with both ends in it.
type Range struct{ Min, Max int }

// String writes the range as it stands in a plan.
func (r Range) String() string {
	if r.Min == r.Max {
		return strconv.Itoa(r.Min)
	}
	return fmt.Sprintf("%d..%d", r.Min, r.Max)
}

// Has tells whether n is in the range.
func (r Range) Has(n int) bool { return r.Min <= n && n <= r.Max }

var rangeForm = regexp.MustCompile(`^([0-9]{1,6})(?:\.\.([0-9]{1,6}))?$`)

// UnmarshalStrict reads "1" or "0..1". It implements strict.Scalar.
func (r *Range) UnmarshalStrict(n strict.Node) error {
	const want = "a count such as 1, or a range such as 0..1, is expected, not %s"
	parts := rangeForm.FindStringSubmatch(n.Text)
	if parts == nil {
		return strict.Errorf("", want, strict.Quote(n.Text))
	}
	low, _ := strconv.Atoi(parts[1])
	high := low
	if parts[2] != "" {
		high, _ = strconv.Atoi(parts[2])
	}
	if high < low {
		return strict.Errorf(fmt.Sprintf("write %d..%d", high, low), "the range %s runs backwards", n.Text)
	}
	r.Min, r.Max = low, high
	return nil
}

// Loading says in a plan what lies in the canisters of each position.
type Loading struct {
	// EachPosition lists the odours of the canisters A, B, ... of every position.
	EachPosition []string `yaml:"each_position"`
	// Positions lists them for single positions, by number, in place of EachPosition.
	Positions map[string][]string `yaml:"positions"`
}

// Targets says how many target odours there are.
type Targets struct {
	Odours []string `yaml:"odours"`
	// PerRun is how many positions of one run hold a target.
	PerRun Range `yaml:"per_run"`
	// PerSession is how many there are in all scheduled runs together; nil when only PerRun was given.
	PerSession *Range `yaml:"per_session"`
}

// Distractors says how many non-target odours there are.
type Distractors struct {
	Odours []string `yaml:"odours"`
	PerRun Range    `yaml:"per_run"`
}

// Balance binds the targets of the scheduled runs. What is not given is not balanced.
type Balance struct {
	// Positions and Odours make the counts of the targets at each position, and of each odour, differ by at most one.
	Positions bool `yaml:"positions"`
	Odours    bool `yaml:"odours"`
	// SamePositionInARow is in how many consecutive runs with a target, at most, one position may hold one; 0 for
	// any number. Runs without a target are skipped: neither dog nor handler forgets the last find in them.
	SamePositionInARow int `yaml:"same_position_in_a_row"`
}

// Limits are the times of a run.
type Limits struct {
	Run   time.Duration `yaml:"run"`   // from the start of the search to the time-out
	Dwell time.Duration `yaml:"dwell"` // how long a nose holds for a response
}

// Plan says what may happen in a session. ParsePlan gives checked ones.
type Plan struct {
	Name         string
	Form         string // a Form constant
	Presentation string // a Presentation constant
	Mode         event.Mode
	Positions    int
	Runs         int // scheduled
	Reserve      int // runs that stand in for voided ones
	Layout       Loading
	Restricted   bool // the loading may lack some kinds at some positions
	Targets      Targets
	Distractors  Distractors
	Balance      Balance
	Calls        string // a Calls constant
	Limits       Limits
	Purge        time.Duration // of clean air between runs
	Feedback     string        // a Feedback constant
	Reward       string        // RewardNone
	Inconclusive event.Policy  // for a call that cannot be assigned: wrong, or left out and listed
	Rule         string        // the name of the pass rule, "" for none
	Witness      string        // the least witness that the plan asks for: a Witness constant

	// Text is the exact bytes of the file. Nobody may change them.
	Text []byte
}

// Hash returns the SHA-256 of the plan's exact bytes.
func (p Plan) Hash() [32]byte { return sha256.Sum256(p.Text) }

// FirstEnds tells whether the first call ends a run.
func (p Plan) FirstEnds() bool { return p.Calls == CallsFirstEnds }

// SessionTargets returns how many targets the scheduled runs may hold together.
func (p Plan) SessionTargets() Range {
	if p.Targets.PerSession != nil {
		return *p.Targets.PerSession
	}
	return Range{Min: p.Runs * p.Targets.PerRun.Min, Max: p.Runs * p.Targets.PerRun.Max}
}
