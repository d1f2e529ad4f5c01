package assembly

import (
	"fmt"
	"sync"
	"sync/atomic"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/health/chart"
	"scentpost/station/host"
	"scentpost/station/listeners"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// gate stands before the host while devices are absent or the journal is being checked: views are served at once,
// commands are refused, and what the devices say has no session to belong to.
type gate struct {
	conditions *chart.Chart
	// obstacle says why no session can be run while the gate is shut.
	obstacle func(readiness.Question) *refusal.Reason
	host     atomic.Pointer[host.Host] // nil until the gate opens; what the devices say must never wait for a watcher

	counted string // the session whose aids were counted last; of the goroutine that follows

	watchers listeners.List[trial.Snapshot]
	mu       sync.Mutex // guards what follows; held while watchers are told, so that they hear of states in order
	before   trial.Snapshot
	told     *refusal.Reason // what stood in the way of the next run when watchers were told last
}

// behind returns the host, nil while the gate is shut.
func (g *gate) behind() *host.Host { return g.host.Load() }

// open lets everything through to the host.
func (g *gate) open(h *host.Host) {
	g.host.Store(h)
	g.follow(h.Snapshot())
	h.Watch(func(s trial.Snapshot) {
		g.follow(s)
		g.tell()
	})
	g.tell()
}

// follow freezes what the conditions would tell, for as long as a session is sealed, and tells of aids that are missing.
func (g *gate) follow(s trial.Snapshot) {
	g.conditions.Follow(s.View.Phase == trial.Sealed)
	if count := s.View.Count; count != nil && g.counted != s.View.Session {
		g.counted = s.View.Session
		g.count(s.View.Session, *count)
	}
}

// count tells how the count of a session's aids came out.
func (g *gate) count(session string, count event.AidCount) {
	g.conditions.Condition(health.AidsMissing, "", fmt.Sprintf("session %s: %s", session, count.Text()), count.Missing() > 0)
}

// tell shows everybody who watches how the station is now.
func (g *gate) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.snapshot()
	g.told = g.bars(s)
	g.watchers.Tell(s)
}

// tellObstacle shows everybody who watches what stands in the way of the next run, when that has changed: no record says so.
func (g *gate) tellObstacle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.snapshot()
	if bar := g.bars(s); !bar.Same(g.told) {
		g.told = bar
		g.watchers.Tell(s)
	}
}

// bars returns what stands in the way of the next run, nil for nothing and within a run: there nobody is told of it.
func (g *gate) bars(s trial.Snapshot) *refusal.Reason {
	if g.behind() == nil || !s.View.BetweenRuns() {
		return nil
	}
	return g.obstacle(readiness.Question{Positions: s.View.Positions, Run: true})
}

// Event implements devices.Sink.
func (g *gate) Event(e event.Event) {
	if h := g.behind(); h != nil {
		h.Event(e)
	}
}

// Condition implements devices.HealthSink. While a session is sealed the condition itself is not told; that the next run
// cannot start because of it is.
func (g *gate) Condition(code health.Code, on, evidence string, holds bool) {
	g.conditions.Condition(code, on, evidence, holds)
	g.tellObstacle()
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
	done(trial.Answer{Seq: -1, Refused: g.obstacle(readiness.Question{})})
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
// ask for an obstacle, and nothing else of the gate.
func (g *gate) Watch(f func(trial.Snapshot)) (stop func()) { return g.watchers.Add(f) }
