package board

import (
	"sync/atomic"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/pinbus"
)

// piece is what was read at once.
type piece struct {
	bytes []byte
	mono  int64
}

// line is an open port with its two goroutines.
type line struct {
	port   bus.Port
	pieces chan piece
	broken chan error // of either goroutine; holds both
	stop   chan struct{}
	writes chan struct{} // where a token that was taken in vain goes back to
	now    func() int64
	since  atomic.Int64 // when the write that is under way began, stalls left out; 0 for none
	came   int64        // when something came last, stalls left out, 0 for never; of the owner
}

// run is the owner's goroutine: it opens the port, serves it, and opens it again. What is left to tell is told before it ends.
func (b *Board) run() {
	defer close(b.ended)
	defer b.deliver()
	pause, went := retryFirst, b.opt.Now()
	for {
		port, err := b.opt.Open()
		if err == nil {
			began := b.opt.Now()
			err = b.serve(port)
			if b.opt.Now()-began > int64(retryMost) {
				pause, went = retryFirst, b.opt.Now()
			}
		}
		if err == nil {
			return
		}
		b.with(func(p *pinbus.Machine, now int64) { p.Shut(now, err) })
		b.deliver()
		now, wait := b.opt.Now(), pause
		if now-went >= int64(retryFor) {
			wait = retryGrid - time.Duration(now%int64(retryGrid))
		}
		timer := time.NewTimer(wait)
		pause = min(2*pause, retryMost)
		for waiting := true; waiting; {
			select {
			case <-timer.C:
				waiting = false
			case <-b.wake:
				b.deliver()
			case <-b.quit:
				timer.Stop()
				return
			}
		}
	}
}

// serve speaks with the board until the port fails, or until Close: then it returns nil.
func (b *Board) serve(port bus.Port) error {
	l := &line{port: port, pieces: make(chan piece, chunks), broken: make(chan error, 2), stop: make(chan struct{}), writes: b.writes, now: b.opt.Now}
	err := port.Flush() // what lies there is stale
	if err == nil {
		b.with(func(p *pinbus.Machine, now int64) {
			b.out, b.stuck = nil, false
			p.Open(now)
		})
		go l.read()
		go l.write(b.writes, b.take)
		err = b.talk(l)
	}
	close(l.stop)
	go port.Close() // a port that hangs holds up nobody
	return err
}

// take returns the bytes that wait for the port.
func (b *Board) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.out
	b.out = nil
	return out
}

// talk moves what comes and what is due. It returns nil after Close, when the outputs are safe or time is out.
func (b *Board) talk(l *line) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	quit, last := b.quit, (<-chan time.Time)(nil)
	for done := b.opt.Now(); ; {
		b.deliver()
		due := max(b.due(), done) // what others did since then is nobody's lateness
		timer.Reset(time.Duration(due - b.opt.Now()))
		var came piece
		select {
		case came = <-l.pieces:
		case <-timer.C:
		case <-b.wake:
		case err := <-l.broken:
			return err
		case <-quit:
			quit, last = nil, time.After(lastWord)
		case <-last:
			return nil
		}
		done = b.catchUp(l, came, due)
		if err := b.dead(l, done); err != nil {
			return err
		}
		if quit == nil && b.idle() {
			return nil
		}
	}
}

// catchUp takes what came, and then does what is due. due is when the owner was to wake up: where that is longer ago than
// somebody sleeps too long it was held up, and nobody listened. It returns the instant of it.
func (b *Board) catchUp(l *line, came piece, due int64) (done int64) {
	b.with(func(m *pinbus.Machine, now int64) {
		if came.bytes == nil {
			came = l.next()
		}
		for ; came.bytes != nil; came = l.next() {
			m.Receive(came.mono, came.bytes)
			l.came = came.mono
		}
		if late := time.Duration(now - due); late > heldUp {
			m.Late(now, late)
			l.late(now, late)
		}
		if at, any := m.Due(); any && at <= now {
			m.Tick(now)
		}
		done = now
	})
	return done
}

// next returns what has come and waits, none when nothing does.
func (l *line) next() piece {
	select {
	case p := <-l.pieces:
		return p
	default:
		return piece{}
	}
}

// late says that the owner was held up for so long until now, and maybe everybody.
func (l *line) late(now int64, by time.Duration) {
	if began := l.since.Load(); began != 0 {
		l.since.CompareAndSwap(began, min(began+int64(by), now))
	}
	if l.came != 0 {
		l.came = min(l.came+int64(by), now)
	}
}

// dead is why the port must be opened anew, nil when it need not: it takes nothing any more, or it has brought something and
// then nothing. Nobody is woken up for that: a link that hears nothing has something due all the time.
func (b *Board) dead(l *line, now int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch since := l.since.Load(); {
	case b.stuck || since != 0 && now-since > int64(stuckAfter):
		return errStuck
	case l.came != 0 && now-l.came > int64(silentAfter):
		return errSilent
	}
	return nil
}

// idle tells whether nobody waits for an output any more.
func (b *Board) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.pins.Busy()
}

// due is the instant at which there is something to do by itself.
func (b *Board) due() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, any := b.pins.Due()
	if !any {
		at = b.opt.Now() + int64(time.Hour)
	}
	return at
}

// read reads the port until it fails or is let go.
func (l *line) read() {
	for {
		buffer := make([]byte, chunk)
		n, err := l.port.Read(buffer)
		at := l.now()
		if n > 0 {
			select {
			case l.pieces <- piece{buffer[:n], at}:
			case <-l.stop:
				return
			}
		}
		if err != nil {
			l.broken <- err
			return
		}
		select {
		case <-l.stop:
			return
		default:
		}
	}
}

// write writes what waits until the port fails or is let go. A write that was held up comes back to a port that others
// have opened anew by then: what waits is theirs.
func (l *line) write(more <-chan struct{}, take func() []byte) {
	for {
		select {
		case <-l.stop:
			poke(l.writes)
			return
		default:
		}
		if out := take(); len(out) > 0 {
			l.since.Store(l.now())
			_, err := l.port.Write(out)
			l.since.Store(0)
			if err != nil {
				l.broken <- err
				return
			}
			continue
		}
		select {
		case <-more:
		case <-l.stop:
			return
		}
	}
}
