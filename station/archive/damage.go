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
// stand one after the other. The error is a condition: they cannot be read now.
func salvage(log journal.Log, s journal.Session, f func(journal.Line)) (missing []int64, err error) {
	next := s.From // the next record that was not looked at
	take := func(lines []journal.Line) {
		for _, l := range lines {
			for ; next < l.Seq; next++ {
				missing = append(missing, next)
			}
			f(l)
			next++
		}
	}
	end, own := s.To, s.From // the records before own are its own, readable or not
	if s.Known == s.To {
		own = s.To // the index says where it ended
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

// hasher makes the hashes of a log again from its lines. Of a record that is not what was written it takes the stored hash, or
// with byLine that of its line. It implements tlog.HashReader.
type hasher struct {
	log    journal.Log
	byLine bool
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
		case err != nil && !errors.As(err, &bad):
			return tlog.Hash{}, err
		case bad != nil && h.byLine:
			tree.AppendLeaf(nil, bad.Leaf)
			at++
		case bad != nil:
			leaf, err := h.log.ReadHashes([]int64{tlog.StoredHashIndex(0, at)})
			if err != nil {
				return tlog.Hash{}, err
			}
			tree.AppendLeaf(nil, leaf[0])
			at++
		case len(lines) == 0:
			return tlog.Hash{}, fmt.Errorf("%w: record %d is missing", journal.ErrDamaged, at)
		}
	}
	return tree.Root(), nil
}
