//go:build linux

package linux

import (
	"slices"

	"github.com/warthog618/go-gpiocdev/uapi"
)

// sequence puts the events of one request in the order of the interrupts that they come from, and finds what is
// missing. The kernel numbers edges in the interrupt but hands them over from a thread for each line: they may
// overtake each other, and those that found the thread busy or the buffer full never come.
type sequence struct {
	lines int    // in the request
	last  uint32 // the number up to which all was taken or given up
	held  []uapi.LineEvent
}

// after tells whether the number a comes after b; numbers go round.
func after(a, b uint32) bool { return int32(a-b) > 0 }

// add takes an event. It returns false for one whose number was given up or came before.
func (s *sequence) add(e uapi.LineEvent) bool {
	if !after(e.Seqno, s.last) {
		return false
	}
	i := len(s.held)
	for i > 0 && after(s.held[i-1].Seqno, e.Seqno) {
		i--
	}
	if i > 0 && s.held[i-1].Seqno == e.Seqno {
		return false
	}
	s.held = slices.Insert(s.held, i, e)
	return true
}

// take appends the events that follow without a gap.
func (s *sequence) take(dst []uapi.LineEvent) []uapi.LineEvent {
	n := 0
	for n < len(s.held) && s.held[n].Seqno == s.last+1 {
		s.last++
		n++
	}
	dst = append(dst, s.held[:n]...)
	s.held = slices.Delete(s.held, 0, n)
	return dst
}

// missing is how many events ought to come before the first that is held; 0 when none is held.
func (s *sequence) missing() uint32 {
	if len(s.held) == 0 {
		return 0
	}
	return s.held[0].Seqno - s.last - 1
}

// hopeless tells whether events are missing that cannot have been overtaken: each line has at most one under way.
func (s *sequence) hopeless() bool { return s.missing() >= uint32(max(s.lines, 2)) }

// skip gives up what is missing before the first event that is held, and says how many that were.
func (s *sequence) skip() uint32 {
	lost := s.missing()
	s.last += lost
	return lost
}
