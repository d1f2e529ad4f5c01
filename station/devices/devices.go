// Package devices turns a checked configuration into what the station feels with its beams, buttons and sensors and
// does with its canisters, lights, fans and the like.
//
// Raw edges come in from a bus and go out as stamped events; commands come in and go out to lines. What keeps
// people and dogs safe sits here, below everything that thinks: the emergency stop and the longest open time need
// nobody else to be alive.
package devices

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"scentpost/drivers/bus"
	"scentpost/station/clock"
	"scentpost/station/event"
)

// Sink takes what the devices tell. Its methods are called one at a time, in order, never under a lock of the
// Station, so that they may call it; they must return quickly.
type Sink interface {
	// Event takes an event without session and run, stamped with the first edge that it was made of. Where edges of
	// beams or buttons were lost it is an EdgesLost, which names no source where it may have been a limit switch, and a
	// RunVoided where a beam or a button went.
	Event(event.Event)
	// Watermark promises that every event of source stamped before mono has been given. What a veiled source promises may
	// not be seen.
	Watermark(source string, mono int64)
}

// report is what waits for the sink: an event, a mark when source is set, or a condition when it has a code.
type report struct {
	event     event.Event
	source    string
	mark      int64
	condition condition
}

// Station is the devices of a station at work. Its methods may be called from any goroutine.
type Station struct {
	bus    bus.Bus
	clock  clock.Clock
	lights map[string]bus.Lamp
	routes map[string]route // by line

	drives  queue[order]
	driving atomic.Int64 // since when the drives have been at the present order, 0 while they are idle
	reports queue[report]
	apart   func(func()) // runs something on a goroutine of its own

	mu          sync.Mutex // guards what follows; held over no call of bus or sink
	sources     []*source  // in the order of their names
	sensors     []*sensor
	canisters   []*canister // in position order
	bursts      []*burst    // in the order of the configuration, as is the next
	airs        []*air
	timekeepers []*timekeeper
	positions   int                // of the station
	limited     string             // which sessions can be held, as the sink was told; "" for all
	members     []*member          // every device, in the order of the configuration
	levels      map[string]bool    // of each input that is routed, by its latest edge
	stamps      map[string]*source // what gave that edge; nil before the first
	facts       []bus.Fact         // scratch of the sensors
	moves       []bus.Fact         // scratch of the canisters
	early       []func()           // what came before the levels were read
	ready       bool
	down        bool
	senses      alarm
	gates       alarm
	kept        keep
	lagging     lagging
}

// route says whose a line is: a sensor's, or a canister's limit switch of a role.
type route struct {
	sensor   *sensor
	canister *canister
	role     string
}

// change runs f on the state, then does what f asked for: first the drives, then the reports. Whoever finds the
// drives busy leaves the reports to who is busy with them: nothing is told before what it tells of is done.
func (s *Station) change(f func()) {
	s.mu.Lock()
	f()
	if s.ready && !s.down {
		s.tellMarks()
		s.tellButtons()
	}
	s.arm()
	attend := s.attended()
	s.mu.Unlock()
	if attend != nil {
		attend()
	}
	if s.drives.run() {
		s.reports.run()
	}
}

// inlet is what the bus sees of a Station.
type inlet struct{ s *Station }

// Edge takes a raw edge.
func (i inlet) Edge(e bus.Edge) {
	i.s.change(func() {
		e.Mono, e.Bound = i.s.past(e.Mono, e.Bound)
		if !i.s.ready {
			i.s.keep(e)
			return
		}
		i.s.take(e)
	})
}

// past returns an instant that a source gave something, with its bound, as our clock has it: nothing that was told has happened
// after now. Where the two clocks part it is now, and the bound says by how far.
func (s *Station) past(mono, bound int64) (int64, int64) {
	now := s.clock.Now().Mono
	return min(mono, now), max(bound, mono-now)
}

// keep keeps an edge until the levels have been read.
func (s *Station) keep(e bus.Edge) { s.early = append(s.early, func() { s.take(e) }) }

// Watermark takes how far a source has reported.
func (i inlet) Watermark(w bus.Watermark) {
	i.s.change(func() {
		src := i.s.source(w.Source)
		src.mark = max(src.mark, w.Mono)
		i.s.tellInTime()
		i.s.tellLosses(src)
		i.s.advanceSensors()
		i.s.advanceCanisters()
	})
}

// Gap takes that edges are missing: some were numbered and never came, or a level changed without one. Of beams or buttons
// one of them may have been a nose or a call. It implements bus.GapSink.
func (i inlet) Gap(g bus.Gap) {
	i.s.change(func() {
		src := i.s.source(g.Source)
		src.why = g.Why
		if g.Lost == 0 { // what was numbered shows in the numbers
			src.gaps++
		}
		src.explained += g.Lost
		if slices.ContainsFunc(g.Lines, func(line string) bool { return i.s.routes[line].sensor != nil }) {
			limits := slices.ContainsFunc(g.Lines, func(line string) bool { return i.s.routes[line].canister != nil })
			i.s.lost(src.name, limits, event.Loss{Lost: int64(g.Lost), From: g.From, To: g.To, Why: g.Why})
		}
	})
}

// lost says that edges are missing that beams or buttons may have given. Where limit switches may have given them as well,
// it was perhaps a canister that arrived: then not even the source is named, and the host lets nothing of it be seen but what
// a canister's fault lets.
func (s *Station) lost(source string, limits bool, loss event.Loss) {
	if !s.ready {
		return
	}
	if limits {
		loss.Why = source + ": " + loss.Why
		source = ""
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1 // it would be longer in the record
		}
		return r
	}, loss.Why)
	loss.Why = short(plain, event.MaxWhy)
	s.tell(event.Event{Type: event.EdgesLost, At: s.clock.Now(), By: event.ByStation, Body: &event.LostEdges{Source: source}, Secret: &loss})
}

// void says that the run cannot be trusted: what facts come from is away.
func (s *Station) void(mono, bound int64) {
	s.tell(event.Event{Type: event.RunVoided, At: s.stamp(mono, bound), By: event.ByStation, Body: &event.Void{Why: event.Why{Cause: event.CauseSource}}})
}

func (s *Station) take(e bus.Edge) {
	if s.down {
		return
	}
	src := s.source(e.Source)
	r, known := s.routes[e.Line]
	if n := src.count(e.Seq); n > 0 && s.sensing(src, r) {
		s.lost(src.name, s.switching(src), event.Loss{Lost: int64(n), From: src.latest, To: e.Mono, Why: "numbers are missing before an edge"})
	}
	src.latest = e.Mono
	if known {
		s.levels[e.Line] = e.Level
		s.stamps[e.Line] = src
	}
	switch {
	case !known:
	case r.sensor != nil:
		s.edge(r.sensor, src, e)
	case r.canister.member.here():
		s.moved(r.canister, r.canister.part.Limit(s.moves[:0], r.role, e.Level, e.Mono, e.Bound))
		s.late(r.canister)
	}
}

// advanceSensors lets every beam and button conclude what is certain by now.
func (s *Station) advanceSensors() {
	if !s.ready || s.down {
		return
	}
	now := s.clock.Now().Mono
	for _, d := range s.sensors {
		if due, waits := d.part.Due(); waits && due <= d.known(s, now) {
			s.sensed(d, d.part.Advance(s.facts[:0], d.known(s, now)))
		}
	}
}

// advanceCanisters does the same for the canisters, and closes what was open for too long.
func (s *Station) advanceCanisters() {
	if !s.ready || s.down {
		return
	}
	now := s.clock.Now().Mono
	known := s.known(now)
	for _, c := range s.canisters {
		if due, waits := c.part.Due(); waits && due <= known && c.member.here() {
			s.moved(c, c.part.Advance(s.moves[:0], known))
		}
	}
	s.deadMan(now)
}

// arm asks the clock to call when something will be certain, should no mark come before. Sensors and canisters have
// an alarm each, and neither moves the other's: the order of calls at one instant would tell what canisters do.
func (s *Station) arm() {
	if s.down || !s.ready {
		s.senses.clear()
		s.gates.clear()
		return
	}
	var senses, gates earliest
	for _, d := range s.sensors {
		if due, waits := d.part.Due(); waits {
			senses.consider(due + int64(d.lateness(s)))
		}
	}
	late := int64(s.slowest())
	for _, c := range s.canisters {
		if due, waits := c.part.Due(); waits && c.member.here() {
			gates.consider(due + late)
		}
		if c.open {
			gates.consider(c.until)
		}
	}
	s.senses.set(s, senses, s.advanceSensors)
	s.gates.set(s, gates, s.advanceCanisters)
}

// tell puts an event in the queue for the sink.
func (s *Station) tell(e event.Event) {
	if !s.down {
		s.reports.add(report{event: e})
	}
}

// give hands a report to the sink. It runs from the queue of reports, outside the mutex.
func (r report) give(sink Sink) {
	switch {
	case r.condition.code != "":
		r.condition.give(sink)
	case r.source != "":
		sink.Watermark(r.source, r.mark)
	default:
		sink.Event(r.event)
	}
}

// stamp returns the instant mono with the clock's present errors.
func (s *Station) stamp(mono, bound int64) event.Stamp {
	at := s.clock.Now().AtMono(mono)
	at.Bound = max(at.Bound, bound)
	return at
}

// Light switches a light at once, and off again after lasting when that is not 0. A station without that light
// does nothing.
func (s *Station) Light(name string, on bool, lasting time.Duration) {
	if l := s.lights[name]; l != nil {
		l.Set(on, lasting)
	}
}

// patience is how much longer than they declare a lock waits for sources, before what they have not told makes a run void:
// what a busy machine may hold up a program that reads lines.
const patience = 500 * time.Millisecond

// Sources names everything that facts come from, each with how long after an instant a lock waits for what was stamped before
// it. A press is told when the button is let go, so that it is seconds. Nobody waits for a source that reports, unless it is
// veiled.
func (s *Station) Sources() map[string]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]time.Duration, len(s.sources))
	for _, src := range s.sources {
		all[src.name] = src.lateness
		if !src.veiled {
			all[src.name] += s.hold() + patience
		}
	}
	return all
}

// Veiled names the sources that stamp the limit switches of canisters alone, on carriers. What canisters give there holds up
// on the wires what such a source reports, and one of them may have taken it away altogether: whoever waits for it waits for
// as long as Sources says, whether it reports or not.
func (s *Station) Veiled() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, src := range s.sources {
		if src.veiled {
			names = append(names, src.name)
		}
	}
	return names
}

// Close closes every canister, puts the lights out and tells the sink nothing more. The bus stays open: it is its
// owner who closes it.
func (s *Station) Close() error {
	s.change(func() {
		s.closeAll(s.clock.Now().Mono)
		s.down = true
		if s.kept.stop != nil {
			s.kept.stop()
		}
		for _, a := range s.airs {
			a.next.clear()
		}
		for _, k := range s.timekeepers {
			k.next.clear()
		}
	})
	for _, l := range s.lights {
		l.Set(false, 0)
	}
	return nil
}
