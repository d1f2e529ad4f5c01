package host

import (
	"context"
)

// Signal returns a wake function for Options.Wake and the channel that Run waits on. A wake that comes while one
// is pending is the same wake.
func Signal() (wake func(), woken <-chan struct{}) {
	c := make(chan struct{}, 1)
	return func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}, c
}

// Run owns the host until ctx ends, then takes every canister to its safe state. It returns why the journal
// failed, if it did.
func (h *Host) Run(ctx context.Context, woken <-chan struct{}) error {
	for {
		select {
		case <-woken:
			h.Drain()
			if h.failed != nil {
				return h.failed
			}
		case <-ctx.Done():
			h.actuator.CloseAll()
			h.Drain()
			h.actuator.CloseAll() // what the last drain may have let out
			return h.failed
		}
	}
}
