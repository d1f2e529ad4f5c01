package main

import (
	"errors"
	"sync"
	"sync/atomic"

	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/trial"
)

// gate stands before the host while devices are absent or the journal is being checked: views are served at once,
// commands are refused, and what the devices say has no session to belong to.
type gate struct {
	why  atomic.Pointer[string]    // no session can be run, nil when they can
	host atomic.Pointer[host.Host] // nil until the gate opens; what the devices say must never wait for a watcher

	mu       sync.Mutex // guards all below; held while watchers are told, so that they hear of states in order
	before   trial.Snapshot
	watchers map[*func(trial.Snapshot)]bool
}

func (g *gate) behind() *host.Host { return g.host.Load() }

// open lets everything through to the host.
func (g *gate) open(h *host.Host) {
	g.host.Store(h)
	g.why.Store(nil)
	h.Watch(func(trial.Snapshot) { g.tell() })
	g.tell()
}

// wait says why no session can be run yet.
func (g *gate) wait(why string) { g.why.Store(&why) }

// blocked returns why no session can be run, "" when they can.
func (g *gate) blocked() string {
	if why := g.why.Load(); why != nil {
		return *why
	}
	return ""
}

// tell shows everybody who watches how the station is now.
func (g *gate) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.snapshot()
	for f := range g.watchers {
		(*f)(now)
	}
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

// lost tells that facts may be missing: a source was away.
func (g *gate) lost() {
	if h := g.behind(); h != nil {
		h.Lost()
	}
}

// Submit implements control.Inbox.
func (g *gate) Submit(e event.Event, done func(trial.Answer)) {
	if h := g.behind(); h != nil {
		h.Submit(e, done)
		return
	}
	done(trial.Answer{Seq: -1, Err: errors.New(g.blocked())})
}

// Snapshot implements control.Inbox.
func (g *gate) Snapshot() trial.Snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.snapshot()
}

func (g *gate) snapshot() trial.Snapshot {
	if h := g.behind(); h != nil {
		return h.Snapshot()
	}
	return g.before
}

// Watch implements control.Inbox. Who watches before the gate opens watches the host from then on. f may
// ask whether the gate is blocked, and nothing else of it.
func (g *gate) Watch(f func(trial.Snapshot)) (stop func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.watchers == nil {
		g.watchers = map[*func(trial.Snapshot)]bool{}
	}
	g.watchers[&f] = true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.watchers, &f)
	}
}
