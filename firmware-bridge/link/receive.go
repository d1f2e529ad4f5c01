package link

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// Receive takes bytes that came at an instant.
func (m *Machine) Receive(now int64, line []byte) {
	if m.state == Shut {
		return
	}
	if m.state == Greeting {
		m.loose += len(line)
	}
	m.split.Write(line, func(body []byte) { m.take(now, body) }, func(error) {
		m.loose = 0
		m.stats.Errors++
	})
	// At another speed bytes may come and hardly ever a delimiter.
	for ; m.loose >= frame.MaxWire+frame.MinWire; m.loose -= frame.MinWire {
		m.stats.Errors++
	}
	m.answer(now)
}

// take takes one sound frame.
func (m *Machine) take(now int64, body []byte) {
	m.loose = 0
	head, msg, err := message.Parse(body)
	if err != nil {
		m.stats.Strange++
		return
	}
	if b, says := msg.(*message.Board); says {
		m.stats.Frames++
		m.greeted(now, head, *b)
		return
	}
	if m.state == Greeting || head.Session != byte(m.session) {
		m.stats.Strange++ // stale, or of somebody who was here before
		return
	}
	m.stats.Frames++
	switch msg := msg.(type) {
	case *message.Pin:
		m.described(now, *msg)
	case *message.Ack:
		m.acknowledged(now, head.Number, *msg)
	case *message.Pong:
		m.ponged(now, *msg)
	case *message.Events:
		m.happened(now, *msg)
	default:
		m.stats.Strange++
	}
}

// greeted takes what the board says of itself: the answer to a greeting, or that it has started.
func (m *Machine) greeted(now int64, head message.Header, b message.Board) {
	if b.Session != 0 && b.Session != m.session {
		m.stats.Strange++
		return
	}
	if b.Session == 0 {
		if m.state != Greeting {
			m.lose(now, fmt.Errorf("%w: it has started again (%s)", ErrDown, b.Cause))
		} else if now-m.asked >= int64(resend) {
			m.hello(now) // it has just come up: do not let it wait
		}
		return
	}
	if m.state != Greeting {
		return // a double
	}
	m.heard = now
	known := m.met && b.Build == m.board.Build && b.Kind == m.board.Kind && len(m.pins) == int(b.Pins)
	m.missed(b)
	m.board, m.met = b, true
	switch {
	case head.Version != message.Version:
		m.refuse(fmt.Errorf("%w: it speaks version %d of the protocol, the station %d: flash the station's firmware", ErrBoard, head.Version, message.Version))
	case m.opt.ID != message.NoID && b.ID != m.opt.ID:
		m.refuse(fmt.Errorf("%w: its id is %s, the configuration wants %s: the cables may be swapped", ErrBoard, idText(b.ID), idText(m.opt.ID)))
	case known:
		m.configure(now)
	default:
		m.pins = m.pins[:0]
		m.state = Describing
		m.describe(now)
	}
}

func idText(id message.ID) string {
	if id == message.NoID {
		return "not set"
	}
	return fmt.Sprintf("%q", strings.TrimRight(string(id[:]), "\x00"))
}

// missed notes what the board held when the session began: what it threw away, or that nobody knows after a start.
func (m *Machine) missed(b message.Board) {
	switch {
	case m.met && b.Boot != m.board.Boot:
		m.gone.any, m.gone.why = true, fmt.Sprintf("the board started again (%s): what it held is lost", b.Cause)
	case b.Discarded > 0:
		m.stats.Lost += uint64(b.Discarded)
		m.gone.any, m.gone.why = true, "the line was broken: the board threw away what it held"
		m.gone.lost += uint64(b.Discarded)
	}
}

// refuse leaves a board alone that is not the right one. It is asked again when the silence is over.
func (m *Machine) refuse(why error) { m.state, m.why = Wrong, why }

func (m *Machine) describe(now int64) {
	m.asked = now
	m.send(0, &message.Describe{Index: byte(len(m.pins))})
}

// described takes what a pin is able to.
func (m *Machine) described(now int64, p message.Pin) {
	if m.state != Describing || int(p.Index) != len(m.pins) {
		return
	}
	m.heard = now
	if m.pins = append(m.pins, p); len(m.pins) < int(m.board.Pins) {
		m.describe(now)
		return
	}
	m.configure(now)
}

// configure makes a configuration of the pins' names, and begins to compare the clocks.
func (m *Machine) configure(now int64) {
	m.config = message.Configure{BeatMS: uint16(m.opt.Beat / time.Millisecond)}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(m.opt.Pins)) {
		mode := m.opt.Pins[name]
		i := slices.IndexFunc(m.pins, func(p message.Pin) bool { return p.Name == name })
		switch {
		case i < 0:
			wrong = append(wrong, fmt.Sprintf("it has no pin %s", name))
		case !able(m.pins[i], mode):
			wrong = append(wrong, fmt.Sprintf("its pin %s cannot be what it is configured as", name))
		default:
			m.config.Modes[i] = mode
		}
	}
	if len(wrong) > 0 {
		var names []string
		for _, p := range m.pins {
			names = append(names, p.Name)
		}
		m.refuse(fmt.Errorf("%w: %s (its pins are %s)", ErrBoard, strings.Join(wrong, ", "), strings.Join(names, ", ")))
		return
	}
	m.state = Timing
	m.ping(now)
}

func able(p message.Pin, mode message.Mode) bool {
	needs := map[message.Mode]byte{message.Input: message.AbleInput | message.AbleTimed, message.PullUp: message.AbleInput | message.AbleTimed | message.AblePullUp,
		message.OutLow: message.AbleOutput, message.OutHigh: message.AbleOutput}[mode]
	return p.Abilities&needs == needs
}

// name is the name of a pin.
func (m *Machine) name(pin byte) string {
	if int(pin) < len(m.pins) {
		return m.pins[pin].Name
	}
	return fmt.Sprint(pin)
}
