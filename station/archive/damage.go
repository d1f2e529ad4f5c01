package archive

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/journal"
	"scentpost/station/record"
)

// A record that is damaged costs that record. Everything else of its session is given out: what stands before it as a bundle,
// as far as it is signed, and what stands after it line by line.

// salvage calls f for every line of a session that can be read, and returns the records that cannot. The records of a session
// stand one after the other; those before own are its own, readable or not. The error is a condition: they cannot be read now.
func salvage(log journal.Log, s journal.Session, own int64, f func(journal.Line)) (missing []int64, err error) {
	next := s.From // the next record that was not looked at
	take := func(lines []journal.Line) {
		for _, l := range lines {
			if l.Seq < next { // its place is damaged, and it lies among others
				continue
			}
			for ; next < l.Seq; next++ {
				missing = append(missing, next)
			}
			f(l)
			next++
		}
	}
	end := s.To
	if s.Known == s.To {
		own = max(own, s.To) // the index says where it ended
	}
	for from := s.From; from < end; {
		lines, err := log.LinesOf(s, from, pageLines, pageBytes)
		take(lines)
		if len(lines) > 0 {
			from = lines[len(lines)-1].Seq + 1
		}
		switch {
		case err == nil && len(lines) == 0:
			from = end
		case err != nil && !errors.Is(err, journal.ErrDamaged):
			return missing, err
		case err != nil:
			var bad *journal.BadRecord
			if from, err = skip(log, s, from, take); errors.As(err, &bad) {
				own = max(own, bad.Seq+1)
			} else if err != nil && !errors.Is(err, journal.ErrDamaged) {
				return missing, err
			}
		}
	}
	for ; next < own; next++ {
		missing = append(missing, next)
	}
	return missing, nil
}

// skip goes past the first record from one on that cannot be read, record by record, and returns the one after it with the
// error.
func skip(log journal.Log, s journal.Session, from int64, take func([]journal.Line)) (int64, error) {
	for ; from < s.To; from++ {
		one := s
		one.To = from + 1
		lines, err := log.LinesOf(one, from, 1, pageBytes)
		take(lines)
		if err != nil {
			return from + 1, err
		}
	}
	return from, nil
}

// leafOf says where the leaf hash of a record that is damaged may still be found.
type leafOf func(log journal.Log, seq int64, bad *journal.BadRecord) (tlog.Hash, error)

// storedLeaf takes the stored one: it is the line that was damaged.
func storedLeaf(log journal.Log, seq int64, _ *journal.BadRecord) (tlog.Hash, error) {
	leaf, err := log.ReadHashes([]int64{tlog.StoredHashIndex(0, seq)})
	if err != nil {
		return tlog.Hash{}, err
	}
	return leaf[0], nil
}

// lineLeaf takes that of the line, where it can be read: it is the hash that was damaged.
func lineLeaf(log journal.Log, seq int64, bad *journal.BadRecord) (tlog.Hash, error) {
	if bad == nil {
		return storedLeaf(log, seq, nil)
	}
	return bad.Leaf, nil
}

// nextLeaf takes what the next record of the session says of the one before it.
func nextLeaf(log journal.Log, seq int64, _ *journal.BadRecord) (tlog.Hash, error) {
	next, err := one(log, seq+1)
	if err == nil && next.N < 2 {
		err = fmt.Errorf("%w: no record says which one record %d was", journal.ErrDamaged, seq)
	}
	return next.Prev, err
}

// hasher makes the hashes of a log again from its lines, and takes those of damaged records from elsewhere. It implements
// tlog.HashReader.
type hasher struct {
	log  journal.Log
	leaf leafOf
}

// ReadHashes implements tlog.HashReader.
func (h hasher) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		var err error
		if out[i], err = h.subtree(n<<level, (n+1)<<level); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// subtree returns the root of the records [from, to), a complete subtree.
func (h hasher) subtree(from, to int64) (tlog.Hash, error) {
	var tree record.Tree
	for at := from; at < to; {
		lines, err := h.log.Lines(at, int(min(pageLines, to-at)), pageBytes)
		for _, l := range lines {
			tree.Append(l.Bytes)
		}
		at += int64(len(lines))
		var bad *journal.BadRecord
		switch {
		case err != nil && !errors.Is(err, journal.ErrDamaged):
			return tlog.Hash{}, err
		case err != nil:
			errors.As(err, &bad)
			leaf, err := h.leaf(h.log, at, bad)
			if err != nil {
				return tlog.Hash{}, err
			}
			tree.AppendLeaf(nil, leaf)
			at++
		case len(lines) == 0:
			return tlog.Hash{}, fmt.Errorf("%w: record %d is missing", journal.ErrDamaged, at)
		}
	}
	return tree.Root(), nil
}
