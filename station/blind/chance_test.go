package blind

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
)

// TestChanceIsExact compares the chance of a good deal with one found by going through all deals.
func TestChanceIsExact(t *testing.T) {
	for _, c := range enumerable {
		t.Run(c.name, func(t *testing.T) {
			p := parsed(t, c.plan)
			s := newShelf(p.Positions, p.Loading())
			shapes, _ := p.shapes()
			for _, shape := range shapes {
				want, lower := goodShare(p, shape)
				o := newOdds(p, s, p.rules())
				if got, exact := o.count(shape); exact && math.Abs(got-want) > 1e-12 {
					t.Errorf("targets %v: counted %v, want %v", shape, got, want)
				}
				got := o.sample(shape, sampleSteps)
				if got > want*1.05+1e-12 || got < lower*0.95-1e-12 {
					t.Errorf("targets %v: sampled %v, want %v to %v", shape, got, lower, want)
				}
			}
		})
	}
}

// goodShare returns the share of all deals of these numbers that keep the rules: the least over the numbers of
// distractors, and a lower bound for each run having the worst number by itself.
func goodShare(p Plan, shape []int) (least, lower float64) {
	least = 1
	distractorLists(p, shape, nil, 1, func(distractors []int, _ float64) {
		l := newLaw(p)
		l.deals(shape, distractors)
		odd, all := p, 0.0
		odd.Balance.SamePositionInARow = 0
		positions, odours := free, free
		if p.Balance.Positions {
			positions = arrangements
		}
		if p.Balance.Odours {
			odours = arrangements
		}
		positions(sum(shape), p.Positions, func(at []int) {
			if !p.Balance.Positions && !apart(shape, at) {
				return // without a deck, positions are chosen apart to begin with
			}
			odours(sum(shape), max(1, len(p.Targets.Odours)), func([]int) { all++ })
		})
		least = min(least, l.total/all)
	})
	return least, least / 2
}

func apart(shape, at []int) bool {
	card := 0
	for _, n := range shape {
		for i := range n {
			for j := range i {
				if at[card+i] == at[card+j] {
					return false
				}
			}
		}
		card += n
	}
	return true
}

// TestImpossiblePlans: each is refused at once, at the place of the rule that cannot hold.
func TestImpossiblePlans(t *testing.T) {
	for _, c := range []struct{ name, plan, where, what string }{
		{"one position for three targets in a row of one", tiny("positions: 1", "runs: 3", "loading: {each_position: [tnt]}",
			"targets: {odours: [tnt], per_run: 1}", "balance: {same_position_in_a_row: 1}"),
			"balance.same_position_in_a_row", `the rule "same_position_in_a_row" cannot hold: no deal keeps it (by count)`},
		{"two positions in strict turns", tiny("positions: 2", "runs: 40", "loading: {each_position: [tnt, blank]}",
			"targets: {odours: [tnt], per_run: 1}", "balance: {positions: true, same_position_in_a_row: 1}"),
			"balance.same_position_in_a_row", "one deal in 6.89e+10 keeps it, and one in 1e+06 is the least"},
		{"nearly all positions hold targets", tiny("positions: 6", "runs: 12", "loading: {each_position: [tnt, blank]}",
			"targets: {odours: [tnt], per_run: 5}", "balance: {positions: true}"),
			"targets.per_run", `the rule "two targets never stand at one position in a run"`},
		{"two rules together", tiny("positions: 4", "runs: 12", "loading: {each_position: [tnt, blank]}",
			"targets: {odours: [tnt], per_run: 2}", "balance: {positions: true, same_position_in_a_row: 1}"),
			"targets.per_run", `"two targets never stand at one position in a run, and same_position_in_a_row"`},
		{"an odour that is nowhere", tiny("positions: 2", "runs: 2", "restricted: true", "loading: {each_position: [tnt, blank]}",
			"targets: {odours: [tnt, rdx], per_run: 1}", "balance: {odours: true}"),
			"loading", `the rule "each odour is loaded where it stands" cannot hold: no deal keeps it`},
		{"distractors where there are too few", tiny("positions: 3", "runs: 1", "restricted: true",
			"loading: {each_position: [tnt, blank], positions: {1: [tnt, glove, blank]}}",
			"targets: {odours: [tnt], per_run: 1}", "distractors: {odours: [glove], per_run: 0..2}"),
			"loading", `the rule "each odour is loaded where it stands" cannot hold: no deal keeps it`},
		{"no blanks", tiny("positions: 2", "runs: 2", "loading: {each_position: [tnt]}", "targets: {odours: [tnt], per_run: 0..1}"),
			"loading", `no position has a canister with "blank"`},
		{"no glove at two positions", tiny("positions: 3", "runs: 2",
			"loading: {each_position: [tnt, blank], positions: {2: [tnt, glove, blank]}}",
			"targets: {odours: [tnt], per_run: 0..1}", "distractors: {odours: [glove], per_run: 1}"),
			"loading", `no canister with "glove" at position 1, 3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParsePlan("plan.yaml", []byte(c.plan))
			if !errors.Is(err, ErrUndealable) {
				t.Fatalf("got %v, want it refused as undealable", err)
			}
			if got := err.Error(); !strings.HasPrefix(got, "plan.yaml:") || !strings.Contains(got, c.where+": ") || !strings.Contains(got, c.what) {
				t.Errorf("got %s\nwant it at %s, with %s", got, c.where, c.what)
			}
		})
	}
}

// TestReserveOfARestrictedLoading: the scheduled runs can be dealt and one composition of the reserve cannot.
func TestReserveOfARestrictedLoading(t *testing.T) {
	plan := tiny("positions: 2", "runs: 2", "restricted: true", "loading: {each_position: [tnt, blank], positions: {2: [blank]}}",
		"targets: {odours: [tnt], per_run: 0..2, per_session: 0}")
	_, err := ParsePlan("plan.yaml", []byte(plan))
	if err == nil || !strings.Contains(err.Error(), `a reserve run of the targets "tnt,tnt" and 0 distractors: the rule "each odour is loaded where it stands" cannot hold: no deal keeps it (by count)`) {
		t.Errorf("got %v", err)
	}
}

// TestReserveChanceIsExact compares the chance with how many of many placements are loaded.
func TestReserveChanceIsExact(t *testing.T) {
	p := parsed(t, tiny("positions: 4", "runs: 4", "restricted: true",
		"loading: {each_position: [tnt, rdx, glove, tape, blank], positions: {1: [tnt, tape, blank], 2: [rdx, blank]}}",
		"targets: {odours: [tnt, rdx], per_run: 0..2, per_session: 1}", "distractors: {odours: [glove, tape], per_run: 0..1}"))
	d := dealer{p: p, shelf: newShelf(p.Positions, p.Loading()), g: newGenerator(numbered(1), "test")}
	if len(p.Compositions()) != 12 {
		t.Fatalf("compositions: %v", p.Compositions())
	}
	for _, c := range p.Compositions() {
		const tries = 20_000
		good := 0
		for range tries {
			if d.loaded(d.alone(c)) {
				good++
			}
		}
		want, got := p.reserveChance(d.shelf, c), float64(good)/tries
		if math.Abs(got-want) > 4*math.Sqrt(max(want*(1-want), 1e-9)/tries) {
			t.Errorf("%+v: %v of the placements are loaded, the chance is %v", c, got, want)
		}
	}
}

func TestRestrictedPlansAreDealt(t *testing.T) {
	p := parsed(t, tiny("positions: 2", "runs: 6", "restricted: true", "loading: {each_position: [tnt, blank], positions: {2: [blank]}}",
		"targets: {odours: [tnt], per_run: 0..1, per_session: 2}"))
	for i := range 20 {
		if why := broken(p, drawn(t, p, numbered(i))); why != "" {
			t.Fatal(why)
		}
	}
	if c := p.GoodDeal(p.Loading()); c.Exact || math.Abs(c.Least-0.25) > 1e-9 {
		t.Errorf("two targets, each at one of two positions: chance %+v, want 0.25, estimated", c)
	}
}

// TestLargePlansAreDecidedSoon: the largest plans that the limits allow are parsed in bounded work. The test's own
// time limit is the only clock.
func TestLargePlansAreDecidedSoon(t *testing.T) {
	odours := ""
	for i := range 24 {
		odours += ", o" + string(rune('a'+i))
	}
	list := strings.TrimPrefix(odours, ", ")
	for _, lines := range [][]string{
		{"positions: 32", "runs: 200", "loading: {each_position: [" + list + ", glove, blank]}", "targets: {odours: [" + list + "], per_run: 0..5}",
			"distractors: {odours: [glove], per_run: 0..1}", "balance: {positions: true, odours: true, same_position_in_a_row: 1}"},
		{"positions: 32", "runs: 200", "restricted: true", "loading: {each_position: [" + list + ", glove, blank]}",
			"targets: {odours: [" + list + "], per_run: 0..5}", "distractors: {odours: [glove], per_run: 0..27}",
			"balance: {positions: true, odours: true, same_position_in_a_row: 1}"},
		{"positions: 32", "runs: 200", "loading: {each_position: [" + list + ", glove, blank]}", "targets: {odours: [" + list + "], per_run: 0..5}",
			"distractors: {odours: [glove], per_run: 0..1}", "balance: {odours: true, same_position_in_a_row: 3}"},
		{"positions: 32", "runs: 200", "restricted: true", "loading: {each_position: [" + list + ", glove, blank], positions: {2: [oa, ob, glove, blank]}}",
			"targets: {odours: [" + list + "], per_run: 0..5, per_session: 0..80}", "distractors: {odours: [glove], per_run: 0..27}"},
		{"positions: 32", "runs: 31", "loading: {each_position: [oa, blank]}", "targets: {odours: [oa], per_run: 0..32}",
			"balance: {positions: true, same_position_in_a_row: 20}"},
	} {
		p, err := ParsePlan("plan.yaml", []byte(strings.Replace(tiny(lines...), "reserve: 1", "reserve: 0", 1)))
		if err == nil {
			drawn(t, p, numbered(1))
		} else {
			t.Log(err)
		}
	}
}

func TestCheckLoading(t *testing.T) {
	p := parsed(t, base)
	without := func(canister string) []event.Loaded {
		var out []event.Loaded
		for _, l := range p.Loading() {
			if l.Canister != canister {
				out = append(out, l)
			}
		}
		return out
	}
	for _, c := range []struct {
		name    string
		loading []event.Loaded
		want    string
	}{
		{"as the plan says", p.Loading(), ""},
		{"a kind short", without("2C"), `no canister with "glove" at position 2`},
		{"nothing", nil, `no position has a canister with "tnt"`},
		{"an odd position", append(p.Loading(), event.Loaded{Position: 4, Canister: "4A", Odour: "tnt"}), "position 4 is out of range"},
		{"twice", append(p.Loading(), event.Loaded{Position: 1, Canister: "1A", Odour: "tnt"}), `canister "1A" is loaded twice`},
		{"an odour of another plan", append(p.Loading(), event.Loaded{Position: 1, Canister: "1E", Odour: "glov"}), `did you mean "glove"?`},
		{"no name", append(p.Loading(), event.Loaded{Position: 1, Odour: "tnt"}), "a canister at position 1"},
		{"too many", make([]event.Loaded, 3*MaxCanisters+1), "79 canisters, and 78 are the most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := p.CheckLoading(c.loading)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAidsAndDuration(t *testing.T) {
	p := example(t, "lineup-six")
	aids := p.Aids()
	if len(aids) != 4 || aids[0] != (Aid{"tnt", event.Target, 6}) || aids[2] != (Aid{"glove", event.Distractor, 6}) || aids[3] != (Aid{"blank", event.Blank, 6}) {
		t.Errorf("aids: %v", aids)
	}
	got := p.Duration(event.Settings{LeadMS: 2_000, TravelMS: 1_000, WithdrawMS: 3_000, CloseMS: 1_000})
	// A run is 7 s of handling and 30 s of purge, around 6 dwells of 3 s or 90 s of search.
	if want := (Duration{12 * 55 * time.Second, 12 * 127 * time.Second, 127 * time.Second}); got != want {
		t.Errorf("duration %v, want %v", got, want)
	}
}
