package blind

import (
	"encoding/binary"
	"slices"
)

// The bounds of the work for one chance.
const (
	exactSteps  = 120_000   // decks partly dealt that are remembered, times positions
	sampleSteps = 1_000_000 // cards times positions, and times odours where the loading counts, over all samples
	fewSamples  = 8
	manySamples = 4_000
	sessionsAt  = 12 // numbers of targets of a session that are looked at
	fewSessions = 5  // the same, where there are many ways to spread them over the runs
	jumbles     = 2  // ways to spread them that are looked at, besides the extreme ones
)

// chance returns the least chance, over the numbers that may be drawn, that a deal keeps the rules given. One below
// floor is enough, and may not be the least. Every float is rounded by itself (see mul), so that all machines agree.
func (p Plan) chance(s shelf, rules []rule, floor float64) Chance {
	if len(rules) == 0 {
		return Chance{Least: 1, Exact: true}
	}
	shapes, all := p.shapes()
	o := newOdds(p, s, rules)
	out := Chance{Least: 1, Exact: all}
	for _, shape := range shapes {
		chance, exact := o.count(shape)
		if !exact {
			chance = o.sample(shape, sampleSteps/len(shapes))
		}
		if chance < floor {
			return Chance{Least: chance, Exact: exact}
		}
		out.Least, out.Exact = min(out.Least, chance), out.Exact && exact
	}
	return out
}

// mul is a*b rounded to a float64: without the conversion some machines would add to it unrounded.
func mul(a, b float64) float64 { return float64(a * b) }

// shapes returns lists of how many targets each run holds; all is true when every other list that may be drawn has
// the chance of one of these.
func (p Plan) shapes() (shapes [][]int, all bool) {
	session, run := p.SessionTargets(), p.Targets.PerRun
	// Where a run holds one target or none, the runs with one make one row, wherever they stand.
	alike := run.Max <= 1 || run.Min == run.Max
	span, look := session.Max-session.Min, sessionsAt
	if !alike {
		look = fewSessions
	}
	g := newGenerator([32]byte{}, "shapes")
	steps := min(span, look-1)
	for i := range steps + 1 {
		targets := session.Min + span*i/max(1, steps)
		shapes = append(shapes, p.heaped(targets))
		if alike {
			continue
		}
		shapes = append(shapes, p.even(targets))
		for range jumbles {
			shapes = append(shapes, p.jumbled(g, targets))
		}
	}
	return shapes, alike && span < look
}

// heaped gives the first runs as many targets as they may hold.
func (p Plan) heaped(targets int) []int {
	run := p.Targets.PerRun
	over := targets - p.Runs*run.Min
	out := make([]int, p.Runs)
	for i := range out {
		more := min(over, run.Max-run.Min)
		out[i], over = run.Min+more, over-more
	}
	return out
}

// even gives all runs the same number of targets, or one more.
func (p Plan) even(targets int) []int {
	out := make([]int, p.Runs)
	for i := range out {
		out[i] = targets*(i+1)/p.Runs - targets*i/p.Runs
	}
	return out
}

// jumbled gives the targets beyond the least to runs by chance.
func (p Plan) jumbled(g *generator, targets int) []int {
	run := p.Targets.PerRun
	out := make([]int, p.Runs)
	var room []int
	for i := range out {
		out[i] = run.Min
		for range run.Max - run.Min {
			room = append(room, i)
		}
	}
	shuffle(g, room)
	for _, i := range room[:targets-p.Runs*run.Min] {
		out[i]++
	}
	return out
}

// odds works out chances under some of the rules.
type odds struct {
	p                         Plan
	shelf                     shelf
	fitting                   [][]bool // of position and target odour: whether it is loaded there
	distinct, inARow, loading bool
	states                    int // that may still be remembered
}

func newOdds(p Plan, s shelf, rules []rule) *odds {
	o := &odds{p: p, shelf: s, fitting: make([][]bool, p.Positions), states: exactSteps / p.Positions}
	for i := range o.fitting {
		for _, odour := range p.Targets.Odours {
			o.fitting[i] = append(o.fitting[i], s.has(i+1, odour))
		}
	}
	for _, r := range rules {
		o.distinct = o.distinct || r == ruleDistinct
		o.inARow = o.inARow || r == ruleInARow
		o.loading = o.loading || r == ruleLoading
	}
	return o
}

// cell is one position of a deck partly dealt.
type cell struct {
	left  int // cards of the position still in the deck; 0 throughout where positions are not balanced
	row   int // consecutive runs with a target that held one here
	inRun bool
}

// start returns the cells before the first card. extra says which positions have one card more.
func (o *odds) start(cards int, extra []int) []cell {
	cells := make([]cell, o.p.Positions)
	if o.p.Balance.Positions {
		for i := range cells {
			cells[i].left = cards / o.p.Positions
		}
		for _, i := range extra[:cards%o.p.Positions] {
			cells[i].left++
		}
	}
	return cells
}

// weight returns in how many ways the next card can be of a position, and in how many of them no rule is broken.
func (o *odds) weight(c cell) (ways, good int) {
	ways = c.left
	if !o.p.Balance.Positions {
		ways = 1
		if c.inRun {
			return 0, 0
		}
	}
	if (o.distinct && c.inRun) || (o.inARow && c.row >= o.p.Balance.SamePositionInARow) {
		return ways, 0
	}
	return ways, ways
}

// endRun moves the cells on to the next run with a target.
func (o *odds) endRun(cells []cell) {
	for i, c := range cells {
		switch {
		case !c.inRun || !o.inARow:
			cells[i].row = 0
		default:
			cells[i].row++
		}
		cells[i].inRun = false
	}
}

// count works the chance out by going through every deal, the decks that can only go on alike taken together.
// Positions are alike unless the loading counts, so it does not do those deals.
func (o *odds) count(shape []int) (chance float64, exact bool) {
	if o.loading {
		return 0, false
	}
	shape = slices.DeleteFunc(slices.Clone(shape), func(t int) bool { return t == 0 })
	c := counting{odds: o, shape: shape, known: map[string]float64{}}
	extra := make([]int, o.p.Positions)
	for i := range extra {
		extra[i] = i
	}
	chance = c.from(o.start(sum(shape), extra), 0, 0)
	return chance, !c.failed
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

type counting struct {
	*odds
	shape  []int
	known  map[string]float64
	failed bool // there are too many states
}

// from returns the chance that the rest of the deal is good, from card number card of a run on.
func (c *counting) from(cells []cell, run, card int) float64 {
	if run == len(c.shape) {
		return 1
	}
	slices.SortFunc(cells, func(a, b cell) int { return a.order() - b.order() })
	key := c.key(cells, run, card)
	if chance, ok := c.known[key]; ok || c.failed {
		return chance
	}
	if c.states--; c.states < 0 {
		c.failed = true
		return 0
	}
	total, chance := 0, 0.0
	for i := 0; i < len(cells); {
		alike := i + 1
		for alike < len(cells) && cells[alike] == cells[i] {
			alike++
		}
		ways, good := c.weight(cells[i])
		total += ways * (alike - i)
		if good > 0 {
			chance += mul(float64(good*(alike-i)), c.next(cells, i, run, card))
		}
		i = alike
	}
	chance /= float64(total)
	c.known[key] = chance
	return chance
}

// next deals a card of position i.
func (c *counting) next(cells []cell, i, run, card int) float64 {
	after := slices.Clone(cells)
	after[i].inRun = true
	after[i].left = max(0, after[i].left-1)
	if card+1 < c.shape[run] {
		return c.from(after, run, card+1)
	}
	c.endRun(after)
	return c.from(after, run+1, 0)
}

// order gives cells that differ different numbers.
func (c cell) order() int {
	n := (c.left*(MaxRuns+1) + c.row) * 2
	if c.inRun {
		n++
	}
	return n
}

// key names a state.
func (c *counting) key(cells []cell, run, card int) string {
	b := make([]byte, 0, 4*len(cells)+4)
	b = binary.BigEndian.AppendUint16(b, uint16(run))
	b = binary.BigEndian.AppendUint16(b, uint16(card))
	for _, one := range cells {
		b = binary.BigEndian.AppendUint32(b, uint32(one.order()))
	}
	return string(b)
}
