package virtual

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"scentpost/drivers/bus"
)

const (
	// DialFor is how long Dial waits for a station unless Options say otherwise.
	DialFor = 5 * time.Second
	// retryFirst and retryMost bound the pause between two attempts to reach a station that is away.
	retryFirst = 50 * time.Millisecond
	retryMost  = time.Second
	// outgoing is how many messages may wait for the station; one that takes none of so many is dead.
	outgoing = 1024
)

// State is whether the station is there.
type State struct {
	// Up is set while the station is there.
	Up bool
	// Final is set when it will not be tried again: another station listens there, or it booted anew.
	Final bool
	// Err says why it is away, nil while Up.
	Err error
}

// Options are where a virtual station is and who wants to know of it.
type Options struct {
	// Socket is the path of the station's Unix socket.
	Socket string
	// Wait is how long Dial waits for the station; 0 means DialFor.
	Wait time.Duration
	// OnState, unless nil, is called from the client's goroutine when the station goes away or comes back.
	OnState func(State)

	// Dial, unless nil, makes the connections, and Socket is only a name.
	Dial func() (net.Conn, error)
}

// ErrAnotherBoot: the station booted anew or is another one; its instants cannot be compared with those before.
// Only a new client can use it.
var ErrAnotherBoot = errors.New("the virtual station is another one than before: restart the daemon")

// Client is a bus.Bus over a virtual station, and its clock. It owns its goroutines until Close, reconnects by
// itself, and may be used from any goroutine; its callbacks come from one, save that an Output that cannot be
// asked answers at once.
type Client struct {
	opt    Options
	hello  Message // the first one
	time   timeline
	wall   atomic.Pointer[Wall] // what the station last said of its wall clock, nil where its UTC is exact
	closed chan struct{}
	ended  chan struct{}
	once   sync.Once

	mu      sync.Mutex // guards what follows; never held over a callback
	link    *link      // nil while the station is away
	lastID  uint64
	waiting map[uint64]*request
	outputs []*output
	watched []string
	sink    bus.Sink
	wires   map[string]*wires // by name
	workers sync.WaitGroup    // of wires
}

// Dial returns a client that is connected. It fails when no station speaks at the socket in time.
func Dial(opt Options) (*Client, error) {
	if opt.Wait == 0 {
		opt.Wait = DialFor
	}
	if opt.Dial == nil {
		opt.Dial = func() (net.Conn, error) { return net.DialTimeout("unix", opt.Socket, Silence) }
	}
	c := &Client{opt: opt, closed: make(chan struct{}), ended: make(chan struct{}), waiting: map[uint64]*request{}}
	first, err := c.first()
	if err != nil {
		return nil, fmt.Errorf("virtual station at %s: %w (is \"scentsim station\" running?)", opt.Socket, err)
	}
	c.up(first)
	go c.run(first)
	return c, nil
}

// first connects for the first time.
func (c *Client) first() (*link, error) {
	deadline := time.Now().Add(c.opt.Wait)
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		l, err := c.connect()
		switch {
		case err == nil:
			return l, nil
		case errors.Is(err, ErrMessage) || time.Now().Add(pause).After(deadline):
			return nil, err
		}
		time.Sleep(pause)
	}
}

// connect opens a connection, hears the station's hello and checks that it is the one from before.
func (c *Client) connect() (*link, error) {
	conn, err := c.opt.Dial()
	if err != nil {
		return nil, err
	}
	l := newLink(conn)
	m, err := l.read()
	if err == nil && m.Kind != Hello {
		err = fmt.Errorf("%w: the station began with %s, expected hello", ErrMessage, m.Kind)
	}
	if err == nil && c.hello.Boot == "" {
		c.hello = m
		c.time.begin(m.Mono, m.Scale, time.Now())
	}
	if err == nil && (m.Boot != c.hello.Boot || m.Station != c.hello.Station || m.Scale != c.hello.Scale) {
		err = ErrAnotherBoot
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c.time.mark(m.Mono, time.Now())
	if m.Wall != nil {
		c.wall.Store(m.Wall)
	}
	return l, nil
}

// run reads from one connection after the other until Close.
func (c *Client) run(l *link) {
	defer close(c.ended)
	for {
		c.away(l, c.serve(l))
		if l = c.again(); l == nil {
			return
		}
		c.up(l)
		c.state(State{Up: true})
	}
}

// again tries until there is a connection; nil after Close or when the station is another one.
func (c *Client) again() *link {
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		timer := time.NewTimer(pause)
		select {
		case <-c.closed:
			timer.Stop()
			return nil
		case <-timer.C:
		}
		l, err := c.connect()
		if err == nil {
			return l
		}
		if errors.Is(err, ErrAnotherBoot) {
			c.state(State{Final: true, Err: err})
			return nil
		}
	}
}

// state tells whoever wants to know; a client that is closed has nothing to tell.
func (c *Client) state(s State) {
	select {
	case <-c.closed:
	default:
		if c.opt.OnState != nil {
			c.opt.OnState(s)
		}
	}
}

// up asks a new connection for everything that the one before had.
func (c *Client) up(l *link) {
	go l.write()
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		l.close()
		return
	default:
	}
	c.link = l
	drop := func(_ Message, err error) {
		if err != nil {
			l.close()
		}
	}
	for _, o := range c.outputs {
		c.ask(Message{Kind: Output, Line: o.line, Safe: o.safe}, drop)
	}
	if c.sink != nil {
		c.ask(Message{Kind: Watch, Lines: c.watched}, drop)
	}
}

// away tells everybody who waits that the station is gone.
func (c *Client) away(l *link, err error) {
	l.close()
	c.time.lose(time.Now())
	c.mu.Lock()
	c.link = nil
	waiting := c.waiting
	c.waiting = map[uint64]*request{}
	c.mu.Unlock()
	ids := make([]uint64, 0, len(waiting))
	for id := range waiting {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		waiting[id].done(Message{}, bus.ErrGone)
	}
	c.state(State{Err: fmt.Errorf("virtual station at %s: %w: %w", c.opt.Socket, bus.ErrGone, err)})
}

// serve handles what one connection says until it ends.
func (c *Client) serve(l *link) error {
	for {
		m, err := l.read()
		if err != nil {
			return err
		}
		c.mu.Lock()
		sink := c.sink
		c.mu.Unlock()
		switch m.Kind {
		case Mark:
			c.time.mark(m.Now, time.Now())
			c.overdue(m.Now)
			if sink != nil {
				sink.Watermark(bus.Watermark{Source: m.Source, Mono: m.Mono})
			}
		case Edge:
			c.time.saw(m.Mono, time.Now())
			if sink != nil {
				sink.Edge(bus.Edge{Line: m.Line, Level: m.Level, Mono: m.Mono, Bound: m.Bound, Source: m.Source, Seq: m.Seq})
			}
		case Done:
			c.time.saw(m.Mono, time.Now())
			c.answer(m)
		case Clock:
			c.wall.Store(m.Wall)
		default:
			return fmt.Errorf("%w: a station does not say %s", ErrMessage, m.Kind)
		}
	}
}

func (c *Client) answer(m Message) {
	c.mu.Lock()
	r := c.waiting[m.ID]
	delete(c.waiting, m.ID)
	c.mu.Unlock()
	if r == nil {
		return
	}
	if m.Error == "" {
		c.lag(r, m.Mono)
	}
	r.done(m, m.failure())
}

// failure is the error that a done message stands for, nil when it went well.
func (m *Message) failure() error {
	switch m.Error {
	case "":
		return nil
	case ErrorReplaced:
		return bus.ErrReplaced
	case ErrorUnknownLine:
		return bus.ErrUnknownLine
	}
	return fmt.Errorf("the virtual station refused: %s (%s)", m.Why, m.Error)
}

// ask sends a request; done is called later with the answer. It returns false, and calls nothing, when the station
// is away. The caller holds the mutex.
func (c *Client) ask(m Message, done func(Message, error)) bool {
	if c.link == nil {
		return false
	}
	c.lastID++
	m.ID = c.lastID
	c.waiting[m.ID] = c.request(m, done)
	c.link.send(m)
	return true
}

// call sends a request and waits for its answer, which comes, or the connection is taken for dead.
func (c *Client) call(m Message) (Message, error) {
	type answer struct {
		m   Message
		err error
	}
	answers := make(chan answer, 1)
	c.mu.Lock()
	asked := c.ask(m, func(m Message, err error) { answers <- answer{m, err} })
	c.mu.Unlock()
	if !asked {
		return Message{}, c.gone()
	}
	a := <-answers
	return a.m, a.err
}

func (c *Client) gone() error {
	select {
	case <-c.closed:
		return bus.ErrClosed
	default:
		return bus.ErrGone
	}
}

// Close ends the connection, upon which the station drives every output to its safe level. It must not be called
// from a callback.
func (c *Client) Close() error {
	c.once.Do(func() {
		c.lastJobs()
		close(c.closed)
		c.mu.Lock()
		if c.link != nil {
			c.link.close()
		}
		c.mu.Unlock()
	})
	<-c.ended
	c.workers.Wait()
	return nil
}
