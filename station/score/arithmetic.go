package score

import "math/big"

// arithmetic evaluates the values of a rule exactly over one tally, each value once: a value may stand in many.
type arithmetic struct {
	values  map[string]value
	tallies tallies
	known   map[string]exactly
}

// exactly is an exact number, nil when it is undefined. It is whole when it is a whole number by its making, whatever
// the counts.
type exactly struct {
	exact *big.Rat
	whole bool
}

// number evaluates a count or a value. The result is not for changing.
func (a arithmetic) number(name string) (exact *big.Rat, whole bool) {
	if c, ok := counts[name]; ok {
		return new(big.Rat).SetInt64(int64(c.of(a.tallies))), true
	}
	n, ok := a.known[name]
	if !ok {
		n = a.value(a.values[name])
		a.known[name] = n
	}
	return n.exact, n.whole
}

// value evaluates what a value is made of: a ratio of nothing is undefined, and so is all that is made of it.
func (a arithmetic) value(v value) exactly {
	kind, of := v.parts()
	out := exactly{exact: new(big.Rat), whole: kind != "ratio"}
	for i, part := range of {
		next, whole := a.number(part)
		out.whole = out.whole && whole
		switch {
		case next == nil || (i > 0 && kind == "ratio" && next.Sign() == 0):
			return exactly{whole: out.whole}
		case i == 0:
			out.exact.Set(next)
		case kind == "ratio":
			out.exact.Quo(out.exact, next)
		case kind == "difference":
			out.exact.Sub(out.exact, next)
		default:
			out.exact.Add(out.exact, next)
		}
	}
	return out
}
