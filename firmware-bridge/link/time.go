package link

import (
	"fmt"
	"slices"
	"time"

	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/message"
)

// timing is what a link knows of the board's clock.
type timing struct {
	fit     *clockmap.Map
	good    int     // pings that were measurements
	cookie  uint32  // of the latest ping
	sent    int64   // when the latest ping was
	open    []asked // pings without an answer, oldest first
	armed   bool
	kept    *answered // it waits for events
	begun   bool      // the counters of the session's first answer were taken: they are since the board's start
	last    message.Pong
	dropped uint64 // what it counted since the session's begin
	told    uint64 // lost events that were told
	marked  uint64 // lost events that stand in the row of events
}

// asked is a ping that was sent.
type asked struct {
	cookie uint32
	at     int64
}

// answered is the answer to a ping that was sent at an instant.
type answered struct {
	message.Pong
	asked int64
}

// Arm says whether a run is armed: then the board is asked for the time so often that its watermarks never wait.
func (m *Machine) Arm(armed bool) { m.clock.armed = armed }

// pause is how long after one ping the next one comes.
func (m *Machine) pause() time.Duration {
	pause := pingIdle
	switch {
	case m.state == Up && m.clock.kept == nil && m.clock.sent-m.since() > int64(doubt):
		pause = max(pingOften, 2*m.wire)
	case len(m.clock.open) > 0:
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

// pings tells whether the board is asked for the time in this state.
func (m *Machine) pings() bool {
	return m.state == Timing || m.state == Setting || m.state == Levelling || m.state == Up
}

func (m *Machine) pingDue() (mono int64, ok bool) {
	if !m.pings() {
		return 0, false
	}
	return m.clock.sent + int64(m.pause()), true
}

// ping asks for the time when that is due.
func (m *Machine) ping(now int64) {
	if due, any := m.pingDue(); !any || m.clock.sent != 0 && now < due {
		return
	}
	m.clock.cookie++
	m.clock.sent = now
	m.clock.open = append(m.clock.open[max(0, len(m.clock.open)+1-pingsOpen):], asked{m.clock.cookie, now})
	m.send(0, &message.Ping{Cookie: m.clock.cookie})
}

// ponged takes the time of the board. What answers no ping that waits is believed nothing.
func (m *Machine) ponged(now int64, p message.Pong) {
	i := slices.IndexFunc(m.clock.open, func(a asked) bool { return a.cookie == p.Cookie })
	if i < 0 || !m.pings() {
		return
	}
	a := answered{Pong: p, asked: m.clock.open[i].at}
	m.clock.open = m.clock.open[i+1:] // those before it will have no answer: the line keeps the order
	if m.clock.fit.Add(clockmap.Ping{Sent: a.asked, Got: now, Received: p.Received, Time: p.Time}) == nil {
		m.clock.good++
	}
	if !m.clock.begun {
		m.clock.begun, m.clock.last = true, p
	}
	if m.state == Timing && m.clock.good >= firstPings {
		m.settle(now)
	}
	if m.state != Up {
		m.heard = a.asked
	}
	m.levelled(now, a)
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
// The first one that is ahead of the events waits for them. A later one would wait for more of them, and so for ever.
func (m *Machine) levelled(now int64, a answered) {
	if m.state != Up && m.state != Levelling {
		return
	}
	if ahead := int16(a.Next - m.events.next); ahead != 0 {
		if ahead > 0 && m.clock.kept == nil {
			m.clock.kept = &a
		} else if ahead > 0 && now-m.events.again >= int64(resend) {
			m.events.owed, m.events.gap = true, true // what that one waits for was lost on its way
		}
		return
	}
	m.clock.kept = nil
	at, bound := m.clock.fit.Host(a.Time)
	if m.state == Levelling {
		m.heard = now // from now on it is promised that no instant is open for longer than Lateness
		m.ready(min(at, now), bound, a.Levels)
		return
	}
	m.heard = a.asked
	glitches := m.counted(a.Pong, at)
	if wrong := (a.Levels ^ m.events.levels) & m.inputs(); wrong != 0 {
		m.found(now, wrong, glitches, at, bound)
	}
	m.watermark(now, at)
}

// ready tells that the link is up, and what was lost while it was not.
func (m *Machine) ready(at, bound int64, levels uint64) {
	m.state, m.why = Up, nil
	m.events.levels, m.events.told = levels, at
	if g := m.gone; g.any {
		m.gone = missing{}
		m.tell(Fact{Kind: Gap, From: g.from, Mono: at, Lost: g.lost, Why: g.why})
	}
	m.tell(Fact{Kind: Ready, Mono: at, Bound: bound, Levels: m.voltages()})
}

// counted takes what the board counted since the last time. Events that found no room are missing. A glitch is a pulse that
// was over before anybody looked: it is counted, and hides nothing while the levels are what the edges told. It returns
// how many of them there were.
func (m *Machine) counted(p message.Pong, at int64) (glitches uint16) {
	last := m.clock.last
	m.clock.last = p
	m.clock.dropped += uint64(p.Dropped - last.Dropped)
	if m.clock.dropped > m.clock.told {
		m.lost(m.clock.dropped-m.clock.told, at, "the board had no room for them")
		m.clock.told = m.clock.dropped
	}
	glitches = p.Glitches - last.Glitches
	m.stats.Glitches += uint64(glitches)
	m.stats.Passed += uint64(p.Errors - last.Errors)
	m.stats.Unsafe = p.Unsafe
	return glitches
}

func (m *Machine) lost(n uint64, at int64, why string) {
	m.stats.Lost += n
	m.tell(Fact{Kind: Gap, From: m.events.told, Mono: at, Lost: n, Why: why})
}

// found tells of levels that no edge told of. Which pins they are of is in the edges alone: a reason is shown to people.
func (m *Machine) found(now int64, wrong uint64, glitches uint16, at, bound int64) {
	since := m.events.told
	why := "a level changed and no edge told of it"
	if glitches > 0 {
		why += fmt.Sprintf(" (the board counted %d pulses too short to be edges)", glitches)
	}
	for pin := byte(0); pin < message.MaxPins; pin++ {
		if wrong>>pin&1 == 0 {
			continue
		}
		m.tell(Fact{Kind: Gap, From: since, Mono: at, Why: why})
		m.edge(now, pin, m.events.levels>>pin&1 == 0, at, max(bound, at-since))
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
