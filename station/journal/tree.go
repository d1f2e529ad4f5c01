package journal

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// frontier is the right edge of the Merkle log: the roots of its complete subtrees, one a set bit of the size.
// With it a record's stored hashes cost no read.
type frontier struct {
	size  int64
	level [64]tlog.Hash // valid where the bit of size is set
}

// add appends to dst the hashes that the next record adds to the store (tlog's order: the leaf, then each subtree
// that it completes), and moves the edge.
func (f *frontier) add(dst []tlog.Hash, line []byte) []tlog.Hash {
	h := tlog.RecordHash(line)
	dst = append(dst, h)
	l := 0
	for n := f.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(f.level[l], h)
		dst = append(dst, h)
		l++
	}
	f.level[l] = h
	f.size++
	return dst
}

// root returns the root of the log.
func (f *frontier) root() (tlog.Hash, error) {
	return tlog.TreeHash(f.size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			level, _ := tlog.SplitStoredHashIndex(index)
			hashes[i] = f.level[level]
		}
		return hashes, nil
	}))
}

// frontierIndexes returns the stored-hash indexes of the complete subtrees of a log, largest first.
func frontierIndexes(size int64) []int64 {
	var indexes []int64
	for l := bits.Len64(uint64(size)) - 1; l >= 0; l-- {
		if size>>l&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(l, size>>l-1))
		}
	}
	return indexes
}

// Frontier returns the roots of the complete subtrees of the first size records, largest first: what is needed to
// go on hashing from there, and to prove what comes after without what came before.
func Frontier(size int64, r tlog.HashReader) ([]tlog.Hash, error) {
	if size <= 0 {
		return nil, nil
	}
	indexes := frontierIndexes(size)
	hashes, err := r.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("reading the frontier at %d: %w", size, err)
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("%w: %d hashes at the frontier of %d, want %d", ErrDamaged, len(hashes), size, len(indexes))
	}
	return hashes, nil
}

// restoreFrontier returns the frontier of the first size records.
func restoreFrontier(size int64, r tlog.HashReader) (frontier, error) {
	f := frontier{size: size}
	hashes, err := Frontier(size, r)
	if err != nil {
		return f, err
	}
	for l := 0; l < 63; l++ {
		if size>>l&1 == 1 {
			f.level[l] = hashes[len(hashes)-1]
			hashes = hashes[:len(hashes)-1]
		}
	}
	return f, nil
}

// Root returns the root of the first size records.
func Root(size int64, r tlog.HashReader) (tlog.Hash, error) { return tlog.TreeHash(size, r) }

// storedAt tells where the hash of the given index is kept: with the record that completes its subtree, at its
// level.
func storedAt(index int64) (seq int64, level int) {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1, level
}
