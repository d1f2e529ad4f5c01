package carrier

import "scentpost/drivers/bus"

// relay gives what one of the joined buses tells to the sink of the whole, with the lines as the station calls them. It
// takes gaps and presence, and drops what the sink does not want to hear of.
type relay struct {
	sink     bus.Sink
	gaps     bus.GapSink      // the same, nil when it does not want to hear of them
	presence bus.PresenceSink // the same
	falls    bus.FallSink     // the same
	lags     bus.LagSink      // the same
	carrier  string           // "" for the machine's own lines
	ring     map[string][]func(mono, bound int64)
}

func newRelay(carrier string, sink bus.Sink, ring map[string][]func(mono, bound int64)) relay {
	r := relay{sink: sink, carrier: carrier, ring: ring}
	r.gaps, _ = sink.(bus.GapSink)
	r.presence, _ = sink.(bus.PresenceSink)
	r.falls, _ = sink.(bus.FallSink)
	r.lags, _ = sink.(bus.LagSink)
	return r
}

// Edge gives an edge, and rings the carriers that are wired to its line. An edge that rings is given like all others: who
// counts edges would miss it.
func (r relay) Edge(e bus.Edge) {
	if e.Level && r.ring != nil {
		for _, ring := range r.ring[e.Line] {
			ring(e.Mono, e.Bound)
		}
	}
	e.Line = r.named(e.Line)
	r.sink.Edge(e)
}

// Watermark gives a watermark.
func (r relay) Watermark(w bus.Watermark) { r.sink.Watermark(w) }

// Gap gives a gap.
func (r relay) Gap(g bus.Gap) {
	if r.gaps != nil {
		g.Lines = r.all(g.Lines)
		r.gaps.Gap(g)
	}
}

// Presence gives what is there and what is not.
func (r relay) Presence(p bus.Presence) {
	if r.presence != nil {
		p.Lines, p.Carrier = r.all(p.Lines), r.carrier
		levels := p.Levels
		p.Levels = make(map[string]bool, len(levels))
		for line, level := range levels {
			p.Levels[r.named(line)] = level
		}
		r.presence.Presence(p)
	}
}

// Fall gives an output that fell by itself.
func (r relay) Fall(f bus.Fall) {
	if r.falls != nil {
		f.Line = r.named(f.Line)
		r.falls.Fall(f)
	}
}

// Lag gives a command that came late.
func (r relay) Lag(l bus.Lag) {
	if r.lags != nil {
		l.Line = r.named(l.Line)
		r.lags.Lag(l)
	}
}

// named is what the station calls a line of the bus.
func (r relay) named(line string) string {
	if r.carrier == "" {
		return line
	}
	return r.carrier + Colon + line
}

func (r relay) all(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, r.named(line))
	}
	return out
}
