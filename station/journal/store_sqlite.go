package journal

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Commit implements Committer. Names are written first and in their own file: a name that no record refers to does no
// harm, while a record whose name is lost would.
func (j *Journal) Commit(b Batch) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	l, err := j.writable()
	if err != nil {
		return err
	}
	if err := checkBatch(b, l.size.Load()); err != nil {
		return err
	}
	err = j.DespiteFull(func() error {
		if len(b.Identities) > 0 {
			if err := j.desk.keep(b.Identities); err != nil {
				return err
			}
		}
		return l.commit(b)
	})
	if err != nil {
		j.stop(err)
		return err
	}
	// This batch is durable whatever comes now. A write-ahead log that cannot be moved for want of room waits for
	// the next time; any other failure means that the disk cannot be trusted any longer.
	limit := int64(walBytes)
	if j.ballast.room() != nil {
		limit = walBytesLow
	}
	if err := l.tidy(limit); isFull(err) {
		j.ballast.release()
	} else if err != nil {
		j.stop(err)
	}
	return nil
}

// writable returns the ledger to write in, or why there is none.
func (j *Journal) writable() (*ledger, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	switch {
	case j.closed:
		return nil, ErrClosed
	case j.failed != nil:
		return nil, j.failed
	case !j.recovery.Checked:
		return nil, ErrUnchecked
	case j.current == nil || j.recovery.NewEpochNeeded:
		return nil, ErrNoEpoch
	}
	return j.current, nil
}

// stop refuses all further commits.
func (j *Journal) stop(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = fmt.Errorf("%w: %w", ErrFailed, err)
}

// ledger returns the current epoch's database for reading, an empty one when there is none.
func (j *Journal) ledger() *ledger {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.current == nil {
		return &ledger{}
	}
	return j.current
}

// Size implements Log.
func (j *Journal) Size() int64 { return j.ledger().Size() }

// Lines implements Log.
func (j *Journal) Lines(from int64, max, maxBytes int) ([]Line, error) {
	return j.ledger().Lines(from, max, maxBytes)
}

// LinesOf implements Log.
func (j *Journal) LinesOf(s Session, from int64, max, maxBytes int) ([]Line, error) {
	return j.ledger().LinesOf(s, from, max, maxBytes)
}

// Sessions implements Log.
func (j *Journal) Sessions() ([]Session, error) { return j.ledger().Sessions() }

// Session implements Log.
func (j *Journal) Session(id string) (s Session, found bool, err error) {
	return j.ledger().Session(id)
}

// Checkpoints implements Log.
func (j *Journal) Checkpoints(session string) ([]Checkpoint, error) {
	return j.ledger().Checkpoints(session)
}

// ReadHashes implements tlog.HashReader.
func (j *Journal) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return j.ledger().ReadHashes(indexes)
}

// Vault implements Vault.
func (j *Journal) Vault(session string) ([]VaultRow, error) { return j.ledger().vault(session) }

// Epochs implements Logs.
func (j *Journal) Epochs() []Beginning {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.meta.Epochs)
}

// Log implements Logs. The database of an ended epoch is opened when it is first asked for.
func (j *Journal) Log(epoch string) (Log, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	if j.current != nil && j.current.epoch == epoch {
		return j.current, nil
	}
	if l := j.ended[epoch]; l != nil {
		return l, nil
	}
	l, err := openEnded(epoch, j.meta.Epochs, func() (*ledger, error) {
		l, _, err := openLedger(epochPath(j.dir, epoch), epoch)
		return l, err
	})
	if err != nil {
		return nil, err
	}
	j.ended[epoch] = l
	return l, nil
}

// openEnded opens the log of an epoch by open; it ends where the next one says that it is good.
func openEnded(epoch string, all []Beginning, open func() (*ledger, error)) (*ledger, error) {
	at := slices.IndexFunc(all, func(b Beginning) bool { return b.ID == epoch })
	if at < 0 {
		return nil, fmt.Errorf("journal: no epoch %q", epoch)
	}
	l, err := open()
	if err != nil {
		return nil, fmt.Errorf("epoch %s: %w", epoch, err)
	}
	if at == len(all)-1 { // the current one, which could not be read at the start
		return l, nil
	}
	return l.endedAt(all[at+1].PrevSize), nil
}

// Identities implements Logs.
func (j *Journal) Identities() ([]Identity, error) { return j.desk.identities(), nil }

// Cursor implements Cursors.
func (j *Journal) Cursor(name string) (int64, error) { return j.desk.cursor(j.Epoch().ID, name) }

// SetCursor implements Cursors.
func (j *Journal) SetCursor(name string, size int64) error {
	l := j.ledger()
	if l.epoch == "" {
		return ErrNoEpoch
	}
	if err := checkCursor(name, size, l.Size()); err != nil {
		return err
	}
	return j.desk.setCursor(l.epoch, name, size)
}

// LogOperation implements Operations.
func (j *Journal) LogOperation(o Operation) error { return j.desk.log(o) }

// Operations implements Operations.
func (j *Journal) Operations(from int64, max int) ([]Operation, error) {
	return j.desk.operations(from, max)
}
