package host

import "scentpost/station/trial"

// Snapshot returns what may be shown now. It may be called from any goroutine.
func (h *Host) Snapshot() trial.Snapshot { return *h.snapshot.Load() }

// Watch calls f with every new snapshot until the returned function is called. f runs on the goroutine of the
// host's owner and must not wait.
func (h *Host) Watch(f func(trial.Snapshot)) (stop func()) { return h.watchers.Add(f) }

// Parked tells whether something waits to be durable. Only the owner of the host may ask.
func (h *Host) Parked() bool { return len(h.parked) > 0 }

func (h *Host) takeSnapshot() trial.Snapshot {
	s := trial.Snapshot{View: h.stage.View(), Names: h.names.byRef, Epoch: h.opt.Log.Epoch, Size: h.tree.Size(), At: h.stage.Date(h.opt.Clock.Now())}
	if last := h.snapshot.Load(); last != nil {
		s.Checkpoint = last.Checkpoint
	}
	if n := len(h.batch.Checkpoints); n > 0 {
		s.Checkpoint = h.batch.Checkpoints[n-1].Note
	}
	return s
}

func (h *Host) show(s trial.Snapshot) {
	h.snapshot.Store(&s)
	h.watchers.Tell(s)
}
