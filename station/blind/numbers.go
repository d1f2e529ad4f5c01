package blind

import "math/big"

// numbers draws how many targets and distractors each scheduled run holds (LAW1.md, "The numbers").
func (p Plan) numbers(g *generator) []Composition {
	runs := make([]Composition, p.Runs)
	if p.Targets.PerSession != nil {
		for i, t := range p.spread(g, g.within(*p.Targets.PerSession)) {
			runs[i].Targets = t
		}
	} else {
		for i := range runs {
			runs[i].Targets = g.within(p.Targets.PerRun)
		}
	}
	for i := range runs {
		runs[i].Distractors = g.within(p.distractorsBeside(runs[i].Targets))
	}
	return runs
}

// spread says how many of the session's targets each run holds, every way that keeps to the range of a run being
// equally likely: the ways are numbered in the order of their lists, and one number is drawn.
func (p Plan) spread(g *generator, targets int) []int {
	least := p.Targets.PerRun.Min
	width := p.Targets.PerRun.Max - least
	over := targets - p.Runs*least // what is to be given to the runs beyond the least
	ways := countWays(p.Runs, width, over)
	rank := g.belowBig(ways[p.Runs][over])
	out := make([]int, p.Runs)
	for i := range out {
		left := ways[p.Runs-1-i]
		x := 0
		for rank.Cmp(left[over-x]) >= 0 {
			rank.Sub(rank, left[over-x])
			x++
		}
		out[i], over = least+x, over-x
	}
	return out
}

// countWays returns, for each number of runs up to runs and each sum up to most, the number of lists of so many
// numbers from 0 to width with that sum.
func countWays(runs, width, most int) [][]*big.Int {
	table := make([][]*big.Int, runs+1)
	for k := range table {
		table[k] = make([]*big.Int, most+1)
		for sum := range table[k] {
			n := new(big.Int)
			switch {
			case k == 0 && sum == 0:
				n.SetInt64(1)
			case k > 0:
				// table[k][sum] is the sum of table[k-1][sum-x] for x from 0 to width.
				n.Set(table[k-1][sum])
				if sum > 0 {
					n.Add(n, table[k][sum-1])
				}
				if sum > width {
					n.Sub(n, table[k-1][sum-1-width])
				}
			}
			table[k][sum] = n
		}
	}
	return table
}
