package shutter

import (
	"slices"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

var _ bus.Gate = (*Shutter)(nil)

const ms = int64(time.Millisecond)

// step is one thing that happens to a shutter, at an instant in milliseconds.
type step struct {
	at int64
	do string // "open", "close", "driven", "+opened", "-opened", "+closed", "-closed", "fail", "" to let time pass
}

func play(t *testing.T, limits map[string]bool, steps []step) (*Shutter, []bus.Fact) {
	t.Helper()
	s, err := New(Settle, Travel)
	if err != nil {
		t.Fatal(err)
	}
	facts := s.Start(nil, 0, limits)
	for _, st := range steps {
		at := st.at * ms
		facts = s.Advance(facts, at)
		switch st.do {
		case "open", "close":
			facts = s.Command(facts, st.do == "open", at)
		case "driven":
			facts = s.Driven(facts, at)
		case "fail":
			facts = s.Fail(facts, at, "burnt")
		case "+opened", "-opened", "+closed", "-closed":
			facts = s.Limit(facts, st.do[1:], st.do[0] == '+', at, 5)
		}
	}
	return s, facts
}

func confirmed(open bool, commanded, at, bound int64) bus.Fact {
	return bus.Fact{Kind: bus.Confirmed, Mono: at * ms, Bound: bound, Open: open, Commanded: commanded * ms}
}

func failed(open bool, commanded, at, bound int64, fault string) bus.Fact {
	return bus.Fact{Kind: bus.Failed, Mono: at * ms, Bound: bound, Open: open, Commanded: commanded * ms, Fault: fault,
		Overdue: fault == FaultNotOpened || fault == FaultNotClosed}
}

func TestMoves(t *testing.T) {
	opening := []step{{100, "open"}, {100, "driven"}, {120, "-closed"}, {400, "+opened"}}
	with := func(more ...step) []step { return append(slices.Clone(opening), more...) }
	opened := confirmed(true, 100, 400, 5)
	closed := map[string]bool{Closed: true}
	for name, c := range map[string]struct {
		limits  map[string]bool
		steps   []step
		want    []bus.Fact
		resting bool
	}{
		"opens":                        {closed, opening, []bus.Fact{opened}, true},
		"opens and closes":             {closed, with(step{500, "close"}, step{501, "driven"}, step{510, "-opened"}, step{800, "+closed"}, step{9000, ""}), []bus.Fact{opened, confirmed(false, 501, 800, 5)}, true},
		"bounces where it arrives":     {closed, with(step{401, "-opened"}, step{405, "+opened"}, step{424, "-opened"}, step{425, "+opened"}, step{9000, ""}), []bus.Fact{opened}, true},
		"never leaves":                 {closed, []step{{100, "open"}, {100, "driven"}, {900, ""}}, []bus.Fact{failed(true, 100, 900, 0, FaultNotOpened)}, false},
		"arrives a moment late":        {closed, []step{{100, "open"}, {100, "driven"}, {120, "-closed"}, {900, "+opened"}}, []bus.Fact{failed(true, 100, 900, 0, FaultNotOpened)}, false},
		"does not close":               {closed, with(step{500, "close"}, step{500, "driven"}, step{1300, ""}), []bus.Fact{opened, failed(false, 500, 1300, 0, FaultNotClosed)}, false},
		"closes a moment late":         {closed, with(step{500, "close"}, step{500, "driven"}, step{510, "-opened"}, step{1300, ""}, step{1400, "+closed"}), []bus.Fact{opened, failed(false, 500, 1300, 0, FaultNotClosed)}, true},
		"both ends at once":            {closed, []step{{100, "open"}, {100, "driven"}, {300, "+opened"}, {900, ""}}, []bus.Fact{failed(true, 100, 900, 0, FaultBoth)}, false},
		"leaves the far end last":      {closed, []step{{100, "open"}, {100, "driven"}, {300, "+opened"}, {310, "-closed"}}, []bus.Fact{confirmed(true, 100, 310, 5)}, true},
		"falls as it arrives":          {closed, with(step{405, "-opened"}, step{425, ""}), []bus.Fact{opened, failed(true, 100, 405, 5, FaultFell)}, false},
		"falls shut":                   {closed, with(step{2000, "-opened"}, step{2020, ""}), []bus.Fact{opened, failed(true, 100, 2000, 5, FaultFell)}, false},
		"rises by itself":              {closed, []step{{50, "-closed"}, {70, ""}}, []bus.Fact{failed(false, 0, 50, 5, FaultRose)}, false},
		"a switch that sticks":         {closed, []step{{50, "+opened"}, {70, ""}}, []bus.Fact{failed(false, 0, 50, 5, FaultBoth)}, false},
		"replaced on the way":          {closed, []step{{100, "open"}, {100, "driven"}, {120, "-closed"}, {200, "close"}, {200, "driven"}, {230, "+closed"}}, []bus.Fact{failed(true, 100, 200, 0, FaultReplaced), confirmed(false, 200, 230, 5)}, true},
		"replaced before it began":     {closed, []step{{100, "open"}, {110, "close"}, {111, "driven"}}, []bus.Fact{failed(true, 0, 110, 0, FaultReplaced), confirmed(false, 111, 111, 0)}, true},
		"the drive fails":              {closed, []step{{100, "open"}, {101, "fail"}, {9000, ""}}, []bus.Fact{failed(true, 0, 101, 0, "burnt")}, false},
		"nothing to fail":              {closed, []step{{101, "fail"}}, nil, true},
		"an edge before its drive":     {closed, []step{{100, "open"}, {120, "-closed"}, {130, "+opened"}, {131, "driven"}}, []bus.Fact{confirmed(true, 131, 131, 5)}, true},
		"stood open":                   {map[string]bool{Opened: true}, []step{{10, "close"}, {10, "driven"}, {20, "-opened"}, {300, "+closed"}}, []bus.Fact{confirmed(false, 10, 300, 5)}, true},
		"a dead pair of switches":      {nil, []step{{10, "close"}, {10, "driven"}, {810, ""}}, []bus.Fact{failed(false, 10, 810, 0, FaultNotClosed)}, false},
		"a role that it does not have": {closed, []step{{10, ""}}, nil, true},
	} {
		s, got := play(t, c.limits, c.steps)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
		if s.Resting() != c.resting {
			t.Errorf("%s: resting %v, want %v", name, s.Resting(), c.resting)
		}
		if due, ok := s.Due(); ok && c.resting && due < 500*ms && c.steps[len(c.steps)-1].at > 700 {
			t.Errorf("%s: still waits for %d", name, due)
		}
	}
}

func TestDue(t *testing.T) {
	s, _ := play(t, map[string]bool{Closed: true}, []step{{100, "open"}, {100, "driven"}})
	if due, ok := s.Due(); !ok || due != 900*ms {
		t.Errorf("due %d, %v, want the travel limit at 900 ms", due, ok)
	}
	s.Limit(nil, Closed, false, 120*ms, 0)
	if due, ok := s.Due(); !ok || due != 140*ms {
		t.Errorf("due %d, %v, want the limit switch at 140 ms", due, ok)
	}
	if got := s.Limit(nil, Drive, true, 130*ms, 0); got != nil {
		t.Errorf("an edge of the drive gave %v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ settle, travel time.Duration }{{-1, Travel}, {Settle, 0}, {Settle, MaxTravel + 1}} {
		if _, err := New(c.settle, c.travel); err == nil {
			t.Errorf("settling %s and travel %s were taken", c.settle, c.travel)
		}
	}
}
