package devices

import (
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/event"
)

// still is a clock that only stands.
type still struct{ now event.Stamp }

func (s *still) Now() event.Stamp               { return s.now }
func (s *still) At(int64, func()) (stop func()) { return func() {} }

// count is a sink that counts.
type count struct{ events, marks int }

func (c *count) Event(event.Event)       { c.events++ }
func (c *count) Watermark(string, int64) { c.marks++ }

// BenchmarkEdgeToSink is the path of a raw edge of a beam to the sink, on the station of six positions: each nose
// is two edges and a mark, and gives four events.
func BenchmarkEdgeToSink(b *testing.B) {
	w, c, k := newWorld(nil), &count{}, &still{}
	if _, err := Open(layout(), w, k, c); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := int64(i+1) * 50 * ms
		k.now.Mono = at
		w.sink.Edge(bus.Edge{Line: "beam3", Level: i%2 == 0, Mono: at, Source: "gpio", Seq: uint64(i + 1)})
		w.sink.Watermark(bus.Watermark{Source: "gpio", Mono: at + 25*ms})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "edges/s")
}

// BenchmarkMove commands a whole run and closes it.
func BenchmarkMove(b *testing.B) {
	w, c, k := newWorld(nil), &count{}, &still{}
	s, err := Open(layout(), w, k, c)
	if err != nil {
		b.Fatal(err)
	}
	moves := run("ABABAB")
	for b.Loop() {
		s.Move(k.now.Mono, time.Minute, moves)
		s.CloseAll()
		w.due, w.lines = w.due[:0], w.lines[:0]
	}
}
