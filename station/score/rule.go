package score

import (
	"math/big"
	"regexp"

	"scentpost/station/event"
	"scentpost/station/strict"
)

// Unknown is what a rule file says where its source says nothing.
const Unknown = "unknown"

// The units that a rule counts.
const (
	UnitPresentation = "presentation"
	UnitRun          = "run"
)

// Who says so: the source of the rule, or nobody but us.
const (
	BySource     = "source"
	ByAssumption = "our assumption"
)

// Rule is a pass rule as its file gives it. ParseRule gives checked ones.
type Rule struct {
	Name    string // as in the file's name: "uk-short-odour"
	Title   string
	Source  string
	Edition string // of the source, Unknown where it is not known
	Unit    string // a Unit constant
	UnitBy  string // BySource or ByAssumption
	// ConfirmedBy is the authority that took the rule as its own; as long as it is empty the rule is a suggestion.
	ConfirmedBy string
	Validity    string // how long a pass counts: "1 year", or Unknown
	Policy      Policy
	Smallest    SmallestTest
	// NotChecked lists what the source asks for and this station cannot see, such as the set time of the aids.
	NotChecked []string
	// Notes say in words what the file had to assume.
	Notes []string

	only          filters
	values        map[string]value
	preconditions []clause
	pass          clause
}

// Policy says how a rule counts what is neither right nor wrong.
type Policy struct {
	// NotSampled is "left-out", or "miss" for targets; non-targets that were not sampled are left out in any case.
	NotSampled event.Policy `yaml:"not_sampled"`
	// Inconclusive is "left-out" or "wrong": inconclusive targets are misses, and the inconclusive non-targets of a
	// run without a false alert are one false alert.
	Inconclusive event.Policy `yaml:"inconclusive"`
	// TimeOut is what a target is that was missed because time ran out: "miss" or "left-out".
	TimeOut event.Policy `yaml:"time_out"`
	// Void is "left-out": what never locked says nothing of the dog.
	Void event.Policy `yaml:"void"`
	// By is BySource or ByAssumption.
	By string `yaml:"by"`
}

// SmallestTest is the least that the rule can be applied to.
type SmallestTest struct {
	Targets    int `yaml:"targets"` // of each odour where the rule says so
	NonTargets int `yaml:"non_targets"`
	// By is BySource or ByAssumption.
	By string `yaml:"by"`
}

// filters say which runs a rule counts; an empty list is no filter.
type filters struct {
	Odours    []string     `yaml:"odours"`    // targets of these odours only
	Blindness []event.Mode `yaml:"blindness"` // runs of this effective blindness only
}

// value is a number made of others. Exactly one list is given.
type value struct {
	Ratio      []string `yaml:"ratio"`      // the first by the second
	Difference []string `yaml:"difference"` // the first less the second
	Sum        []string `yaml:"sum"`
}

// clause compares a value with a number, or that of each target odour. With All or Any it is a group of clauses
// instead, met when all or any of them are.
type clause struct {
	Name    string   `yaml:"name"`
	Value   string   `yaml:"value"`
	ForEach string   `yaml:"for_each"`
	AtLeast *decimal `yaml:"at_least"`
	AtMost  *decimal `yaml:"at_most"`
	Exactly *decimal `yaml:"exactly"`
	All     []clause `yaml:"all"`
	Any     []clause `yaml:"any"`
}

// isGroup tells whether the clause is made of others.
func (c clause) isGroup() bool { return len(c.All)+len(c.Any) > 0 }

// forEachOdour applies a clause to the presentations of each target odour by themselves.
const forEachOdour = "odour"

// decimal is an exact number as it was written.
type decimal struct {
	text  string
	exact big.Rat
}

var decimalForm = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)

// UnmarshalStrict reads "5" or "0.70". It implements strict.Scalar.
func (d *decimal) UnmarshalStrict(n strict.Node) error {
	if !decimalForm.MatchString(n.Text) {
		return strict.Errorf("", "a number such as 5 or 0.70 is expected, not %s", strict.Quote(n.Text))
	}
	d.text = n.Text
	d.exact.SetString(n.Text)
	return nil
}
