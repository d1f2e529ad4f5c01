package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// The bounds of one group commit: what is queued beyond them waits for the next one, so that a backlog cannot
// hold back the first of its effects for long.
const (
	groupRows  = 1024
	groupBytes = 1 << 20
)

// The errors of Append and Ping.
var (
	// ErrQueueFull says that the disk is slower than the station: the batch was not taken.
	ErrQueueFull = errors.New("journal: the queue is full: the disk does not keep up")
	// ErrFailed says that an earlier commit failed: nothing will be written until the journal is opened anew.
	ErrFailed = errors.New("journal: an earlier commit failed: stop, and start again")
)

// Writer is the one goroutine that commits. Whatever has queued up while a commit was under way goes into the
// next one together.
type Writer struct {
	store   Committer
	durable func(seq int64)
	failed  func(error)
	queue   chan item
	done    chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards closed and err, and orders sends against the closing of queue
	closed bool
	err    error
}

// item is a batch, or a ping when ping is not nil.
type item struct {
	batch Batch
	ping  func()
}

// NewWriter starts the writer. queue is how many batches may wait. onDurable(seq) is called from the writer's
// goroutine after each commit with rows: all rows up to and including seq are durable; seq only grows. onFail is
// called once, when a commit fails: no onDurable follows. Neither may block.
func NewWriter(store Committer, queue int, onDurable func(seq int64), onFail func(error)) *Writer {
	w := &Writer{store: store, durable: onDurable, failed: onFail,
		queue: make(chan item, max(queue, 1)), done: make(chan struct{})}
	go w.run()
	return w
}

// Append queues the batch and returns at once: ErrQueueFull, ErrFailed or ErrClosed when it was not taken. After
// ErrQueueFull the next batch leaves a gap, which no store takes: the caller must stop.
func (w *Writer) Append(b Batch) error { return w.send(item{batch: b}) }

// Ping queues a question: done is called from the writer's goroutine when all that was queued before is durable.
// It tells a watchdog that the writer still writes, and anybody that a batch without rows is durable. After a
// failed commit it is never called.
func (w *Writer) Ping(done func()) error { return w.send(item{ping: done}) }

// Waiting returns how many batches wait for the next commit.
func (w *Writer) Waiting() int { return len(w.queue) }

func (w *Writer) send(it item) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, w.err)
	}
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- it:
		return nil
	default:
		return ErrQueueFull
	}
}

// Close takes nothing more, waits until all that was queued is durable, and returns the error of the failed
// commit if there was one. It does not close the store. When ctx ends first, the commit under way is left to
// itself.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.done:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("closing the journal's writer with %d batches waiting: %w", len(w.queue), ctx.Err())
	}
}

func (w *Writer) run() {
	defer close(w.done)
	for it := range w.queue {
		var g group
		g.add(it)
		w.gather(&g)
		if err := w.commit(g); err != nil {
			w.fail(err)
			return
		}
	}
}

// gather adds what is queued by now.
func (w *Writer) gather(g *group) {
	for len(g.batch.Rows) < groupRows && g.bytes < groupBytes {
		select {
		case it, ok := <-w.queue:
			if !ok {
				return
			}
			g.add(it)
		default:
			return
		}
	}
}

func (w *Writer) commit(g group) error {
	if g.batches > 0 {
		if err := w.store.Commit(g.batch); err != nil {
			return err
		}
	}
	if n := len(g.batch.Rows); n > 0 {
		w.durable(g.batch.Rows[n-1].Seq)
	}
	for _, ping := range g.pings {
		ping()
	}
	return nil
}

// fail stops for good. A failed commit is never tried again: after a failed fsync the kernel may call the pages
// clean that never reached the disk, and a second fsync would succeed over them.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
	w.failed(err)
}

// group is what goes into one commit.
type group struct {
	batch   Batch
	batches int
	bytes   int
	pings   []func()
}

func (g *group) add(it item) {
	if it.ping != nil {
		g.pings = append(g.pings, it.ping)
		return
	}
	if g.batches++; g.batches == 1 {
		// The caller's slices may have room behind their length: clip, so that growing copies.
		g.batch = Batch{Rows: clip(it.batch.Rows), Checkpoints: clip(it.batch.Checkpoints), Identities: clip(it.batch.Identities), Entries: clip(it.batch.Entries)}
	} else {
		g.batch.Rows = append(g.batch.Rows, it.batch.Rows...)
		g.batch.Checkpoints = append(g.batch.Checkpoints, it.batch.Checkpoints...)
		g.batch.Identities = append(g.batch.Identities, it.batch.Identities...)
		g.batch.Entries = append(g.batch.Entries, it.batch.Entries...)
	}
	for i := range it.batch.Rows {
		g.bytes += len(it.batch.Rows[i].Line) + len(it.batch.Rows[i].Body)
	}
}

func clip[T any](s []T) []T { return s[:len(s):len(s)] }
