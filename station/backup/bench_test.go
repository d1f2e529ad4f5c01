package backup

import (
	"bytes"
	"testing"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// benchRecords is how many records the journal of a benchmark has.
const benchRecords = 100_000

// large makes a station of many records.
func large(b *testing.B) house {
	b.Helper()
	h := newHouse(b)
	s := begin(b, h.open(b), "e1", newKey(b, 1))
	var batch journal.Batch
	for n := s.tree.Size(); n < benchRecords; n++ {
		e := event.Event{Type: event.BeamEntered, Session: "s1", Run: 1, By: "beam-1", Body: &event.Beam{Position: 1}}
		e.At.Quality = event.Simulated
		r := record.Record{Site: site, Station: station, Epoch: "e1", Seq: n, Event: e}
		s.chain.Link(&r)
		line, err := record.Encode(nil, r)
		if err != nil {
			b.Fatal(err)
		}
		s.chain.Add(&r, record.LeafHash(line))
		batch.Rows = append(batch.Rows, journal.Row{Seq: n, Session: "s1", Type: e.Type, Run: 1, Line: line})
	}
	if err := s.j.Commit(batch); err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkBackup makes a backup of 100,000 records and reads it back.
func BenchmarkBackup(b *testing.B) {
	h := large(b)
	var size int
	for b.Loop() {
		whole := text(b, h, "")
		if _, err := Check(bytes.NewReader(whole)); err != nil {
			b.Fatal(err)
		}
		size = len(whole)
	}
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(benchRecords*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkRestore makes a journal of it again.
func BenchmarkRestore(b *testing.B) {
	whole := text(b, large(b), "")
	for b.Loop() {
		if _, err := Restore(bytes.NewReader(whole), newHouse(b).target()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchRecords*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
