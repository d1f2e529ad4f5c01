package dwell

import "time"

// Visit is a nose that stayed at one position, in nanoseconds of the monotonic clock.
type Visit struct {
	Position int
	From, To int64
	// Bound is how far the length of the visit may be off: the bounds of both stamps.
	Bound int64
	// Open is set when the nose was still there at To, where the facts end.
	Open bool
}

// Pass is a nose that entered or left a position.
type Pass struct {
	Position  int
	Entered   bool
	At, Bound int64
}

// Passes turns the changes of one position's beam into passes.
func Passes(position int, changes []Change) []Pass {
	out := make([]Pass, len(changes))
	for i, c := range changes {
		out[i] = Pass{Position: position, Entered: c.Active, At: c.At, Bound: c.Bound}
	}
	return out
}

// Visits pairs what was entered with what was left, up to and with the instant until; later passes do not count.
// Passes of one position are in order, those of several may be mixed. The visits come in the order of their
// entries. A nose that entered twice without leaving stayed; one that left without entering is left out: when it
// came is not known.
func Visits(passes []Pass, until int64) []Visit {
	var out []Visit
	at := map[int]int{} // position -> index of its open visit in out
	for _, p := range passes {
		if p.At > until {
			continue
		}
		i, inside := at[p.Position]
		switch {
		case p.Entered && !inside:
			at[p.Position] = len(out)
			out = append(out, Visit{Position: p.Position, From: p.At, To: until, Bound: p.Bound, Open: true})
		case !p.Entered && inside:
			delete(at, p.Position)
			out[i].To, out[i].Open = p.At, false
			out[i].Bound += p.Bound
		}
	}
	return out
}

// Lasted returns how long the visit is known to have lasted.
func (v Visit) Lasted() time.Duration { return time.Duration(v.To - v.From) }

// Response is a visit that reached a threshold.
type Response struct {
	Visit
	// At is when it did.
	At int64
	// Certain is set when the error of the stamps could not have made the difference.
	Certain bool
}

// Responses returns the visits that lasted for threshold or longer, in their order.
func Responses(visits []Visit, threshold time.Duration) []Response {
	var out []Response
	for _, v := range visits {
		if v.Lasted() >= threshold {
			out = append(out, Response{Visit: v, At: v.From + int64(threshold), Certain: int64(v.Lasted()-threshold) >= v.Bound})
		}
	}
	return out
}
