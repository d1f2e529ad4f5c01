package world

// call is one planned call.
type call struct {
	at    int64
	order uint64
	index int // in the queue, -1 once it left it
	f     func()
}

// queue is a heap of calls by instant, then by the order in which they were asked for.
type queue []*call

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface: the earlier instant first, then who asked first.
func (q queue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].order < q[j].order
}

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	c := x.(*call)
	c.index = len(*q)
	*q = append(*q, c)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	c.index = -1
	return c
}
