package blind

// sample estimates the chance from deals that are led past the broken rules: each card is chosen among the good
// ones, and the deal counts as much as the product of the shares that were good (sequential importance sampling).
// The mean is unbiased, and rare chances need no luck.
func (o *odds) sample(shape []int, steps int) float64 {
	g := newGenerator([32]byte{}, "sample")
	cost := (sum(shape) + len(shape)) * o.p.Positions
	if o.loading {
		cost *= len(o.p.Targets.Odours) + 1
	}
	samples := min(manySamples, max(fewSamples, steps/cost))
	total := 0.0
	for range samples {
		total += o.ledDeal(g, shape)
	}
	return total / float64(samples)
}

// ledDeal deals once and returns what the deal counts.
func (o *odds) ledDeal(g *generator, shape []int) float64 {
	cards := sum(shape)
	d := dealer{p: o.p, g: g}
	cells := o.start(cards, d.choose(o.p.Positions, o.p.Positions))
	odours := o.odourDeck(d, cards)
	weight := 1.0
	for _, targets := range shape {
		for range targets {
			ways, good := o.options(cells, odours)
			allGood := sum(good)
			if allGood == 0 {
				return 0
			}
			weight = mul(weight, float64(allGood)/float64(ways))
			at := pick(g, good)
			if o.loading {
				odours.take(g, o.fitting[at])
			}
			cells[at].inRun = true
			cells[at].left = max(0, cells[at].left-1)
		}
		if o.loading {
			weight = mul(weight, o.rest(cells, targets))
		}
		if targets > 0 {
			o.endRun(cells)
		}
		if weight == 0 {
			return 0
		}
	}
	return weight
}

// pick chooses an index by integer weights.
func pick(g *generator, weights []int) int {
	n := g.below(sum(weights))
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	panic("blind: weights do not add up")
}

// odourDeck is what is left of the deck of target odours.
type odourDeck struct {
	left     []int
	balanced bool
}

func (o *odds) odourDeck(d dealer, cards int) *odourDeck {
	kinds := len(o.p.Targets.Odours)
	out := &odourDeck{left: make([]int, kinds), balanced: o.p.Balance.Odours}
	for i := range out.left {
		out.left[i] = 1
		if out.balanced {
			out.left[i] = cards / kinds
		}
	}
	if out.balanced && kinds > 0 {
		for _, i := range d.choose(kinds, cards%kinds) {
			out.left[i]++
		}
	}
	return out
}

// options returns in how many ways the next two cards, of a position and of an odour, can be taken, and in how many
// good ones for each position. Without a loading to keep to, odours do not matter.
func (o *odds) options(cells []cell, odours *odourDeck) (ways int, good []int) {
	good = make([]int, len(cells))
	total := 1
	if o.loading {
		total = sum(odours.left)
	}
	for i, c := range cells {
		all, fine := o.weight(c)
		ways += all * total
		if fine == 0 {
			continue
		}
		if o.loading {
			fine *= odours.fitting(o.fitting[i])
		}
		good[i] = fine
	}
	return ways, good
}

// fitting counts the cards of those odours that fit.
func (d *odourDeck) fitting(fit []bool) int {
	n := 0
	for i, left := range d.left {
		if fit[i] {
			n += left
		}
	}
	return n
}

// take takes a card of an odour that fits.
func (d *odourDeck) take(g *generator, fit []bool) {
	weights := make([]int, len(d.left))
	for i, left := range d.left {
		if fit[i] {
			weights[i] = left
		}
	}
	i := pick(g, weights)
	if d.balanced {
		d.left[i]--
	}
}

// rest returns the chance that distractors and blanks fit the positions that the targets of a run leave free, for
// the number of distractors that fits worst, since the numbers stand before the deal.
func (o *odds) rest(cells []cell, targets int) float64 {
	var free []int
	for i, c := range cells {
		if !c.inRun {
			free = append(free, i+1)
		}
	}
	beside := o.p.distractorsBeside(targets)
	fit, least := o.p.fits(o.shelf, free, beside.Max), 1.0
	for d := beside.Min; d <= beside.Max; d++ {
		least = min(least, fit[d])
	}
	return least
}
