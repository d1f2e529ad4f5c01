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
	if len(b.Checkpoints) == 0 {
		return b, fmt.Errorf("session %s has no checkpoint yet: nothing of it is signed", b.Session)
	}
	to := b.Checkpoints[len(b.Checkpoints)-1].Size
	if b.From < 1 || to <= b.From || to > b.To() {
		return b, fmt.Errorf("session %s: its last checkpoint is of %d records, its lines are %d to %d", b.Session, to, b.From, b.To()-1)
	}
	b.Lines = b.Lines[:to-b.From]
	if b.Identities != nil {
		used := References(b.Lines)
		b.Identities = slices.DeleteFunc(slices.Clone(b.Identities), func(i Identity) bool { return !used[i.Ref] })
		if len(b.Identities) == 0 {
			b.Identities = nil // the names were erased, or the session names nobody
		}
	}
	var err error
	if b.Frontier, err = Frontier(b.From, stored); err != nil {
		return b, err
	}
	if b.EpochProof, err = tlog.ProveRecord(to, 0, stored); err != nil {
		return b, fmt.Errorf("prove the first record of the epoch: %w", err)
	}
	return b, nil
}
