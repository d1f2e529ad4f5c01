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
	inPing
	inClock
)

// input is one thing that came in.
type input struct {
	kind    inputKind
	event   event.Event
	source  string
	mono    int64
	err     error
	command *command
	ping    func()
}

// commandLimit bounds the commands among them.
const commandLimit = 1 << 10

// inbox is a bounded queue that never makes a sender wait. Facts past the bound are dropped, which voids the run;
// commands past theirs are turned away; what the journal says always fits, and so do pings: who asks waits for the
// answer before asking again.
type inbox struct {
	mu       sync.Mutex // guards all but wake
	queue    []input
	spare    []input // the queue before this one, to be filled again
	commands int
	dropped  bool // facts were dropped since the owner last looked
	clock    bool // a look at the clock waits: one is enough
	wake     func()
}

// push adds an input. It returns false for a command that was turned away.
func (b *inbox) push(in input) bool {
	b.mu.Lock()
	waiting := len(b.queue)
	switch {
	case in.kind == inCommand && b.commands >= commandLimit:
		b.mu.Unlock()
		return false
	case in.kind == inCommand:
		b.commands++
	case in.kind == inClock && b.clock:
		b.mu.Unlock()
		return true
	case in.kind == inClock:
		b.clock = true
	case waiting >= inboxLimit && in.kind <= inMark:
		if b.dropped {
			b.mu.Unlock()
			return true
		}
		b.dropped = true
		in = input{kind: inDropped}
	}
	b.queue = append(b.queue, in)
	b.mu.Unlock()
	if waiting == 0 {
		b.wake()
	}
	return true
}

// take returns all that waits, in its order; the owner gives the slice back when it is done with it.
func (b *inbox) take() []input {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.queue
	b.queue, b.spare = b.spare, nil
	b.commands, b.dropped, b.clock = 0, false, false
	return all
}

func (b *inbox) giveBack(all []input) {
	clear(all)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare = all[:0]
}
