package blind

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"math/bits"
)

// tagGenerator begins every block of the generator.
const tagGenerator = "scentpost/draw/v1"

// The streams of one seed. The reserve has its own, so that its placements do not depend on how many deals of the
// scheduled runs were thrown away.
const (
	streamScheduled = "scheduled"
	streamReserve   = "reserve"
)

// generator is the generator of LAW1.md: SHA-256 in counter mode, read as 64-bit words, big end first.
type generator struct {
	input []byte // tag, seed and stream as parts; the last 8 bytes are the counter
	block [sha256.Size]byte
	next  int // the next unread byte of the block
	count uint64
}

func newGenerator(seed [32]byte, stream string) *generator {
	input := appendPart(nil, tagGenerator)
	input = appendPart(input, seed[:])
	input = appendPart(input, stream)
	return &generator{input: append(input, make([]byte, 8)...), next: sha256.Size}
}

// word returns the next 64 bits.
func (g *generator) word() uint64 {
	if g.next == sha256.Size {
		binary.BigEndian.PutUint64(g.input[len(g.input)-8:], g.count)
		g.block, g.next = sha256.Sum256(g.input), 0
		g.count++
	}
	w := binary.BigEndian.Uint64(g.block[g.next:])
	g.next += 8
	return w
}

// below returns a whole number from 0 to n-1, each equally likely: as many low bits of a word as n-1 has, again
// while they make n or more. n must be at least 1; for 1 no word is read.
func (g *generator) below(n int) int {
	mask := uint64(1)<<bits.Len64(uint64(n-1)) - 1
	for n > 1 {
		if w := g.word() & mask; w < uint64(n) {
			return int(w)
		}
	}
	return 0
}

// belowBig is below for a number of any size: as many words as n-1 has, the first word highest, of which the bits
// above those of n-1 are dropped.
func (g *generator) belowBig(n *big.Int) *big.Int {
	one := big.NewInt(1)
	width := new(big.Int).Sub(n, one).BitLen()
	mask := new(big.Int).Sub(new(big.Int).Lsh(one, uint(width)), one)
	x := new(big.Int)
	for width > 0 {
		x.SetInt64(0)
		for range (width + 63) / 64 {
			x.Lsh(x, 64)
			x.Or(x, new(big.Int).SetUint64(g.word()))
		}
		if x.And(x, mask).Cmp(n) < 0 {
			return x
		}
	}
	return x
}

// within returns a number of the range, each equally likely.
func (g *generator) within(r Range) int { return r.Min + g.below(r.Max-r.Min+1) }

// shuffle puts the cards into an order, each equally likely: from the last card down to the second, each changes
// places with one of those up to and including itself.
func shuffle[T any](g *generator, cards []T) {
	for i := len(cards) - 1; i > 0; i-- {
		j := g.below(i + 1)
		cards[i], cards[j] = cards[j], cards[i]
	}
}

// appendPart appends a part of what is hashed: its length as 4 bytes, big end first, and its bytes. Lengths make
// sure that two different lists of parts never give the same bytes.
func appendPart[T string | []byte](b []byte, part T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
	return append(b, part...)
}

// appendNumber appends a number as a part: 8 bytes, big end first.
func appendNumber(b []byte, n int) []byte {
	return appendPart(b, binary.BigEndian.AppendUint64(nil, uint64(n)))
}
