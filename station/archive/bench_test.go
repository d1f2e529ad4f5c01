package archive

import (
	"syscall"
	"testing"
	"time"
)

// The journal of the benchmarks: 1,000 sessions of 12 runs in 823,000 records.
const (
	benchSessions = 1000
	benchRuns     = 12
	benchPassages = 66
)

// BenchmarkArchive measures the list and the export of one session, in a journal that holds it alone and in one with 999
// others: what an answer takes must not go by what else there is.
func BenchmarkArchive(b *testing.B) {
	for _, c := range []struct {
		name     string
		sessions int
	}{{"alone", 1}, {"among-1000", benchSessions}} {
		j := onDisk(b, b.TempDir())
		s := begin(b, j, "e1")
		s.hasty = true
		for n := range c.sessions {
			s.whole(id(n), benchRuns, benchPassages)
		}
		a := archiveOf(j)
		b.Run("list/"+c.name, func(b *testing.B) {
			defer processor(b)()
			for b.Loop() {
				if all, err := a.Sessions(); err != nil || len(all) != c.sessions {
					b.Fatal(len(all), err)
				}
			}
		})
		b.Run("export/"+c.name, func(b *testing.B) {
			defer processor(b)()
			for b.Loop() {
				if _, _, err := a.Bundle(id(c.sessions/2), true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// processor reports how much processor time one turn takes, which other work on the machine changes least.
func processor(b *testing.B) (report func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began := used()
	return func() {
		b.ReportMetric(float64((used()-began).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
	}
}
