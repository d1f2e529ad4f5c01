package control

import (
	"context"

	"scentpost/station/trial"
)

// watchBacklog is how many states a slow watcher may be late by; older ones are skipped.
const watchBacklog = 16

// Watch is the state as one person follows it. A watcher that does not keep up skips states, never goes back, and comes to
// see the last one. One goroutine uses it.
type Watch struct {
	service *Service
	who     Person
	states  chan trial.Snapshot
	end     func()
	shown   *trial.Snapshot // nil before the first one
}

// Watch begins to follow the state for a person. Stop must be called.
func (s *Service) Watch(who Person) *Watch {
	w := &Watch{service: s, who: who, states: make(chan trial.Snapshot, watchBacklog)}
	w.end = s.inbox.Watch(func(state trial.Snapshot) { keepNewest(w.states, state) })
	return w
}

// Stop ends the watch.
func (w *Watch) Stop() { w.end() }

// Next returns the present view at first and then each later one, when it comes. ok is false when ctx has ended.
func (w *Watch) Next(ctx context.Context) (view Status, ok bool) {
	if w.shown == nil {
		state := w.service.inbox.Snapshot()
		w.shown = &state
		return w.service.Status(state, w.who), true
	}
	for { // what was waiting already may be older than what is shown
		select {
		case state := <-w.states:
			if state.Epoch == w.shown.Epoch && state.Size < w.shown.Size {
				continue
			}
			w.shown = &state
			return w.service.Status(state, w.who), true
		case <-ctx.Done():
			return Status{}, false
		}
	}
}

// keepNewest puts a state into a full channel in the place of the oldest one, so that a watcher who does not keep up
// still comes to see how it ended. Only one goroutine may put states in.
func keepNewest(states chan trial.Snapshot, state trial.Snapshot) {
	for {
		select {
		case states <- state:
			return
		default:
		}
		select {
		case <-states:
		default:
		}
	}
}
