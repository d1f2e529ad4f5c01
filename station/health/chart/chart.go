// Package chart keeps the conditions of a running station, and shows and logs them as people may see them.
//
// From seal to reveal it freezes what would tell the placement: in what All returns, in the log, and in when its
// readers hear that something has changed.
package chart

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/listeners"
)

// Options are what a chart is made of. All but Rule must be set.
type Options struct {
	Log *slog.Logger
	// Now is the time of day.
	Now func() event.Stamp
	// Rule says how much of a device's condition may be seen from seal to reveal; nil for nothing.
	Rule health.Rule
}

// Chart is the conditions of a station at work. Its methods may be called from any goroutine.
type Chart struct {
	opt      Options
	watchers listeners.List[struct{}]

	mu    sync.Mutex // guards what follows
	set   health.Set
	blank bool // frozen since it was made: it does not know what was so at the seal
	told  bool // whether a session is sealed
}

// New returns a chart on which nothing of a device can be seen until Follow says that no session is sealed: after a
// restart nobody knows yet.
func New(opt Options) *Chart {
	c := &Chart{opt: opt, set: health.NewSet(opt.Rule), blank: true}
	c.set.Freeze()
	return c
}

// Watch calls f after every change that can be seen, until stop is called. f must not wait.
func (c *Chart) Watch(f func()) (stop func()) { return c.watchers.Add(func(struct{}) { f() }) }

func (c *Chart) tell() { c.watchers.Tell(struct{}{}) }

// Raise notes a condition; only what is news is logged.
func (c *Chart) Raise(code health.Code, on, evidence string) {
	at := c.opt.Now()
	c.mu.Lock()
	news := c.set.Raise(code, on, evidence, at)
	var seen health.Condition
	if news {
		seen = c.find(code, on)
	}
	c.mu.Unlock()
	if news {
		c.opt.Log.Warn("condition", "code", string(code), "on", on, "evidence", seen.Evidence)
		c.tell()
	}
}

// find returns a condition as it can be seen. The caller holds the mutex.
func (c *Chart) find(code health.Code, on string) health.Condition {
	all := c.set.Snapshot()
	i := slices.IndexFunc(all, func(s health.Condition) bool { return s.Code == code && s.On == on && s.Until == 0 })
	return all[i]
}

// Clear notes that a condition is over.
func (c *Chart) Clear(code health.Code, on string) {
	at := c.opt.Now()
	c.mu.Lock()
	news := c.set.Clear(code, on, at)
	c.mu.Unlock()
	if news {
		c.opt.Log.Info("condition over", "code", string(code), "on", on)
		c.tell()
	}
}

// Condition implements devices.HealthSink.
func (c *Chart) Condition(code health.Code, on, evidence string, holds bool) {
	if holds {
		c.Raise(code, on, evidence)
		return
	}
	c.Clear(code, on)
}

// Follow says whether a session is sealed and not revealed. At the reveal what could not be told is logged with its
// times.
func (c *Chart) Follow(sealed bool) {
	c.mu.Lock()
	var untold []health.Condition
	if sealed {
		c.set.Freeze()
	} else {
		untold = c.set.Thaw()
		if !c.told {
			c.set.Forget() // no session was sealed: nobody waited for it
		}
		c.blank = false
	}
	c.told = true
	c.mu.Unlock()
	for _, was := range untold {
		late := []any{"code", string(was.Code), "on", was.On, "evidence", was.Evidence, "since", utc(was.Since), "times", was.Times}
		if was.Until != 0 {
			late = append(late, "until", utc(was.Until))
		}
		c.opt.Log.Warn("condition", late...)
	}
	if len(untold) > 0 {
		c.tell()
	}
}

func utc(nanoseconds int64) string {
	return time.Unix(0, nanoseconds).UTC().Format("2006-01-02T15:04:05.000Z")
}

// Sealed tells whether what devices do is frozen now.
func (c *Chart) Sealed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set.Frozen()
}

// Blank tells whether the chart does not know what was so at the seal, since it is younger. Then it shows nothing of what
// is frozen, which does not mean that all is well.
func (c *Chart) Blank() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blank
}

// All returns what can be seen now, worst first.
func (c *Chart) All() []health.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set.Snapshot()
}

// Holds tells whether a condition holds, seen or not; see health.Set.
func (c *Chart) Holds(code health.Code, on string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set.Holds(code, on)
}
