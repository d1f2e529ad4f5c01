package blind

import (
	"fmt"
	"slices"
	"strings"

	"scentpost/station/event"
	"scentpost/station/strict"
)

// Lacks says why a station cannot serve a loading for want of canisters, "" when it has them all. has names the station's
// canisters by their position. It names every position that lacks one, what it has and what the loading wants there, and
// says what to do.
func Lacks(loading []event.Loaded, has map[int][]string) string {
	wants := map[int][]string{}
	last := 0
	for _, l := range loading {
		wants[l.Position] = append(wants[l.Position], l.Canister)
		last = max(last, l.Position)
	}
	var lacks []string
	for position := 1; position <= last; position++ {
		missing := func(canister string) bool { return !slices.Contains(has[position], canister) }
		if slices.ContainsFunc(wants[position], missing) {
			lacks = append(lacks, fmt.Sprintf("position %d has %s, and the plan loads %s", position,
				strict.Listed(has[position]), strict.Listed(wants[position])))
		}
	}
	if lacks == nil {
		return ""
	}
	return fmt.Sprintf("the plan loads canisters that the station does not have: %s (%s)",
		strings.Join(lacks, "; "), served(has, last))
}

// served says which plans of up to so many positions a station can serve. A plan calls the canisters of a position A, B
// and so on.
func served(has map[int][]string, positions int) string {
	served, each := 0, MaxCanisters
	for position := 1; position <= positions; position++ {
		n := 0
		for slices.Contains(has[position], canisterName(position, n)) {
			n++
		}
		if n == 0 {
			break
		}
		served, each = position, min(each, n)
	}
	const give = "give the station the canisters"
	switch {
	case served == 0:
		return give
	case served < positions:
		return fmt.Sprintf("take a plan of at most %s with %s each, or %s", count(served, "position"), count(each, "canister"), give)
	}
	return fmt.Sprintf("take a plan with %s a position, or %s", count(each, "canister"), give)
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Prepared is what a virtual station is prepared for.
type Prepared struct {
	// Loaded is what its canisters hold.
	Loaded []event.Loaded
	// Finds names the odours that its dog finds, none where it has no dog.
	Finds []string
}

// mostDiffering bounds how many canisters are named that hold something else.
const mostDiffering = 4

// Differs says how what a station is prepared for differs from a plan, "" when it does not. A station of which nobody knows, as
// a real one, is nil.
func (p *Prepared) Differs(plan Plan) string {
	if p == nil {
		return ""
	}
	holds := map[string]string{}
	for _, l := range p.Loaded {
		holds[l.Canister] = l.Odour
	}
	var differs []string
	more := 0
	for _, l := range plan.Loading() {
		switch odour := holds[l.Canister]; {
		case odour == l.Odour:
		case len(differs) == mostDiffering:
			more++
		case odour == "":
			differs = append(differs, fmt.Sprintf("%s is not there, and the plan loads %s", l.Canister, l.Odour))
		default:
			differs = append(differs, fmt.Sprintf("%s holds %s, and the plan loads %s", l.Canister, odour, l.Odour))
		}
	}
	if more > 0 {
		differs = append(differs, count(more, "more canister"))
	}
	return strings.Join(append(differs, p.misfinds(plan)...), "; ")
}

// misfinds says which targets of a plan the dog does not find, and which distractors it takes for targets.
func (p *Prepared) misfinds(plan Plan) (differs []string) {
	if len(p.Finds) == 0 {
		return nil
	}
	finds := func(odour string) bool { return slices.Contains(p.Finds, odour) }
	for _, odour := range plan.Targets.Odours {
		if !finds(odour) {
			differs = append(differs, fmt.Sprintf("the dog does not find %s, a target of the plan", odour))
		}
	}
	for _, odour := range plan.Distractors.Odours {
		if finds(odour) {
			differs = append(differs, fmt.Sprintf("the dog finds %s, a distractor of the plan", odour))
		}
	}
	return differs
}
