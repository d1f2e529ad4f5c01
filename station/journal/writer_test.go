package journal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// faulty is a store whose commits a test can look into.
type faulty struct {
	Store
	commit func(Batch) error
}

func (f faulty) Commit(b Batch) error { return f.commit(b) }

// newFaulty returns a store in memory; before is called before each commit and may refuse it.
func newFaulty(t *testing.T, before func(Batch) error) faulty {
	t.Helper()
	m := NewMemory()
	if err := m.BeginEpoch("e1", WhyFirst); err != nil {
		t.Fatal(err)
	}
	return faulty{Store: m, commit: func(b Batch) error {
		if err := before(b); err != nil {
			return err
		}
		return m.Commit(b)
	}}
}

func none(error)     {}
func ignore(_ int64) {}

func TestDurableComesInOrderAndAfterTheCommit(t *testing.T) {
	stores(t, func(t *testing.T, s both) {
		const total = 3000
		var seqs []int64
		var early atomic.Bool
		w := NewWriter(s, total, func(seq int64) {
			if size := s.Size(); size <= seq {
				early.Store(true)
			}
			seqs = append(seqs, seq)
		}, none)
		for seq := int64(0); seq < total; seq++ {
			if err := w.Append(Batch{Rows: rows(seq, seq+1, "s1")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if early.Load() {
			t.Error("a seq was called durable before it was stored")
		}
		if !slices.IsSorted(seqs) || len(seqs) == 0 || seqs[len(seqs)-1] != total-1 {
			t.Errorf("%d calls of durable, the last is not %d, or they are not in order", len(seqs), total-1)
		}
		if s.Size() != total {
			t.Error("closing did not drain the queue")
		}
	})
}

func TestAppendNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s := newFaulty(t, func(Batch) error {
			once.Do(func() { close(begun); <-goOn }) // the first commit stalls
			return nil
		})
		var durable []int64
		w := NewWriter(s, 2, func(seq int64) { durable = append(durable, seq) }, none)
		for seq, want := range []error{nil, nil, nil, ErrQueueFull, ErrQueueFull} {
			if seq == 1 {
				<-begun
			}
			if err := w.Append(Batch{Rows: rows(int64(seq), int64(seq)+1, "")}); !errors.Is(err, want) {
				t.Errorf("append %d on a stalled disk: %v, want %v", seq, err, want)
			}
		}
		if w.Waiting() != 2 {
			t.Errorf("%d batches wait, want 2", w.Waiting())
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closing over a stalled commit: %v", err)
		}
		close(goOn)
		if err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(durable, []int64{0, 2}) {
			t.Errorf("durable %v, want 0, and 1 and 2 in one group", durable)
		}
	})
}

func TestAfterAFailedCommitNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("fsync failed")
		commits := 0
		s := newFaulty(t, func(Batch) error {
			if commits++; commits == 2 {
				return broken
			}
			return nil
		})
		var failures []error
		var durable []int64
		pinged := false
		w := NewWriter(s, 8, func(seq int64) { durable = append(durable, seq) }, func(err error) { failures = append(failures, err) })
		for seq := range int64(3) {
			_ = w.Append(Batch{Rows: rows(seq, seq+1, "")})
			synctest.Wait()
		}
		_ = w.Ping(func() { pinged = true })
		synctest.Wait()
		if err := w.Append(Batch{Rows: rows(1, 2, "")}); !errors.Is(err, ErrFailed) || !errors.Is(err, broken) {
			t.Errorf("append after a failure: %v", err)
		}
		if err := w.Close(context.Background()); !errors.Is(err, broken) {
			t.Errorf("close after a failure: %v", err)
		}
		if commits != 2 || len(failures) != 1 || !slices.Equal(durable, []int64{0}) || pinged {
			t.Errorf("%d commits, failures %v, durable %v, pinged %t", commits, failures, durable, pinged)
		}
	})
}

// TestWhatWaitsAtAFailureIsNeverReleased: batches queued behind the failing commit end with it.
func TestWhatWaitsAtAFailureIsNeverReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := newFaulty(t, func(Batch) error { <-goOn; return errors.New("gone") })
		w := NewWriter(s, 8, func(int64) { t.Error("durable") }, none)
		for seq := range int64(4) {
			_ = w.Append(Batch{Rows: rows(seq, seq+1, "")})
			synctest.Wait()
		}
		_ = w.Ping(func() { t.Error("pinged") })
		close(goOn)
		synctest.Wait() // also: the goroutine has ended, or the bubble would say so
		if s.Size() != 0 {
			t.Error("something was written")
		}
	})
}

func TestPingComesAfterWhatWasQueuedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFaulty(t, func(Batch) error { return nil })
		w := NewWriter(s, 8, ignore, none)
		var at int64 = -1
		_ = w.Append(Batch{Rows: rows(0, 2, "")})
		_ = w.Append(Batch{Checkpoints: []Checkpoint{{Size: 2, Note: []byte("n")}}})
		_ = w.Ping(func() { at = s.Size() })
		synctest.Wait()
		if at != 2 {
			t.Errorf("pinged at size %d, want 2", at)
		}
		if err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := w.Append(Batch{}); !errors.Is(err, ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
		if err := w.Close(context.Background()); err != nil {
			t.Errorf("second close: %v", err)
		}
	})
}

// TestGroupLeavesTheCallersSlicesAlone: a group grows in its own memory, not behind the caller's rows.
func TestGroupLeavesTheCallersSlicesAlone(t *testing.T) {
	all := rows(0, 4, "")
	var g group
	g.add(item{batch: Batch{Rows: all[:1]}})
	g.add(item{batch: Batch{Rows: rows(7, 8, "")}})
	if all[1].Seq != 1 {
		t.Error("the group wrote over the caller's rows")
	}
}
