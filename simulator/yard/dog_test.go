package yard_test

import (
	"strings"
	"testing"

	"scentpost/simulator/yard"
	"scentpost/station/blind"
)

// TestTheDogFindsWhateverThePlanCallsATarget: an odour that no dog here was ever trained on before.
func TestTheDogFindsWhateverThePlanCallsATarget(t *testing.T) {
	file, src := plan(t, "lineup-two")
	src = []byte(strings.NewReplacer("smokeless-powder", "currency", "tnt", "truffle").Replace(string(src)))
	parsed, err := blind.ParsePlan(file, src)
	if err != nil {
		t.Fatal(err)
	}
	found := func(trained []string) (hits, targets int) {
		y := newYard(t, "virtual-two", func(o *yard.Options) { o.Loading, o.Trained = parsed.Loading(), trained })
		if err := y.Prepare(file, src, nil); err != nil {
			t.Fatal(err)
		}
		if err := y.Conduct(); err != nil {
			t.Fatal(err)
		}
		v := y.Host.Snapshot().View.Verdict
		return v.Hits, v.Hits + v.Misses
	}
	hits, targets := found(parsed.Targets.Odours)
	if targets < 4 || hits < targets*3/4 {
		t.Errorf("a dog that is trained on the plan's targets finds %d of %d", hits, targets)
	}
	if missed, of := found([]string{"tnt"}); missed*2 > of {
		t.Errorf("a dog that was trained on another odour finds %d of %d: this test shows nothing", missed, of)
	}
}
