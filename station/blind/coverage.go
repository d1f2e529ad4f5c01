package blind

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"scentpost/station/event"
	"scentpost/station/strict"
)

// load checks the plan's own loading.
func (c *checker) load() {
	if len(c.p.Layout.EachPosition) == 0 && len(c.p.Layout.Positions) == 0 {
		c.doc.Problem("loading", "add loading: {each_position: [...]}", "says of no canister what lies in it")
		return
	}
	for key := range c.p.Layout.Positions {
		if n, err := strconv.Atoi(key); err != nil || n < 1 || n > c.p.Positions || strconv.Itoa(n) != key {
			c.doc.Problem("loading.positions."+key, "", "a position from 1 to %d is expected, not %s", c.p.Positions, strict.Quote(key))
			return
		}
	}
	known := c.p.odourNames()
	c.shelfList("loading.each_position", c.p.Layout.EachPosition, known)
	for position := 1; position <= c.p.Positions; position++ {
		key := strconv.Itoa(position)
		if own, ok := c.p.Layout.Positions[key]; ok {
			c.shelfList("loading.positions."+key, own, known)
		}
	}
}

const gapHint = "load it at every position, or write restricted: true, which the record and the report will say"

// shelfList checks what one list says of the canisters of a position.
func (c *checker) shelfList(path string, list, known []string) {
	if len(list) > MaxCanisters {
		c.doc.Problem(path, "", "%d canisters at a position, and %d are the most", len(list), MaxCanisters)
		return
	}
	for i, odour := range list {
		if !slices.Contains(known, odour) {
			c.doc.Problem(fmt.Sprintf("%s[%d]", path, i), strict.DidYouMean(odour, known),
				"%s is neither a target nor a distractor of this plan, nor %q", strict.Quote(odour), BlankOdour)
		}
	}
}

// odourNames returns every odour that the plan speaks of.
func (p Plan) odourNames() []string {
	return append(append(slices.Clone(p.Targets.Odours), p.Distractors.Odours...), BlankOdour)
}

// needed returns the odours that every position must be able to present: of the kinds that may stand there at all.
func (p Plan) needed() []string {
	var all []string
	if p.Targets.PerRun.Max > 0 {
		all = append(all, p.Targets.Odours...)
	}
	most, blanks := 0, false
	for _, c := range p.numbersAllowed() {
		most = max(most, c.Distractors)
		blanks = blanks || c.Targets+c.Distractors < p.Positions
	}
	if most > 0 {
		all = append(all, p.Distractors.Odours...)
	}
	if blanks {
		all = append(all, BlankOdour)
	}
	return all
}

// gaps says which kinds a loading cannot serve at which positions; none where the plan is restricted to what its
// loading has.
func (p Plan) gaps(s shelf) []string {
	if p.Restricted {
		return nil
	}
	var all []string
	for _, odour := range p.needed() {
		var without []string
		for position := 1; position <= p.Positions; position++ {
			if !s.has(position, odour) {
				without = append(without, strconv.Itoa(position))
			}
		}
		switch {
		case len(without) == p.Positions:
			all = append(all, fmt.Sprintf("no position has a canister with %s", strict.Quote(odour)))
		case len(without) > 0:
			all = append(all, fmt.Sprintf("no canister with %s at position %s", strict.Quote(odour), strings.Join(without, ", ")))
		}
	}
	return all
}

// CheckLoading tells whether the plan can be dealt from a loading: each canister named once, at a position of the
// plan and with one of its odours; every kind at every position, unless the plan is restricted; and a deal that
// keeps every rule likely enough. The error names all that is wrong, or the rule that cannot hold.
func (p Plan) CheckLoading(loading []event.Loaded) error {
	var wrong []error
	known, seen := p.odourNames(), map[string]bool{}
	if len(loading) > p.Positions*MaxCanisters {
		return fmt.Errorf("%d canisters, and %d are the most at %d positions", len(loading), p.Positions*MaxCanisters, p.Positions)
	}
	for _, l := range loading {
		switch {
		case l.Position < 1 || l.Position > p.Positions:
			wrong = append(wrong, fmt.Errorf("canister %s: position %d is out of range: from 1 to %d", strict.Quote(l.Canister), l.Position, p.Positions))
		case badName(l.Canister, MaxOdourName) != "":
			wrong = append(wrong, fmt.Errorf("a canister at position %d: %s", l.Position, badName(l.Canister, MaxOdourName)))
		case seen[l.Canister]:
			wrong = append(wrong, fmt.Errorf("canister %s is loaded twice", strict.Quote(l.Canister)))
		case !slices.Contains(known, l.Odour):
			wrong = append(wrong, fmt.Errorf("canister %s: %s is no odour of this plan (%s)", strict.Quote(l.Canister), strict.Quote(l.Odour), strict.DidYouMean(l.Odour, known)))
		}
		seen[l.Canister] = true
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	s := newShelf(p.Positions, loading)
	for _, gap := range p.gaps(s) {
		wrong = append(wrong, &refusal{path: "loading", hint: gapHint, message: gap})
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	if refused := p.dealable(s); refused != nil {
		return refused
	}
	return nil
}
