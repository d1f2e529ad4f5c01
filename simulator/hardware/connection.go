package hardware

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"scentpost/drivers/bus"
)

// ErrInUse: somebody else holds the station's lines.
var ErrInUse = errors.New("the station's lines are in use by another client")

// Connection is one client's hold on the lines of a station. It implements bus.Bus; one goroutine uses it, the
// world's.
type Connection struct {
	station *Station
	sink    bus.Sink
	watched map[string]bool
	outputs []*output
	closed  bool
}

var _ bus.Bus = (*Connection)(nil)

// Connect takes hold of the station's lines. All outputs are at their safe level. One client at a time: another
// gets ErrInUse.
func (s *Station) Connect() (*Connection, error) {
	if s.client != nil {
		return nil, ErrInUse
	}
	s.client = &Connection{station: s}
	s.changed(PowerCut, 0, "", "on")
	return s.client, nil
}

// Watch implements bus.Bus. No edge brings a promise: Mark gives them, at instants that its caller fixes, so that what
// waits for a promise does not wait for a canister.
func (c *Connection) Watch(lines []string, sink bus.Sink) error {
	if c.closed {
		return bus.ErrClosed
	}
	if c.watched != nil {
		return errors.New("watch: asked for twice: ask for all lines in one go")
	}
	watched := map[string]bool{}
	for _, name := range lines {
		l, err := c.line(name)
		if err != nil {
			return err
		}
		if l.drive != nil {
			return fmt.Errorf("watch: line %q is an output", name)
		}
		watched[name] = true
	}
	c.watched, c.sink = watched, sink
	return nil
}

func (c *Connection) edge(l *line, e bus.Edge) {
	if c.watched[l.name] {
		c.sink.Edge(e)
	}
}

// missed tells a sink that wants to hear of it that edges of any line may be missing.
func (c *Connection) missed(source string, edges uint64) {
	if sink, wants := c.sink.(bus.GapSink); wants && !c.closed {
		now := c.station.world.Mono()
		sink.Gap(bus.Gap{Source: source, Lines: slices.Sorted(maps.Keys(c.watched)), Lost: edges, From: now, To: now, Why: "a switch chatters"})
	}
}

// Mark promises the sink, for every source, that nothing earlier than now will come.
func (c *Connection) Mark() {
	if c.sink == nil || c.closed {
		return
	}
	for _, source := range []string{SourceFront, SourceLimits} {
		c.sink.Watermark(bus.Watermark{Source: source, Mono: c.station.world.Mono()})
	}
}

// Output implements bus.Bus. A line is given once.
func (c *Connection) Output(name string, safe bool) (bus.Output, error) {
	if c.closed {
		return nil, bus.ErrClosed
	}
	l, err := c.line(name)
	if err != nil {
		return nil, err
	}
	if l.drive == nil {
		return nil, fmt.Errorf("output: line %q is an input", name)
	}
	for _, o := range c.outputs {
		if o.line == l {
			return nil, fmt.Errorf("output: line %q was asked for before", name)
		}
	}
	o := &output{connection: c, line: l, safe: safe, fall: nothing}
	c.outputs = append(c.outputs, o)
	c.station.drive(l, safe)
	return o, nil
}

// Level implements bus.Bus, for inputs and outputs.
func (c *Connection) Level(name string) (bool, error) {
	if c.closed {
		return false, bus.ErrClosed
	}
	l, err := c.line(name)
	if err != nil {
		return false, err
	}
	return l.level, nil
}

// Sources implements bus.Bus. In one process an edge is given at the instant that it happens.
func (c *Connection) Sources() map[string]time.Duration { return maps.Clone(sources) }

var sources = map[string]time.Duration{SourceFront: 0, SourceLimits: 0}

// Close implements bus.Bus: the outputs go to their safe level at once, what is pending gets bus.ErrClosed.
func (c *Connection) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	for _, o := range c.outputs {
		o.stop(bus.ErrClosed)
		o.fall()
		c.station.drive(o.line, o.safe)
	}
	c.station.client = nil
	c.station.changed(PowerCut, 0, "", "off")
	return nil
}

func (c *Connection) line(name string) (*line, error) {
	if l := c.station.lines[name]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("%w: %q: the virtual station has none of that name", bus.ErrUnknownLine, name)
}

// output is one output line of a connection.
type output struct {
	connection *Connection
	line       *line
	safe       bool
	pending    *pending
	fall       func() // stops the return to the safe level; never nil
}

// pending is a Set whose instant is to come.
type pending struct {
	stop func()
	done func(mono int64, err error)
}

// Set implements bus.Output.
func (o *output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	if done == nil {
		done = func(int64, error) {}
	}
	if o.connection.closed {
		done(0, bus.ErrClosed)
		return
	}
	o.stop(bus.ErrReplaced)
	w := o.connection.station.world
	if level == o.safe || at <= w.Mono() {
		o.now(level, longest, done)
		return
	}
	o.pending = &pending{done: done, stop: w.At(at, func() {
		o.pending = nil
		o.now(level, longest, done)
	})}
}

// now drives the line and plans its return to the safe level.
func (o *output) now(level bool, longest time.Duration, done func(mono int64, err error)) {
	s := o.connection.station
	o.fall()
	o.fall = nothing
	s.drive(o.line, level)
	if level != o.safe && longest > 0 {
		o.fall = s.world.After(longest, func() { s.drive(o.line, o.safe) })
	}
	done(s.world.Mono(), nil)
}

// stop takes back what is pending and answers it with why.
func (o *output) stop(why error) {
	for o.pending != nil {
		p := o.pending
		o.pending = nil
		p.stop()
		p.done(0, why)
	}
}
