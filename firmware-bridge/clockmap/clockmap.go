// Package clockmap maps the clock of a board to the host's monotonic clock, with a bound that holds.
//
// Every ping says between which two instants of the host its arrival at the board lies: not before it was sent and
// crossed the wire, not after its answer crossed the wire back. Delays only make this interval wider, never wrong. So the
// intervals of many pings, carried to one instant by what is known of the board's rate, are cut with each other. What is left
// holds the truth; its middle is the map and its half the bound. A fit by least squares would have to guess how delays are
// distributed; here the shortest delay in either direction decides by itself.
package clockmap

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// mostOff is how far a board's rate may be off. Resonators have 0.5 % when new, and up to 1 % with temperature and age;
	// what is worse is measured too, up to twice that. Pings of a clock beyond it contradict each other, and no bound of it
	// holds.
	mostOff = 20000e-6
	// mostDrift is how fast a rate may change, in 1/s: a resonator that is heated by hand does 2 ppm/s.
	mostDrift = 3e-6
	// wireOff is how far the length of a byte may be off: 115,200 baud out of 16 MHz are 2.1 %.
	wireOff = 0.025
	// resolution covers the whole microseconds of a board's stamps.
	resolution = 2 * time.Microsecond
	// bucket and buckets are how pings are thinned: the best of each bucket is kept, for so many of them. Older ones
	// say less than their drift.
	bucket  = 200 * time.Millisecond
	buckets = 48
	// farthest is some 18 years in nanoseconds, so that a few such spans can be added.
	farthest = 1 << 59
)

// Ping is one measurement.
type Ping struct {
	Sent, Got      int64  // monotonic nanoseconds of the host: before the first byte was written, after the last came
	Received, Time uint64 // microseconds of the board: when the last byte came, and just before the answer
}

// The reasons for which a ping is no measurement, to be tested with errors.Is.
var (
	// ErrFast: the answer came sooner than the wire allows; somebody's clock, or the simulation, is squeezed.
	ErrFast = errors.New("a round trip shorter than the wire allows")
	// ErrOrder: it is older than the one before, or its instants run backwards.
	ErrOrder = errors.New("a ping out of order")
)

// span is where the host's clock was when the board's showed x. All are nanoseconds: x of the board's clock and
// lo and hi of the host's less x, both from the first ping on.
type span struct{ x, lo, hi float64 }

// Map is the clock map of one board since its start. Its zero value is not ready: use New.
type Map struct {
	wire   time.Duration // how long the frame of a ping takes on the wire
	begun  bool
	host0  int64
	board0 uint64

	spans []span // the best of each bucket, oldest first
	last  Ping
	used  uint64
	fast  uint64
	dated uint64        // times that the pings contradicted each other, so that old ones were dropped
	least time.Duration // the shortest round trip

	// The map around x: the host is y ± half off the board, rate ± slack per nanosecond.
	x, y, half, rate, slack float64
}

// New returns the map of a board whose pings and answers take wire each on the line.
func New(wire time.Duration) *Map { return &Map{wire: wire, slack: mostOff} }

// Add takes a ping.
func (m *Map) Add(p Ping) error {
	if p.Got < p.Sent || p.Time < p.Received || m.begun && (p.Received <= m.last.Received || p.Sent < m.last.Sent) {
		return fmt.Errorf("%w: sent %d, received %d, answered %d, got %d", ErrOrder, p.Sent, p.Received, p.Time, p.Got)
	}
	if p.Time-p.Received > uint64(p.Got-p.Sent) { // microseconds of the board: far more than passed
		m.fast++
		return fmt.Errorf("%w: its board was at it for %d us", ErrFast, p.Time-p.Received)
	}
	turn := int64(p.Time-p.Received) * int64(time.Microsecond)
	tolerance := time.Duration(float64(m.wire)*wireOff) + resolution
	room := p.Got - p.Sent - turn - 2*int64(m.wire)
	if room < -2*int64(tolerance) {
		m.fast++
		return fmt.Errorf("%w: %s, the wire alone takes %s", ErrFast, time.Duration(p.Got-p.Sent-turn), 2*m.wire)
	}
	if !m.begun {
		m.begun, m.host0, m.board0 = true, p.Sent, p.Received
	}
	m.last = p
	m.used++
	if trip := m.trip(); m.used == 1 || trip < m.least {
		m.least = trip
	}
	x := m.board(p.Received)
	s := span{x: x, lo: float64(p.Sent+int64(m.wire)-int64(tolerance)-m.host0) - x, hi: float64(p.Got-turn-int64(m.wire)+int64(tolerance)-m.host0) - x}
	m.keep(s)
	for !m.solve(x) {
		m.dated++
		if len(m.spans) == 1 { // rounding made its ends cross
			m.spans[0].lo, m.spans[0].hi = m.spans[0].hi, m.spans[0].lo
			continue
		}
		m.spans = m.spans[len(m.spans)/2:]
	}
	return nil
}

// board is an instant of the board's clock in nanoseconds since the first ping.
func (m *Map) board(micros uint64) float64 { return float64(int64(micros-m.board0)) * 1000 }

// keep puts a span in the place of a worse one of its bucket, or behind all, and drops what is too old.
func (m *Map) keep(s span) {
	whole := func(s span) float64 { return math.Floor(s.x / float64(bucket)) }
	n := len(m.spans)
	switch {
	case n == 0 || whole(m.spans[n-1]) != whole(s):
		m.spans = append(m.spans, s)
	case s.hi-s.lo <= m.spans[n-1].hi-m.spans[n-1].lo:
		m.spans[n-1] = s
	}
	for len(m.spans) > 1 && (len(m.spans) > buckets || s.x-m.spans[0].x > float64(buckets*bucket)) {
		m.spans = m.spans[1:]
	}
}

// solve finds the map around x. It is false when the spans contradict each other, which no honest clock makes them.
func (m *Map) solve(x float64) bool {
	slowest, fastest := m.rates(x)
	if slowest > fastest {
		return false
	}
	rate, slack := (slowest+fastest)/2, (fastest-slowest)/2
	lo, hi := math.Inf(-1), math.Inf(1)
	for _, s := range m.spans {
		age := x - s.x
		spread := slack*age + drifted(age)
		lo = max(lo, s.lo+rate*age-spread)
		hi = min(hi, s.hi+rate*age+spread)
	}
	if lo > hi {
		return false
	}
	m.x, m.y, m.half, m.rate, m.slack = x, (lo+hi)/2, (hi-lo)/2, rate, slack
	return true
}

// rates is between what the rate is off at x, per nanosecond: what every pair of spans allows, and what drifted since.
func (m *Map) rates(x float64) (slowest, fastest float64) {
	slowest, fastest = -mostOff, mostOff
	for j, b := range m.spans {
		for _, a := range m.spans[:j] {
			apart := b.x - a.x
			since := (x - (a.x+b.x)/2) * mostDrift / 1e9
			slowest = max(slowest, (b.lo-a.hi)/apart-since)
			fastest = min(fastest, (b.hi-a.lo)/apart+since)
		}
	}
	return slowest, fastest
}

// drifted is how far a clock gets away from a line in age nanoseconds.
func drifted(age float64) float64 { return mostDrift / 1e9 * age * age / 2 }

// Ready tells whether an instant can be mapped.
func (m *Map) Ready() bool { return m.begun }

// Host maps an instant of the board's clock to the host's, in nanoseconds, with how far that may be off. The board's own
// stamping is not in the bound.
func (m *Map) Host(micros uint64) (mono, bound int64) {
	x := m.board(micros)
	age := x - m.x
	y := m.y + m.rate*age
	return m.host0 + nanoseconds(math.Round(x+y)), nanoseconds(math.Ceil(m.half + m.slack*math.Abs(age) + drifted(age)))
}

// nanoseconds is a span in whole ones, at most centuries: a board whose stamps are broken may say anything.
func nanoseconds(f float64) int64 { return int64(max(-farthest, min(farthest, f))) }

// Board maps an instant of the host's clock to the board's, in whole microseconds, not before its start.
func (m *Map) Board(mono int64) uint64 {
	since := float64(mono-m.host0) - m.y + m.rate*m.x // = x * (1 + rate)
	micros := int64(math.Round(since / (1 + m.rate) / 1000))
	return uint64(max(0, int64(m.board0)+micros))
}

// Report is what is known of a map.
type Report struct {
	DriftPPM      float64       // how much slower the board's clock runs than the host's
	Slack         float64       // how far that may be off, in ppm
	Bound         time.Duration // at the last ping
	RoundTrip     time.Duration // of the last ping, the wire and the board's own time taken off
	Least         time.Duration // the shortest round trip so far
	Pings, Fast   uint64        // used, and refused since they were faster than the wire
	Contradicting uint64        // times that pings contradicted each other
}

// Report returns what is known now.
func (m *Map) Report() Report {
	return Report{DriftPPM: m.rate * 1e6, Slack: m.slack * 1e6, Bound: time.Duration(m.half),
		RoundTrip: m.trip(), Least: m.least, Pings: m.used, Fast: m.fast, Contradicting: m.dated}
}

// trip is the round trip of the last ping, the wire and the board's own time taken off.
func (m *Map) trip() time.Duration {
	turn := time.Duration(m.last.Time-m.last.Received) * time.Microsecond
	return time.Duration(m.last.Got-m.last.Sent) - turn - 2*m.wire
}
