package journal

import "golang.org/x/mod/sumdb/tlog"

// The hashes of the Merkle log are kept with the records: each with the one that completes its subtree.

// storedAt tells where the hash of the given index (tlog.StoredHashIndex) is kept: with which record, and as which
// of its hashes.
func storedAt(index int64) (seq int64, level int) {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1, level
}

// Root returns the root of the first size records.
func Root(size int64, r tlog.HashReader) (tlog.Hash, error) { return tlog.TreeHash(size, r) }

// maxStored is how many hashes a record can have: one a level of the largest log.
const maxStored = 64
