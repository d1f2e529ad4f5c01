package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"scentpost/station/health"
	"scentpost/station/uplink/wire"
)

// LinkOptions say what a Link works with. All functions but SaveDeparted and Compare are called from the goroutine of Run, one at a
// time.
type LinkOptions struct {
	Broker Broker
	// Sender are the options of the sender inside.
	Sender Options
	// Session returns the next number of the station's counter of connections, which never goes back: it must be
	// durable before it is returned.
	Session func() (int64, error)
	// SaveDeparted makes what may leave durable, outside the journal's folder, and returns the signed checkpoint of exactly
	// these records. It is called from a goroutine of its own, one call at a time, so that a slow disk delays nothing else.
	SaveDeparted func(wire.Departed) (checkpoint string, err error)
	// Compare tells whether the journal's first d.Size records are those of the checkpoint d.Checkpoint, which this station's
	// key signed. The error says that the journal cannot tell. It is called from a goroutine of its own, one call at a time.
	Compare func(d wire.Departed) (same bool, err error)
	// SaveCursor remembers the acknowledged size; it need not be synced.
	SaveCursor func(size int64) error
	// Behind hears that the broker has seen more than the journal has. It must only enqueue. The link sends nothing more;
	// whoever runs it ends it, and begins a new epoch.
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
	// Troubles are what stands in the way, each code once; none when all is well.
	Troubles []Trouble
	// Copy is what a copy of this station reports, nil for none: nothing is sent until a person acts.
	Copy *wire.Departed
}

// Changed tells whether there is something to tell that was not told with an earlier condition.
func (c Condition) Changed(before Condition) bool {
	return c.Ready != before.Ready || !slices.Equal(c.Troubles, before.Troubles)
}

// Link keeps a Sender connected to a broker. An absent broker is a condition, never an error: the link tries again
// until its context ends.
type Link struct {
	options LinkOptions
	sender  *Sender // only used in Run
	start   time.Time
	backoff Backoff
	faults  [faultKinds]error
	lost    *Trouble // why there is no connection, nil where there is one or none was tried
	hungUp  bool     // lost is of a connection that was ready
	evicted evictions
	is      Condition
	acked   atomic.Int64 // the sender's cursor, for whoever asks
	saved   chan saved   // the answer to the save that is under way

	compared chan compared  // the answer to the comparison that is under way
	asking   sync.WaitGroup // saves and comparisons that are under way

	mu    sync.Mutex // guards inbox
	inbox inbox
	wake  chan struct{} // has one element when inbox has something new
}

// inbox holds what was put in since Run last looked: only the newest of each, so that it is bounded and never blocks.
type inbox struct {
	size        int64
	state, info []byte
}

// saved is how a save of the departed file ended.
type saved struct {
	departed wire.Departed
	err      error
}

// compared is how a comparison with the journal ended.
type compared struct {
	departed wire.Departed
	same     bool
	err      error
}

// NewLink checks the options and returns a link that does nothing before Run.
func NewLink(o LinkOptions) (*Link, error) {
	var err error
	if o.Broker, err = o.Broker.withDefaults(); err != nil {
		return nil, err
	}
	if o.Session == nil || o.SaveDeparted == nil || o.Compare == nil || o.SaveCursor == nil || o.Behind == nil || o.Draw == nil {
		return nil, errors.New("uplink: Session, SaveDeparted, Compare, SaveCursor, Behind and Draw are all needed")
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
		options: o, sender: sender, start: time.Now(), wake: make(chan struct{}, 1), saved: make(chan saved, 1),
		compared: make(chan compared, 1),
		backoff:  Backoff{Least: o.PauseLeast, Most: o.PauseMost, Draw: o.Draw},
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

func (l *Link) put(change func(*inbox)) {
	l.mu.Lock()
	change(&l.inbox)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Acknowledged returns how many records of the present epoch the broker has acknowledged and delivered. It may be called
// from any goroutine.
func (l *Link) Acknowledged() int64 { return l.acked.Load() }

// take moves what was put in to the sender.
func (l *Link) take() {
	l.mu.Lock()
	in := l.inbox
	l.inbox = inbox{}
	l.mu.Unlock()
	l.sender.Durable(in.size)
	if in.state != nil {
		l.note(faultState, l.sender.State(in.state))
	}
	if in.info != nil {
		l.note(faultInfo, l.sender.Info(in.info))
	}
}

// fault is a kind of problem of the station's own; each stands until the same thing has gone well.
type fault int

const (
	faultDeparted fault = iota
	faultCursor
	faultCompare
	faultJournal
	faultState
	faultInfo
	faultKinds
)

// heldError is a problem of the station's own that keeps it from connecting.
type heldError struct{ error }

// Unwrap returns the problem.
func (e *heldError) Unwrap() error { return e.error }

// note sets or, with nil, clears a fault.
func (l *Link) note(kind fault, err error) {
	l.faults[kind] = err
	l.report(l.is.Ready)
}

// troubles gathers what stands in the way, each code once. A connection that the broker ends again and again is told by its
// cause alone, once that is known.
func (l *Link) troubles() []Trouble {
	found := append(l.sender.Troubles(), l.evicted.trouble(l.options.Broker.ClientID)...)
	if l.lost != nil && !(l.hungUp && slices.ContainsFunc(found, func(t Trouble) bool { return t.Code != health.Rival })) {
		found = append(found, *l.lost)
	}
	if held := errors.Join(l.faults[:]...); held != nil {
		found = slices.DeleteFunc(found, func(t Trouble) bool { return t.Code == health.ReportHeld })
		found = append(found, Trouble{health.ReportHeld, held.Error()})
	}
	return found
}

func (l *Link) report(ready bool) {
	next := Condition{Ready: ready, Session: l.is.Session, Troubles: l.troubles(), Copy: l.sender.Copy()}
	if next.Changed(l.is) {
		l.is = next
		l.options.Report(next)
	}
}

func (l *Link) now() int64 { return int64(time.Since(l.start)) }

// Run keeps the link up until ctx ends; then it says goodbye, remembers the cursor and returns when every goroutine
// of its own has ended. Its error is a cursor that could not be saved. Call it once.
func (l *Link) Run(ctx context.Context) error {
	defer l.asking.Wait()
	for ctx.Err() == nil {
		conn, err := l.connect(ctx)
		l.hungUp = err == nil
		if err == nil {
			err = l.serve(ctx, conn)
		}
		switch {
		case ctx.Err() != nil:
		case l.sender.Copy() != nil:
			l.lost = nil
			l.report(false)
			l.idle(ctx, -1, nil)
		default:
			if !l.hungUp {
				l.evicted = evictions{}
			}
			lost := judge(err)
			l.lost = &lost
			l.report(false)
			l.idle(ctx, l.backoff.Failed(), nil)
		}
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
		return nil, &heldError{fmt.Errorf("uplink: count the connection: %w", err)}
	}
	l.is.Session = session
	var conn *connection
	dialled := make(chan struct{})
	will, window := l.sender.Will(session), l.sender.limits.Window
	go func() {
		defer close(dialled)
		conn, err = dial(ctx, l.options.Broker, session, will, window)
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
		case s := <-l.saved:
			l.hearSaved(s)
		case c := <-l.compared:
			l.hearCompared(c)
		case <-l.wake:
		}
	}
}

// serve sends over conn until it is lost, which is the error, or ctx ends.
func (l *Link) serve(ctx context.Context, conn *connection) (err error) {
	l.sender.Connected(conn.session)
	began := time.Now()
	defer func() {
		l.evicted.ended(err, time.Since(began), l.steadyAfter(), l.sender.owed() || len(l.sender.inFlight) > 0 || !l.sender.ready())
		conn.close()
		l.sender.Disconnected()
	}()
	must, may := l.sender.Reads()
	conn.subscribe(must, may, l.sender.Fence())
	timer := time.NewTimer(0)
	defer timer.Stop()
	steady := time.NewTimer(l.steadyAfter())
	defer steady.Stop()
	for {
		l.take()
		if err := l.tick(conn); err != nil {
			return err
		}
		if l.sender.Cursor() > l.acked.Load() {
			l.acked.Store(l.sender.Cursor())
			l.backoff.Worked(time.Since(began))
		}
		if l.sender.Copy() != nil && l.sender.ready() {
			conn.leave()
			return nil
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
		case <-steady.C:
			l.evicted = evictions{}
			l.report(l.is.Ready)
		case s := <-l.saved:
			l.hearSaved(s)
		case c := <-l.compared:
			l.hearCompared(c)
		case h := <-conn.happened:
			if err := l.hear(conn, h); err != nil {
				return err
			}
		case m := <-conn.arrived:
			l.sender.Arrived(m.Topic(), m.Payload(), m.Retained(), l.now())
		}
	}
}

// steadyAfter is how long a connection lasts that nobody else with the same client id ends: the other one would have come back.
func (l *Link) steadyAfter() time.Duration { return 2 * l.options.PauseMost }

// goodbyeID names the goodbye; a sender never counts so far.
const goodbyeID = ^uint64(0)

// leave says what the will would have said, after all that is under way (an older birth must not overtake it), and
// waits for all acknowledgements, and for what comes back, as long as a hand-over may take. Where no birth was said there is no goodbye either.
func (l *Link) leave(conn *connection) {
	if !l.sender.born() {
		conn.leave()
		return
	}
	goodbye := l.sender.Will(conn.session)
	goodbye.ID = goodbyeID
	conn.send(goodbye)
	timer := time.NewTimer(l.options.Broker.WriteWithin)
	defer timer.Stop()
	defer func() { l.acked.Store(l.sender.Cursor()) }()
	for said := false; !said || l.sender.owed() || l.sender.awaits(); {
		select {
		case h := <-conn.happened:
			if h.lost != nil {
				return
			}
			said = said || h.acked == goodbyeID
			l.sender.Acked(h.acked, l.now())
		case m := <-conn.arrived:
			l.sender.Arrived(m.Topic(), m.Payload(), m.Retained(), l.now())
		case <-timer.C:
			return
		}
	}
	conn.leave()
}

// hear gives the sender what happened on the connection, and all else that has happened by now: many acknowledgements need
// one look at what follows. The error is the loss of the connection.
func (l *Link) hear(conn *connection, h happening) error {
	for {
		if h.lost != nil {
			return h.lost
		}
		l.sender.Acked(h.acked, l.now())
		select {
		case h = <-conn.happened:
		default:
			return nil
		}
	}
}

// hearSaved gives the sender how the save of the departed file ended.
func (l *Link) hearSaved(s saved) {
	if s.err != nil {
		l.sender.SaveFailed(l.now())
		s.err = fmt.Errorf("uplink: remember what departs: %w", s.err)
	} else {
		l.sender.Saved(s.departed)
	}
	l.note(faultDeparted, s.err)
}

// hearCompared gives the sender how the comparison with the journal ended.
func (l *Link) hearCompared(c compared) {
	if c.err != nil {
		l.sender.CompareFailed(l.now())
		c.err = fmt.Errorf("uplink: compare what the broker keeps with the journal: %w", c.err)
	} else {
		l.sender.Compared(c.departed, c.same)
	}
	l.note(faultCompare, c.err)
}

// save has what departs saved beside everything else.
func (l *Link) save(d wire.Departed) {
	l.asking.Go(func() {
		var err error
		d.Checkpoint, err = l.options.SaveDeparted(d)
		l.saved <- saved{d, err} // has room: the sender asks for one at a time
	})
}

// tick does what the sender wants now. conn is nil without a connection, and the sender publishes nothing then. The error
// is why the connection has to go.
func (l *Link) tick(conn *connection) error {
	out := l.sender.Tick(l.now())
	if out.Behind != nil {
		l.options.Behind(*out.Behind)
	}
	if out.Compare != nil {
		d := *out.Compare
		l.asking.Go(func() {
			same, err := l.options.Compare(d)
			l.compared <- compared{d, same, err} // has room: the sender asks for one at a time
		})
	}
	if out.Problem != nil {
		l.note(faultJournal, out.Problem)
	}
	for _, p := range out.Publish {
		conn.send(p)
		if p.Topic == l.sender.topics.Journal && out.Problem == nil && l.faults[faultJournal] != nil {
			l.note(faultJournal, nil)
		}
	}
	if out.Cursor != 0 {
		l.note(faultCursor, l.options.SaveCursor(out.Cursor))
	}
	if out.Save != nil {
		l.save(*out.Save)
	}
	switch {
	case out.Drop != "" && !l.sender.ready():
		return &deniedError{out.Drop}
	case out.Drop != "":
		return errors.New("uplink: " + out.Drop)
	}
	if conn != nil {
		if l.sender.ready() {
			l.lost = nil
		}
		l.report(l.sender.ready())
	}
	return nil
}
