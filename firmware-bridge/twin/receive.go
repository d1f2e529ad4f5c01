package twin

import (
	"scentpost/firmware-bridge/message"
)

// Receive takes bytes of the line, the last of which came at mono.
func (b *Board) Receive(mono int64, line []byte) {
	b.now = mono
	b.split.Write(line, b.take, func(error) { b.errors++ })
	b.pass()
}

func (b *Board) take(body []byte) {
	head, m, err := message.Parse(body)
	_, greeting := m.(*message.Hello)
	if err != nil || !greeting && (b.session == 0 || head.Session != byte(b.session)) || !b.hear(head, m) {
		b.errors++
		return
	}
	b.heard = b.micros(b.now)
}

// hear takes a message of the session. It is false when the message is none that the board takes.
func (b *Board) hear(head message.Header, m message.Message) bool {
	switch m := m.(type) {
	case *message.Hello:
		return b.greeted(*m)
	case *message.Describe:
		p := message.Pin{Index: m.Index}
		if int(m.Index) < len(b.opt.Pins) {
			p = b.opt.Pins[m.Index]
			p.Index = m.Index
		}
		b.send(0, &p)
	case *message.Safe:
		b.safe(head.Number, *m)
	case *message.Beat:
		return b.beaten(m.Count)
	case *message.Ping:
		b.ping(m.Cookie)
	case *message.Held:
		return b.held(*m)
	default:
		return head.Type.Command() && b.command(head, m)
	}
	return true
}

// greeted begins a session, unless it is the one that is.
func (b *Board) greeted(h message.Hello) bool {
	if byte(h.Session) == 0 {
		return false
	}
	if h.Session != b.session && h.Lowest <= message.Version && h.Highest >= message.Version {
		b.rest()
		b.session = h.Session
		b.discards = uint16(min(len(b.events)+int(b.pending), 0xFFFF))
		b.events, b.first, b.sent, b.pending = nil, 0, 0, 0
	}
	b.say()
	return true
}

// rest ends a session: outputs are safe, and what the host said last means nothing any more.
func (b *Board) rest() {
	for i := range b.outputs {
		b.fall(i)
	}
	b.beating, b.counted, b.safeSeen = false, false, false
	b.expected, b.known, b.barred = 0, 0, [message.MaxPins]byte{}
}

// command takes a command in its turn, or answers one that comes again as the first time.
func (b *Board) command(head message.Header, m message.Message) bool {
	place := &b.taken[head.Number%remembers]
	switch behind := b.expected - head.Number; {
	case behind > b.known:
		return false
	case behind == 0:
		*place = message.Ack{Of: head.Type, Result: b.obey(head.Number, m)}
		b.expected++
		b.known = min(b.known+1, remembers)
		for i := range b.barred {
			b.barred[i] -= min(b.barred[i], 1)
		}
	}
	b.send(head.Number, place)
	return true
}

func (b *Board) obey(number byte, m message.Message) message.Result {
	switch m := m.(type) {
	case *message.Configure:
		return b.configure(*m)
	case *message.Set:
		return b.set(number, *m)
	case *message.Name:
		if b.configured || b.opt.ID != message.NoID || m.ID == message.NoID {
			return message.NotNow
		}
		b.opt.ID = m.ID
	}
	return message.Taken
}

func (b *Board) configure(c message.Configure) message.Result {
	if b.configured && c == b.config {
		return message.Taken
	}
	for i, mode := range c.Modes {
		if mode == message.Unused {
			continue
		}
		needs := byte(message.AbleInput)
		switch {
		case mode.Output():
			needs = message.AbleOutput
		case mode == message.PullUp:
			needs |= message.AblePullUp
		}
		if i >= len(b.opt.Pins) || mode > message.OutHigh || b.opt.Pins[i].Abilities&needs != needs {
			return message.NotAble
		}
	}
	if c.BeatMS < uint16(message.LeastBeat.Milliseconds()) || c.BeatMS > uint16(message.MostBeat.Milliseconds()) {
		return message.NotAble
	}
	for i := range b.outputs {
		b.fall(i)
		if b.outputs[i].driven {
			b.changes = append(b.changes, Change{Pin: b.opt.Pins[i].Name, Micros: b.micros(b.now)})
		}
		b.outputs[i] = output{}
	}
	b.config, b.configured, b.beating = c, true, false
	return message.Taken
}

// held throws away what the host holds. It is false when there never were so many events. An old one that comes again
// says what was true once.
func (b *Board) held(h message.Held) bool {
	n := int(h.Next - b.first)
	old := n > b.opt.Room && b.first-h.Next <= 0x7FFF
	if n > len(b.events) && !old {
		return false
	}
	b.answered = b.micros(b.now)
	if old {
		return true
	}
	b.events, b.first = b.events[n:], h.Next
	b.sent = max(b.sent-n, 0)
	if h.Again {
		b.sent = 0
	}
	return true
}

func (b *Board) ping(cookie uint32) {
	now := b.micros(b.now) // a twin answers in no time
	b.send(0, &message.Pong{Cookie: cookie, Received: now, Levels: b.read(), Unsafe: b.unsafe(), Next: b.first + uint16(len(b.events)),
		Dropped: b.dropped, Glitches: b.glitches, Errors: b.errors, Time: now})
}

// read is what PONG says of the inputs.
func (b *Board) read() (levels uint64) {
	for i, mode := range b.config.Modes {
		if mode == message.Input || mode == message.PullUp {
			levels |= b.levels & (1 << i)
		}
	}
	return levels
}

func (b *Board) unsafe() (pins uint64) {
	for i := range b.outputs {
		if o := b.outputs[i]; o.driven && o.level != b.config.Modes[i].Safe() {
			pins |= 1 << i
		}
	}
	return pins
}
