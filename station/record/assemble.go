package record

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Assemble makes the bundle of a session. b holds Log, Session, From, Epoch, Key, Lines, Checkpoints and
// Identities; stored gives the hashes of the log up to the last line. What no checkpoint of the session covers is
// left out, since nobody has signed it, and so is whoever the session does not name.
func Assemble(b Bundle, stored tlog.HashReader) (Bundle, error) {
	if err := b.Covers(b.To()); err != nil {
		return b, err
	}
	b.Lines = b.Lines[:b.Checkpoints[len(b.Checkpoints)-1].Size-b.From]
	return Tie(b, References(b.Lines), stored)
}

// Covers returns an error when the checkpoints of a bundle do not cover a line, or cover one that there is not: its lines end
// before record end.
func (b Bundle) Covers(end int64) error {
	if len(b.Checkpoints) == 0 {
		return fmt.Errorf("session %s has no checkpoint yet: nothing of it is signed", b.Session)
	}
	if to := b.Checkpoints[len(b.Checkpoints)-1].Size; b.From < 1 || to <= b.From || to > end {
		return fmt.Errorf("session %s: its last checkpoint is of %d records, its lines are %d to %d", b.Session, to, b.From, end-1)
	}
	return nil
}

// Tie ties a bundle, whose lines end where its last checkpoint does, to its log: the frontier, the proof of the epoch's first
// record, and of the names those that the lines refer to.
func Tie(b Bundle, used map[string]bool, stored tlog.HashReader) (Bundle, error) {
	if b.Identities != nil {
		b.Identities = slices.DeleteFunc(slices.Clone(b.Identities), func(i Identity) bool { return !used[i.Ref] })
		if len(b.Identities) == 0 {
			b.Identities = nil // the names were erased, or the session names nobody
		}
	}
	var err error
	if b.Frontier, err = Frontier(b.From, stored); err != nil {
		return b, err
	}
	if b.EpochProof, err = tlog.ProveRecord(b.Checkpoints[len(b.Checkpoints)-1].Size, 0, stored); err != nil {
		return b, fmt.Errorf("prove the first record of the epoch: %w", err)
	}
	return b, nil
}
