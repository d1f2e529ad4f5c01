package main

import (
	"log/slog"
	"sync"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
)

// conditions are what is wrong with the station as a whole: nothing of it depends on what stands in a canister.
type conditions struct {
	log     *slog.Logger
	changed func() // hears of every condition that comes or goes; must not wait

	mu  sync.Mutex // guards set
	set health.Set
}

// raise notes a condition; only what is news is logged.
func (c *conditions) raise(code health.Code, on, evidence string) {
	c.mu.Lock()
	news := c.set.Raise(code, on, evidence, event.Stamp{UTC: time.Now().UnixNano()})
	c.mu.Unlock()
	if news {
		c.log.Warn("condition", "code", string(code), "on", on, "evidence", evidence)
		c.changed()
	}
}

// clear notes that a condition is over.
func (c *conditions) clear(code health.Code, on string) {
	c.mu.Lock()
	held := c.set.Clear(code, on)
	c.mu.Unlock()
	if held {
		c.log.Info("condition over", "code", string(code), "on", on)
		c.changed()
	}
}

// all returns the conditions that hold, worst first.
func (c *conditions) all() []health.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set.Snapshot()
}
