package virtual

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"scentpost/drivers/bus"
)

// Watch sends the edges of lines to sink; see bus.Bus. After a reconnect they go on.
func (c *Client) Watch(lines []string, sink bus.Sink) error {
	c.mu.Lock()
	if c.sink != nil {
		c.mu.Unlock()
		return errors.New("watch: the lines of this bus are watched already")
	}
	c.watched, c.sink = slices.Clone(lines), sink
	c.mu.Unlock()
	if _, err := c.call(Message{Kind: Watch, Lines: lines}); err != nil {
		c.mu.Lock()
		c.sink = nil
		c.mu.Unlock()
		return fmt.Errorf("watch %d lines: %w", len(lines), err)
	}
	return nil
}

// Level reads the level of a line.
func (c *Client) Level(line string) (bool, error) {
	m, err := c.call(Message{Kind: Level, Line: line})
	if err != nil {
		return false, fmt.Errorf("level of %s: %w", line, err)
	}
	return m.Level, nil
}

// Output asks for a line as an output at its safe level. After a reconnect it is asked for again.
func (c *Client) Output(line string, safe bool) (bus.Output, error) {
	o := &output{client: c, line: line, safe: safe}
	c.mu.Lock()
	c.outputs = append(c.outputs, o) // before it is asked for, so that no reconnect forgets it
	c.mu.Unlock()
	if _, err := c.call(Message{Kind: Output, Line: line, Safe: safe}); err != nil {
		c.mu.Lock()
		c.outputs = slices.DeleteFunc(c.outputs, func(other *output) bool { return other == o })
		c.mu.Unlock()
		return nil, fmt.Errorf("output %s: %w", line, err)
	}
	return o, nil
}

// output is one output of the station.
type output struct {
	client *Client
	line   string
	safe   bool
}

// Set drives the line; see bus.Output. While the station is away, whose outputs are then safe, it fails with
// bus.ErrGone.
func (o *output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	if done == nil {
		done = func(int64, error) {}
	}
	c := o.client
	c.mu.Lock()
	asked := c.ask(Message{Kind: Set, Line: o.line, Level: level, At: at, Longest: longest},
		func(m Message, err error) { done(m.Mono, err) })
	c.mu.Unlock()
	if !asked {
		done(0, c.gone())
	}
}

// Sources names what stamps edges, as the station declares it.
func (c *Client) Sources() map[string]time.Duration { return maps.Clone(c.hello.Sources) }

// Boot is the station's boot id.
func (c *Client) Boot() string { return c.hello.Boot }

// Station is the station's own name.
func (c *Client) Station() string { return c.hello.Station }

// Scale is how many virtual seconds pass in a real one.
func (c *Client) Scale() float64 { return c.hello.Scale }

// Loaded is what lies in the station's canisters, in their order.
func (c *Client) Loaded() []Loaded { return slices.Clone(c.hello.Loaded) }

// Finds names the odours that the station's dog finds, none where it has no dog.
func (c *Client) Finds() []string { return slices.Clone(c.hello.Finds) }

// Mono is the station's virtual clock in nanoseconds, never running backwards. While the station is away it runs
// on by itself.
func (c *Client) Mono() int64 { return c.time.now(time.Now()) }

// UTC is the station's UTC at the virtual instant mono, in nanoseconds since 1970.
func (c *Client) UTC(mono int64) int64 { return c.hello.UTC + mono - c.hello.Mono }
