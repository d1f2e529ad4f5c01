package assembly

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/journal"
	"scentpost/station/record"
)

// spoilt is a log of which one stored hash is not what was written.
type spoilt struct {
	journal.Log
	hashes []tlog.Hash
	lines  [][]byte
}

// ReadHashes implements tlog.HashReader.
func (s spoilt) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = s.hashes[index]
	}
	return out, nil
}

// Lines implements journal.Log.
func (s spoilt) Lines(from int64, most, _ int) (out []journal.Line, err error) {
	for at := from; at < min(from+int64(most), int64(len(s.lines))); at++ {
		out = append(out, journal.Line{Seq: at, Bytes: s.lines[at]})
	}
	return out, nil
}

// A damaged hash of the journal is no other history, whichever hash it is: then the journal cannot tell.
func TestADamagedHashIsNoOtherHistory(t *testing.T) {
	const size = 11
	whole := spoilt{hashes: []tlog.Hash{}}
	var tree record.Tree
	for i := range size {
		line := fmt.Appendf(nil, "record %d", i)
		whole.lines = append(whole.lines, line)
		whole.hashes = tree.AppendLeaf(whole.hashes, record.LeafHash(line))
	}
	rootOf := func(n int64, log tlog.HashReader) tlog.Hash {
		root, err := journal.Root(n, log)
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	for left := int64(0); left <= size; left++ {
		note := journal.Left{Size: left, Root: rootOf(left, whole)}
		for said := int64(1); said <= size; said++ {
			truth := rootOf(said, whole)
			if err := ownHistory(whole, note, said, truth); err != nil {
				t.Errorf("%d left, %d said: a whole journal cannot tell: %v", left, said, err)
			}
			for bad := range whole.hashes {
				log := whole
				log.hashes = append([]tlog.Hash(nil), whole.hashes...)
				log.hashes[bad][5] ^= 1
				if read := rootOf(said, log); read != truth {
					if err := ownHistory(log, note, said, read); !errors.Is(err, journal.ErrDamaged) {
						t.Errorf("%d left, %d said, hash %d damaged: %v", left, said, bad, err)
					}
				}
			}
		}
	}
}
