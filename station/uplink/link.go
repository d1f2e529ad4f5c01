package uplink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"scentpost/station/uplink/wire"
)

// LinkOptions say what a Link works with. All functions are called from the goroutine of Run, one at a time.
type LinkOptions struct {
	Broker Broker
	// Sender are the options of the sender inside.
	Sender Options
	// Session returns the next number of the station's counter of connections, which never goes back: it must be
	// durable before it is returned.
	Session func() (int64, error)
	// SaveDeparted makes what may leave durable, outside the journal's folder.
	SaveDeparted func(wire.Departed) error
	// SaveCursor remembers the acknowledged size; it need not be synced.
	SaveCursor func(size int64) error
	// Behind hears that the broker has seen more than the journal has. It must only enqueue; Begin is the answer.
	Behind func(wire.Departed)
	// Report hears of each change of the link's condition. It must only enqueue. May be nil.
	Report func(Condition)
	// Draw returns a uniform number in [0, n), for the jitter of the pauses.
	Draw func(n int64) int64
	// PauseLeast and PauseMost bound the pauses between attempts. Defaults DefaultPauseLeast, DefaultPauseMost.
	PauseLeast, PauseMost time.Duration
}

// The defaults of the pauses between attempts to connect: the upper bounds of the first draw and of all draws.
const (
	DefaultPauseLeast = 500 * time.Millisecond
	DefaultPauseMost  = time.Minute
)

// Condition is how the link is.
type Condition struct {
	// Ready is set when the broker is connected and the retained state was read back.
	Ready bool
	// Session is the number of the present or last connection.
	Session int64
	// Problem is what stands in the way, nil for nothing. It never holds a password.
	Problem error
}

// Link keeps a Sender connected to a broker. An absent broker is a condition, never an error: the link tries again
// until its context ends.
type Link struct {
	options LinkOptions
	sender  *Sender // only used in Run
	start   time.Time
	backoff Backoff
	faults  [faultKinds]error
	is      Condition
	acked   atomic.Int64 // the sender's cursor, for whoever asks

	mu    sync.Mutex // guards inbox
	inbox inbox
	wake  chan struct{} // has one element when inbox has something new
}

// inbox holds what was put in since Run last looked: only the newest of each, so that it is bounded and never blocks.
type inbox struct {
	size        int64
	state, info []byte
	begin       *epoch
}

type epoch struct {
	name string
	size int64
	past []string
}

// NewLink checks the options and returns a link that does nothing before Run.
func NewLink(o LinkOptions) (*Link, error) {
	var err error
	if o.Broker, err = o.Broker.withDefaults(); err != nil {
		return nil, err
	}
	if o.Session == nil || o.SaveDeparted == nil || o.SaveCursor == nil || o.Behind == nil || o.Draw == nil {
		return nil, errors.New("uplink: Session, SaveDeparted, SaveCursor, Behind and Draw are all needed")
	}
	if o.Report == nil {
		o.Report = func(Condition) {}
	}
	if o.PauseLeast <= 0 {
		o.PauseLeast = DefaultPauseLeast
	}
	if o.PauseMost <= 0 {
		o.PauseMost = max(DefaultPauseMost, o.PauseLeast)
	}
	sender, err := NewSender(o.Sender)
	if err != nil {
		return nil, err
	}
	l := &Link{
		options: o, sender: sender, start: time.Now(), wake: make(chan struct{}, 1),
		backoff: Backoff{Least: o.PauseLeast, Most: o.PauseMost, Draw: o.Draw},
	}
	l.acked.Store(sender.Cursor())
	return l, nil
}

// Durable tells that the journal holds size records, synced. It only enqueues.
func (l *Link) Durable(size int64) { l.put(func(in *inbox) { in.size = max(in.size, size) }) }

// State sets the blind-safe state, a JSON value, which is not changed afterwards. It only enqueues.
func (l *Link) State(payload []byte) { l.put(func(in *inbox) { in.state = payload }) }

// Info sets what the station is, a JSON value, which is not changed afterwards. It only enqueues.
func (l *Link) Info(payload []byte) { l.put(func(in *inbox) { in.info = payload }) }

// Begin starts a new epoch as Sender.Begin does. It only enqueues; sizes put in before belong to the old epoch.
func (l *Link) Begin(name string, size int64, past []string) {
	l.put(func(in *inbox) { in.begin, in.size = &epoch{name, size, past}, 0 })
}

func (l *Link) put(change func(*inbox)) {
	l.mu.Lock()
	change(&l.inbox)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Acknowledged returns how many records of the present epoch the broker has acknowledged. It may be called from any goroutine.
func (l *Link) Acknowledged() int64 { return l.acked.Load() }

// take moves what was put in to the sender.
func (l *Link) take() {
	l.mu.Lock()
	in := l.inbox
	l.inbox = inbox{}
	l.mu.Unlock()
	if in.begin != nil {
		l.sender.Begin(in.begin.name, in.begin.size, in.begin.past)
		l.acked.Store(l.sender.Cursor())
	}
	l.sender.Durable(in.size)
	if in.state != nil {
		l.note(faultState, l.sender.State(in.state))
	}
	if in.info != nil {
		l.note(faultInfo, l.sender.Info(in.info))
	}
}

// fault is a kind of problem; each stands until the same thing has gone well.
type fault int

const (
	faultLink fault = iota
	faultRetained
	faultDeparted
	faultCursor
	faultJournal
	faultState
	faultInfo
	faultKinds
)

// note sets or, with nil, clears a fault.
func (l *Link) note(kind fault, err error) {
	l.faults[kind] = err
	l.report(l.is.Ready)
}

func (l *Link) report(ready bool) {
	next := Condition{Ready: ready, Session: l.is.Session, Problem: errors.Join(l.faults[:]...)}
	if next.Ready != l.is.Ready || fmt.Sprint(next.Problem) != fmt.Sprint(l.is.Problem) {
		l.is = next
		l.options.Report(next)
	}
}

func (l *Link) now() int64 { return int64(time.Since(l.start)) }

// Run keeps the link up until ctx ends; then it says goodbye, remembers the cursor and returns when every goroutine
// of its own has ended. Its error is a cursor that could not be saved. Call it once.
func (l *Link) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		conn, err := l.connect(ctx)
		if err == nil {
			err = l.serve(ctx, conn)
		}
		if ctx.Err() != nil {
			break
		}
		l.faults[faultLink] = err
		l.report(false)
		l.idle(ctx, l.backoff.Failed(), nil)
	}
	l.report(false)
	if err := l.options.SaveCursor(l.sender.Cursor()); err != nil {
		return fmt.Errorf("uplink: remember the cursor: %w", err)
	}
	return nil
}

// connect dials once, and keeps taking what is put in meanwhile.
func (l *Link) connect(ctx context.Context) (*connection, error) {
	session, err := l.options.Session()
	if err != nil {
		return nil, fmt.Errorf("uplink: count the connection: %w", err)
	}
	l.is.Session = session
	var conn *connection
	dialled := make(chan struct{})
	will, window := l.sender.Will(session), l.sender.limits.Window
	go func() {
		defer close(dialled)
		conn, err = dial(ctx, l.options.Broker, l.options.Sender.Topics, session, will, window)
	}()
	l.idle(ctx, -1, dialled)
	<-dialled // soon: dial obeys ctx
	return conn, err
}

// idle takes what is put in while there is no connection, until pause is over (negative: never), until closes or ctx
// ends.
func (l *Link) idle(ctx context.Context, pause time.Duration, until <-chan struct{}) {
	var over <-chan time.Time
	if pause >= 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over = timer.C
	}
	for {
		l.take()
		l.tick(nil)
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case <-until:
			return
		case <-l.wake:
		}
	}
}

// serve sends over conn until it is lost, which is the error, or ctx ends.
func (l *Link) serve(ctx context.Context, conn *connection) error {
	l.sender.Connected(conn.session)
	defer func() {
		conn.close()
		l.sender.Disconnected()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.take()
		if err := l.tick(conn); err != nil {
			return err
		}
		if at, wanted := l.sender.Next(); wanted {
			timer.Reset(time.Duration(at - l.now()))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			l.leave(conn)
			return nil
		case <-l.wake:
		case <-timer.C:
		case h := <-conn.happened:
			if err := l.hear(h); err != nil {
				return err
			}
		}
	}
}

// goodbyeID names the goodbye; a sender never counts so far.
const goodbyeID = ^uint64(0)

// leave says what the will would have said, behind whatever is under way (an older birth must not overtake it), and
// waits for all acknowledgements as long as a hand-over may take. Where no birth was said there is no goodbye either.
func (l *Link) leave(conn *connection) {
	if !l.sender.born() {
		conn.leave()
		return
	}
	goodbye := l.sender.Will(conn.session)
	goodbye.ID = goodbyeID
	conn.outbox <- goodbye // has room for one more than the window
	timer := time.NewTimer(l.options.Broker.WriteWithin)
	defer timer.Stop()
	for said := false; !said || l.sender.underWay(); {
		select {
		case h := <-conn.happened:
			if said = said || h.acked == goodbyeID; l.hear(h) != nil {
				return
			}
		case <-timer.C:
			return
		}
	}
	conn.leave()
}

// hear gives the sender what happened on the connection; the error is its loss.
func (l *Link) hear(h happening) error {
	switch {
	case h.lost != nil:
		return h.lost
	case h.problem != nil:
		l.note(faultRetained, h.problem)
	case h.readBack != nil:
		l.sender.RetainedState(*h.readBack)
		l.faults[faultLink] = nil
		l.report(true)
	default:
		l.sender.Acked(h.acked)
		l.acked.Store(l.sender.Cursor())
		l.backoff.Worked() // not at the connect: a broker that accepts and then drops must not be hurried
	}
	return nil
}

// tick does what the sender wants, until it wants nothing more now. conn is nil without a connection, and the sender
// publishes nothing then. The error is why the connection has to go.
func (l *Link) tick(conn *connection) error {
	for {
		out := l.sender.Tick(l.now())
		if out.Behind != nil {
			l.options.Behind(*out.Behind)
		}
		if out.Problem != nil {
			l.note(faultJournal, out.Problem)
		}
		for _, p := range out.Publish {
			conn.outbox <- p // has room for the whole window
			if p.Topic == l.options.Sender.Topics.Journal && out.Problem == nil {
				l.note(faultJournal, nil)
			}
		}
		if out.Cursor != 0 {
			l.note(faultCursor, l.options.SaveCursor(out.Cursor))
		}
		if out.Drop != "" {
			return errors.New("uplink: " + out.Drop)
		}
		if out.Save == nil {
			return nil
		}
		err := l.options.SaveDeparted(*out.Save)
		if err != nil {
			err = fmt.Errorf("uplink: remember what departs: %w", err)
			l.sender.SaveFailed(l.now())
		} else {
			l.sender.Saved(*out.Save)
		}
		l.note(faultDeparted, err)
	}
}
