package uplink

import "time"

// Backoff draws the pauses between attempts to connect, with full jitter: after the n-th failure in a row uniformly
// from 0 to the lesser of Most and Least times 2^n, so that a fleet does not come back at one instant.
type Backoff struct {
	// Least and Most bound the range that is drawn from.
	Least, Most time.Duration
	// Draw returns a uniform number in [0, n).
	Draw func(n int64) int64

	failures int
}

// Failed returns how long to wait after one more failure.
func (b *Backoff) Failed() time.Duration {
	limit := b.limit(b.failures)
	b.failures++
	return time.Duration(b.Draw(int64(limit) + 1))
}

// Worked starts again from the shortest pause, when something was delivered on a connection that has lasted for longer than
// the last pause could. Two clients that take one id from each other deliver something each time, and must slow down all
// the same.
func (b *Backoff) Worked(lasted time.Duration) {
	if lasted >= b.limit(b.failures-1) {
		b.failures = 0
	}
}

// limit is the longest pause after so many earlier failures in a row.
func (b *Backoff) limit(failures int) time.Duration {
	limit := b.Least
	for range failures {
		if limit >= b.Most/2 {
			return b.Most
		}
		limit *= 2
	}
	return min(limit, b.Most)
}
