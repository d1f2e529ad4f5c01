package record

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Assemble makes the bundle of a session whose lines are in memory. b holds Log, Session, Epoch, Key, Lines, Checkpoints and
// Identities; stored gives the hashes of the log up to the last line. What no checkpoint of the session covers is
// left out, since nobody has signed it, and so is whoever the session does not name.
func Assemble(b Bundle, stored tlog.HashReader) (Bundle, error) {
	places := make([]int64, len(b.Lines))
	for i, line := range b.Lines {
		var err error
		if places[i], err = PlaceOf(line); err != nil {
			return b, fmt.Errorf("line %d of the session: %w", i, err)
		}
	}
	b.Gaps = GapsBetween(places)
	end := int64(0)
	if len(places) > 0 {
		end = places[len(places)-1] + 1
	}
	if err := b.Covers(end); err != nil {
		return b, err
	}
	to := b.Checkpoints[len(b.Checkpoints)-1].Size
	signed, _ := slices.BinarySearch(places, to)
	b.Lines = b.Lines[:signed]
	b.Gaps = GapsBetween(places[:signed])
	return Tie(b, References(b.Lines), stored)
}

// GapsBetween returns the gaps of a log before and between records at these places, which ascend; without their hashes.
func GapsBetween(places []int64) []Gap {
	var gaps []Gap
	at := int64(0)
	for _, place := range places {
		if place > at {
			gaps = append(gaps, Gap{From: at, To: place})
		}
		at = place + 1
	}
	return gaps
}

// first returns the place of the session's first record, 0 where no gap stands before it.
func (b Bundle) first() int64 {
	if len(b.Gaps) == 0 || b.Gaps[0].From != 0 {
		return 0
	}
	return b.Gaps[0].To
}

// Covers returns an error when the checkpoints of a bundle do not cover a line, or cover one that there is not: its lines end
// before record end.
func (b Bundle) Covers(end int64) error {
	if len(b.Checkpoints) == 0 {
		return fmt.Errorf("session %s has no checkpoint yet: nothing of it is signed", b.Session)
	}
	if to := b.Checkpoints[len(b.Checkpoints)-1].Size; b.first() < 1 || to <= b.first() || to > end {
		return fmt.Errorf("session %s: its last checkpoint is of %d records, its lines are %d to %d", b.Session, to, b.first(), end-1)
	}
	return nil
}

// Tie ties a bundle, whose lines end where its last checkpoint does, to its log: the hashes of its gaps, the proof of the epoch's
// first record, and of the names those that the lines refer to.
func Tie(b Bundle, used map[string]bool, stored tlog.HashReader) (Bundle, error) {
	if b.Identities != nil {
		b.Identities = slices.DeleteFunc(slices.Clone(b.Identities), func(i Identity) bool { return !used[i.Ref] })
		if len(b.Identities) == 0 {
			b.Identities = nil // the names were erased, or the session names nobody
		}
	}
	var err error
	b.Gaps = slices.Clone(b.Gaps)
	for i := range b.Gaps {
		g := &b.Gaps[i]
		if g.Nodes, err = subtrees(g.From, g.To, stored); err != nil {
			return b, err
		}
	}
	if b.EpochProof, err = tlog.ProveRecord(b.Checkpoints[len(b.Checkpoints)-1].Size, 0, stored); err != nil {
		return b, fmt.Errorf("prove the first record of the epoch: %w", err)
	}
	return b, nil
}
