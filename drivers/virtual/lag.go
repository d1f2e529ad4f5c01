package virtual

import (
	"slices"
	"time"

	"scentpost/drivers/bus"
)

// tardy is how long after its instant, by the station's clock, a command may be done without a word. A shutter of a virtual
// station arrives within 365 ms, and by default has 800 ms for it: half of the rest.
const tardy = 200 * time.Millisecond

// request is what waits for an answer of the station.
type request struct {
	done func(Message, error)
	id   uint64
	line string // of a set, else ""
	at   int64  // the instant that a set is for
	told bool   // that it is late
}

// request returns what waits for the answer to m.
func (c *Client) request(m Message, done func(Message, error)) *request {
	r := &request{done: done, id: m.ID}
	if m.Kind == Set {
		r.line, r.at = m.Line, m.At
		if r.at == 0 {
			r.at = c.Mono()
		}
	}
	return r
}

// late tells whether a request that is done at mono, or is not done by then, is late.
func (r *request) late(mono int64) bool { return r.line != "" && mono-r.at > int64(tardy) }

// overdue tells of sets that are late and have not come to the station, whose clock shows now: those that came in time were
// answered before it said so.
func (c *Client) overdue(now int64) {
	var late []*request
	c.mu.Lock()
	for _, r := range c.waiting {
		if !r.told && r.late(now) {
			r.told = true
			late = append(late, r)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(late, func(a, b *request) int { return int(a.id) - int(b.id) })
	for _, r := range late {
		c.lag(r, now)
	}
}

// lag tells that a request is late, if it is.
func (c *Client) lag(r *request, mono int64) {
	c.mu.Lock()
	sink, wants := c.sink.(bus.LagSink)
	c.mu.Unlock()
	if wants && r.late(mono) {
		sink.Lag(bus.Lag{Line: r.line, By: time.Duration(mono - r.at)})
	}
}
