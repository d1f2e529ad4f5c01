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
	limit := b.Least
	for range b.failures {
		if limit >= b.Most/2 {
			limit = b.Most
			break
		}
		limit *= 2
	}
	b.failures++
	return time.Duration(b.Draw(int64(min(limit, b.Most)) + 1))
}

// Worked starts again from the shortest pause.
func (b *Backoff) Worked() { b.failures = 0 }
