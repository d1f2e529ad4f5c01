package hardware

import (
	"errors"
	"maps"
	"net"
	"slices"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/virtual"
)

// backlog is how many messages may wait for a client before it is taken for dead.
const backlog = 4096

// session is one client on the wire. Its methods run on the world's goroutine; a reader and a writer carry the
// bytes.
type session struct {
	server  *Server
	conn    net.Conn
	lines   *Connection
	outputs map[string]bus.Output
	out     chan []byte
	heard   time.Time
	ended   bool
}

func newSession(s *Server, conn net.Conn, lines *Connection) *session {
	return &session{server: s, conn: conn, lines: lines, outputs: map[string]bus.Output{},
		out: make(chan []byte, backlog), heard: time.Now()}
}

func (c *session) begin() {
	c.server.others.Go(c.write)
	c.server.others.Go(c.read)
	now := c.server.station.world.Now()
	c.send(virtual.Message{Kind: virtual.Hello, Version: virtual.Version, Station: c.server.name,
		Scale: c.server.scale, Boot: now.Boot, Mono: now.Mono, UTC: now.UTC, Wall: c.server.wall(), Sources: c.server.sources(),
		Loaded: c.server.station.loaded(), Finds: c.server.finds,
		Lines: slices.Sorted(maps.Keys(c.server.station.lines)), Buses: slices.Sorted(maps.Keys(c.server.station.buses))})
}

// read hands every message of the client to the world's goroutine, and its end.
func (c *session) read() {
	r := virtual.NewReader(c.conn)
	for {
		m, err := r.Next()
		if err != nil {
			c.server.Do(c.end)
			return
		}
		if !c.server.Do(func() { c.handle(m) }) {
			return
		}
	}
}

func (c *session) write() {
	for text := range c.out {
		if _, err := c.conn.Write(text); err != nil {
			break // the reader sees the end as well and ends the session
		}
	}
	_ = c.conn.Close()
}

// end is the external pull: without a client the outputs fall to their safe level at once.
func (c *session) end() {
	if c.ended {
		return
	}
	c.ended = true
	c.server.client = nil
	_ = c.lines.Close()
	close(c.out)
	_ = c.conn.Close()
}

// send queues a message. A client that does not take what it is sent is gone.
func (c *session) send(m virtual.Message) {
	if c.ended {
		return
	}
	text, err := virtual.Append(nil, m)
	if err != nil {
		c.end() // the station's own fault: a hello with too many lines
		return
	}
	select {
	case c.out <- text:
	default:
		c.end()
	}
}

// handle does what a message asks for.
func (c *session) handle(m virtual.Message) {
	if c.ended {
		return
	}
	c.heard = time.Now()
	switch m.Kind {
	case virtual.Beat:
	case virtual.Watch:
		c.answer(m.ID, c.lines.Watch(m.Lines, c))
	case virtual.Output:
		out, err := c.lines.Output(m.Line, m.Safe)
		if err == nil {
			c.outputs[m.Line] = out
		}
		c.answer(m.ID, err)
	case virtual.Set:
		c.set(m)
	case virtual.I2C:
		c.transfer(m)
	case virtual.Level:
		level, err := c.lines.Level(m.Line)
		if err != nil {
			c.answer(m.ID, err)
			return
		}
		c.send(virtual.Message{Kind: virtual.Done, ID: m.ID, Mono: c.server.station.world.Mono(), Level: level})
	default:
		c.end() // what only a station says
	}
}

func (c *session) set(m virtual.Message) {
	out := c.outputs[m.Line]
	if out == nil {
		_, err := c.lines.line(m.Line)
		if err == nil {
			err = errors.New("set: the line was not asked for as an output on this connection")
		}
		c.answer(m.ID, err)
		return
	}
	out.Set(m.Level, m.At, m.Longest, func(mono int64, err error) {
		if err != nil {
			c.answer(m.ID, err)
			return
		}
		c.send(virtual.Message{Kind: virtual.Done, ID: m.ID, Mono: mono})
	})
}

// transfer makes one transfer on an I2C bus.
func (c *session) transfer(m virtual.Message) {
	wires, err := c.lines.Wires(m.Bus)
	read := make([]byte, m.Read)
	if err == nil {
		err = wires.Tx(m.Address, m.Write, read)
	}
	done := virtual.Message{Kind: virtual.Done, ID: m.ID, Mono: c.server.station.world.Mono(), Data: read}
	if err != nil {
		done.Data, done.Error, done.Why = nil, virtual.ErrorTransfer, err.Error()
	}
	c.send(done)
}

func (c *session) answer(id uint64, err error) {
	done := virtual.Message{Kind: virtual.Done, ID: id, Mono: c.server.station.world.Mono()}
	switch {
	case err == nil:
	case errors.Is(err, bus.ErrReplaced):
		done.Error = virtual.ErrorReplaced
	case errors.Is(err, bus.ErrUnknownLine):
		done.Error = virtual.ErrorUnknownLine
	default:
		done.Error = virtual.ErrorRefused
	}
	if err != nil {
		done.Why = err.Error()
	}
	c.send(done)
}

// Edge implements bus.Sink.
func (c *session) Edge(e bus.Edge) {
	c.send(virtual.Message{Kind: virtual.Edge, Line: e.Line, Level: e.Level, Mono: e.Mono, Bound: e.Bound, Source: e.Source, Seq: e.Seq})
}

// Watermark implements bus.Sink. The wire's marks come at their own regular times, so that they tell of no edge.
func (c *session) Watermark(bus.Watermark) {}

// mark says what the clock shows, and that no source will give anything earlier.
func (c *session) mark() {
	now := c.server.station.world.Mono()
	for _, source := range []string{SourceFront, SourceLimits} {
		c.send(virtual.Message{Kind: virtual.Mark, Now: now, Mono: now, Source: source})
	}
}
