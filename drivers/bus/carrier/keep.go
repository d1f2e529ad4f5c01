package carrier

import (
	"maps"
	"slices"
	"time"

	"scentpost/drivers/bus"
)

// keepers are the carriers whose outputs fall back when they hear nothing, in the order of their names: which of two hears
// first may show.
func (j *Joined) keepers() (all []bus.Keeper) {
	for _, name := range slices.Sorted(maps.Keys(j.carriers)) {
		if k, falls := j.carriers[name].(bus.Keeper); falls {
			all = append(all, k)
		}
	}
	return all
}

// BeatEvery is the least of what the carriers want, 0 when none wants anything; see bus.Keeper.
func (j *Joined) BeatEvery() (least time.Duration) {
	for _, k := range j.keepers() {
		if every := k.BeatEvery(); every > 0 && (least == 0 || every < least) {
			least = every
		}
	}
	return least
}

// Beat gives a heartbeat to every carrier that wants one; see bus.Keeper.
func (j *Joined) Beat() {
	for _, k := range j.keepers() {
		k.Beat()
	}
}

// Attend tells the machine's own bus and every carrier that wants to know; see bus.Attendant.
func (j *Joined) Attend(on bool) {
	tell := func(b bus.Bus) {
		if a, wants := b.(bus.Attendant); wants {
			a.Attend(on)
		}
	}
	tell(j.own)
	for _, name := range slices.Sorted(maps.Keys(j.carriers)) {
		tell(j.carriers[name])
	}
}

var (
	_ bus.Keeper    = (*Joined)(nil)
	_ bus.Attendant = (*Joined)(nil)
)
