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
	if s.View.Request != "" {
		s.Request = h.request(s.View.Request)
	}
	if n := len(h.batch.Checkpoints); n > 0 {
		s.Checkpoint = h.batch.Checkpoints[n-1].Note
	}
	return s
}

// request signs a request to a second party, once. The key has just signed the checkpoint of the loading.
func (h *Host) request(text string) []byte {
	if h.asked.text != text {
		note, err := h.opt.Signer.Sign(text)
		if err != nil {
			return nil
		}
		h.asked.text, h.asked.note = text, note
	}
	return h.asked.note
}

func (h *Host) show(s trial.Snapshot) {
	h.snapshot.Store(&s)
	h.watchers.Tell(s)
}
