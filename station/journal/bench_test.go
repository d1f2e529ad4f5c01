package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// written returns the bytes that this process has handed to the disk, page cache included; -1 where the kernel
// does not say.
func written() int64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return -1
	}
	for _, line := range strings.Split(string(text), "\n") {
		if n, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			bytes, _ := strconv.ParseInt(n, 10, 64)
			return bytes
		}
	}
	return -1
}

// quantiles reports p50 and p99 of the waits.
func quantiles(b *testing.B, waits []time.Duration) {
	if len(waits) == 0 {
		return
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), "p99-us")
}

// BenchmarkCommit is one row a commit, from the call to its return.
func BenchmarkCommit(b *testing.B) {
	p := newPlace(b)
	j := p.open(b)
	before := written()
	waits := make([]time.Duration, 0, b.N)
	seq := int64(0)
	for b.Loop() {
		from := time.Now()
		mustCommit(b, j, Batch{Rows: rows(seq, seq+1, "s1")})
		waits = append(waits, time.Since(from))
		seq++
	}
	b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(float64(written()-before)*1000/float64(seq), "B/1000rows")
	quantiles(b, waits)
}

// BenchmarkProducers is so many producers, each of which waits until its row is durable before it brings the next.
func BenchmarkProducers(b *testing.B) {
	for _, producers := range []int{1, 16} {
		b.Run(fmt.Sprint(producers), func(b *testing.B) {
			j := newPlace(b).open(b)
			before := written()
			f := fleet{todo: int64(b.N), waiting: map[int64]chan struct{}{}}
			f.writer = NewWriter(j, 2*producers, f.durable, func(err error) { b.Error(err) })
			var all sync.WaitGroup
			waits := make([][]time.Duration, producers)
			b.ResetTimer()
			for i := range producers {
				all.Go(func() { waits[i] = f.produce(b) })
			}
			all.Wait()
			b.StopTimer()
			if err := f.writer.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(written()-before)*1000/float64(b.N), "B/1000rows")
			quantiles(b, slices.Concat(waits...))
		})
	}
}

// fleet hands out sequence numbers to producers, and wakes each when its row is durable.
type fleet struct {
	writer  *Writer
	mu      sync.Mutex // guards all below, and orders Append
	next    int64
	todo    int64
	done    int64 // rows durable
	waiting map[int64]chan struct{}
}

func (f *fleet) durable(seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; f.done <= seq; f.done++ {
		close(f.waiting[f.done])
		delete(f.waiting, f.done)
	}
}

func (f *fleet) produce(b *testing.B) (waits []time.Duration) {
	for {
		f.mu.Lock()
		if f.next == f.todo {
			f.mu.Unlock()
			return waits
		}
		seq, woken, from := f.next, make(chan struct{}), time.Now()
		f.waiting[seq] = woken
		f.next++
		err := f.writer.Append(Batch{Rows: rows(seq, seq+1, "s1")})
		f.mu.Unlock()
		if err != nil {
			b.Error(err)
			return waits
		}
		<-woken
		waits = append(waits, time.Since(from))
	}
}

// BenchmarkBatch is a hundred rows a commit: what a backlog costs.
func BenchmarkBatch(b *testing.B) {
	j := newPlace(b).open(b)
	before := written()
	seq := int64(0)
	for b.Loop() {
		mustCommit(b, j, Batch{Rows: rows(seq, seq+100, "s1")})
		seq += 100
	}
	b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(written()-before)*1000/float64(seq), "B/1000rows")
}

// long makes a journal of so many records, stopped cleanly.
func long(b *testing.B, records int64) place {
	b.Helper()
	p := newPlace(b)
	j := p.open(b)
	for from := int64(0); from < records; from += 1000 {
		mustCommit(b, j, Batch{Rows: rows(from, from+1000, fmt.Sprintf("s%d", from/5000))})
	}
	mustCommit(b, j, Batch{Checkpoints: []Checkpoint{note(b, j, records-1000)}})
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkOpen is a start after a clean stop, with records, tree and one line read.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int64{1000, 200_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			p := long(b, records)
			for b.Loop() {
				j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
				if err != nil || !j.Recovery().Checked {
					b.Fatal(err, j.Recovery())
				}
				if _, err := Root(records, j); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkCheck is what an unclean start checks, and what a damage makes it check: every record.
func BenchmarkCheck(b *testing.B) {
	p := long(b, 200_000)
	state, err := os.Stat(filepath.Join(p.dir, "epoch-e1.db"))
	if err != nil {
		b.Fatal(err)
	}
	gigabytes := float64(state.Size()) / 1e9
	for name, check := range map[string]func(l *ledger){
		"quick": func(l *ledger) {
			if found, err := l.inspect(context.Background()); err != nil || found.good != 200_000 || len(found.pages) > 0 {
				b.Fatal(found.good, found.pages, err)
			}
		},
		"every record": func(l *ledger) {
			w := walker{ledger: l, found: &inspection{}}
			for from := int64(0); from < 200_000; from += walkRows {
				w.walk(context.Background(), from, min(from+walkRows, 200_000))
			}
			if w.edge.Size() != 200_000 {
				b.Fatal(w.edge.Size())
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			l, _, err := openLedger(epochPath(p.dir, "e1"), "e1")
			if err != nil {
				b.Fatal(err)
			}
			defer l.close()
			for b.Loop() {
				check(l)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/gigabytes, "s/GB")
		})
	}
}

// BenchmarkMemoryCommit is the store of simulations, records hashed.
func BenchmarkMemoryCommit(b *testing.B) {
	m := NewMemory()
	if err := m.BeginEpoch("e1", WhyFirst); err != nil {
		b.Fatal(err)
	}
	sample := row(0, "s1")
	for seq := int64(0); b.Loop(); seq++ {
		sample.Seq = seq
		mustCommit(b, m, Batch{Rows: []Row{sample}})
	}
}
