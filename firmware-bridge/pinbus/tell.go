package pinbus

import (
	"fmt"
	"maps"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
)

// later puts what is to be told in its place.
func (m *Machine) later(f func()) { m.tells = append(m.tells, f) }

// tell takes one fact of the link.
func (m *Machine) tell(now int64, f link.Fact) {
	switch f.Kind {
	case link.Done:
		m.finish(f)
	case link.Ready:
		m.up, m.why, m.seen, m.looked = true, nil, f.Mono, true
		m.present(f.Mono, f.Levels)
	case link.Away:
		m.up = false
		for _, o := range m.outputs {
			o.held = false
		}
		m.away(now, fmt.Errorf("board %s: %w: %w", m.opt.Name, bus.ErrGone, f.Err))
	case link.Edge:
		m.edge(f)
	case link.Watermark:
		m.seen = f.Mono
		if sink := m.sink; sink != nil {
			m.later(func() { sink.Watermark(bus.Watermark{Source: m.opt.Name, Mono: f.Mono}) })
		}
	case link.Gap:
		m.gap(f)
	case link.Fell:
		m.fell(f)
	}
}

// away notes that the board is not there, and tells it unless that was told.
func (m *Machine) away(now int64, why error) {
	told := m.why != nil && m.why.Error() == why.Error() && !m.up
	m.why, m.looked = why, true
	if !told {
		m.absent(now)
	}
}

// absent tells the sink of every line that it is not there.
func (m *Machine) absent(now int64) {
	if sink, wants := m.sink.(bus.PresenceSink); wants {
		p := bus.Presence{Lines: m.all(), From: m.seen, Mono: now, Why: m.why}
		m.later(func() { sink.Presence(p) })
	}
}

// present tells that the board is there, with the voltages of its inputs.
func (m *Machine) present(mono int64, voltages map[string]bool) {
	levels := map[string]bool{}
	for _, line := range m.lines {
		levels[line] = voltages[line] != m.opt.Pins[line].ActiveLow
	}
	if sink, wants := m.sink.(bus.PresenceSink); wants {
		p := bus.Presence{Lines: m.all(), Here: true, Levels: levels, Mono: mono}
		m.later(func() { sink.Presence(p) })
	}
}

// all are the lines that the station uses.
func (m *Machine) all() []string {
	return slices.Concat(m.lines, slices.Sorted(maps.Keys(m.outputs)))
}

func (m *Machine) edge(f link.Fact) {
	sink := m.sink
	if sink == nil || !slices.Contains(m.lines, f.Pin) {
		return // nobody watches it
	}
	m.seq++
	e := bus.Edge{Line: f.Pin, Level: f.Level != m.opt.Pins[f.Pin].ActiveLow, Mono: f.Mono, Bound: f.Bound, Source: m.opt.Name, Seq: m.seq}
	m.later(func() { sink.Edge(e) })
}

func (m *Machine) gap(f link.Fact) {
	m.seq += f.Lost
	if sink, wants := m.sink.(bus.GapSink); wants {
		g := bus.Gap{Source: m.opt.Name, Lines: slices.Clone(m.lines), Lost: f.Lost, From: f.From, To: f.Mono, Why: fmt.Sprintf("board %s: %s", m.opt.Name, f.Why)}
		m.later(func() { sink.Gap(g) })
	}
}

// fell tells that an output went to its safe level by itself.
func (m *Machine) fell(f link.Fact) {
	if o := m.outputs[f.Pin]; o != nil {
		o.held = false
	}
	if sink, wants := m.sink.(bus.FallSink); wants {
		fall := bus.Fall{Line: f.Pin, Mono: f.Mono, Bound: f.Bound, Why: fmt.Errorf("board %s: %s", m.opt.Name, f.Why)}
		m.later(func() { sink.Fall(fall) })
	}
}
