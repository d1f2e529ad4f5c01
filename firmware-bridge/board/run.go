package board

import (
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
}

// run is the owner's goroutine: it opens the port, serves it, and opens it again.
func (b *Board) run() {
	defer close(b.ended)
	pause := retryFirst
	for {
		port, err := b.opt.Open()
		if err == nil {
			began := b.opt.Now()
			err = b.serve(port)
			if b.opt.Now()-began > int64(retryMost) {
				pause = retryFirst
			}
		}
		if err == nil {
			return
		}
		b.with(func(p *pinbus.Machine, now int64) { p.Shut(now, err) })
		b.deliver()
		timer := time.NewTimer(pause)
		pause = min(2*pause, retryMost)
		for waiting := true; waiting; {
			select {
			case <-timer.C:
				waiting = false
			case <-b.wake:
				b.deliver()
			case <-b.quit:
				timer.Stop()
				b.deliver()
				return
			}
		}
	}
}

// serve speaks with the board until the port fails, or until Close: then it returns nil.
func (b *Board) serve(port bus.Port) error {
	l := &line{port: port, pieces: make(chan piece, chunks), broken: make(chan error, 2), stop: make(chan struct{}), writes: b.writes}
	err := port.Flush() // what lies there is stale
	if err == nil {
		b.with(func(p *pinbus.Machine, now int64) {
			b.out, b.stuck = nil, false
			p.Open(now)
		})
		go l.read(b.opt.Now)
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
	for {
		b.deliver()
		timer.Reset(b.due())
		select {
		case p := <-l.pieces:
			b.with(func(m *pinbus.Machine, _ int64) { m.Receive(p.mono, p.bytes) })
		case <-timer.C:
			b.with((*pinbus.Machine).Tick)
		case <-b.wake:
		case err := <-l.broken:
			return err
		case <-quit:
			quit, last = nil, time.After(lastWord)
		case <-last:
			return nil
		}
		if b.isStuck() {
			return errStuck
		}
		if quit == nil && b.idle() {
			return nil
		}
	}
}

func (b *Board) isStuck() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stuck
}

// idle tells whether nobody waits for an output any more.
func (b *Board) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.pins.Busy()
}

// due is how long there is nothing to do by itself.
func (b *Board) due() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, any := b.pins.Due()
	if !any {
		return time.Hour
	}
	return time.Duration(max(at-b.opt.Now(), 0))
}

// read reads the port until it fails or is let go.
func (l *line) read(now func() int64) {
	for {
		buffer := make([]byte, chunk)
		n, err := l.port.Read(buffer)
		at := now()
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
			if _, err := l.port.Write(out); err != nil {
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
