package beam

import (
	"slices"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

var _ bus.Sensor = (*Beam)(nil)

const ms = int64(time.Millisecond)

func TestBeam(t *testing.T) {
	b, err := New(Settle)
	if err != nil {
		t.Fatal(err)
	}
	facts := b.Start(nil, false, 0)
	for _, e := range []struct {
		at    int64
		level bool
	}{{100, true}, {103, false}, {105, true}, {900, false}, {2000, true}, {2010, false}} {
		facts = b.Edge(facts, e.level, e.at*ms, 9)
		if p, ok := b.Pending(); !ok || p > e.at*ms {
			t.Errorf("after the edge at %d: pending %d, %v", e.at, p, ok)
		}
	}
	facts = b.Advance(facts, 5000*ms)
	want := []bus.Fact{{Kind: bus.Entered, Mono: 100 * ms, Bound: 9}, {Kind: bus.Left, Mono: 900 * ms, Bound: 9}}
	if !slices.Equal(facts, want) {
		t.Errorf("facts %v, want %v", facts, want)
	}
	if _, ok := b.Due(); ok || b.Active() {
		t.Error("a free beam waits for something")
	}
}

func TestABeamThatIsBrokenFromTheStart(t *testing.T) {
	b, err := New(Settle)
	if err != nil {
		t.Fatal(err)
	}
	facts := b.Start(nil, true, 0)
	if !b.Active() {
		t.Error("not active")
	}
	facts = b.Edge(facts, false, 50*ms, 0)
	if due, ok := b.Due(); !ok || due != 70*ms {
		t.Errorf("due %d, %v, want 70 ms", due, ok)
	}
	if facts = b.Advance(facts, 70*ms); len(facts) != 1 || facts[0].Kind != bus.Left {
		t.Errorf("facts %v, want left alone", facts)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(time.Hour); err == nil {
		t.Error("an hour of settling was taken")
	}
	b, _ := New(Settle)
	if b.Hold() < Settle {
		t.Errorf("hold %s", b.Hold())
	}
}
