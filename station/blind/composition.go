package blind

import "scentpost/station/event"

// Composition is how many of each kind stand in one run; the rest are blanks.
type Composition struct{ Targets, Distractors int }

// Compositions returns all that the plan allows in one run: by targets, then by distractors, both rising. Reserve
// runs hold one placement for each, in this order.
func (p Plan) Compositions() []Composition {
	var all []Composition
	for t := p.Targets.PerRun.Min; t <= p.Targets.PerRun.Max; t++ {
		beside := p.distractorsBeside(t)
		for d := beside.Min; d <= beside.Max; d++ {
			all = append(all, Composition{Targets: t, Distractors: d})
		}
	}
	return all
}

// CompositionOf counts the kinds of a placement. It tells a part of the placement: the caller keeps it sealed.
func CompositionOf(p event.Placement) Composition {
	var c Composition
	for _, slot := range p.Reveal() {
		switch slot.Kind {
		case event.Target:
			c.Targets++
		case event.Distractor:
			c.Distractors++
		}
	}
	return c
}

// distractorsBeside returns how many distractors a run with so many targets may hold: as many of the plan's range
// as there is room for.
func (p Plan) distractorsBeside(targets int) Range {
	d := p.Distractors.PerRun
	return Range{Min: d.Min, Max: min(d.Max, p.Positions-targets)}
}
