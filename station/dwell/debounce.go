// Package dwell finds out of stamped edges how long a nose stayed at a position.
//
// Everything in it is pure, so that the visits of a stored record can be found anew, and other thresholds tried on
// them.
package dwell

import "time"

// Patience is how many settling times a line may bounce before its first edge is no longer taken for the beginning
// of a change. It is that of the drivers, whose changes Debounce finds again.
const Patience = 20

// Edge is a raw edge of a line: the level after it. At and Bound, how far At may be off, are nanoseconds of the
// monotonic clock.
type Edge struct {
	Active    bool
	At, Bound int64
}

// Change is a change of level that lasted for the settling time, stamped with its first edge.
type Change struct {
	Active    bool
	At, Bound int64
}

// Debounce returns the changes that a line made which began at the level active and is known up to the instant
// until: a change counts once the line stood at another level than before for settle. Edges come in the order in
// which they were reported; one that is stamped before the edge before it counts as simultaneous with it, and those
// later than until do not count.
//
// It says at once what the drivers' own debounce (drivers/bus/settle) says by and by.
func Debounce(active bool, edges []Edge, settle time.Duration, until int64) []Change {
	var out []Change
	var known int64 // every edge before this instant has been reported
	for i := 0; i < len(edges); {
		first := edges[i]
		known = max(known, first.At)
		if first.Active == active {
			i++ // the edge before it was lost, or too short to see
			continue
		}
		burst, at := first, first.At // the beginning of the burst and its latest edge
		last := first
		for i++; i < len(edges); i++ {
			known = max(known, edges[i].At)
			if known-at >= int64(settle) {
				break
			}
			next := max(at, edges[i].At)
			if next-burst.At > Patience*int64(settle) {
				burst = Edge{At: next, Bound: edges[i].Bound}
			}
			at, last = next, edges[i]
		}
		if at+int64(settle) > until {
			break // it may go on
		}
		if last.Active != active {
			active = last.Active
			out = append(out, Change{Active: active, At: burst.At, Bound: burst.Bound})
		}
	}
	return out
}
