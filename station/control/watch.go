package control

import (
	"context"
	"slices"

	"scentpost/station/event"
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
	roles   []event.Role    // by which it was shown
}

// Watch begins to follow the state for a person. Stop must be called.
func (s *Service) Watch(who Person) *Watch {
	w := &Watch{service: s, who: who, states: make(chan trial.Snapshot, watchBacklog)}
	w.end = s.inbox.Watch(func(state trial.Snapshot) { keepNewest(w.states, state) })
	return w
}

// Stop ends the watch.
func (w *Watch) Stop() { w.end() }

// Next returns the present view at first and then each later one, when it comes. A later one has no runs that are as in the
// one before (Status.RunsKept): else each record would take longer to show, the more runs there were. ok is false when ctx
// has ended.
func (w *Watch) Next(ctx context.Context) (view Status, ok bool) {
	if w.shown == nil {
		return w.show(w.service.inbox.Snapshot()), true
	}
	for { // what was waiting already may be older than what is shown
		select {
		case state := <-w.states:
			if state.Epoch == w.shown.Epoch && state.Size < w.shown.Size {
				continue
			}
			return w.show(state), true
		case <-ctx.Done():
			return Status{}, false
		}
	}
}

// show returns the view of a state, without the runs that were shown and have not changed since.
func (w *Watch) show(state trial.Snapshot) Status {
	roles, kept := rolesIn(state, w.who), 0
	if w.shown != nil && w.shown.Epoch == state.Epoch && continues(w.shown.View, state.View) && slices.Equal(w.roles, roles) {
		kept = len(w.shown.View.Over)
	}
	w.shown, w.roles = &state, roles
	return w.service.status(state, w.who, roles, kept)
}

// continues tells whether the runs that are over in one view are over in the next as well, and are shown there as here.
func continues(was, v trial.View) bool {
	return was.Session == v.Session && was.Revision == v.Revision && was.Revealed == v.Revealed && len(was.Over) <= len(v.Over)
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
