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
	hello, greeting := m.(*message.Hello)
	if err != nil || !greeting && (b.session == 0 || head.Session != byte(b.session)) {
		b.errors++
		return
	}
	b.heard = b.micros(b.now)
	switch m := m.(type) {
	case *message.Hello:
		b.greeted(*hello)
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
		b.beaten(m.Count)
	case *message.Ping:
		b.ping(m.Cookie)
	case *message.Held:
		b.held(*m)
	default:
		if head.Type.Command() {
			b.command(head, m)
			return
		}
		b.errors++
	}
}

// greeted begins a session, unless it is the one that is.
func (b *Board) greeted(h message.Hello) {
	if h.Session != b.session && h.Lowest <= message.Version && h.Highest >= message.Version {
		for i := range b.outputs {
			b.fall(i)
		}
		b.session, b.beating, b.counted, b.expected, b.safeSeen, b.barred = h.Session, false, false, 0, false, 0
		b.discards = uint16(min(len(b.events), 0xFFFF))
		b.events, b.first, b.sent, b.pending = nil, 0, 0, 0
	}
	b.say()
}

// command takes a command in its turn.
func (b *Board) command(head message.Header, m message.Message) {
	answer := func(r message.Result) { b.send(head.Number, &message.Ack{Of: head.Type, Result: r}) }
	switch behind := b.expected - head.Number; {
	case behind == 0:
		result := b.obey(head.Number, m)
		b.results[head.Number%duplicate] = result
		b.expected++
		if b.expected == b.until {
			b.barred = 0
		}
		answer(result)
	case behind <= duplicate:
		answer(b.results[head.Number%duplicate])
	}
}

func (b *Board) obey(number byte, m message.Message) message.Result {
	switch m := m.(type) {
	case *message.Configure:
		return b.configure(*m)
	case *message.Set:
		return b.set(number, *m)
	case *message.Name:
		if b.configured || b.opt.ID != message.NoID {
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
		needs := byte(message.AbleInput | message.AbleTimed)
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

func (b *Board) held(h message.Held) {
	n := int(h.Next - b.first)
	if n > len(b.events) {
		return // of another life
	}
	b.events, b.first = b.events[n:], h.Next
	b.sent = max(b.sent-n, 0)
	if h.Again {
		b.sent = 0
	}
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
