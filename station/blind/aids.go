package blind

import (
	"slices"
	"time"

	"scentpost/station/event"
)

// Aid is one odour that a session needs.
type Aid struct {
	Odour string     `json:"odour"`
	Kind  event.Kind `json:"kind"`
	// Canisters is how many canisters hold it.
	Canisters int `json:"canisters"`
}

// Aids returns what must be prepared for the plan's own loading: targets, then distractors, then blanks.
func (p Plan) Aids() []Aid {
	var all []Aid
	for _, odour := range p.odourNames() {
		aid := Aid{Odour: odour, Kind: p.KindOf(odour)}
		for _, l := range p.Loading() {
			if l.Odour == odour {
				aid.Canisters++
			}
		}
		if aid.Canisters > 0 {
			all = append(all, aid)
		}
	}
	return all
}

// KindOf returns what an odour is in the plan: a target, a distractor, or a blank for every other.
func (p Plan) KindOf(odour string) event.Kind {
	switch {
	case slices.Contains(p.Targets.Odours, odour):
		return event.Target
	case slices.Contains(p.Distractors.Odours, odour):
		return event.Distractor
	}
	return event.Blank
}

// AidsOut returns how many aids go out with a loading: its canisters that are no blanks.
func (p Plan) AidsOut(loading []event.Loaded) (n int) {
	for _, l := range loading {
		if p.KindOf(l.Odour) != event.Blank {
			n++
		}
	}
	return n
}

// Duration is how long the scheduled runs take, from the first arming to the end of the last purge.
type Duration struct {
	// Shortest is with searches of one dwell at each position, Longest with searches up to the time-out.
	Shortest, Longest time.Duration
	// EachReserve is what one reserve run adds at most.
	EachReserve time.Duration
}

// Duration returns how long a session takes at a station with these settings. People's time between runs is not in it.
func (p Plan) Duration(set event.Settings) Duration {
	handling := time.Duration(set.LeadMS+set.TravelMS+set.WithdrawMS+set.CloseMS)*time.Millisecond + p.Purge
	search := min(p.Limits.Run, time.Duration(p.Positions)*p.Limits.Dwell)
	runs := time.Duration(p.Runs)
	return Duration{Shortest: runs * (handling + search), Longest: runs * (handling + p.Limits.Run), EachReserve: handling + p.Limits.Run}
}
