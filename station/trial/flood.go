package trial

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"scentpost/station/event"
)

// Each refusal of a person's commands has a record of its own, up to a burst of refusalsAtOnce and then one each
// refusalEvery. What comes faster is counted, and sumAfter after its first one a single record stands for all of them: a
// person cannot fill the disk. No command is turned away by this; a refused one only leaves less behind.
const (
	refusalsAtOnce = 20
	refusalEvery   = 200 * time.Millisecond
	sumAfter       = time.Second
)

// floods has the refusals of each person.
type floods struct {
	people  map[string]*flood // by reference
	waiting int               // how many of them have refusals that wait to be summed
}

// flood has the refusals of one person.
type flood struct {
	full  int64                // the instant at which the whole burst is there again
	sum   map[event.Type]int64 // the refusals that have no record yet, by what was refused; nil for none
	since int64                // the instant of their first one
}

// due is the instant at which the refusals that wait are summed.
func (f *flood) due() int64 { return f.since + int64(sumAfter) }

// admits tells whether a refusal of a person at an instant has a record of its own. If not, it is counted.
func (fs *floods) admits(who string, what event.Type, now int64) bool {
	if fs.people == nil {
		fs.people = map[string]*flood{}
	}
	f := fs.people[who]
	if f == nil {
		f = &flood{}
		fs.people[who] = f
	}
	if full := max(f.full, now) + int64(refusalEvery); f.sum == nil && full <= now+refusalsAtOnce*int64(refusalEvery) {
		f.full = full
		return true
	}
	if f.sum == nil {
		f.sum, f.since = map[event.Type]int64{}, now
		fs.waiting++
	}
	f.sum[what]++
	return false
}

// next returns the person whose sum is due first; ok is false when no refusal waits. It is asked with every input, and then
// almost always none does.
func (fs *floods) next() (who string, at int64, ok bool) {
	if fs.waiting == 0 {
		return "", 0, false
	}
	for _, name := range slices.Sorted(maps.Keys(fs.people)) {
		if f := fs.people[name]; f.sum != nil && (!ok || f.due() < at) {
			who, at, ok = name, f.due(), true
		}
	}
	return who, at, ok
}

// take returns the refusals of a person that wait, in the order of what was refused, and forgets them.
func (fs *floods) take(who string) *event.RefusalSum {
	f := fs.people[who]
	sum := &event.RefusalSum{Since: f.since}
	for what, n := range f.sum {
		sum.Refused = append(sum.Refused, event.RefusedCount{Type: what, Count: n})
	}
	slices.SortFunc(sum.Refused, func(a, b event.RefusedCount) int { return cmp.Compare(a.Type, b.Type) })
	f.sum = nil
	fs.waiting--
	return sum
}

// sumUp takes the record of a refusal back where refusals of that person come too fast.
func (s *Stage) sumUp(now event.Stamp, who string) {
	m := &s.machine
	last := len(m.out) - 1
	if last < 0 || m.out[last].Kind != Record || m.out[last].Event.Type != event.Refused {
		return // outside a session a refusal leaves no record
	}
	if !s.floods.admits(who, m.out[last].Event.Body.(*event.Refusal).Type, now.Mono) {
		m.out = m.out[:last]
	}
}

// writeSums writes the sums of refusals that are due by an instant.
func (s *Stage) writeSums(now event.Stamp, by int64) {
	for {
		who, at, ok := s.floods.next()
		if !ok || at > by {
			return
		}
		s.step(now, event.Event{Type: event.RefusalsSummed, At: now, By: who, Body: s.floods.take(who)})
	}
}
