package carrier

import (
	"testing"
	"time"
)

// kept is a part that wants to be kept alive.
type kept struct {
	*part
	every time.Duration
}

func (k *kept) BeatEvery() time.Duration { return k.every }
func (k *kept) Beat()                    { k.ask("beat") }
func (k *kept) Attend(on bool)           { k.ask("attend %t", on) }

func TestCarriersAreKept(t *testing.T) {
	r := newRig(t)
	if every := r.joined.BeatEvery(); every != 0 {
		t.Errorf("nobody wants a heartbeat, and one is given each %s", every)
	}
	slow := &kept{&part{source: "slow", end: &r.ended}, time.Second}
	fast := &kept{&part{source: "fast", end: &r.ended}, time.Millisecond}
	never := &kept{&part{source: "never", end: &r.ended}, 0}
	j, err := Join(r.own, Carrier{Name: "exp-1", Bus: r.exp}, Carrier{Name: "slow", Bus: slow}, Carrier{Name: "fast", Bus: fast}, Carrier{Name: "never", Bus: never})
	if err != nil {
		t.Fatal(err)
	}
	if every := j.BeatEvery(); every != time.Millisecond {
		t.Errorf("a heartbeat each %s, want what the fastest wants", every)
	}
	j.Beat()
	j.Attend(true)
	j.Attend(false)
	want(t, "the slow one", slow.asked, "beat", "attend true", "attend false")
	want(t, "the fast one", fast.asked, "beat", "attend true", "attend false")
	want(t, "the expander", r.exp.asked)
}
