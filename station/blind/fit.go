package blind

import "slices"

// fits returns, for each number of distractors up to the one given, the chance that so many, put uniformly at some
// positions with uniform odours, and blanks at the others are all loaded where they come to stand. It is exact.
func (p Plan) fits(s shelf, positions []int, distractors int) []float64 {
	ways := make([]float64, distractors+1) // the loaded lines so far, each counted by the share of its odours
	ways[0] = 1
	for _, position := range positions {
		blank, distractor := share(s, position, []string{BlankOdour}), share(s, position, p.Distractors.Odours)
		for d := distractors; d >= 0; d-- {
			sum := mul(ways[d], blank)
			if d > 0 {
				sum += mul(ways[d-1], distractor)
			}
			ways[d] = sum
		}
	}
	for d := range ways {
		if all := choices(len(positions), d); all > 0 {
			ways[d] /= all
		}
	}
	return ways
}

// reserveChance returns the chance that a placement of a reserve run needs no odour where it is not loaded. It is
// exact.
func (p Plan) reserveChance(s shelf, c Composition) float64 {
	targets := c.targets()
	kinds := slices.Compact(slices.Clone(targets))
	counts := make([]int, len(kinds)+1) // of each target odour, and of the distractors
	for _, odour := range targets {
		counts[slices.Index(kinds, odour)]++
	}
	counts[len(kinds)] = c.Distractors
	// ways[state] is the loaded lines so far; a state is how many of each of the counts stand in them.
	strides, states := make([]int, len(counts)), 1
	for i, n := range counts {
		strides[i], states = states, states*(n+1)
	}
	ways := make([]float64, states)
	ways[0] = 1
	for position := 1; position <= p.Positions; position++ {
		shares := make([]float64, len(counts))
		for i, odour := range kinds {
			shares[i] = share(s, position, []string{odour})
		}
		shares[len(kinds)] = share(s, position, p.Distractors.Odours)
		blank := share(s, position, []string{BlankOdour})
		for state := states - 1; state >= 0; state-- {
			sum := mul(ways[state], blank)
			for i, n := range counts {
				if state/strides[i]%(n+1) > 0 {
					sum += mul(ways[state-strides[i]], shares[i])
				}
			}
			ways[state] = sum
		}
	}
	chance, free := ways[states-1], p.Positions
	for _, n := range counts {
		chance /= choices(free, n)
		free -= n
	}
	return chance
}

// choices returns the number of ways to choose k of n; 0 when there are none.
func choices(n, k int) float64 {
	if k > n {
		return 0
	}
	out := 1.0
	for i := range k {
		out = mul(out, float64(n-i)) / float64(i+1)
	}
	return out
}

// share returns how many of the odours are loaded at a position, from 0 to 1.
func share(s shelf, position int, odours []string) float64 {
	has := 0
	for _, odour := range odours {
		if s.has(position, odour) {
			has++
		}
	}
	if len(odours) == 0 {
		return 0
	}
	return float64(has) / float64(len(odours))
}
