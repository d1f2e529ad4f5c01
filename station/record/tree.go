package record

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// LeafHash returns the hash of a public line (without newline) as a leaf of RFC 6962: SHA-256(0x00 | line).
func LeafHash(line []byte) tlog.Hash { return tlog.RecordHash(line) }

// Tree is the right edge of a Merkle log of RFC 6962: the roots of its complete subtrees. With it alone the log
// grows and gives its root in O(log n), without storage. The zero Tree is the empty log; a copy is a log of its own.
type Tree struct {
	size  int64
	level [63]tlog.Hash // the root of the complete subtree of 2^l records, valid where the bit of size is set
}

// NewTree returns a log of size records whose complete subtrees have the roots edge, largest (oldest) first.
func NewTree(size int64, edge []tlog.Hash) (Tree, error) {
	if size < 0 || len(edge) != bits.OnesCount64(uint64(size)) {
		return Tree{}, fmt.Errorf("a log of %d records does not have %d complete subtrees", size, len(edge))
	}
	t := Tree{size: size}
	for rest := size; rest != 0; edge = edge[1:] {
		l := bits.Len64(uint64(rest)) - 1
		t.level[l] = edge[0]
		rest -= 1 << l
	}
	return t, nil
}

// RestoreTree reads the right edge of a log of size records from its stored hashes.
func RestoreTree(size int64, stored tlog.HashReader) (Tree, error) {
	edge, err := Frontier(size, stored)
	if err != nil {
		return Tree{}, err
	}
	return NewTree(size, edge)
}

// Frontier reads the roots of the complete subtrees of the first size records, largest first: what NewTree needs.
func Frontier(size int64, stored tlog.HashReader) ([]tlog.Hash, error) {
	return subtrees(0, size, stored)
}

// subtrees reads the roots of the fewest complete subtrees that hold exactly the records [from, to), in their order.
func subtrees(from, to int64, stored tlog.HashReader) ([]tlog.Hash, error) {
	var ids []int64
	for at := from; at < to; {
		l := largest(at, to)
		ids = append(ids, tlog.StoredHashIndex(l, at>>l))
		at += 1 << l
	}
	if len(ids) == 0 {
		return nil, nil
	}
	hashes, err := stored.ReadHashes(ids)
	if err != nil {
		return nil, fmt.Errorf("read the hashes of the records %d to %d: %w", from, to-1, err)
	}
	return hashes, nil
}

// largest returns the level of the largest complete subtree that begins at record from and ends before record to, which is
// later.
func largest(from, to int64) int {
	fits := bits.Len64(uint64(to-from)) - 1
	return min(fits, bits.TrailingZeros64(uint64(from))) // of 0 these are 64
}

// Append adds a public line (without newline).
func (t *Tree) Append(line []byte) { t.AppendLeaf(nil, LeafHash(line)) }

// AppendLeaf adds the record with this leaf hash. It appends to stored the hashes that a store keeps from
// tlog.StoredHashIndex(0, n) on, where n was the size before: the leaf, then the root of each subtree that it
// completes. A nil stored stays nil.
func (t *Tree) AppendLeaf(stored []tlog.Hash, leaf tlog.Hash) []tlog.Hash {
	keep := stored != nil
	if keep {
		stored = append(stored, leaf)
	}
	l := 0
	for ; t.size>>l&1 == 1; l++ {
		leaf = tlog.NodeHash(t.level[l], leaf)
		if keep {
			stored = append(stored, leaf)
		}
	}
	t.level[l] = leaf
	t.size++
	return stored
}

// AppendGap adds the records of a gap, which begins where the log ends. It fails where the gap does not fit the log, and where
// it has other than its fewest subtrees.
func (t *Tree) AppendGap(g Gap) error {
	if g.From != t.size || g.To <= g.From || g.To > maxSize {
		return fmt.Errorf("the gap from %d to %d does not follow the %d records before it", g.From, g.To, t.size)
	}
	for i := 0; t.size < g.To; i++ {
		if i == len(g.Nodes) {
			return fmt.Errorf("the gap from %d to %d needs more than its %d hashes", g.From, g.To, i)
		}
		level := largest(t.size, g.To)
		root, l := g.Nodes[i], level
		for ; t.size>>l&1 == 1; l++ {
			root = tlog.NodeHash(t.level[l], root)
		}
		t.level[l] = root
		t.size += 1 << level
		if t.size == g.To && i+1 != len(g.Nodes) {
			return fmt.Errorf("the gap from %d to %d has %d hashes and needs %d", g.From, g.To, len(g.Nodes), i+1)
		}
	}
	return nil
}

// Size returns the number of records.
func (t *Tree) Size() int64 { return t.size }

// Edge returns the roots of the complete subtrees, largest first: what NewTree needs.
func (t *Tree) Edge() []tlog.Hash {
	var edge []tlog.Hash
	for l := len(t.level) - 1; l >= 0; l-- {
		if t.size>>l&1 == 1 {
			edge = append(edge, t.level[l])
		}
	}
	return edge
}

// Root returns the root of the log; that of the empty log is the hash of nothing.
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	l := bits.TrailingZeros64(uint64(t.size))
	root := t.level[l]
	for l++; t.size>>l != 0; l++ {
		if t.size>>l&1 == 1 {
			root = tlog.NodeHash(t.level[l], root)
		}
	}
	return root
}
