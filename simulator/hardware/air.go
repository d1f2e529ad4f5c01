package hardware

import (
	"sort"
	"time"
)

// Full is the strength of an odour that stands in front of an open canister.
const Full = 1000

// The air of a station, the simplest that is honest: an odour needs a while to come out, then rises to Full, and
// once its canister is shut it halves every HalfLife and never is quite gone. All with integers, so that every
// machine smells the same.
const (
	// Reach is how long an odour needs from a canister that begins to open to the nose.
	Reach = 300 * time.Millisecond
	// Rise is how long it then needs to its full strength.
	Rise = 700 * time.Millisecond
	// HalfLife is how long half of it needs to seep away: a purge of 30 s leaves a thousandth.
	HalfLife = 3 * time.Second
	// Blown is how many times faster it seeps away while a blower changes the air.
	Blown = 4
)

// Scent is an odour with its strength, from 1 to Full.
type Scent struct {
	Odour    string
	Strength int
}

// plume is the odour of one canister.
type plume struct {
	open     bool
	blown    bool
	since    int64
	strength int64 // at since
}

// turn begins to let the odour out, or stops it.
func (p *plume) turn(open bool, now int64) {
	if p.open != open {
		*p = plume{open: open, blown: p.blown, since: now, strength: p.at(now)}
	}
}

// blow begins to change the air that it is in, or stops. What comes out of an open canister is renewed all the same.
func (p *plume) blow(on bool, now int64) {
	if p.blown == on {
		return
	}
	if !p.open {
		p.since, p.strength = now, p.at(now)
	}
	p.blown = on
}

// at returns the strength at an instant, from 0 to Full.
func (p *plume) at(now int64) int64 {
	passed := now - p.since
	if p.open {
		out := max(0, passed-int64(Reach))
		return min(Full, p.strength+min(out, int64(Rise))*Full/int64(Rise))
	}
	if p.blown {
		passed *= Blown
	}
	halvings, rest := passed/int64(HalfLife), passed%int64(HalfLife)
	if halvings > 10 {
		return 0
	}
	left := p.strength >> halvings
	return left - left*rest/int64(2*HalfLife) // a straight line between two halvings
}

// blow is what a blower's line does: while it is on, the air of its position changes faster.
func (s *Station) blow(b Blower, on bool) {
	s.changed(Blow, b.Position, b.Name, either(on, "on", "off"))
	s.blown[b.Position] += map[bool]int{true: 1, false: -1}[on]
	for _, c := range s.canisters {
		c.plume.blow(s.blown[0] > 0 || s.blown[c.spec.Position] > 0, s.world.Mono())
	}
}

// Smell returns what can be smelt at a position now, strongest first: the odours of its open canisters, and what
// has not seeped away of shut ones. Where two canisters hold the same odour, the stronger one counts.
func (s *Station) Smell(position int) []Scent {
	var all []Scent
	for _, c := range s.canisters {
		strength := int(c.plume.at(s.world.Mono()))
		if c.spec.Position != position || c.spec.Odour == NoOdour || strength == 0 {
			continue
		}
		all = append(all, Scent{Odour: c.spec.Odour, Strength: strength})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Strength > all[j].Strength })
	kept := all[:0]
	for i, scent := range all {
		again := false
		for _, k := range all[:i] {
			again = again || k.Odour == scent.Odour
		}
		if !again {
			kept = append(kept, scent)
		}
	}
	return kept
}
