package twin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"scentpost/firmware-bridge/message"
)

// side is what is known of the events of one board.
type side struct {
	session byte
	next    uint16
	floors  []floor // of this window, and the last one before
}

// floor is a promise: no event from a number on is stamped before an instant.
type floor struct {
	from uint16
	time uint64
}

// summary is what a window comes to: answers without their instants, events that are new, and the numbers of all that
// were sent.
type summary struct {
	answers []string
	events  []message.Event
	sent    map[uint16]bool
	idle    int // times that a board without a session said what it is
}

// sum makes a summary, and checks what a board promises of instants.
func (d *side) sum(s *script, w window) (sum summary) {
	s.Helper()
	sum.sent = map[uint16]bool{}
	d.floors = d.floors[max(0, len(d.floors)-1):]
	for _, h := range w.heard {
		if h.head.Session != d.session {
			*d = side{session: h.head.Session}
		}
		switch m := h.msg.(type) {
		case *message.Events:
			for i, e := range m.List {
				number := m.First + uint16(i)
				sum.sent[number] = true
				for _, f := range d.floors {
					if number >= f.from && e.Time < f.time {
						s.Fatalf("line %d: event %d is stamped %d, below the promise %d", w.line, number, e.Time, f.time)
					}
				}
				if number == d.next {
					d.next++
					sum.events = append(sum.events, e)
				}
			}
			d.floors = append(d.floors, floor{m.First + uint16(len(m.List)), m.Time})
		case *message.Board:
			if m.Session == 0 {
				sum.idle++
				continue
			}
			sum.answers = append(sum.answers, answer(h))
		default:
			sum.answers = append(sum.answers, answer(h))
		}
	}
	return sum
}

// answer is what a frame says, save what each board has of its own.
func answer(h heard) string {
	switch m := h.msg.(type) {
	case *message.Board:
		own := *m
		own.Boot, own.Cause, own.Firmware, own.Build, own.Time, own.ResolutionNS = 0, 0, [3]byte{}, [8]byte{}, 0, 0
		return fmt.Sprintf("BOARD %+v", own)
	case *message.Pong:
		own := *m
		own.Received, own.Time = 0, 0
		return fmt.Sprintf("PONG %+v", own)
	default:
		return fmt.Sprintf("0x%02X %d %+v", byte(h.head.Type), h.head.Number, m)
	}
}

// compare compares what two boards did, window by window.
func compare(s *script, core []window) {
	s.Helper()
	var twins, cores side
	for i, w := range s.did {
		if i >= len(core) {
			s.Fatalf("the core has %d windows of %d", len(core), len(s.did))
		}
		got, want := twins.sum(s, w), cores.sum(s, core[i])
		var wrong []string
		if !slices.Equal(got.answers, want.answers) {
			wrong = append(wrong, fmt.Sprintf("answers\n  twin %s\n  core %s", strings.Join(got.answers, "\n       "), strings.Join(want.answers, "\n       ")))
		}
		if !slices.EqualFunc(got.events, want.events, same) {
			wrong = append(wrong, fmt.Sprintf("events\n  twin %+v\n  core %+v", got.events, want.events))
		}
		if w.pins != core[i].pins {
			wrong = append(wrong, fmt.Sprintf("pins\n  twin %s\n  core %s", w.pins, core[i].pins))
		}
		if (s.exact || w.span >= long) && !maps.Equal(got.sent, want.sent) {
			wrong = append(wrong, fmt.Sprintf("sent in %d ms\n  twin %v\n  core %v", w.span/ms, slices.Sorted(maps.Keys(got.sent)), slices.Sorted(maps.Keys(want.sent))))
		}
		if w.span >= long && (got.idle > 0) != (want.idle > 0) {
			wrong = append(wrong, fmt.Sprintf("a board without a session said so %d times, the core %d times", got.idle, want.idle))
		}
		if len(wrong) > 0 {
			s.Fatalf("window %d, lines:\n%s\n%s", i, strings.Join(s.lines[max(0, w.line-12):w.line+1], "\n"), strings.Join(wrong, "\n"))
		}
	}
}

// same tells whether two events are one. What a timer does the firmware does at the next whole millisecond.
func same(a, b message.Event) bool {
	const late = 1100
	off := max(a.Time, b.Time) - min(a.Time, b.Time)
	if a.Kind == message.Edge && off > 0 || off > late {
		return false
	}
	a.Time, b.Time = 0, 0
	return a == b
}
