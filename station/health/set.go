package health

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"scentpost/station/event"
)

// Exposure is how much of a condition may be seen from seal to reveal.
type Exposure int

// The exposures.
const (
	// Frozen shows it as it was at the seal. It is the zero value, so that nothing is told by oversight.
	Frozen Exposure = iota
	// Bare shows that it holds and since when, and not what was seen.
	Bare
	// Open shows all of it.
	Open
)

// Rule says how much may be seen, from seal to reveal, of a condition of a device or of what devices hang on.
type Rule func(code Code, on string) Exposure

// Withheld stands in the place of evidence that is told after the reveal.
const Withheld = "what was seen is told after the reveal"

type id struct {
	code Code
	on   string
}

// Set is the conditions of a station. Its zero value is a healthy station. It belongs to one goroutine.
//
// Between Freeze and Thaw nothing of it that anybody can see (what Raise and Clear return, Version, Worst, Snapshot)
// depends on conditions that are Frozen: they are as they were at Freeze. What happened to them meanwhile is kept with
// its times, told by Thaw, and shown until the next Freeze.
type Set struct {
	rule   Rule
	frozen bool
	now    map[id]Condition // what holds
	shown  map[id]Condition // while frozen, of what is not Open
	over   map[id]Condition // what ended while nobody could be told
	// version grows with every change that a reader could see.
	version uint64
}

// NewSet returns a healthy station whose devices' conditions go by rule. Without one all of them are Frozen.
func NewSet(rule Rule) Set { return Set{rule: rule} }

func (s *Set) exposure(key id) Exposure {
	switch {
	case !kinds[key.code].device:
		return Open
	case s.rule == nil:
		return Frozen
	}
	return s.rule(key.code, key.on)
}

// Raise notes that a condition holds. It tells whether that is news: raising it again counts, and takes the newer
// evidence. An unknown code is a mistake of the program and panics.
func (s *Set) Raise(code Code, on, evidence string, at event.Stamp) (news bool) {
	k, ok := kinds[code]
	if !ok {
		panic(fmt.Sprintf("health: no condition has the code %q", code))
	}
	key := id{code, on}
	c, held := s.now[key]
	if !held {
		c = Condition{Code: code, On: on, Title: k.title, Severity: k.severity, Todo: k.todo, Since: at.UTC}
	}
	c.Evidence = evidence
	c.Times++
	put(&s.now, key, c)
	if s.frozen {
		switch s.exposure(key) {
		case Frozen:
			return false
		case Bare:
			if _, held = s.shown[key]; held {
				return false
			}
			c.Evidence, c.Times, c.Since = Withheld, 1, at.UTC
			put(&s.shown, key, c)
		}
	}
	s.version++
	return !held
}

// Clear notes that a condition no longer holds at the instant at, and tells whether that is news.
func (s *Set) Clear(code Code, on string, at event.Stamp) (news bool) {
	key := id{code, on}
	c, held := s.now[key]
	delete(s.now, key)
	if exposure := s.exposure(key); s.frozen && exposure != Open {
		if held {
			if before, again := s.over[key]; again {
				c.Since, c.Times = before.Since, c.Times+before.Times
			}
			c.Until = at.UTC
			put(&s.over, key, c)
		}
		if _, held = s.shown[key]; !held || exposure == Frozen {
			return false
		}
		delete(s.shown, key)
	}
	if held {
		s.version++
	}
	return held
}

func put(into *map[id]Condition, key id, c Condition) {
	if *into == nil {
		*into = map[id]Condition{}
	}
	(*into)[key] = c
}

// Freeze begins the time in which nothing may be seen of what is Frozen but what can be seen now.
func (s *Set) Freeze() {
	if s.frozen {
		return
	}
	if len(s.over) > 0 {
		s.version++
	}
	s.frozen, s.over, s.shown = true, nil, map[id]Condition{}
	for key, c := range s.now {
		if s.exposure(key) != Open {
			s.shown[key] = c
		}
	}
}

// Thaw ends that time and returns, earliest first, what could not be told meanwhile: what holds now or did for a while.
// What was seen at Freeze and has ended comes with its end.
func (s *Set) Thaw() []Condition {
	if !s.frozen {
		return nil
	}
	var untold []Condition
	for key, c := range s.now {
		if s.exposure(key) != Open && s.shown[key] != c {
			untold = append(untold, c)
		}
	}
	untold = slices.AppendSeq(untold, maps.Values(s.over))
	slices.SortFunc(untold, func(a, b Condition) int { return cmp.Or(cmp.Compare(a.Since, b.Since), compare(a, b)) })
	s.frozen, s.shown = false, nil
	s.version++
	return untold
}

// Forget takes what is over out of what is shown.
func (s *Set) Forget() {
	if len(s.over) > 0 {
		s.over = nil
		s.version++
	}
}

// Frozen tells whether the set is between Freeze and Thaw.
func (s *Set) Frozen() bool { return s.frozen }

// Holds tells whether a condition holds, seen or not. It is for deciding whether a run may start, and may not be shown
// at an instant that depends on the condition.
func (s *Set) Holds(code Code, on string) bool { _, ok := s.now[id{code, on}]; return ok }

// Worst returns the highest severity that can be seen to hold, 0 when the station looks healthy.
func (s *Set) Worst() Severity {
	var worst Severity
	for _, c := range s.Snapshot() {
		if c.Until == 0 {
			worst = max(worst, c.Severity)
		}
	}
	return worst
}

// Version changes whenever Snapshot does.
func (s *Set) Version() uint64 { return s.version }

// Snapshot returns what can be seen now: what holds, worst first, then by code and what it is on, and behind it what
// ended between the last seal and its reveal. The caller may keep it.
func (s *Set) Snapshot() []Condition {
	all := make([]Condition, 0, len(s.now)+len(s.over))
	for key, c := range s.now {
		if !s.frozen || s.exposure(key) == Open {
			all = append(all, c)
		}
	}
	all = slices.AppendSeq(all, maps.Values(s.shown))
	if !s.frozen {
		all = slices.AppendSeq(all, maps.Values(s.over))
	}
	slices.SortFunc(all, compare)
	return all
}

// compare orders what holds before what is over, then the worst first.
func compare(a, b Condition) int {
	return cmp.Or(cmp.Compare(min(a.Until, 1), min(b.Until, 1)), cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(a.Code, b.Code), cmp.Compare(a.On, b.On))
}
