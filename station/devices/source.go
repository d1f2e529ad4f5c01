package devices

import (
	"fmt"
	"math"
	"slices"
	"time"

	"scentpost/station/health"
)

// source is one thing that stamps edges, with how far it has reported.
type source struct {
	name      string
	lateness  time.Duration // as the bus declares it
	mark      int64         // no edge stamped before it will come
	told      int64         // the mark that the sink has
	seq       uint64        // of the latest edge
	latest    int64         // its stamp; 0 before it
	received  uint64        // edges that came
	lost      uint64        // edges that were counted and never came
	explained uint64        // of those to come: a gap has told of them
	gaps      uint64        // times that edges are missing which nobody counted
	why       string        // of the latest loss, as the bus says it
	shown     [2]uint64     // lost and gaps, as the sink was told
	veiled    bool          // it stamps the limit switches of canisters alone, on a carrier; see Veiled
}

func newSource(name string, lateness time.Duration) *source {
	const never = math.MinInt64
	return &source{name: name, lateness: lateness, mark: never, told: never}
}

// known is the instant before which every edge of the source has come: as it says itself or, when it is silent, as
// its lateness allows.
func (s *source) known(now int64) int64 { return max(s.mark, now-int64(s.lateness)) }

// count takes the sequence number of an edge, and returns how many edges are missing before it that no gap told of. A
// number that does not follow is a loss; a smaller one is an edge that was overtaken, or a source that began anew.
func (s *source) count(seq uint64) (untold uint64) {
	s.received++
	if s.seq != 0 && seq > s.seq+1 {
		missing := seq - s.seq - 1
		told := min(missing, s.explained)
		s.lost, s.explained, untold = s.lost+missing, s.explained-told, missing-told
	}
	if seq <= s.seq {
		s.explained = 0
	}
	s.seq = seq
	return untold
}

// tellLosses says what edges of a source are missing, when that is news. It is asked at the source's marks, which come at
// regular instants: a storm is told of now and then.
func (s *Station) tellLosses(src *source) {
	now := [2]uint64{src.lost, src.gaps}
	if now == src.shown {
		return
	}
	src.shown = now
	evidence := fmt.Sprintf("edges that came: %d; numbered and never came: %d; gaps that nobody could count: %d", src.received, src.lost, src.gaps)
	if src.why != "" {
		evidence += "; the latest: " + src.why
	}
	s.condition(health.EdgesLost, src.name, evidence)
}

// Silent says for which sources a lock has waited in vain, and that all others report: see host.Options.
func (s *Station) Silent(names []string) {
	s.change(func() {
		now := s.clock.Now().Mono
		for _, src := range s.sources {
			if !slices.Contains(names, src.name) {
				s.over(health.SourceSilent, src.name)
				continue
			}
			evidence := "a run ended, and it did not say that it had told everything up to then"
			if src.told != math.MinInt64 {
				evidence += fmt.Sprintf("; it last said so %s ago", time.Duration(now-src.told).Round(time.Millisecond))
			}
			s.condition(health.SourceSilent, src.name, evidence)
		}
	})
}

// sensing tells whether a source stamps beams or buttons: then a lost edge of it may have been a nose or a call. What
// is lost of a limit switch shows in its canister, and is told behind the curtain.
func (s *Station) sensing(src *source, of route) bool {
	return of.sensor != nil || slices.ContainsFunc(s.sensors, func(d *sensor) bool { return d.source == src })
}

// switching tells whether a source may stamp limit switches, for all that their edges have told: then a lost edge of it may
// have been a canister's.
func (s *Station) switching(src *source) bool {
	for line, r := range s.routes {
		if by := s.stamps[line]; r.canister != nil && (by == nil || by == src) {
			return true
		}
	}
	return false
}

// source returns the source of a name; one that the bus did not declare has no lateness.
func (s *Station) source(name string) *source {
	for _, src := range s.sources {
		if src.name == name {
			return src
		}
	}
	src := newSource(name, 0)
	s.sources = append(s.sources, src)
	return src
}

// known is the instant before which every edge of every source has come.
func (s *Station) known(now int64) int64 {
	known := now
	for _, src := range s.sources {
		known = min(known, src.known(now))
	}
	return known
}

// slowest is the largest lateness of all sources.
func (s *Station) slowest() time.Duration {
	var late time.Duration
	for _, src := range s.sources {
		late = max(late, src.lateness)
	}
	return late
}

// tellMarks passes on how far each source has reported, held back below every fact that may yet come of its
// edges: who closes an instant after a mark has every fact stamped up to it.
func (s *Station) tellMarks() {
	for _, src := range s.sources {
		mark := src.mark
		for _, d := range s.sensors {
			if d.source != src {
				continue
			}
			if at, pending := d.part.Pending(); pending {
				mark = min(mark, at-1)
			}
		}
		if mark > src.told {
			src.told = mark
			s.reports.add(report{source: src.name, mark: mark})
		}
	}
}
