package journal

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Commit implements Store. Names are written first and in their own file: a name that no record refers to does no
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
	err = j.despiteFull(func() error {
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

// ledger returns the current epoch's database for reading, nil when there is none.
func (j *Journal) ledger() *ledger {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.current
}

// Size implements Store.
func (j *Journal) Size() (int64, error) {
	if l := j.ledger(); l != nil {
		return l.size.Load(), nil
	}
	return 0, nil
}

// Lines implements Store.
func (j *Journal) Lines(from int64, max, maxBytes int) ([]Line, error) {
	if l := j.ledger(); l != nil {
		return l.lines(from, max, maxBytes)
	}
	return nil, nil
}

// SessionStart implements Store.
func (j *Journal) SessionStart(session string) (int64, error) {
	if l := j.ledger(); l != nil {
		return l.sessionStart(session)
	}
	return -1, nil
}

// Vault implements Store.
func (j *Journal) Vault(session string) ([]VaultRow, error) {
	if l := j.ledger(); l != nil {
		return l.vault(session)
	}
	return nil, nil
}

// Checkpoints implements Store.
func (j *Journal) Checkpoints(session string) ([]Checkpoint, error) {
	if l := j.ledger(); l != nil {
		return l.checkpoints(session)
	}
	return nil, nil
}

// ReadHashes implements tlog.HashReader.
func (j *Journal) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if l := j.ledger(); l != nil {
		return l.ReadHashes(indexes)
	}
	if len(indexes) > 0 {
		return nil, fmt.Errorf("journal: no stored hash %d in an empty log", indexes[0])
	}
	return nil, nil
}

// Identities implements Store.
func (j *Journal) Identities() ([]Identity, error) { return j.desk.identities() }

// Cursor implements Store.
func (j *Journal) Cursor(name string) (int64, error) { return j.desk.cursor(j.Epoch().ID, name) }

// SetCursor implements Store.
func (j *Journal) SetCursor(name string, size int64) error {
	l := j.ledger()
	if l == nil {
		return ErrNoEpoch
	}
	if err := checkCursor(name, size, l.size.Load()); err != nil {
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
