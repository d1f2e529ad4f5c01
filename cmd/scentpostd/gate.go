package main

import (
	"errors"
	"sync"

	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/trial"
)

// gate stands before the host while the journal is being checked: views are served at once, commands are refused,
// and what the devices say has no session to belong to.
type gate struct {
	mu      sync.Mutex // guards all below
	host    *host.Host
	before  trial.Snapshot
	waiting []func(trial.Snapshot)
}

// errChecking refuses commands until the journal was checked.
var errChecking = errors.New("the journal is being checked after an unclean stop: sessions wait until that is through")

func (g *gate) behind() *host.Host {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.host
}

// open lets everything through to the host.
func (g *gate) open(h *host.Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.host = h
	for _, f := range g.waiting {
		h.Watch(f)
	}
	g.waiting = nil
}

// Event implements devices.Sink.
func (g *gate) Event(e event.Event) {
	if h := g.behind(); h != nil {
		h.Event(e)
	}
}

// Watermark implements devices.Sink.
func (g *gate) Watermark(source string, mono int64) {
	if h := g.behind(); h != nil {
		h.Watermark(source, mono)
	}
}

// Submit implements control.Inbox.
func (g *gate) Submit(e event.Event, done func(trial.Answer)) {
	if h := g.behind(); h != nil {
		h.Submit(e, done)
		return
	}
	done(trial.Answer{Seq: -1, Err: errChecking})
}

// Snapshot implements control.Inbox.
func (g *gate) Snapshot() trial.Snapshot {
	if h := g.behind(); h != nil {
		return h.Snapshot()
	}
	return g.before
}

// Watch implements control.Inbox. Who watches before the gate opens watches the host from then on.
func (g *gate) Watch(f func(trial.Snapshot)) (stop func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.host != nil {
		return g.host.Watch(f)
	}
	var live sync.Mutex
	watching := true
	g.waiting = append(g.waiting, func(s trial.Snapshot) {
		live.Lock()
		defer live.Unlock()
		if watching {
			f(s)
		}
	})
	return func() {
		live.Lock()
		defer live.Unlock()
		watching = false
	}
}
