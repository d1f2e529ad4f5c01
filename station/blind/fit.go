package blind

// fits returns, for each number of targets and of distractors up to those given, the chance that so many, put
// uniformly at some positions with uniform odours, and blanks at the others are all loaded where they come to stand.
// It is exact.
func (p Plan) fits(s shelf, positions []int, targets, distractors int) [][]float64 {
	ways := make([][]float64, targets+1) // the loaded lines so far, each counted by the share of its odours
	for t := range ways {
		ways[t] = make([]float64, distractors+1)
	}
	ways[0][0] = 1
	for _, position := range positions {
		blank := share(s, position, []string{BlankOdour})
		target, distractor := share(s, position, p.Targets.Odours), share(s, position, p.Distractors.Odours)
		for t := targets; t >= 0; t-- {
			for d := distractors; d >= 0; d-- {
				sum := mul(ways[t][d], blank)
				if t > 0 {
					sum += mul(ways[t-1][d], target)
				}
				if d > 0 {
					sum += mul(ways[t][d-1], distractor)
				}
				ways[t][d] = sum
			}
		}
	}
	n := len(positions)
	for t := range ways {
		for d := range ways[t] {
			if all := mul(choices(n, t), choices(n-t, d)); all > 0 {
				ways[t][d] /= all
			}
		}
	}
	return ways
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
