package blind

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"scentpost/station/event"
)

// ErrUndealable is wrapped by the errors of ParsePlan and CheckLoading when all is well written and yet cannot be
// dealt: the loading lacks a kind, or a rule cannot hold.
var ErrUndealable = errors.New("the plan cannot be dealt")

// The least chances of a good deal.
const (
	// leastChance is of the scheduled runs: one deal in a million, a second's work.
	leastChance = 1e-6
	// leastReserve is of one placement of a reserve run, of which there may be a thousand.
	leastReserve = 1e-4
	// mostCards is how many cards a draw may be expected to deal in all; it matters from 51 targets on.
	mostCards = 5e7
)

// Chance is how likely a deal keeps every rule.
type Chance struct {
	// Least is the least chance over what numbers may be drawn, from 0 to 1.
	Least float64
	// Exact is false when Least is an estimate: from deals sampled by a fixed seed, or from some of the numbers.
	Exact bool
}

// GoodDeal returns the chance that a deal of the scheduled runs keeps every rule. It costs at most about a tenth of
// a second, mostly nothing; the same plan and loading give the same answer on every machine.
func (p Plan) GoodDeal(loading []event.Loaded) Chance {
	return p.chance(newShelf(p.Positions, loading), p.rules(), 0)
}

// rules returns the rules that a deal of this plan may break.
func (p Plan) rules() []rule {
	var all []rule
	if p.Balance.Positions && p.Targets.PerRun.Max > 1 {
		all = append(all, ruleDistinct)
	}
	if most := p.Balance.SamePositionInARow; most > 0 && most < min(p.Runs, p.SessionTargets().Max) {
		all = append(all, ruleInARow)
	}
	if p.Restricted {
		all = append(all, ruleLoading)
	}
	return all
}

// blame says of a rule where it stands in a plan and what may be done about it.
var blame = map[rule]struct{ path, hint string }{
	ruleDistinct: {"targets.per_run", "fewer targets in a run, or balance.positions: false"},
	ruleInARow:   {"balance.same_position_in_a_row", "raise it, or add positions"},
	ruleLoading:  {"loading", "load more kinds at more positions"},
}

// refusal is why a plan cannot be dealt, at a path of the plan.
type refusal struct{ path, hint, message string }

// Error returns the message with its hint.
func (r *refusal) Error() string { return r.path + ": " + r.message + " (" + r.hint + ")" }

// Unwrap returns ErrUndealable.
func (r *refusal) Unwrap() error { return ErrUndealable }

// dealable tells whether a draw ends soon enough, and names the rule that is in the way.
func (p Plan) dealable(s shelf) *refusal {
	floor := max(leastChance, float64(p.SessionTargets().Max)/mostCards)
	all := p.rules()
	if together := p.chance(s, all, floor); together.Least < floor {
		for _, one := range all {
			if alone := p.chance(s, []rule{one}, floor); alone.Least < floor {
				return refuse([]rule{one}, alone, floor)
			}
		}
		return refuse(all, together, floor)
	}
	if !p.Restricted || p.Reserve == 0 {
		return nil
	}
	for _, c := range p.Compositions() {
		if chance := p.reserveChance(s, c); chance < leastReserve {
			r := refuse([]rule{ruleLoading}, Chance{chance, true}, leastReserve)
			r.message = fmt.Sprintf("a reserve run of the targets %q and %d distractors: %s", c.Odours, c.Distractors, r.message)
			return r
		}
	}
	return nil
}

func refuse(rules []rule, chance Chance, floor float64) *refusal {
	r := &refusal{path: blame[rules[0]].path, hint: blame[rules[0]].hint}
	names := make([]string, len(rules))
	for i, one := range rules {
		names[i] = string(one)
	}
	how := "by count"
	if !chance.Exact {
		how = "by a fixed sample of deals"
	}
	often := "no deal keeps it"
	if chance.Least > 0 {
		often = fmt.Sprintf("one deal in %.3g keeps it, and one in %.3g is the least", 1/chance.Least, math.Round(1/floor))
	}
	r.message = fmt.Sprintf("the rule %q cannot hold: %s (%s)", strings.Join(names, ", and "), often, how)
	return r
}
