package clock

import "container/heap"

// Calls is a queue of functions to be called: by their instants, and of one instant by the order in which they were asked
// for. The zero value is empty. It has no lock of its own.
type Calls struct {
	heap  calls
	order uint64
}

// Call is a function in a queue of calls.
type Call struct {
	at    int64
	order uint64
	f     func()
	index int // in the heap, -1 outside
}

// At returns the instant that the call was asked for, in monotonic nanoseconds.
func (c *Call) At() int64 { return c.at }

// Make calls the function.
func (c *Call) Make() { c.f() }

// Add asks for a call of f at a monotonic instant.
func (q *Calls) Add(at int64, f func()) *Call {
	q.order++
	c := &Call{at: at, order: q.order, f: f}
	heap.Push(&q.heap, c)
	return c
}

// Remove takes a call out of the queue, if it is still there.
func (q *Calls) Remove(c *Call) {
	if c.index >= 0 {
		heap.Remove(&q.heap, c.index)
	}
}

// First returns the call that comes first, nil when there is none.
func (q *Calls) First() *Call {
	if len(q.heap) == 0 {
		return nil
	}
	return q.heap[0]
}

// calls implements heap.Interface.
type calls []*Call

// Len is part of heap.Interface, as are the four below it.
func (c calls) Len() int { return len(c) }

// Less orders by instant, then by order of asking.
func (c calls) Less(i, j int) bool {
	if c[i].at != c[j].at {
		return c[i].at < c[j].at
	}
	return c[i].order < c[j].order
}

// Swap keeps each call's index.
func (c calls) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].index, c[j].index = i, j
}

// Push appends a *Call.
func (c *calls) Push(x any) {
	added := x.(*Call)
	added.index = len(*c)
	*c = append(*c, added)
}

// Pop takes out the last one.
func (c *calls) Pop() any {
	old := *c
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*c = old[:len(old)-1]
	last.index = -1
	return last
}
