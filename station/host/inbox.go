package host

import (
	"sync"

	"scentpost/station/event"
)

// inboxLimit bounds what waits to be handled. An edge storm of 40,000 edges a second that the owner does not look
// at for a second still fits.
const inboxLimit = 1 << 16

type inputKind uint8

const (
	inFact inputKind = iota + 1
	inMark
	inDurable
	inFailed
	inCommand
	inDropped
)

// input is one thing that came in.
type input struct {
	kind    inputKind
	event   event.Event
	source  string
	mono    int64
	err     error
	command *command
}

// inbox is a bounded queue that never makes a sender wait. Facts past the bound are dropped, which voids the run;
// what the journal says always fits.
type inbox struct {
	mu      sync.Mutex // guards queue and head
	queue   []input
	head    int
	dropped bool
	wake    func()
}

func (b *inbox) push(in input) {
	b.mu.Lock()
	waiting := len(b.queue) - b.head
	if waiting >= inboxLimit && in.kind <= inMark {
		if b.dropped {
			b.mu.Unlock()
			return
		}
		b.dropped = true
		in = input{kind: inDropped}
	}
	b.queue = append(b.queue, in)
	b.mu.Unlock()
	if waiting == 0 {
		b.wake()
	}
}

func (b *inbox) pop() (input, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head == len(b.queue) {
		b.queue, b.head, b.dropped = b.queue[:0], 0, false
		return input{}, false
	}
	in := b.queue[b.head]
	b.queue[b.head] = input{}
	b.head++
	return in, true
}
