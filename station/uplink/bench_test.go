package uplink

import (
	"testing"

	"scentpost/station/uplink/wire"
)

// The sender alone: records decided on, cut and put into messages per second, every one acknowledged at once.
func BenchmarkSender(b *testing.B) {
	const records = 100_000
	line := make([]byte, 300) // a usual public line
	for i := range line {
		line[i] = 'x'
	}
	lines := make([][]byte, DefaultBatchLines)
	for i := range lines {
		lines[i] = line
	}
	o := testOptions(b, 0)
	o.Limits = Limits{Grid: 1}
	o.Size, o.Departed = records, wire.Departed{Epoch: "e1", Size: records}
	o.Lines = func(_ int64, most, mostBytes int) ([][]byte, error) {
		return lines[:min(most, mostBytes/len(line))], nil
	}
	b.ReportAllocs()
	for b.Loop() {
		s := newSender(b, o)
		s.Connected(1)
		readBack(s, wire.Departed{})
		for now := int64(1); s.Cursor() < records; now++ {
			answer(s, s.Tick(now).Publish, now)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// One record a tick, saved and acknowledged: the live case at its worst.
func BenchmarkSenderLive(b *testing.B) {
	o := testOptions(b, 0)
	line := [][]byte{make([]byte, 300)}
	o.Lines = func(int64, int, int) ([][]byte, error) { return line, nil }
	o.Limits = Limits{Grid: 1}
	for i := range line[0] {
		line[0][i] = 'x'
	}
	s := newSender(b, o)
	s.Connected(1)
	readBack(s, wire.Departed{})
	b.ReportAllocs()
	size, now := int64(0), int64(0)
	for b.Loop() {
		size++
		s.Durable(size)
		for s.Cursor() < size {
			now++
			out := s.Tick(now)
			if out.Save != nil {
				s.Saved(*out.Save)
			}
			answer(s, out.Publish, now)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
