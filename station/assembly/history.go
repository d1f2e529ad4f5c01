package assembly

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// ownHashes names the condition of hashes that are not those of the log.
const ownHashes = "hashes"

// Compare tells whether the journal's first d.Size records are those of the checkpoint d.Checkpoint, which this station's
// key signed for the present epoch. A journal that was put back as it had been, and then grew, holds others. The error
// says that the journal cannot tell. It implements uplink.LinkOptions.Compare.
func (s *Station) Compare(d wire.Departed) (same bool, err error) {
	head, err := record.ParseCheckpoint([]byte(d.Checkpoint))
	if err != nil {
		return false, err
	}
	own, err := journal.Root(d.Size, s.store.Journal)
	if err == nil && own == head.Root {
		s.conditions.Clear(health.JournalDamaged, ownHashes)
		return true, nil
	}
	if err == nil {
		err = ownHistory(s.store.Journal, s.store.Departed.Load(), d.Size, own)
	}
	if err != nil {
		err = fmt.Errorf("whether the first %d records are those that left the station is not known: %w", d.Size, err)
		s.conditions.Raise(health.JournalDamaged, ownHashes, err.Error())
		return false, err
	}
	s.conditions.Clear(health.JournalDamaged, ownHashes)
	return false, nil
}

// ownHistory returns nil when a root that was read from the journal is that of its own first size records, and not that of
// damaged hashes. The departed size, which lies outside the journal, is the anchor: up to there the hashes prove
// themselves, and past it the lines do.
func ownHistory(log journal.Log, left journal.Left, size int64, root tlog.Hash) error {
	if size <= left.Size {
		proof, err := tlog.ProveTree(left.Size, size, log)
		if err == nil && tlog.CheckTree(proof, left.Size, left.Root, size, root) != nil {
			err = fmt.Errorf("%w: the hashes of the journal are not those of the %d records that left the station", journal.ErrDamaged, left.Size)
		}
		return err
	}
	tree, err := record.RestoreTree(left.Size, log)
	if err != nil {
		return err
	}
	if tree.Root() != left.Root {
		return fmt.Errorf("%w: the hashes of the journal are not those of the %d records that left the station", journal.ErrDamaged, left.Size)
	}
	for at := left.Size; at < size; at = tree.Size() {
		lines, err := log.Lines(at, int(min(size-at, historyRows)), historyBytes)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			return fmt.Errorf("%w: record %d is missing", journal.ErrDamaged, at)
		}
		for _, l := range lines {
			tree.Append(l.Bytes)
		}
	}
	if tree.Root() != root {
		return fmt.Errorf("%w: the hashes of the journal are not those of its records up to %d", journal.ErrDamaged, size)
	}
	return nil
}

// historyRows and historyBytes bound the lines that are read at once.
const (
	historyRows  = 512
	historyBytes = 1 << 20
)
