package journal

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Epochs returns where each epoch came from, in order; the last one is current.
func (j *Journal) Epochs() []Beginning {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.meta.Epochs)
}

// Archive is an ended epoch: what it holds can be read and delivered, and nothing can be added.
type Archive struct {
	ledger *ledger
	desk   *desk
}

// Archive returns an ended epoch by its id. It lives as long as the journal.
func (j *Journal) Archive(epoch string) (*Archive, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	ids := j.meta.ids()
	at := slices.Index(ids, epoch)
	if at < 0 || at == len(ids)-1 {
		return nil, fmt.Errorf("journal: no ended epoch %q among %q", epoch, ids)
	}
	l := j.archive[epoch]
	if l == nil {
		var err error
		if l, _, err = openLedger(epochPath(j.dir, epoch), epoch); err != nil {
			return nil, err
		}
		j.archive[epoch] = l.endedAt(j.meta.Epochs[at+1].PrevSize)
	}
	return &Archive{ledger: l, desk: j.desk}, nil
}

// endedAt lets nobody see what lies behind the last good record: it may be malformed, or another history.
func (l *ledger) endedAt(size int64) *ledger {
	l.size.Store(min(l.size.Load(), size))
	return l
}

// Size returns its number of good records.
func (a *Archive) Size() int64 { return a.ledger.size.Load() }

// SessionStart returns the first record of a session, as Store does.
func (a *Archive) SessionStart(session string) (int64, error) { return a.ledger.sessionStart(session) }

// Lines returns public lines, as Store does.
func (a *Archive) Lines(from int64, max, maxBytes int) ([]Line, error) {
	return a.ledger.lines(from, max, maxBytes)
}

// Checkpoints returns its checkpoints, as Store does.
func (a *Archive) Checkpoints(session string) ([]Checkpoint, error) {
	return a.ledger.checkpoints(session)
}

// ReadHashes implements tlog.HashReader.
func (a *Archive) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return a.ledger.ReadHashes(indexes)
}

// Cursor returns how many of its records the named reader is done with.
func (a *Archive) Cursor(name string) (int64, error) { return a.desk.cursor(a.ledger.epoch, name) }

// SetCursor keeps it.
func (a *Archive) SetCursor(name string, size int64) error {
	if err := checkCursor(name, size, a.Size()); err != nil {
		return err
	}
	return a.desk.setCursor(a.ledger.epoch, name, size)
}
