package host

import (
	"errors"
	"fmt"

	"scentpost/station/clock"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// Interrupted is a session that the journal holds without an end.
type Interrupted struct {
	Lines []journal.Line // from its opening to the tail of the log
	Vault []journal.VaultRow
	Cause event.Cause // why the daemon is back: event.CauseRestart, event.CausePower or event.CauseJournal
}

// Restore runs the engine over an interrupted session as it stands in the journal, and tells it that the daemon
// is back: a run before its lock is void, one after it is closed anew. A session that was opened under another
// configuration is aborted: a change takes effect between sessions only. It must be called before anything comes in.
func (h *Host) Restore(was Interrupted) error {
	if len(was.Lines) == 0 {
		return nil
	}
	last, reached, err := h.replay(was)
	if err != nil {
		return fmt.Errorf("restore the session at record %d: %w", was.Lines[0].Seq, err)
	}
	if _, active := h.stage.Session(); !active {
		h.vault = nil
		return nil
	}
	if c, can := h.opt.Clock.(clock.Resumer); can {
		c.Resume(last.AtMono(reached))
	}
	h.do(h.stage.Resume(h.opt.Clock.Now(), trial.Back{Last: last, Cause: was.Cause, Config: h.opt.Config}))
	h.flush()
	h.setAlarm()
	return nil
}

// replay runs the engine over the lines of a session, and returns the last stamp and how far the monotonic time of its boot has
// come: what devices tell may be older than what was written before it. What is still sealed then is the vault.
func (h *Host) replay(was Interrupted) (last event.Stamp, reached int64, err error) {
	vault := map[int64]journal.VaultRow{}
	for _, row := range was.Vault {
		vault[row.Seq] = row
	}
	player := h.stage.Player()
	for i, line := range was.Lines {
		if want := was.Lines[0].Seq + int64(i); line.Seq != want {
			return last, reached, fmt.Errorf("record %d is missing", want)
		}
		r, err := record.Decode(line.Bytes)
		if err != nil {
			return last, reached, fmt.Errorf("record %d: %w", line.Seq, err)
		}
		if row, sealed := vault[line.Seq]; sealed {
			if r.Event.Secret, err = unseal(r, row); err != nil {
				return last, reached, fmt.Errorf("record %d: its sealed body: %w", line.Seq, err)
			}
		}
		if err := player.Play(line.Seq, r.Event); err != nil {
			return last, reached, fmt.Errorf("record %d: %w", line.Seq, err)
		}
		h.line.Take(&r.Event)
		h.chain.Add(&r, record.LeafHash(line.Bytes))
		if r.Event.At.Boot != last.Boot {
			reached = r.Event.At.Mono
		}
		last = r.Event.At
		reached = max(reached, last.Mono-last.Bound)
	}
	if err := player.Rest(); err != nil {
		return last, reached, fmt.Errorf("the journal ends in the middle of a step: %w", err)
	}
	for _, seq := range player.Sealed() {
		row := vault[seq]
		h.vault = append(h.vault, sealedRow{seq: seq, run: row.Run, nonce: row.Nonce, body: row.Body})
	}
	return last, reached, nil
}

// unseal returns the sealed body of a record, which must be the one that its public line commits to.
func unseal(r record.Record, row journal.VaultRow) (any, error) {
	if record.SealHash(r.Station, r.Epoch, r.Seq, r.Event.Type, row.Nonce, row.Body) != r.Sealed {
		return nil, errors.New("it is not what the record was sealed over")
	}
	return record.DecodeSecret(r.Event.Type, row.Body)
}
