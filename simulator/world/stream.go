package world

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/bits"
	"math/rand/v2"
	"time"
)

// streamTag begins what the seed of a stream is hashed from.
const streamTag = "scentpost/world/v1"

// Stream is one independent source of chance: ChaCha8 as math/rand/v2 specifies it, keyed with
// SHA-256(streamTag | seed, 8 bytes big-endian | name). Its numbers are made here with integers alone, because the
// helpers of math/rand may change with Go's version and floating point differs between machines.
type Stream struct{ source *rand.ChaCha8 }

// Rand returns the world's stream of that name: the same one each time, so that a second caller goes on where
// the first one is. A new stream changes no other.
func (w *World) Rand(name string) *Stream {
	if s, ok := w.streams[name]; ok {
		return s
	}
	h := sha256.New()
	h.Write([]byte(streamTag))
	h.Write(binary.BigEndian.AppendUint64(nil, w.seed))
	h.Write([]byte(name))
	s := &Stream{source: rand.NewChaCha8([32]byte(h.Sum(nil)))}
	w.streams[name] = s
	return s
}

// Bytes returns an endless reader of chance bytes, independent of the stream Rand(name). Everything read from it
// is known to whoever knows the seed: it makes ids, nonces and keys of simulated stations only.
func (w *World) Bytes(name string) io.Reader { return w.Rand("bytes/" + name).source }

// Uint64 returns 64 random bits.
func (s *Stream) Uint64() uint64 { return s.source.Uint64() }

// Below returns a number from 0 to n-1, each equally likely. n must be positive.
func (s *Stream) Below(n int) int {
	if n <= 0 {
		panic("world: Below needs a positive number")
	}
	// Lemire's multiplication with rejection: the high word is the number, a low word under (2^64-n) mod n is
	// thrown away since it would favour the small ones.
	bound := uint64(n)
	high, low := bits.Mul64(s.Uint64(), bound)
	for threshold := -bound % bound; low < threshold; {
		high, low = bits.Mul64(s.Uint64(), bound)
	}
	return int(high)
}

// Happens tells whether a thing of probability p happens. It takes from the stream whatever p is, so that a
// changed probability does not shift what follows.
func (s *Stream) Happens(p float64) bool {
	const steps = 1 << 53 // a float64 below 1 times 2^53 is exact
	return s.Uint64()>>11 < uint64(min(max(p, 0), 1)*steps)
}

// Between returns a duration from low to high, both included, each nanosecond equally likely. With high below low
// it returns low.
func (s *Stream) Between(low, high time.Duration) time.Duration {
	if high <= low {
		s.Uint64()
		return low
	}
	return low + time.Duration(s.Below(int(high-low)+1))
}

// Around returns a duration near mean, bell-shaped, never further off than spread: the mean of four uniform ones.
func (s *Stream) Around(mean, spread time.Duration) time.Duration {
	var sum time.Duration
	for range 4 {
		sum += s.Between(-spread, spread)
	}
	return mean + sum/4
}
