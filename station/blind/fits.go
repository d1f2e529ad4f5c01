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
