package blind

import (
	"strings"

	"scentpost/station/event"
)

// Composition is what stands in one run, without saying where: how many of each kind, and which target odours. The
// rest are blanks.
type Composition struct {
	Targets, Distractors int
	// Odours are the target odours in the order of the plan, joined by commas: a run that stands in for another one
	// must present the same, or a rule that counts presentations of each odour may no longer be met.
	Odours string
}

// odourSeparator stands between the odours of a composition; no odour's name holds it.
const odourSeparator = ","

// numbersAllowed returns all numbers that the plan allows in one run: by targets, then by distractors, both rising.
// Their Odours are empty.
func (p Plan) numbersAllowed() []Composition {
	var all []Composition
	for t := p.Targets.PerRun.Min; t <= p.Targets.PerRun.Max; t++ {
		beside := p.distractorsBeside(t)
		for d := beside.Min; d <= beside.Max; d++ {
			all = append(all, Composition{Targets: t, Distractors: d})
		}
	}
	return all
}

// Compositions returns all that the plan allows in one run: by targets rising, then by their odours, in the order of
// the plan with the last one changing first, then by distractors rising. Reserve runs hold one placement for each, in
// this order; a plan without reserve runs needs none.
func (p Plan) Compositions() []Composition {
	if p.Reserve == 0 {
		return nil
	}
	var all []Composition
	for t := p.Targets.PerRun.Min; t <= p.Targets.PerRun.Max; t++ {
		beside := p.distractorsBeside(t)
		for _, odours := range multisets(p.Targets.Odours, t) {
			for d := beside.Min; d <= beside.Max; d++ {
				all = append(all, Composition{Targets: t, Distractors: d, Odours: odours})
			}
		}
	}
	return all
}

// multisets returns every way to take n of the odours, each as often as wanted, in the order of the list.
func multisets(odours []string, n int) []string {
	if n == 0 {
		return []string{""}
	}
	var all []string
	for i, first := range odours {
		for _, rest := range multisets(odours[i:], n-1) {
			if rest == "" {
				all = append(all, first)
				continue
			}
			all = append(all, first+odourSeparator+rest)
		}
	}
	return all
}

// countCompositions returns how many Compositions there are, or more than MaxPlacements when there are more.
func (p Plan) countCompositions() int {
	count := 0
	for t := p.Targets.PerRun.Min; t <= p.Targets.PerRun.Max; t++ {
		beside := p.distractorsBeside(t)
		count += countMultisets(len(p.Targets.Odours), t) * max(0, beside.Max-beside.Min+1)
		if count > MaxPlacements {
			return MaxPlacements + 1
		}
	}
	return count
}

// countMultisets returns in how many ways n of the odours can be taken, at most a little more than MaxPlacements.
func countMultisets(odours, n int) int {
	ways := make([]int, n+1) // of taking so many of the odours looked at
	ways[0] = 1
	for range odours {
		for taken := 1; taken <= n; taken++ {
			ways[taken] = min(ways[taken]+ways[taken-1], MaxPlacements+1)
		}
	}
	return ways[n]
}

// CompositionOf returns what stands in a placement of the plan. It tells a part of the placement: the caller keeps it
// sealed.
func (p Plan) CompositionOf(placement event.Placement) Composition {
	var c Composition
	found := map[string]int{}
	for _, slot := range placement.Reveal() {
		switch slot.Kind {
		case event.Target:
			c.Targets++
			found[slot.Odour]++
		case event.Distractor:
			c.Distractors++
		}
	}
	var odours []string
	for _, o := range p.Targets.Odours {
		for range found[o] {
			odours = append(odours, o)
		}
	}
	c.Odours = strings.Join(odours, odourSeparator)
	return c
}

// targets returns the target odours one by one.
func (c Composition) targets() []string {
	if c.Odours == "" {
		return nil
	}
	return strings.Split(c.Odours, odourSeparator)
}

// distractorsBeside returns how many distractors a run with so many targets may hold: as many of the plan's range
// as there is room for.
func (p Plan) distractorsBeside(targets int) Range {
	d := p.Distractors.PerRun
	return Range{Min: d.Min, Max: min(d.Max, p.Positions-targets)}
}
