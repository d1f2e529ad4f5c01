package score

import (
	"cmp"
	"math"
	"slices"

	"scentpost/station/event"
)

// Run decides the outcomes of one run by the table "Outcomes, decided" of DOMAIN.md. What the table leaves open:
//
//   - Nothing is assumed of a position without a beam: where nobody said that the dog sampled it, it is sampled
//     "unknown", and a non-target there is not sampled, never a correct rejection. A rule can so ask for more than
//     such a line can show; the assessor's observations are the way out. A target that an all clear asserts to be
//     absent is a miss there too, but not one that is called unsearched.
//   - A run that locks as finished asserts the whole line, as an all clear does.
//   - A call that cannot be assigned puts positions in doubt: the two that it names; for an alert at no position, and
//     for a call whose time is inconclusive, all that were sampled before it. Policy "left-out" makes what is in
//     doubt inconclusive. Policy "wrong" makes a target in doubt a miss and the first non-target that the call names
//     a false alert; other non-targets in doubt stay inconclusive, since one call is one false alert at most.
//   - A run without a miss or a false alert in which nothing was decided (a time-out, and no nose seen) is
//     inconclusive, not correct.
//
// EffectiveBlind is left to the caller.
func Run(in RunFacts) event.RunResult {
	s := newScoring(in)
	result := event.RunResult{
		Result: Void, Presentations: make([]event.Presentation, len(in.Placement)),
		LatencyMS: None, SinceStartMS: None,
	}
	for i, slot := range in.Placement {
		result.Presentations[i] = s.presentation(slot)
	}
	if in.Lock.Reason == "" {
		return result
	}
	result.Result = s.result(result.Presentations)
	result.LatencyMS, result.SinceStartMS = s.latencies()
	return result
}

// scoring is a run's facts, ordered and cut at the lock.
type scoring struct {
	RunFacts
	calls   []CallFact    // by time
	first   map[int]int64 // the first entry at each position
	targets map[int]bool  // positions that hold one
	called  map[int]bool  // positions with a call that stands clear
	doubts  []doubt
}

// doubt is a call that cannot be assigned to one position.
type doubt struct {
	named []int // the positions that it names
	at    int64 // what was sampled up to here is in doubt when wide
	wide  bool
	all   bool // an all clear is in doubt: it asserted the whole line
}

func newScoring(in RunFacts) *scoring {
	s := &scoring{RunFacts: in, calls: slices.Clone(in.Calls), first: map[int]int64{}, targets: map[int]bool{}, called: map[int]bool{}}
	slices.SortStableFunc(s.calls, func(a, b CallFact) int { return cmp.Compare(a.At, b.At) })
	if in.FirstEnds && len(s.calls) > 1 {
		s.calls = s.calls[:1]
	}
	for _, e := range in.Entries {
		if at, seen := s.first[e.Position]; (e.At <= in.Lock.At || in.Lock.Reason == "") && (!seen || e.At < at) {
			s.first[e.Position] = e.At
		}
	}
	for _, slot := range in.Placement {
		s.targets[slot.Position] = slot.Kind == event.Target
	}
	for _, c := range s.calls {
		s.take(c)
	}
	if in.Lock.Inconclusive && len(s.doubts) == 0 {
		s.doubts = append(s.doubts, doubt{at: in.Lock.At, wide: true})
	}
	return s
}

// take sorts a call among those that stand clear and those in doubt.
func (s *scoring) take(c CallFact) {
	_, inLine := s.targets[c.Position]
	d := doubt{at: c.At, wide: c.Inconclusive, all: c.Kind == event.CallClear}
	switch {
	case c.Kind == event.CallAt && inLine:
		d.named = []int{c.Position}
	case c.Kind == event.CallBetween:
		d.named = []int{c.Position, c.Other}
	case c.Kind != event.CallClear:
		d.wide = true
	}
	switch {
	case d.wide || c.Kind == event.CallBetween:
		s.doubts = append(s.doubts, d)
	case c.Kind == event.CallAt:
		s.called[c.Position] = true
	}
}

// sampled tells how the dog's nose was seen at a position. Where there is a beam the beam decides.
func (s *scoring) sampled(position int) string {
	_, entered := s.first[position]
	switch {
	case slices.Contains(s.HasBeam, position) && entered:
		return SampledYes
	case slices.Contains(s.HasBeam, position):
		return SampledNo
	case s.Observed[position]:
		return SampledObserved
	}
	return SampledUnknown
}

func (s *scoring) presentation(slot event.Slot) event.Presentation {
	p := event.Presentation{Position: slot.Position, Kind: slot.Kind, Odour: slot.Odour, Sampled: s.sampled(slot.Position)}
	target := slot.Kind == event.Target
	switch {
	case s.Lock.Reason == "":
		p.Outcome = event.OutcomeVoid
	case s.called[slot.Position] && target:
		p.Outcome = event.Hit
	case s.called[slot.Position]:
		p.Outcome = event.FalseAlert
	default:
		s.uncalled(&p, target)
	}
	return p
}

// uncalled decides a position that no clear call names.
func (s *scoring) uncalled(p *event.Presentation, target bool) {
	doubted, blamed := s.doubted(p)
	seen := p.Sampled == SampledYes || p.Sampled == SampledObserved
	asserted := s.Lock.Reason != event.LockCall // the whole line counts as searched
	switch {
	case doubted && s.InconclusivePolicy == event.PolicyLeftOut:
		p.Outcome = event.Inconclusive
	case doubted && target:
		p.Outcome = event.Miss
	case blamed:
		p.Outcome = event.FalseAlert
	case doubted:
		p.Outcome = event.Inconclusive
	case target && (asserted || seen):
		p.Outcome = event.Miss
	case !target && seen:
		p.Outcome = event.CorrectRejection
	default:
		p.Outcome = event.NotSampled
	}
	if p.Outcome == event.Miss && asserted {
		p.Flag = s.flag(p.Sampled)
	}
}

// flag says why a target was missed where the dog did not pass it over.
func (s *scoring) flag(sampled string) string {
	switch {
	case s.Lock.Reason == event.LockTimeOut:
		return FlagTimeOut
	case sampled == SampledNo:
		return FlagUnsearched
	}
	return ""
}

// doubted tells whether a call in doubt concerns a position, and whether the position is the first non-target that
// such a call names.
func (s *scoring) doubted(p *event.Presentation) (doubted, blamed bool) {
	at, entered := s.first[p.Position]
	for _, d := range s.doubts {
		switch {
		case slices.Contains(d.named, p.Position):
			doubted = true
			first := slices.IndexFunc(d.named, func(position int) bool { return !s.targets[position] })
			blamed = blamed || (first >= 0 && d.named[first] == p.Position)
		case d.all && p.Kind == event.Target:
			doubted = true
		case d.wide:
			doubted = doubted || p.Sampled == SampledObserved || (entered && p.Sampled == SampledYes && at <= d.at)
		}
	}
	return doubted, blamed
}

// result decides the run as a whole.
func (s *scoring) result(all []event.Presentation) string {
	wrong := func(p event.Presentation) bool { return p.Outcome == event.Miss || p.Outcome == event.FalseAlert }
	right := func(p event.Presentation) bool {
		return p.Outcome == event.Hit || p.Outcome == event.CorrectRejection
	}
	cleared := slices.ContainsFunc(s.calls, func(c CallFact) bool { return c.Kind == event.CallClear })
	switch {
	case slices.ContainsFunc(all, wrong):
		return Wrong
	case len(s.doubts) > 0 && s.InconclusivePolicy == event.PolicyLeftOut:
		return Inconclusive
	case len(s.doubts) > 0:
		return Wrong
	case cleared || slices.ContainsFunc(all, right):
		return Correct
	}
	return Inconclusive
}

// latencies gives the first call's time from the first entry at its position, and from the start, in milliseconds.
func (s *scoring) latencies() (fromEntry, fromStart int) {
	fromEntry, fromStart = None, None
	if len(s.calls) == 0 {
		return fromEntry, fromStart
	}
	c := s.calls[0]
	if at, entered := s.first[c.Position]; entered && c.Kind == event.CallAt && s.sampled(c.Position) == SampledYes && at <= c.At {
		fromEntry = milliseconds(at, c.At)
	}
	if s.StartedAt > 0 && c.At >= s.StartedAt {
		fromStart = milliseconds(s.StartedAt, c.At)
	}
	return fromEntry, fromStart
}

// milliseconds gives the time between two instants, the earlier first, rounded down, so that a latency is never longer
// than it was, and cut at what a record can hold (24 days).
func milliseconds(from, to int64) int {
	ns := to - from
	if ns < 0 || ns/1_000_000 > math.MaxInt32 { // below 0: more than the monotonic clock can count
		return math.MaxInt32
	}
	return int(ns / 1_000_000)
}
