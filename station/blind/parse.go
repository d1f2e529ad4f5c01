package blind

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"scentpost/station/event"
	"scentpost/station/signs"
	"scentpost/station/strict"
)

// planFile is a plan as it is written, with the keys that none but later versions know.
type planFile struct {
	Name         string                 `yaml:"plan"`
	Form         string                 `yaml:"form"`
	Presentation string                 `yaml:"presentation"`
	Mode         event.Mode             `yaml:"mode"`
	Positions    int                    `yaml:"positions"`
	Runs         int                    `yaml:"runs"`
	Reserve      int                    `yaml:"reserve"`
	Loading      Loading                `yaml:"loading"`
	Restricted   bool                   `yaml:"restricted"`
	Targets      Targets                `yaml:"targets"`
	Distractors  Distractors            `yaml:"distractors"`
	Balance      Balance                `yaml:"balance"`
	Calls        string                 `yaml:"calls"`
	Limits       Limits                 `yaml:"limits"`
	Purge        time.Duration          `yaml:"purge"`
	Feedback     string                 `yaml:"feedback"`
	Reward       string                 `yaml:"reward"`
	Inconclusive event.Policy           `yaml:"inconclusive"`
	Rule         string                 `yaml:"rule"`
	Witness      string                 `yaml:"witness"`
	Rest         map[string]strict.Node `yaml:",rest"`
}

// planKeys are the keys of a plan, in the order of the sketch in the documentation.
var planKeys = []string{"plan", "form", "presentation", "mode", "positions", "runs", "reserve", "loading", "restricted",
	"targets", "distractors", "balance", "calls", "limits", "purge", "feedback", "reward", "inconclusive", "rule", "witness"}

// laterKeys are keys that the design has and this version does not do.
var laterKeys = []string{"areas", "escrow", "laps", "phases"}

// ParsePlan reads and checks a plan; file is its name in errors. The error wraps a *strict.Problems with all
// that is wrong, each at its line and column, and ErrUndealable where all is well written and yet cannot be dealt. A
// plan that parses can be dealt from its own loading, and a good deal is likely enough (GoodDeal).
func ParsePlan(file string, src []byte) (Plan, error) {
	doc, err := strict.Parse(file, src)
	if err != nil {
		return Plan{}, err
	}
	f := planFile{Presentation: PresentationActuated, Calls: CallsFirstEnds, Feedback: FeedbackNone,
		Reward: RewardNone, Inconclusive: event.PolicyWrong, Witness: WitnessNone}
	doc.Decode(&f)
	for _, key := range slices.Sorted(maps.Keys(f.Rest)) {
		if slices.Contains(laterKeys, key) {
			doc.Problem(key, "take the key away", "not supported yet")
			continue
		}
		doc.UnknownKey("", key, planKeys)
	}
	p := f.plan()
	p.Text = slices.Clone(src)
	c := checker{doc: doc, p: p}
	c.words()
	c.counts()
	c.times()
	if doc.Err() == nil {
		c.load()
	}
	if err := doc.Err(); err != nil {
		return Plan{}, err
	}
	if c.deal(); doc.Err() != nil {
		return Plan{}, undealable{doc.Err()}
	}
	return p, nil
}

// deal checks that the plan can be dealt from its own loading.
func (c *checker) deal() {
	s := newShelf(c.p.Positions, c.p.Loading())
	for _, gap := range c.p.gaps(s) {
		c.doc.Problem("loading", gapHint, "%s", gap)
	}
	if c.doc.Err() != nil {
		return
	}
	if refused := c.p.dealable(s); refused != nil {
		c.doc.Problem(refused.path, refused.hint, "%s", refused.message)
	}
}

// undealable marks the problems of a plan that is well written and cannot be dealt.
type undealable struct{ problems error }

// Error returns the problems.
func (u undealable) Error() string { return u.problems.Error() }

// Unwrap returns the *strict.Problems and ErrUndealable.
func (u undealable) Unwrap() []error { return []error{u.problems, ErrUndealable} }

func (f planFile) plan() Plan {
	return Plan{
		Name: f.Name, Form: f.Form, Presentation: f.Presentation, Mode: f.Mode,
		Positions: f.Positions, Runs: f.Runs, Reserve: f.Reserve,
		Layout: f.Loading, Restricted: f.Restricted, Targets: f.Targets, Distractors: f.Distractors, Balance: f.Balance,
		Calls: f.Calls, Limits: f.Limits, Purge: f.Purge, Feedback: f.Feedback, Reward: f.Reward,
		Inconclusive: f.Inconclusive, Rule: f.Rule, Witness: f.Witness,
	}
}

// checker finds what is wrong by meaning in a plan whose types are right.
type checker struct {
	doc *strict.Document
	p   Plan
}

// words checks the values that are words out of a list, and the names.
func (c *checker) words() {
	for _, one := range []struct {
		key, value string
		known      []string
		later      []string
	}{
		{"form", c.p.Form, []string{FormLineup, FormGoNoGo}, []string{"carousel", "area"}},
		{"presentation", c.p.Presentation, []string{PresentationActuated}, []string{"manual"}},
		{"mode", string(c.p.Mode), strict.Texts(event.Modes()), nil},
		{"calls", c.p.Calls, []string{CallsFirstEnds, CallsSeveral}, nil},
		{"feedback", c.p.Feedback, []string{FeedbackNone, FeedbackPerRun, FeedbackAfterSession}, nil},
		{"reward", c.p.Reward, []string{RewardNone}, []string{"after-correct-call", "known-runs-only", "handler's choice"}},
		{"inconclusive", string(c.p.Inconclusive), strict.Texts([]event.Policy{event.PolicyWrong, event.PolicyLeftOut}), nil},
		{"witness", c.p.Witness, []string{WitnessNone, WitnessPaper, WitnessHub}, nil},
	} {
		switch {
		case one.value == "":
			c.missing(one.key, strings.Join(one.known, " | "))
		case slices.Contains(one.later, one.value):
			c.doc.Problem(one.key, "this version does: "+strings.Join(one.known, ", "), "%q is not supported yet", one.value)
		case !slices.Contains(one.known, one.value):
			c.doc.Problem(one.key, strict.DidYouMean(one.value, one.known), "%s is expected, not %s",
				strings.Join(one.known, " | "), strict.Quote(one.value))
		}
	}
	if c.p.Name == "" {
		c.missing("plan", "a name")
	} else if why := badName(c.p.Name, MaxName); why != "" {
		c.doc.Problem("plan", "", "%s", why)
	}
	if c.p.Rule != "" || c.doc.Has("rule") {
		if why := badName(c.p.Rule, MaxName); why != "" {
			c.doc.Problem("rule", "take the key away for a session without a pass rule", "%s", why)
		}
	}
}

// missing notes a key that is not there. One that is there with a wrong value has its problem already.
func (c *checker) missing(path, want string) bool {
	if !c.doc.Has(path) {
		c.doc.Problem(path, "add "+path+": "+want, "is missing")
		return true
	}
	if c.doc.Kind(path) == strict.Text {
		c.doc.Problem(path, "", "%s is expected, not \"\"", want)
	}
	return true
}

// badName says what is wrong with a name, "" when nothing is.
func badName(name string, longest int) string {
	switch {
	case name == "":
		return "a name is expected, not \"\""
	case utf8.RuneCountInString(name) > longest:
		return "the name " + strict.Quote(name) + " is too long: " + Range{longest, longest}.String() + " characters are the most"
	case strings.TrimSpace(name) != name:
		return "the name " + strict.Quote(name) + " begins or ends with a space"
	}
	if _, _, found := signs.Unseen(name, false); found {
		return "the name " + strict.Quote(name) + " holds a sign that no reader sees"
	}
	return ""
}
