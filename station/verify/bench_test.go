package verify

import (
	"testing"

	"scentpost/station/event"
)

// BenchmarkVerify100k verifies a session of 100,000 records up to the engine: it was not revealed. The aim is 2 s.
func BenchmarkVerify100k(b *testing.B) {
	const records = 100_000
	s, _ := unrevealed(b, 1)
	for i := range records {
		s.event(event.Edge, 1, &event.RawEdge{Device: "beam-3", Active: i%2 == 0}, nil)
	}
	s.event(event.RunLocked, 1, &event.Lock{Reason: event.LockTimeOut, At: 5}, nil)
	s.checkpoint("lock")
	bundle := zipOf(b, s.bundle(3))
	b.SetBytes(int64(len(bundle)))
	b.ResetTimer()
	for b.Loop() {
		if r := Verify(bundle, Options{}); !r.Consistent {
			b.Fatal(r.Problems)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/100k")
}

// BenchmarkVerify100kReplayed is the same over a whole session: opened, drawn again and run again.
func BenchmarkVerify100kReplayed(b *testing.B) {
	_, session := play(b, "none", func(p *played) { p.noise = 100_000 })
	bundle := zipOf(b, session)
	b.SetBytes(int64(len(bundle)))
	b.ResetTimer()
	for b.Loop() {
		if r := Verify(bundle, Options{}); !r.Consistent || r.Replay != ReplayChecked {
			b.Fatal(r.Replay, r.Problems)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/100k")
}
