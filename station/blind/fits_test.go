package blind

import (
	"testing"

	"scentpost/station/event"
)

// each is a loading of so many canisters at each of so many positions.
func each(positions, canisters int) []event.Loaded {
	var all []event.Loaded
	for position := 1; position <= positions; position++ {
		for i := range canisters {
			all = append(all, event.Loaded{Position: position, Canister: canisterName(position, i), Odour: BlankOdour})
		}
	}
	return all
}

// TestLacksNamesWhatEveryPositionHasAndWhatThePlanWants: all positions at once, and advice that helps.
func TestLacksNamesWhatEveryPositionHasAndWhatThePlanWants(t *testing.T) {
	two := map[int][]string{1: {"1A", "1B"}, 2: {"2A", "2B"}}
	const begins = "the plan loads canisters that the station does not have: "
	for name, c := range map[string]struct {
		loading []event.Loaded
		has     map[int][]string
		want    string
	}{
		"no loading":      {nil, nil, ""},
		"all it has":      {each(2, 2), two, ""},
		"fewer than it":   {each(1, 1), two, ""},
		"of no loading":   {nil, two, ""},
		"one more":        {each(1, 3), two, begins + "position 1 has 1A and 1B, and the plan loads 1A, 1B and 1C (take a plan with 2 canisters a position, or give the station the canisters)"},
		"at each":         {each(2, 3), two, begins + "position 1 has 1A and 1B, and the plan loads 1A, 1B and 1C; position 2 has 2A and 2B, and the plan loads 2A, 2B and 2C (take a plan with 2 canisters a position, or give the station the canisters)"},
		"a position more": {each(3, 2), two, begins + "position 3 has none, and the plan loads 3A and 3B (take a plan of at most 2 positions with 2 canisters each, or give the station the canisters)"},
		"a gap": {each(2, 2), map[int][]string{1: {"1A", "1C"}, 2: {"2A", "2B"}},
			begins + "position 1 has 1A and 1C, and the plan loads 1A and 1B (take a plan with 1 canister a position, or give the station the canisters)"},
		"no canisters": {each(1, 1), nil, begins + "position 1 has none, and the plan loads 1A (give the station the canisters)"},
		"one where another has two": {each(2, 2), map[int][]string{1: {"1A", "1B"}, 2: {"2A"}},
			begins + "position 2 has 2A, and the plan loads 2A and 2B (take a plan with 1 canister a position, or give the station the canisters)"},
	} {
		if got := Lacks(c.loading, c.has); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

// TestDiffersNamesWhatAStationHoldsAndItsDogFinds: only of what the plan loads and names, a few canisters at most.
func TestDiffersNamesWhatAStationHoldsAndItsDogFinds(t *testing.T) {
	plan := Plan{Positions: 2, Layout: Loading{EachPosition: []string{"rdx", "glove", BlankOdour}},
		Targets: Targets{Odours: []string{"rdx"}}, Distractors: Distractors{Odours: []string{"glove"}}}
	holding := func(each ...string) []event.Loaded {
		return Plan{Positions: 3, Layout: Loading{EachPosition: each}}.Loading()
	}
	for name, c := range map[string]struct {
		prepared *Prepared
		want     string
	}{
		"a real station":    {nil, ""},
		"as the plan":       {&Prepared{Loaded: holding("rdx", "glove", BlankOdour, "tnt"), Finds: []string{"rdx", "tnt"}}, ""},
		"no dog":            {&Prepared{Loaded: holding("rdx", "glove", BlankOdour)}, ""},
		"another odour":     {&Prepared{Loaded: holding("tnt", "glove", BlankOdour)}, "1A holds tnt, and the plan loads rdx; 2A holds tnt, and the plan loads rdx"},
		"a blank":           {&Prepared{Loaded: holding(BlankOdour, "glove", BlankOdour)}, "1A holds blank, and the plan loads rdx; 2A holds blank, and the plan loads rdx"},
		"more than a few":   {&Prepared{Loaded: holding("glove", "rdx", "tnt")}, "1A holds glove, and the plan loads rdx; 1B holds rdx, and the plan loads glove; 1C holds tnt, and the plan loads blank; 2A holds glove, and the plan loads rdx; 2 more canisters"},
		"a canister less":   {&Prepared{Loaded: holding("rdx", "glove")}, "1C is not there, and the plan loads blank; 2C is not there, and the plan loads blank"},
		"another dog":       {&Prepared{Loaded: holding("rdx", "glove", BlankOdour), Finds: []string{"tnt", "glove"}}, "the dog does not find rdx, a target of the plan; the dog finds glove, a distractor of the plan"},
		"nothing is loaded": {&Prepared{}, "1A is not there, and the plan loads rdx; 1B is not there, and the plan loads glove; 1C is not there, and the plan loads blank; 2A is not there, and the plan loads rdx; 2 more canisters"},
	} {
		if got := c.prepared.Differs(plan); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}
