package blind

import (
	"strconv"

	"scentpost/station/event"
)

// Loading returns the plan's own loading: at each position the canisters 1A, 1B, ... in the order of its list.
func (p Plan) Loading() []event.Loaded {
	var all []event.Loaded
	for position := 1; position <= p.Positions; position++ {
		for i, odour := range p.odoursAt(position) {
			all = append(all, event.Loaded{Position: position, Canister: canisterName(position, i), Odour: odour})
		}
	}
	return all
}

// canisterName is what a plan calls the canister of a position with that index in its list.
func canisterName(position, i int) string { return strconv.Itoa(position) + string(rune('A'+i)) }

// odoursAt returns what the plan's own loading has at a position.
func (p Plan) odoursAt(position int) []string {
	if own, ok := p.Layout.Positions[strconv.Itoa(position)]; ok {
		return own
	}
	return p.Layout.EachPosition
}

// shelf finds the canisters of a loading by position and odour.
type shelf []map[string][]string

func newShelf(positions int, loading []event.Loaded) shelf {
	s := make(shelf, positions+1)
	for i := range s {
		s[i] = map[string][]string{}
	}
	for _, l := range loading {
		if l.Position >= 1 && l.Position <= positions {
			s[l.Position][l.Odour] = append(s[l.Position][l.Odour], l.Canister)
		}
	}
	return s
}

// has tells whether a position has a canister with the odour.
func (s shelf) has(position int, odour string) bool { return len(s[position][odour]) > 0 }
