package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// unprinted is the number of bytes buffered for a slow log reader: about a thousand lines.
	unprinted = 256 << 10
	// lastLines bounds the time for which the daemon's end waits for a slow log reader.
	lastLines = time.Second
)

// printout writes to a stream on a goroutine of its own: who writes to it never waits. What the devices tell is logged
// by whoever read the edge or closed the canister, and a stream that nobody reads (a stuck card behind the system's
// journal, a full pipe, a terminal that was stopped) must hold up neither. What finds no room is dropped; how many lines
// were is said in their place.
type printout struct {
	to io.Writer

	mu      sync.Mutex // guards what follows; never held while the stream is written to
	waiting []byte     // whole lines
	dropped int        // since the last of them
	closed  bool
	news    chan struct{} // holds one token when there is something to write, or the end has come
	done    chan struct{}
}

// newPrintout returns one that is to be ended.
func newPrintout(to io.Writer) *printout {
	p := &printout{to: to, news: make(chan struct{}, 1), done: make(chan struct{})}
	go p.run()
	return p
}

// Write takes one line, or drops it: it never waits and never fails.
func (p *printout) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return len(line), nil
	case p.dropped > 0 || len(p.waiting)+len(line) > unprinted: // those before it are accounted for first
		p.dropped++
	default:
		p.waiting = append(p.waiting, line...)
	}
	p.wake()
	return len(line), nil
}

func (p *printout) wake() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// run writes until the end.
func (p *printout) run() {
	defer close(p.done)
	account := slog.New(slog.NewTextHandler(p.to, nil))
	for range p.news {
		p.mu.Lock()
		lines, dropped, closed := p.waiting, p.dropped, p.closed
		p.waiting, p.dropped = nil, 0
		p.mu.Unlock()
		if len(lines) > 0 {
			if n, err := p.to.Write(lines); err != nil { // there is nowhere else to say it
				dropped += bytes.Count(lines[n:], []byte("\n"))
			}
		}
		if dropped > 0 && account.Handler().Handle(context.Background(), missing(dropped)) != nil {
			p.mu.Lock()
			p.dropped += dropped // said when the stream takes something again
			p.mu.Unlock()
		}
		if closed {
			return
		}
	}
}

// missing says how many lines are missing in the place where it stands.
func missing(lines int) slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines are missing here: the log was not read", 0)
	r.Add("lines", lines)
	return r
}

// end writes what is left, for no longer than lastLines. What is written later is dropped.
func (p *printout) end() {
	p.mu.Lock()
	p.closed = true
	p.wake()
	p.mu.Unlock()
	limit := time.NewTimer(lastLines)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
	}
}
