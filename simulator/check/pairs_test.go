package check_test

import "testing"

// pairs is how many pairs of sessions of one kind are compared: many in `make long`, few in `make test`. Few are enough for
// the leaks that are planted: the tests of a kind whose names end in Caught must catch theirs within as many.
type pairs struct{ many, few int }

func (p pairs) count() int {
	if testing.Short() {
		return p.few
	}
	return p.many
}

var (
	memoryPairs     = pairs{1000, 120}
	diskPairs       = pairs{50, 6}   // with a journal on the disk
	faultPairs      = pairs{200, 40} // a canister fails
	noisyPairs      = pairs{100, 16} // the limit switch of a canister chatters
	clockPairs      = pairs{60, 10}  // the clock is stepped all the time
	motorPairs      = pairs{60, 10}  // motors move the canisters
	motorFaultPairs = pairs{40, 10}  // and one of the canisters fails
	latePairs       = pairs{40, 6}   // commands come late, as to a virtual station on a busy machine
	carriedPairs    = pairs{50, 10}  // the canisters are on port expanders
	lostPairs       = pairs{36, 9}   // and an expander goes in the middle of a run, a different canister open in each pair
	boardPairs      = pairs{50, 24}  // the canisters are on microcontroller boards
	gonePairs       = pairs{24, 12}  // and a board goes in the middle of a run
)
