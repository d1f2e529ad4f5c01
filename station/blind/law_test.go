package blind

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"scentpost/station/event"
)

// enumerable are plans whose every deal can be written down.
var enumerable = []struct{ name, plan string }{
	{"rows and both decks", tiny("positions: 2", "runs: 3", "loading: {each_position: [tnt, rdx, glove, blank]}",
		"targets: {odours: [tnt, rdx], per_run: 0..1, per_session: 1..2}", "distractors: {odours: [glove], per_run: 0..1}",
		"balance: {positions: true, odours: true, same_position_in_a_row: 1}")},
	{"rows over blank runs", tiny("positions: 2", "runs: 4", "loading: {each_position: [tnt, blank]}",
		"targets: {odours: [tnt], per_run: 0..1, per_session: 3}", "balance: {positions: true, same_position_in_a_row: 1}")},
	{"several targets in a run", tiny("positions: 3", "runs: 2", "loading: {each_position: [tnt, blank]}",
		"targets: {odours: [tnt], per_run: 0..2, per_session: 2..3}", "balance: {positions: true, odours: true}")},
	{"numbers of each run alone", tiny("positions: 3", "runs: 2", "loading: {each_position: [tnt, glove, blank]}",
		"targets: {odours: [tnt], per_run: 0..2}", "distractors: {odours: [glove], per_run: 0..3}", "balance: {positions: true}")},
	{"no balance", tiny("positions: 3", "runs: 2", "loading: {each_position: [tnt, rdx, blank]}",
		"targets: {odours: [tnt, rdx], per_run: 1..2, per_session: 2..3}")},
	{"restricted", tiny("positions: 3", "runs: 2", "restricted: true",
		"loading: {each_position: [tnt, glove, blank], positions: {2: [rdx, blank], 3: [tnt, rdx, glove, blank]}}",
		"targets: {odours: [tnt, rdx], per_run: 1}", "distractors: {odours: [glove], per_run: 0..1}",
		"balance: {positions: true, odours: true}")},
	{"several canisters", tiny("positions: 2", "runs: 2", "loading: {each_position: [tnt, blank, tnt, blank, tnt]}",
		"targets: {odours: [tnt], per_run: 1}")},
	{"go or no-go", strings.Replace(tiny("positions: 1", "runs: 4", "loading: {each_position: [tnt, rdx, glove, tape, blank]}",
		"targets: {odours: [tnt, rdx], per_run: 0..1, per_session: 1..2}", "distractors: {odours: [glove, tape], per_run: 0..1}",
		"balance: {odours: true}"), "lineup", "gonogo", 1)},
}

func tiny(lines ...string) string {
	return "plan: Tiny\nform: lineup\nmode: double\nreserve: 1\nlimits: {run: 90s, dwell: 3s}\n" + strings.Join(lines, "\n") + "\n"
}

// TestFrequencies compares how often each deal comes with its exact chance, written down by hand in lawOf. The seeds
// are fixed, so that the answer is always the same; a true law fails one such choice of seeds in a thousand.
func TestFrequencies(t *testing.T) {
	for _, c := range enumerable {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := parsed(t, c.plan)
			exact := lawOf(p)
			const seeds = 12_000
			seen := map[string]int{}
			for i := range seeds {
				seen[text(drawn(t, p, numbered(i)).Scheduled)]++
			}
			chiSquare(t, exact, seen, seeds)
		})
	}
}

// TestReserveFrequencies does the same for the reserve: each placement of a composition is equally likely among the
// loaded ones, by odours drawn one by one.
func TestReserveFrequencies(t *testing.T) {
	for _, c := range enumerable {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := parsed(t, c.plan)
			seen := make([]map[string]int, len(p.Compositions()))
			const seeds = 6_000
			for i := range seeds {
				for k, placement := range drawn(t, p, numbered(i)).Reserve[0] {
					if seen[k] == nil {
						seen[k] = map[string]int{}
					}
					seen[k][text([]event.Placement{placement})]++
				}
			}
			for k, composition := range p.Compositions() {
				l := newLaw(p)
				l.lines(composition.Targets, composition.Distractors, 1, func(line []string, w float64) {
					if l.targetOdours(line) == composition.Odours {
						l.withCanisters([][]string{line}, w, l.add)
					}
				})
				chiSquare(t, l.normal(1), seen[k], seeds)
			}
		})
	}
}

// chiSquare fails the test when the counts are unlikely under the chances. Deals expected fewer than 5 times are
// taken together.
func chiSquare(t *testing.T, exact map[string]float64, seen map[string]int, n int) {
	t.Helper()
	total, statistic, cells := 0.0, 0.0, 0
	rareExpected, rareSeen := 0.0, 0
	for deal, chance := range exact {
		total += chance
		if expected := chance * float64(n); expected < 5 {
			rareExpected, rareSeen = rareExpected+expected, rareSeen+seen[deal]
		} else {
			cells++
			statistic += (float64(seen[deal]) - expected) * (float64(seen[deal]) - expected) / expected
		}
	}
	if rareExpected > 0 {
		cells++
		statistic += (float64(rareSeen) - rareExpected) * (float64(rareSeen) - rareExpected) / max(rareExpected, 5)
	}
	for deal := range seen {
		if exact[deal] == 0 {
			t.Fatalf("a deal that cannot be: %s", deal)
		}
	}
	if total < 1-1e-9 || total > 1+1e-9 {
		t.Fatalf("the exact chances add up to %v", total)
	}
	if cells < 2 {
		return
	}
	if p := 1 - (distuv.ChiSquared{K: float64(cells - 1)}).CDF(statistic); p < 0.001 {
		t.Errorf("chi-square %.1f of %d kinds of deals: p = %.2g", statistic, cells, p)
	}
}

func text(placements []event.Placement) string {
	var b strings.Builder
	for _, p := range placements {
		for _, s := range p.Reveal() {
			fmt.Fprintf(&b, "%s:%s:%s ", s.Canister, s.Kind, s.Odour)
		}
		b.WriteString("/ ")
	}
	return b.String()
}

// law writes the exact chances of all deals of a plan down, by other means than the draw: by going through every
// choice with its chance.
type law struct {
	p     Plan
	mass  map[string]float64
	total float64
}

func newLaw(p Plan) *law { return &law{p: p, mass: map[string]float64{}} }

func (l *law) add(deal string, w float64) { l.mass[deal] += w; l.total += w }

// normal returns the chances given that a deal is good.
func (l *law) normal(of float64) map[string]float64 {
	out := map[string]float64{}
	for deal, w := range l.mass {
		out[deal] = of * w / l.total
	}
	return out
}

// lawOf returns the exact chance of each deal.
func lawOf(p Plan) map[string]float64 {
	all := map[string]float64{}
	targetLists(p, func(targets []int, chance float64) {
		distractorLists(p, targets, nil, chance, func(distractors []int, chance float64) {
			l := newLaw(p)
			l.deals(targets, distractors)
			for deal, w := range l.normal(chance) {
				all[deal] += w
			}
		})
	})
	return all
}

// targetLists goes through the numbers of targets of the runs.
func targetLists(p Plan, each func([]int, float64)) {
	var lists [][]int
	var grow func(list []int)
	grow = func(list []int) {
		if len(list) == p.Runs {
			lists = append(lists, slices.Clone(list))
			return
		}
		for t := p.Targets.PerRun.Min; t <= p.Targets.PerRun.Max; t++ {
			grow(append(list, t))
		}
	}
	grow(nil)
	if p.Targets.PerSession == nil {
		for _, list := range lists {
			each(list, 1/float64(len(lists)))
		}
		return
	}
	s := *p.Targets.PerSession
	for n := s.Min; n <= s.Max; n++ {
		var fit [][]int
		for _, list := range lists {
			if sum(list) == n {
				fit = append(fit, list)
			}
		}
		for _, list := range fit {
			each(list, 1/float64(s.Max-s.Min+1)/float64(len(fit)))
		}
	}
}

// distractorLists goes through the numbers of distractors of the runs.
func distractorLists(p Plan, targets, so []int, chance float64, each func([]int, float64)) {
	if len(so) == p.Runs {
		each(so, chance)
		return
	}
	low, high := p.Distractors.PerRun.Min, min(p.Distractors.PerRun.Max, p.Positions-targets[len(so)])
	for d := low; d <= high; d++ {
		distractorLists(p, targets, append(slices.Clone(so), d), chance/float64(high-low+1), each)
	}
}

// arrangements goes through all orders of all decks of so many cards: each is as likely as any other.
func arrangements(cards, kinds int, each func([]int)) {
	var grow func(deck, counts []int)
	grow = func(deck, counts []int) {
		if len(deck) == cards {
			if slices.Max(counts)-slices.Min(counts) <= 1 {
				each(deck)
			}
			return
		}
		for k := range kinds {
			counts[k]++
			grow(append(deck, k), counts)
			counts[k]--
		}
	}
	grow(nil, make([]int, kinds))
}

// free goes through all lists of cards without balance.
func free(cards, kinds int, each func([]int)) {
	var grow func(list []int)
	grow = func(list []int) {
		if len(list) == cards {
			each(list)
			return
		}
		for k := range kinds {
			grow(append(list, k))
		}
	}
	grow(nil)
}

// deals adds every good deal of these numbers.
func (l *law) deals(targets, distractors []int) {
	total := sum(targets)
	positions, odours := free, free
	if l.p.Balance.Positions {
		positions = arrangements
	}
	if l.p.Balance.Odours {
		odours = arrangements
	}
	positions(total, l.p.Positions, func(at []int) {
		odours(total, max(1, len(l.p.Targets.Odours)), func(what []int) {
			if lines, ok := l.lay(targets, at, what); ok {
				l.fill(lines, distractors, 0, 1)
			}
		})
	})
}

// lay puts the targets down and checks the rules on them.
func (l *law) lay(targets, at, what []int) (lines [][]string, ok bool) {
	held := map[int][]bool{} // of each position, for each run with a target
	card := 0
	for _, n := range targets {
		line := make([]string, l.p.Positions)
		for range n {
			if line[at[card]] != "" {
				return nil, false
			}
			line[at[card]] = "target:" + l.p.Targets.Odours[what[card]]
			card++
		}
		lines = append(lines, line)
		if n == 0 {
			continue
		}
		for i := range line {
			held[i] = append(held[i], line[i] != "")
		}
	}
	if most := l.p.Balance.SamePositionInARow; most > 0 {
		for _, h := range held {
			for i := range len(h) - most {
				if !slices.Contains(h[i:i+most+1], false) {
					return nil, false
				}
			}
		}
	}
	return lines, true
}

// fill goes through the distractors of the runs from number run on.
func (l *law) fill(lines [][]string, distractors []int, run int, w float64) {
	if run == len(lines) {
		l.withCanisters(lines, w, l.add)
		return
	}
	l.spread(lines[run], distractors[run], w, func(line []string, w float64) {
		next := slices.Clone(lines)
		next[run] = line
		l.fill(next, distractors, run+1, w)
	})
}

// spread goes through the places and odours of n distractors in one line, each as likely as any other.
func (l *law) spread(line []string, n int, w float64, each func([]string, float64)) {
	var sets [][]string
	for mask := range 1 << len(line) {
		count, ok := 0, true
		for i := range line {
			if mask>>i&1 == 1 {
				count++
				ok = ok && line[i] == ""
			}
		}
		if count != n || !ok {
			continue
		}
		free(n, max(1, len(l.p.Distractors.Odours)), func(what []int) {
			out := slices.Clone(line)
			k := 0
			for i := range out {
				switch {
				case mask>>i&1 == 1:
					out[i] = "distractor:" + l.p.Distractors.Odours[what[k]]
					k++
				case out[i] == "":
					out[i] = "blank:blank"
				}
			}
			sets = append(sets, out)
		})
	}
	for _, out := range sets {
		each(out, w/float64(len(sets)))
	}
}

// lines goes through the lines of one composition, as the reserve draws them.
func (l *law) lines(targets, distractors int, w float64, each func([]string, float64)) {
	free(targets, l.p.Positions, func(at []int) {
		free(targets, max(1, len(l.p.Targets.Odours)), func(what []int) {
			line := make([]string, l.p.Positions)
			for i := range at {
				if line[at[i]] != "" {
					return
				}
				line[at[i]] = "target:" + l.p.Targets.Odours[what[i]]
			}
			l.spread(line, distractors, w, each)
		})
	})
}

// targetOdours returns the target odours of a line in the order of the plan, as a composition has them.
func (l *law) targetOdours(line []string) string {
	var odours []string
	for _, odour := range l.p.Targets.Odours {
		for _, s := range line {
			if s == "target:"+odour {
				odours = append(odours, odour)
			}
		}
	}
	return strings.Join(odours, ",")
}

// withCanisters goes through the canisters that can stand for the odours; what is not loaded is no deal.
func (l *law) withCanisters(lines [][]string, w float64, each func(string, float64)) {
	deals := []string{""}
	for _, line := range lines {
		for i, s := range line {
			var more []string
			for _, c := range l.p.Loading() {
				if _, odour, _ := strings.Cut(s, ":"); c.Position == i+1 && c.Odour == odour {
					for _, d := range deals {
						more = append(more, d+c.Canister+":"+s+" ")
					}
				}
			}
			deals = more
		}
		for i := range deals {
			deals[i] += "/ "
		}
	}
	for _, d := range deals {
		each(d, w/float64(len(deals)))
	}
}
