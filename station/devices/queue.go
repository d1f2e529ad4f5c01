package devices

import "sync"

// queue runs what is added to it one at a time, in the order in which it was added, on whichever goroutine finds
// it idle. A goroutine that finds it busy leaves its items there and goes on: nobody waits, and what an item does
// may add to its own queue. It holds no more than one callback's worth of items as long as items are quick, which
// the contracts of bus and sink demand.
type queue[T any] struct {
	do func(T)

	mu    sync.Mutex // guards what follows; never held while an item runs
	items []T
	spare []T // the array of the batch before, to be filled again
	busy  bool
}

// add puts an item at the end.
func (q *queue[T]) add(item T) {
	q.mu.Lock()
	q.items = append(q.items, item)
	q.mu.Unlock()
}

// run runs everything that is in the queue. It returns false at once when that is being done already.
func (q *queue[T]) run() bool {
	q.mu.Lock()
	if q.busy {
		q.mu.Unlock()
		return false
	}
	q.busy = true
	for len(q.items) > 0 {
		batch := q.items
		q.items = q.spare[:0]
		q.mu.Unlock()
		for _, item := range batch {
			q.do(item)
		}
		clear(batch)
		q.mu.Lock()
		q.spare = batch[:0]
	}
	q.busy = false
	q.mu.Unlock()
	return true
}
