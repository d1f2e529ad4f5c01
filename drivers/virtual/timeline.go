package virtual

import (
	"sync"
	"time"
)

// maxAhead is the real time for which the clock runs on by itself after a mark while the station is there. A
// station that was held up on a busy machine is thereby waited for, instead of being taken for late.
const maxAhead = 2 * MarkEvery

// timeline is the station's virtual clock as it is seen from here: it runs at the station's scale from mark to
// mark, a message's travel behind it, and never backwards.
type timeline struct {
	mu     sync.Mutex // guards what follows
	scale  float64
	anchor int64 // the station's clock at real
	real   time.Time
	free   bool  // the station is away: nothing to wait for
	shown  int64 // the latest instant that anybody was told
}

// begin sets the clock to what the station said first.
func (t *timeline) begin(now int64, scale float64, real time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scale, t.anchor, t.shown, t.real = scale, now, now, real
}

// mark takes what the station's clock showed when its message was read.
func (t *timeline) mark(now int64, real time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read(real)
	// Where we ran ahead while it was away, shown stands still until the station has caught up.
	t.anchor, t.real, t.free = now, real, false
}

// saw takes that something was told to have happened at mono: the station's clock shows at least that, and ours nothing less
// from here on. Without it a person's command that follows an edge would be stamped before that edge.
func (t *timeline) saw(mono int64, real time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read(real) < mono {
		t.anchor, t.real, t.shown = mono, real, mono
	}
}

// lose lets the clock run by itself from here on.
func (t *timeline) lose(real time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.anchor, t.real, t.free = t.read(real), real, true
}

// now returns the virtual instant at the instant real.
func (t *timeline) now(real time.Time) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read(real)
}

func (t *timeline) read(real time.Time) int64 {
	passed := real.Sub(t.real)
	if !t.free {
		passed = min(passed, maxAhead)
	}
	t.shown = max(t.shown, t.anchor+int64(float64(max(passed, 0))*t.scale))
	return t.shown
}
