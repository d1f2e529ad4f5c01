package message

import (
	"scentpost/firmware-bridge/frame"
)

// Events carries events of a board, in the order of their numbers.
type Events struct {
	First uint16 // the number of the first, modulo 65,536
	Time  uint64 // no event behind these is stamped before it, microseconds of the board's clock
	List  []Event
}

// EventKind says what happened on a board.
type EventKind byte

// The kinds of events.
const (
	Edge EventKind = iota // an input changed
	Done                  // an output was driven
	Lost                  // events before the next one found no room
)

// How says why an output was driven.
type How byte

// The reasons.
const (
	BySet How = iota
	BySafe
	ByLongest // its time was over
	ByLoss    // of the heartbeat
)

// Event is one event of a board.
type Event struct {
	Kind   EventKind
	Time   uint64 // microseconds of the board's clock
	Pin    byte   // of Edge and Done
	Level  bool   // of Edge and Done: the voltage after it
	Number byte   // of Done: that of the Set or Safe
	How    How    // of Done
	Lost   uint16 // of Lost: how many, at least 1
}

const (
	codeRising  = 0x40
	codeOther   = 0x80
	codeDone    = 0x80
	codeLost    = 0x81
	pinMask     = 0x3F
	edgeSize    = 3
	otherSize   = 6
	eventsFixed = 15 // the payload before the events
	mostDelay   = 0xFFFF
	mostAge     = 0xFFFFFFFF
)

func (e Event) size() int {
	if e.Kind == Edge {
		return edgeSize
	}
	return otherSize
}

// Fit returns how many of events, from the first on, go into one Events whose Time is time.
func Fit(events []Event, time uint64) int {
	room := frame.MaxBody - headerSize - eventsFixed
	for i, e := range events {
		room -= e.size()
		if room < 0 || i > 0 && e.Time-events[i-1].Time > mostDelay || i == 0 && time-e.Time > mostAge {
			return i
		}
	}
	return len(events)
}

// Type is TypeEvents.
func (*Events) Type() Type { return TypeEvents }

func (m *Events) append(dst []byte) []byte {
	dst = le.AppendUint16(dst, m.First)
	dst = append(dst, byte(len(m.List)))
	dst = le.AppendUint64(dst, m.Time)
	if len(m.List) == 0 {
		return le.AppendUint32(dst, 0)
	}
	before := m.List[0].Time
	dst = le.AppendUint32(dst, uint32(m.Time-before))
	for _, e := range m.List {
		dst = le.AppendUint16(dst, uint16(e.Time-before))
		before = e.Time
		switch e.Kind {
		case Edge:
			dst = append(dst, e.Pin|one(e.Level)*codeRising)
		case Done:
			dst = append(dst, codeDone, e.Pin, e.Number, one(e.Level)|byte(e.How)<<1)
		default:
			dst = le.AppendUint16(append(dst, codeLost, 0), e.Lost)
		}
	}
	return dst
}

func (m *Events) read(r *reader) {
	m.First = r.u16()
	count := int(r.u8())
	m.Time = r.u64()
	age := uint64(r.u32())
	switch {
	case age > m.Time:
		r.fail(ErrValue, "an age of %d at %d: before the clock began", age, m.Time)
	case count == 0 && age != 0:
		r.fail(ErrValue, "an age of %d without an event", age)
	}
	at := m.Time - age
	for i := range count {
		delay := r.u16()
		if i == 0 && delay != 0 {
			r.fail(ErrValue, "the first event has a delay of %d", delay)
		}
		at += uint64(delay)
		e := readEvent(r)
		e.Time = at
		if at > m.Time {
			r.fail(ErrValue, "an event at %d, behind the frame's time %d", at, m.Time)
		}
		if r.err != nil {
			return
		}
		m.List = append(m.List, e)
	}
}

func readEvent(r *reader) Event {
	code := r.u8()
	switch {
	case code < codeOther:
		return Event{Kind: Edge, Pin: code & pinMask, Level: code&codeRising != 0}
	case code == codeDone:
		e := Event{Kind: Done, Pin: r.most(MaxPins-1, "pin"), Number: r.u8()}
		how := r.most(1|byte(ByLoss)<<1, "how")
		e.Level, e.How = how&1 != 0, How(how>>1)
		if e.How > BySafe && e.Number != 0 {
			r.fail(ErrValue, "nobody's command has the number %d", e.Number)
		}
		return e
	case code == codeLost:
		r.zeros(1, "the filling")
		e := Event{Kind: Lost, Lost: r.u16()}
		if e.Lost == 0 {
			r.fail(ErrValue, "no events are lost")
		}
		return e
	}
	r.fail(ErrValue, "no event has the code 0x%02X", code)
	return Event{}
}
