package blind

import (
	"fmt"

	"scentpost/station/event"
)

// Deal holds the placements of a session. Those of one run print as "sealed"; the caller keeps the whole sealed.
type Deal struct {
	// Scheduled holds the placement of each scheduled run.
	Scheduled []event.Placement
	// Reserve[r][c] is what the r-th reserve run presents in place of a voided run of the c-th composition.
	Reserve [][]event.Placement
}

// maxDeals bounds how many deals are thrown away. At the least chance that a checked plan has, one draw in e^33
// would reach it.
const maxDeals = 1 << 25

// Draw deals the placements of a session from a seed by law 1 (LAW1.md). It is a function of its arguments alone,
// the same on every machine. The plan must be checked, and the loading by CheckLoading; the error names the rule
// that no deal kept.
func Draw(p Plan, loading []event.Loaded, seed [32]byte) (Deal, error) {
	if p.Runs < 1 || p.Positions < 1 {
		return Deal{}, fmt.Errorf("draw: %d runs of %d positions: this is no checked plan", p.Runs, p.Positions)
	}
	d := dealer{p: p, shelf: newShelf(p.Positions, loading), g: newGenerator(seed, streamScheduled)}
	numbers := p.numbers(d.g)
	var deal Deal
	for tries := 0; deal.Scheduled == nil; tries++ {
		if tries == maxDeals {
			return Deal{}, fmt.Errorf("draw: each of %d deals broke a rule, the last one this: %s", tries, d.broken)
		}
		deal.Scheduled = d.scheduled(numbers)
	}
	d.g = newGenerator(seed, streamReserve)
	for r := 1; r <= p.Reserve; r++ {
		row, err := d.reserve(r)
		if err != nil {
			return Deal{}, err
		}
		deal.Reserve = append(deal.Reserve, row)
	}
	return deal, nil
}

// dealer deals from one stream.
type dealer struct {
	p      Plan
	shelf  shelf
	g      *generator
	broken rule // by the last deal that was thrown away
}

// rule is one that a deal may break, in words.
type rule string

const (
	ruleDistinct rule = "two targets never stand at one position in a run"
	ruleInARow   rule = "same_position_in_a_row"
	ruleLoading  rule = "each odour is loaded where it stands"
)

// line is what stands at each position of one run, the first at index 0.
type line []stand

type stand struct {
	kind  event.Kind
	odour string
}

// scheduled deals once: the placements of all scheduled runs, or nil when a rule is broken.
func (d *dealer) scheduled(numbers []Composition) []event.Placement {
	lines, ok := d.targets(numbers)
	if !ok {
		return nil
	}
	for i, c := range numbers {
		d.distractors(lines[i], c.Distractors)
	}
	for _, l := range lines {
		if !d.loaded(l) {
			return nil
		}
	}
	out := make([]event.Placement, len(lines))
	for i, l := range lines {
		out[i] = d.placement(l)
	}
	return out
}

// targets deals the decks of positions and of odours to the runs in order.
func (d *dealer) targets(numbers []Composition) (lines []line, ok bool) {
	total := 0
	for _, c := range numbers {
		total += c.Targets
	}
	var positions []int
	if d.p.Balance.Positions {
		positions = d.deck(total, d.p.Positions)
	} else {
		for _, c := range numbers {
			positions = append(positions, d.choose(d.p.Positions, c.Targets)...)
		}
	}
	var odours []int
	if d.p.Balance.Odours {
		odours = d.deck(total, len(d.p.Targets.Odours))
	} else {
		for range total {
			odours = append(odours, d.g.below(len(d.p.Targets.Odours)))
		}
	}
	lines, next := make([]line, len(numbers)), 0
	row := newRow(d.p)
	for i, c := range numbers {
		lines[i] = make(line, d.p.Positions)
		for range c.Targets {
			at := positions[next]
			if lines[i][at].kind != "" {
				d.broken = ruleDistinct
				return nil, false
			}
			lines[i][at] = stand{event.Target, d.p.Targets.Odours[odours[next]]}
			next++
		}
		if !row.add(lines[i], c.Targets) {
			d.broken = ruleInARow
			return nil, false
		}
	}
	return lines, true
}

// row follows in how many consecutive runs with a target each position holds one.
type row struct {
	most   int // 0: any number
	length []int
}

func newRow(p Plan) *row {
	return &row{most: p.Balance.SamePositionInARow, length: make([]int, p.Positions)}
}

// add takes the next run and tells whether the rule still holds.
func (r *row) add(l line, targets int) bool {
	if targets == 0 || r.most == 0 {
		return true
	}
	for i, s := range l {
		if s.kind != event.Target {
			r.length[i] = 0
			continue
		}
		if r.length[i]++; r.length[i] > r.most {
			return false
		}
	}
	return true
}

// deck returns cards that each show one of kinds, from 0: the counts differ by at most one, the odd ones are chosen
// uniformly, and the deck is shuffled.
func (d *dealer) deck(cards, kinds int) []int {
	if cards == 0 {
		return nil
	}
	extra := make([]bool, kinds)
	for _, kind := range d.choose(kinds, cards%kinds) {
		extra[kind] = true
	}
	deck := make([]int, 0, cards)
	for kind := range kinds {
		for range cards / kinds {
			deck = append(deck, kind)
		}
		if extra[kind] {
			deck = append(deck, kind)
		}
	}
	shuffle(d.g, deck)
	return deck
}

// choose returns n different numbers below from, in an order, every choice and order being equally likely: all
// numbers are shuffled and the first n taken. For none, nothing is drawn.
func (d *dealer) choose(from, n int) []int {
	if n == 0 {
		return nil
	}
	all := make([]int, from)
	for i := range all {
		all[i] = i
	}
	shuffle(d.g, all)
	return all[:n]
}

// distractors puts n distractors at free positions, their odours drawn one by one, and fills the rest with blanks.
func (d *dealer) distractors(l line, n int) {
	var free []int
	for i, s := range l {
		if s.kind == "" {
			free = append(free, i)
		}
	}
	for _, i := range d.choose(len(free), n) {
		l[free[i]] = stand{event.Distractor, d.p.Distractors.Odours[d.g.below(len(d.p.Distractors.Odours))]}
	}
	for i, s := range l {
		if s.kind == "" {
			l[i] = stand{event.Blank, BlankOdour}
		}
	}
}

// loaded tells whether each position has a canister for what stands there.
func (d *dealer) loaded(l line) bool {
	for i, s := range l {
		if !d.shelf.has(i+1, s.odour) {
			d.broken = ruleLoading
			return false
		}
	}
	return true
}

// placement names the canisters: where a position has several with the odour, one of them is chosen uniformly.
func (d *dealer) placement(l line) event.Placement {
	slots := make([]event.Slot, len(l))
	for i, s := range l {
		canisters := d.shelf[i+1][s.odour]
		slots[i] = event.Slot{Position: i + 1, Canister: canisters[d.g.below(len(canisters))], Kind: s.kind, Odour: s.odour}
	}
	return event.NewPlacement(slots)
}

// reserve draws the placements of one reserve run: one for each composition, by itself, bound by nothing but the
// loading.
func (d *dealer) reserve(run int) ([]event.Placement, error) {
	var out []event.Placement
	for _, c := range d.p.Compositions() {
		tries := 0
		l := d.alone(c)
		for ; !d.loaded(l); l = d.alone(c) {
			if tries++; tries == maxDeals {
				return nil, fmt.Errorf("draw: reserve run %d: each of %d placements broke a rule: %s", run, tries, d.broken)
			}
		}
		out = append(out, d.placement(l))
	}
	return out, nil
}

// alone draws one line of a composition: its targets, shuffled, stand at positions chosen one by one.
func (d *dealer) alone(c Composition) line {
	l := make(line, d.p.Positions)
	odours := c.targets()
	shuffle(d.g, odours)
	for n, i := range d.choose(d.p.Positions, c.Targets) {
		l[i] = stand{event.Target, odours[n]}
	}
	d.distractors(l, c.Distractors)
	return l
}
