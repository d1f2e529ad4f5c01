package host

import (
	"errors"
	"fmt"

	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// Interrupted is a session that the journal holds without an end.
type Interrupted struct {
	Lines []journal.Line // from its opening to the tail of the log
	Vault []journal.VaultRow
	Cause string // why the daemon is back: event.VoidRestart, event.VoidPower or event.VoidJournal
}

// Restore runs the engine over an interrupted session as it stands in the journal, and tells it that the daemon
// is back: a run before its lock is void, one after it is closed anew. A session that was opened under another
// configuration is aborted: a change takes effect between sessions only. It must be called before anything comes in.
func (h *Host) Restore(was Interrupted) error {
	if len(was.Lines) == 0 {
		return nil
	}
	last, err := h.replay(was)
	if err != nil {
		return fmt.Errorf("restore the session at record %d: %w", was.Lines[0].Seq, err)
	}
	if _, active := h.machine.Session(); !active {
		h.vault = nil
		return nil
	}
	h.horizon.Clear()
	if run, placement, ok := h.machine.Running(); ok {
		h.curtain.Restore(run, placement)
	}
	h.resume(last.At)
	now := h.now()
	sameBoot := now.Boot == last.At.Boot
	cause := was.Cause
	if !sameBoot && cause == event.VoidRestart {
		cause = event.VoidPower
	}
	h.step(event.Event{Type: event.SessionRestarted, At: now, By: event.ByStation,
		Body: &event.Restart{SameBoot: sameBoot, Cause: cause}})
	h.sameConfig(was)
	h.flush()
	h.setAlarm()
	return nil
}

// sameConfig aborts a session whose opening names another configuration than that of the station now: what is in the record
// would not be what it was held under. One that was revealed is left to be closed.
func (h *Host) sameConfig(was Interrupted) {
	r, err := record.Decode(was.Lines[0].Bytes)
	opening, ok := r.Event.Body.(*event.Opening)
	view := h.machine.View()
	if err != nil || !ok || opening.Config == h.opt.Config || view.Phase == trial.Ended || view.Aborted != "" {
		return
	}
	h.step(event.Event{Type: event.SessionAborted, At: h.now(), By: event.ByStation, Body: &event.Reason{Reason: ConfigChanged}})
}

// ConfigChanged is why a session is aborted that the daemon comes back to with another configuration.
const ConfigChanged = "the configuration is not the one that the session was opened under: a change takes effect between sessions only"

// replay steps the engine through the lines of a session, and returns the last event.
func (h *Host) replay(was Interrupted) (last event.Event, err error) {
	vault := map[int64]journal.VaultRow{}
	for _, row := range was.Vault {
		vault[row.Seq] = row
	}
	var player trial.Player
	player.Machine = h.machine
	for i, line := range was.Lines {
		if want := was.Lines[0].Seq + int64(i); line.Seq != want {
			return last, fmt.Errorf("record %d is missing", want)
		}
		r, err := record.Decode(line.Bytes)
		if err != nil {
			return last, fmt.Errorf("record %d: %w", line.Seq, err)
		}
		if row, sealed := vault[line.Seq]; sealed {
			if r.Event.Secret, err = unseal(r, row); err != nil {
				return last, fmt.Errorf("record %d: its sealed body: %w", line.Seq, err)
			}
			h.vault = append(h.vault, sealedRow{seq: row.Seq, run: row.Run, nonce: row.Nonce, body: row.Body})
		}
		if opened, ok := r.Event.Body.(*event.OpenedBody); ok {
			h.forget(opened.Of)
		}
		if err := player.Play(r.Event); err != nil {
			return last, fmt.Errorf("record %d: %w", line.Seq, err)
		}
		last = r.Event
	}
	if rest := player.Rest(); len(rest) > 0 {
		return last, fmt.Errorf("the journal ends in the middle of a step: %d records are missing", len(rest))
	}
	return last, nil
}

// unseal returns the sealed body of a record, which must be the one that its public line commits to.
func unseal(r record.Record, row journal.VaultRow) (any, error) {
	if record.SealHash(r.Station, r.Epoch, r.Seq, r.Event.Type, row.Nonce, row.Body) != r.Sealed {
		return nil, errors.New("it is not what the record was sealed over")
	}
	return record.DecodeSecret(r.Event.Type, row.Body)
}

// forget takes an opened body out of those that are not open.
func (h *Host) forget(seq int64) {
	for i, row := range h.vault {
		if row.seq == seq {
			h.vault = append(h.vault[:i], h.vault[i+1:]...)
			return
		}
	}
}
