package link

import (
	"time"

	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/message"
)

// timing is what a link knows of the board's clock.
type timing struct {
	fit     *clockmap.Map
	good    int    // pings that were measurements
	cookie  uint32 // of the latest ping
	waits   bool   // for its answer
	sent    int64  // when the latest ping was
	armed   bool
	kept    *message.Pong // an answer that waits for events
	begun   bool          // the counters of the session's first answer were taken: they are since the board's start
	last    uint16        // what it counted as dropped in its last answer, modulo 65,536
	dropped uint64        // what it counted since the session's begin
	told    uint64        // lost events that were told
	marked  uint64        // lost events that stand in the row of events
	glitch  uint16        // glitches that were told
}

// Arm says whether a run is armed: then the board is asked for the time so often that its watermarks never wait.
func (m *Machine) Arm(armed bool) { m.clock.armed = armed }

// pause is how long after one ping the next one comes.
func (m *Machine) pause() time.Duration {
	pause := pingIdle
	switch {
	case m.clock.waits:
		pause = pingLost
	case m.state == Timing || m.state == Levelling:
		pause = pingFirst
	case m.clock.armed:
		pause = pingArmed
	}
	// A hash of the cookie, so that no phase of a batching converter is met each time.
	dither := time.Duration(m.clock.cookie*2654435761>>16) * pause / 4 >> 16
	return pause + dither
}

func (m *Machine) pings() bool {
	return m.state == Timing || m.state == Setting || m.state == Levelling || m.state == Up
}

func (m *Machine) pingDue() (mono int64, ok bool) {
	if !m.pings() {
		return 0, false
	}
	return m.clock.sent + int64(m.pause()), true
}

// ping asks for the time when that is due. An answer that has not come by then will not be believed any more.
func (m *Machine) ping(now int64) {
	if due, any := m.pingDue(); !any || m.clock.sent != 0 && now < due {
		return
	}
	m.clock.cookie++
	m.clock.sent, m.clock.waits = now, true
	m.send(0, &message.Ping{Cookie: m.clock.cookie})
}

// ponged takes the time of the board.
func (m *Machine) ponged(now int64, p message.Pong) {
	if !m.clock.waits || p.Cookie != m.clock.cookie || !m.pings() {
		return
	}
	m.clock.waits = false
	if m.clock.fit.Add(clockmap.Ping{Sent: m.clock.sent, Got: now, Received: p.Received, Time: p.Time}) == nil {
		m.clock.good++
	}
	if !m.clock.begun {
		m.clock.begun, m.clock.last, m.clock.glitch = true, p.Dropped, p.Glitches
	}
	if m.state == Timing && m.clock.good >= firstPings {
		m.settle(now)
	}
	m.levelled(p)
	m.ping(now)
}

// settle configures the board, unless it has this configuration already.
func (m *Machine) settle(now int64) {
	if m.board.Configured && m.board.Configuration == m.config.Sum() {
		m.state = Levelling
		return
	}
	m.state = Setting
	m.commands.queue = append(m.commands.queue, command{msg: &m.config})
	m.pump(now)
}

// levelled takes what else the answer to a ping says: levels and losses, as of an instant up to which the events are held.
func (m *Machine) levelled(p message.Pong) {
	m.clock.kept = nil
	if m.state != Up && m.state != Levelling {
		return
	}
	if p.Next != m.events.next {
		if int16(p.Next-m.events.next) > 0 {
			m.clock.kept = &p // until the events that are on their way are here
		}
		return
	}
	at, bound := m.clock.fit.Host(p.Time)
	if m.state == Levelling {
		m.state, m.why = Up, nil
		m.events.levels, m.events.told = p.Levels, at
		if g := m.gone; g.any {
			m.gone = missing{}
			m.tell(Fact{Kind: Gap, From: g.from, Mono: at, Lost: g.lost, Why: g.why})
		}
		m.tell(Fact{Kind: Ready, Mono: at, Bound: bound, Levels: m.voltages()})
		return
	}
	m.losses(p, at)
	if wrong := (p.Levels ^ m.events.levels) & m.inputs(); wrong != 0 {
		m.found(p, wrong, at, bound)
	}
	m.watermark(at)
}

// losses tells of what the board counted since the last time.
func (m *Machine) losses(p message.Pong, at int64) {
	m.clock.dropped += uint64(p.Dropped - m.clock.last)
	m.clock.last = p.Dropped
	if m.clock.dropped > m.clock.told {
		m.lost(m.clock.dropped-m.clock.told, at, "the board had no room for them")
		m.clock.told = m.clock.dropped
	}
	if n := p.Glitches - m.clock.glitch; n > 0 {
		m.clock.glitch = p.Glitches
		m.stats.Glitches += uint64(n)
		m.tell(Fact{Kind: Gap, From: m.events.told, Mono: at, Why: "edges came too close to each other for the board to tell them apart"})
	}
}

func (m *Machine) lost(n uint64, at int64, why string) {
	m.stats.Lost += n
	m.tell(Fact{Kind: Gap, From: m.events.told, Mono: at, Lost: n, Why: why})
}

// found tells of levels that no edge told of.
func (m *Machine) found(p message.Pong, wrong uint64, at, bound int64) {
	since := m.events.told
	for pin := byte(0); pin < message.MaxPins; pin++ {
		if wrong>>pin&1 == 0 {
			continue
		}
		m.tell(Fact{Kind: Gap, From: since, Mono: at, Why: "a level changed and no edge told of it"})
		m.edge(pin, p.Levels>>pin&1 != 0, at, max(bound, at-since))
	}
}

// inputs are the pins that are watched.
func (m *Machine) inputs() (pins uint64) {
	for i, mode := range m.config.Modes {
		if mode == message.Input || mode == message.PullUp {
			pins |= 1 << i
		}
	}
	return pins
}
