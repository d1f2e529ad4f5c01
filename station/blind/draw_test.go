package blind

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/event"
)

// TestEveryDealKeepsEveryRule deals many plans, most of them odd ones, and checks the placements against the plan.
func TestEveryDealKeepsEveryRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := anyPlan(t)
		p, err := ParsePlan("plan.yaml", []byte(src))
		if err != nil {
			t.Skip("refused") // what is refused rightly is tried by the tables
		}
		if p.GoodDeal(p.Loading()).Least < 1e-2 {
			t.Skip("a hundred deals for one")
		}
		seed := numbered(rapid.IntRange(0, 1<<30).Draw(t, "seed"))
		deal, err := Draw(p, p.Loading(), seed)
		if err != nil {
			t.Fatal(err)
		}
		if why := broken(p, deal); why != "" {
			t.Fatalf("%s\n%s", why, src)
		}
		again, _ := Draw(p, p.Loading(), seed)
		for i := range deal.Scheduled {
			if !slices.Equal(deal.Scheduled[i].Reveal(), again.Scheduled[i].Reveal()) {
				t.Fatal("two draws from one seed differ")
			}
		}
	})
}

// anyPlan writes a plan whose parts are of sensible sizes and need not fit each other.
func anyPlan(t *rapid.T) string {
	between := func(name string, low, high int) int { return rapid.IntRange(low, high).Draw(t, name) }
	is := func(name string) bool { return rapid.Bool().Draw(t, name) }
	positions, runs := between("positions", 1, 8), between("runs", 1, 14)
	most := between("most targets", 0, 3)
	least := between("least targets", 0, most)
	targets := fmt.Sprintf("odours: [tnt, rdx], per_run: %d..%d", least, most)
	if is("session given") {
		low := between("session", runs*least, runs*most)
		targets += fmt.Sprintf(", per_session: %d..%d", low, between("session max", low, runs*most))
	}
	lines := []string{
		"plan: Any", "form: lineup", "mode: double", "limits: {run: 90s, dwell: 3s}",
		fmt.Sprintf("positions: %d", positions), fmt.Sprintf("runs: %d", runs), fmt.Sprintf("reserve: %d", between("reserve", 0, 3)),
		"targets: {" + targets + "}",
		fmt.Sprintf("distractors: {odours: [glove, tape], per_run: 0..%d}", between("distractors", 0, 3)),
		fmt.Sprintf("balance: {positions: %t, odours: %t, same_position_in_a_row: %d}", is("balance"), is("odours"), between("row", 0, 3)),
	}
	loading := "each_position: [tnt, rdx, glove, tape, blank]"
	if is("restricted") {
		lines = append(lines, "restricted: true")
		loading += ", positions: {1: [tnt, blank, blank]}"
	}
	return strings.Join(append(lines, "loading: {"+loading+"}"), "\n")
}

// broken says which rule a deal breaks, "" for none.
func broken(p Plan, deal Deal) string {
	kinds := map[event.Kind][]string{event.Target: p.Targets.Odours, event.Distractor: p.Distractors.Odours, event.Blank: {BlankOdour}}
	loading, compositions, allowed := p.Loading(), p.Compositions(), p.numbersAllowed()
	check := func(placement event.Placement) string {
		for i, s := range placement.Reveal() {
			if s.Position != i+1 || !slices.Contains(kinds[s.Kind], s.Odour) ||
				!slices.Contains(loading, event.Loaded{Position: s.Position, Canister: s.Canister, Odour: s.Odour}) {
				return fmt.Sprintf("%+v is not loaded, or not of its kind", s)
			}
		}
		if placement.Len() != p.Positions || !slices.Contains(allowed, numbersOf(p, placement)) {
			return "a placement of a wrong composition"
		}
		return ""
	}
	for _, placement := range deal.Scheduled {
		if why := check(placement); why != "" {
			return why
		}
	}
	if len(deal.Scheduled) != p.Runs || len(deal.Reserve) != p.Reserve {
		return "a wrong number of runs"
	}
	for _, row := range deal.Reserve {
		for i, placement := range row {
			if why := check(placement); why != "" {
				return why
			}
			if p.CompositionOf(placement) != compositions[i] {
				return "a reserve placement of another composition"
			}
		}
		if len(row) != len(compositions) {
			return "a composition without a reserve placement"
		}
	}
	return brokenSession(p, deal.Scheduled)
}

// brokenSession checks the rules over all scheduled runs.
func brokenSession(p Plan, scheduled []event.Placement) string {
	at, of := make([]int, p.Positions), make([]int, len(p.Targets.Odours))
	row, total := make([]int, p.Positions), 0
	for _, placement := range scheduled {
		n := p.CompositionOf(placement).Targets
		total += n
		for i, s := range placement.Reveal() {
			switch {
			case s.Kind == event.Target:
				at[i]++
				of[slices.Index(p.Targets.Odours, s.Odour)]++
				row[i]++
			case n > 0:
				row[i] = 0
			}
			if most := p.Balance.SamePositionInARow; most > 0 && row[i] > most {
				return fmt.Sprintf("position %d holds a target in %d runs in a row", i+1, row[i])
			}
		}
	}
	switch {
	case !p.SessionTargets().Has(total):
		return fmt.Sprintf("%d targets", total)
	case p.Balance.Positions && slices.Max(at)-slices.Min(at) > 1:
		return fmt.Sprintf("targets by position: %v", at)
	case p.Balance.Odours && slices.Max(of)-slices.Min(of) > 1:
		return fmt.Sprintf("targets by odour: %v", of)
	}
	return ""
}

// TestLineupSix looks at the plan that comes with Scentpost as its users would: are the numbers, positions and odours
// balanced as it says, over the deals and in each of them?
func TestLineupSix(t *testing.T) {
	p := example(t, "lineup-six")
	const seeds = 3_000
	session, distractors := map[string]int{}, map[string]int{}
	at, of, withTarget := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range seeds {
		deal := drawn(t, p, numbered(i))
		if why := broken(p, deal); why != "" {
			t.Fatalf("seed %d: %s", i, why)
		}
		total := 0
		for r, placement := range deal.Scheduled {
			c := p.CompositionOf(placement)
			total += c.Targets
			distractors[fmt.Sprint(c.Distractors)]++
			for _, s := range placement.Reveal() {
				if s.Kind == event.Target && i%2 == 0 && r == i/2%p.Runs { // one run a deal, so that counts are independent
					at[fmt.Sprint(s.Position)]++
					of[s.Odour]++
				}
			}
			if i%2 == 1 && r == i/2%p.Runs {
				withTarget[fmt.Sprint(c.Targets)]++
			}
		}
		session[fmt.Sprint(total)]++
	}
	uniform := func(seen map[string]int, keys ...string) {
		t.Helper()
		exact, n := map[string]float64{}, 0
		for _, k := range keys {
			exact[k] = 1 / float64(len(keys))
			n += seen[k]
		}
		chiSquare(t, exact, seen, n)
	}
	uniform(session, "10", "11")
	uniform(distractors, "1", "2")
	uniform(at, "1", "2", "3", "4", "5", "6")
	uniform(of, "tnt", "smokeless-powder")
	chiSquare(t, map[string]float64{"1": 10.5 / 12, "0": 1.5 / 12}, withTarget, withTarget["0"]+withTarget["1"])
}

// The reserve must not tell what the scheduled runs hold: its placements come from a stream of their own, whatever
// was thrown away before.
func TestTheReserveIsDrawnByItself(t *testing.T) {
	loose := parsed(t, strings.Replace(base, "same_position_in_a_row: 2", "same_position_in_a_row: 0", 1))
	strict := parsed(t, strings.Replace(base, "same_position_in_a_row: 2", "same_position_in_a_row: 1", 1))
	for i := range 50 {
		a, b := drawn(t, loose, numbered(i)), drawn(t, strict, numbered(i))
		if text(a.Reserve[0]) != text(b.Reserve[0]) {
			t.Fatalf("seed %d: the reserve depends on a rule over the scheduled runs", i)
		}
	}
}

// A session is loaded from what stands on the shelf, not from what the plan supposes.
func TestDrawUsesTheCanistersOfTheLoading(t *testing.T) {
	p := parsed(t, base)
	loading := p.Loading()
	for i := range loading {
		loading[i].Canister = "jar-" + loading[i].Canister
	}
	if err := p.CheckLoading(loading); err != nil {
		t.Fatal(err)
	}
	deal, err := Draw(p, loading, numbered(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, placement := range deal.Scheduled {
		for _, s := range placement.Reveal() {
			if !slices.Contains(loading, event.Loaded{Position: s.Position, Canister: s.Canister, Odour: s.Odour}) {
				t.Errorf("%+v is not loaded", s)
			}
		}
	}
}

func TestDrawRefusesWhatIsNoPlan(t *testing.T) {
	if _, err := Draw(Plan{}, nil, [32]byte{}); err == nil {
		t.Error("an empty plan was drawn")
	}
}

func TestADealPrintsNothing(t *testing.T) {
	deal := drawn(t, parsed(t, base), numbered(1))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if out := fmt.Sprintf(verb, deal); strings.Contains(out, "tnt") || strings.Contains(out, "746e74") || strings.Contains(out, "1A") {
			t.Errorf("%s prints %s", verb, out)
		}
	}
}

func TestSpreadOfManyTargets(t *testing.T) {
	p := Plan{Runs: 200, Positions: 5, Targets: Targets{PerRun: Range{0, 5}, PerSession: &Range{500, 500}}}
	got := p.spread(newGenerator(numbered(1), "test"), 500)
	if len(got) != 200 || sum(got) != 500 || slices.Max(got) > 5 || slices.Min(got) < 0 {
		t.Errorf("spread 500 over 200 runs: %v", got)
	}
}

func BenchmarkDrawLineupSix(b *testing.B) {
	p := example(b, "lineup-six")
	loading := p.Loading()
	for i := 0; b.Loop(); i++ {
		if _, err := Draw(p, loading, numbered(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// numbersOf counts the kinds of a placement.
func numbersOf(p Plan, placement event.Placement) Composition {
	c := p.CompositionOf(placement)
	c.Odours = ""
	return c
}
