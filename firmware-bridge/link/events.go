package link

import (
	"scentpost/firmware-bridge/message"
)

// events is what a link has of the board's events.
type events struct {
	next   uint16 // the number of the event that is expected
	levels uint64 // the voltages of the inputs, as the events tell
	told   int64  // nothing that is told later is stamped before it
	owed   bool   // an acknowledgement
	gap    bool   // events before one that came are missing
	again  int64  // when the board was asked last to send them again
}

// happened takes events. Those that came before are passed over; behind a hole none is taken. Their time is no watermark:
// one that came because of an edge, which may be that of a canister's limit switch, would tell when that was.
func (m *Machine) happened(now int64, e message.Events) {
	if m.state != Levelling && m.state != Up {
		return // the clocks are not compared yet: the board keeps them
	}
	m.events.owed = true
	behind := int(int16(e.First - m.events.next))
	if behind > 0 {
		m.events.gap = true
		return
	}
	skip := min(-behind, len(e.List))
	m.stats.Doubles += uint64(skip)
	for _, one := range e.List[skip:] {
		m.events.next++
		m.event(now, one)
		if a := m.clock.kept; a != nil && a.Next == m.events.next {
			m.levelled(now, *a)
		}
	}
}

// answer acknowledges what was taken.
func (m *Machine) answer(now int64) {
	ev := &m.events
	if !ev.owed || m.state != Levelling && m.state != Up {
		return
	}
	again := ev.gap && now-ev.again >= int64(askAgain)
	if again {
		ev.again = now
	}
	ev.owed, ev.gap = false, false
	m.send(0, &message.Held{Next: ev.next, Again: again})
}

// event takes the event that is next.
func (m *Machine) event(now int64, e message.Event) {
	at, bound := m.clock.fit.Host(e.Time)
	switch e.Kind {
	case message.Edge:
		if m.state == Up {
			m.edge(now, e.Pin, e.Level, at, bound+int64(stampBound))
		}
	case message.Done:
		m.done(e, at, bound)
	case message.Lost:
		m.clock.marked += uint64(e.Lost)
		if m.state == Up && m.clock.marked > m.clock.told {
			m.lost(m.clock.marked-m.clock.told, at, "the board had no room for them")
		}
		m.clock.told = max(m.clock.told, m.clock.marked)
	}
}

// edge tells of an edge, never before what was told already, as the map may have moved since, and never later than now.
// Its bound says by how much.
func (m *Machine) edge(now int64, pin byte, level bool, at, bound int64) {
	if on := max(min(at, now), m.events.told); on != at {
		bound += max(on-at, at-on)
		at = on
	}
	m.events.told = at
	m.events.levels &^= 1 << pin
	if level {
		m.events.levels |= 1 << pin
	}
	m.tell(Fact{Kind: Edge, Pin: m.name(pin), Level: level, Mono: at, Bound: bound})
}

// watermark tells that nothing stamped before at will come.
func (m *Machine) watermark(now, at int64) {
	if at = min(at, now); at <= m.events.told {
		return
	}
	m.events.told = at
	m.tell(Fact{Kind: Watermark, Mono: at})
}

// Level is the voltage of an input by the name of its pin; ok is false while that is not known.
func (m *Machine) Level(pin string) (level, ok bool) {
	if m.state != Up {
		return false, false
	}
	level, ok = m.voltages()[pin]
	return level, ok
}

// voltages are the levels of all inputs by the names of their pins.
func (m *Machine) voltages() map[string]bool {
	levels := map[string]bool{}
	for i, p := range m.pins {
		if m.inputs()>>i&1 != 0 {
			levels[p.Name] = m.events.levels>>i&1 != 0
		}
	}
	return levels
}
