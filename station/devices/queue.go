package devices

import (
	"slices"
	"sync"
)

// queue runs what is added to it one at a time, in the order in which it was added, on whichever goroutine finds
// it idle. A goroutine that finds it busy leaves its items there and goes on: nobody waits, and what an item does
// may add to its own queue. It holds no more than one callback's worth of items as long as items are quick, which
// the contracts of bus and sink demand.
//
// An item that hangs all the same holds up its like and nothing else: see takeOver.
type queue[T any] struct {
	do    func(T)
	alike func(a, b T) bool                       // b must not be done while a hangs
	alarm func(overdue func() bool) (stop func()) // has overdue called when an item takes too long; nil for never

	mu    sync.Mutex // guards what follows; never held while an item runs
	items []T
	next  int // of items
	busy  bool
	turn  uint64    // counts who runs it: who was taken over finds another number
	runs  lane[T]   // the item that runs
	stuck []lane[T] // those that were taken over
}

// lane is an item that runs, with those that wait for it alone.
type lane[T any] struct {
	turn  uint64
	item  T
	items []T
}

// add puts an item at the end.
func (q *queue[T]) add(item T) {
	q.mu.Lock()
	q.items = append(q.items, item)
	q.mu.Unlock()
}

// run runs everything that is in the queue. It returns false at once when that is being done already, and when others
// went on with it meanwhile.
func (q *queue[T]) run() bool {
	q.mu.Lock()
	if q.busy {
		q.mu.Unlock()
		return false
	}
	q.busy = true
	return q.work()
}

// takeOver goes on behind an item that hangs, on the caller's goroutine, and returns as run does. Its like waits until it
// is done.
func (q *queue[T]) takeOver(turn uint64) bool {
	q.mu.Lock()
	if !q.busy || q.turn != turn {
		q.mu.Unlock()
		return false
	}
	q.stuck = append(q.stuck, q.runs)
	return q.work()
}

// work runs everything as the one who runs it now. It is called with the mutex, which it gives back.
func (q *queue[T]) work() bool {
	stop := func() {}
	for {
		item, any := q.take()
		stop()
		if !any {
			break
		}
		q.turn++
		turn := q.turn
		q.runs = lane[T]{turn: turn, item: item}
		q.mu.Unlock()
		if stop = func() {}; q.alarm != nil {
			stop = q.alarm(func() bool { return q.takeOver(turn) })
		}
		q.do(item)
		q.mu.Lock()
		if q.lane(turn) >= 0 {
			q.leave(turn)
			return false
		}
	}
	q.busy = false
	q.mu.Unlock()
	return true
}

// take returns the next item that waits for none that hangs. The caller holds the mutex.
func (q *queue[T]) take() (item T, any bool) {
	for ; q.next < len(q.items); q.next++ {
		item = q.items[q.next]
		i := slices.IndexFunc(q.stuck, func(l lane[T]) bool { return q.alike(l.item, item) })
		if i < 0 {
			q.next++
			return item, true
		}
		q.stuck[i].items = append(q.stuck[i].items, item)
	}
	clear(q.items)
	q.items, q.next = q.items[:0], 0
	var none T
	return none, false
}

// lane returns which of those that were taken over has a number, -1 for none. The caller holds the mutex.
func (q *queue[T]) lane(turn uint64) int {
	return slices.IndexFunc(q.stuck, func(l lane[T]) bool { return l.turn == turn })
}

// leave ends an item that hung with what waited for it. It is called with the mutex, which it gives back.
func (q *queue[T]) leave(turn uint64) {
	for i := q.lane(turn); ; i = q.lane(turn) {
		if len(q.stuck[i].items) == 0 {
			q.stuck = slices.Delete(q.stuck, i, i+1)
			q.mu.Unlock()
			return
		}
		item := q.stuck[i].items[0]
		q.stuck[i].items = q.stuck[i].items[1:]
		q.mu.Unlock()
		q.do(item)
		q.mu.Lock()
	}
}

// hangs tells whether an item hangs that was taken over.
func (q *queue[T]) hangs() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.stuck) > 0
}
