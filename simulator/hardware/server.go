package hardware

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// The real times of a server.
const (
	// markEvery is half of what the wire asks for, so that one late wake-up breaks no promise.
	markEvery = virtual.MarkEvery / 2
	// lateness is declared for every source: what a very busy machine may hold an edge up. Longer, and a run is void.
	lateness = 100 * virtual.MarkEvery
	// secondWaits is how long a second client waits for the first one's end: less than a client waits for hello.
	secondWaits = virtual.Silence / 2
	// probeWithin is how long a probe may take to ask.
	probeWithin = 5 * time.Second
)

// Server lets a station's time run with the real clock and gives its lines to a client over the wire of
// drivers/virtual.
type Server struct {
	station *Station
	name    string
	scale   float64
	release func()
	machine *world.Kernel // nil where UTC is exact
	finds   []string      // odours; see Finds

	inbox  chan func() // run by the goroutine that owns the world
	done   chan struct{}
	others sync.WaitGroup
	began  time.Time // real, when the clock showed from
	from   int64
	client *session
	next   net.Conn // waits for the client to end; see admit
	nextAt time.Time
}

// NewServer returns a server of a station whose clock runs scale times as fast as real time. release, which may be
// nil, lets the dog go when a probe asks for it.
func NewServer(station *Station, name string, scale float64, release func()) (*Server, error) {
	if !(scale > 0 && scale <= virtual.MaxScale) {
		return nil, fmt.Errorf("scale %v: expected more than 0 and at most %d", scale, virtual.MaxScale)
	}
	if name == "" {
		return nil, errors.New("a virtual station needs a name")
	}
	if release == nil {
		release = nothing
	}
	return &Server{station: station, name: name, scale: scale, release: release,
		inbox: make(chan func()), done: make(chan struct{})}, nil
}

// Finds says which odours the station's dog finds, none where there is no dog. It comes before Serve.
func (s *Server) Finds(odours []string) { s.finds = odours }

// World is the world of the station: its goroutine's alone.
func (s *Server) World() *world.World { return s.station.world }

// Serve runs the station until ctx ends: the goroutine that calls it owns the world from here on. It takes its one
// client from lines and any number of short questions from probe; either may be nil, and it closes both. It returns nil
// when ctx ended it, else what broke a listener.
func (s *Server) Serve(ctx context.Context, lines, probe net.Listener) error {
	s.began, s.from = time.Now(), s.station.world.Mono()
	failed := make(chan error, 2)
	if lines != nil {
		s.accept(lines, failed, func(c net.Conn) { s.admit(c) })
	}
	if probe != nil {
		s.accept(probe, failed, func(c net.Conn) { s.others.Go(func() { s.answerProbe(c) }) })
	}
	err := s.loop(ctx, failed)
	close(s.done)
	if lines != nil {
		_ = lines.Close()
	}
	if probe != nil {
		_ = probe.Close()
	}
	if s.next != nil {
		_ = s.next.Close()
		s.next = nil
	}
	if s.client != nil {
		s.client.end()
	}
	s.others.Wait()
	return err
}

// accept gives every new connection of a listener to admit, on the world's goroutine.
func (s *Server) accept(l net.Listener, failed chan<- error, admit func(net.Conn)) {
	s.others.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				failed <- fmt.Errorf("accept on %s: %w", l.Addr(), err)
				return
			}
			if !s.Do(func() { admit(conn) }) {
				_ = conn.Close()
			}
		}
	})
}

// Do has f run on the world's goroutine at the present instant. It returns false when the server is ending.
func (s *Server) Do(f func()) bool {
	select {
	case s.inbox <- f:
		return true
	case <-s.done:
		return false
	}
}

func (s *Server) loop(ctx context.Context, failed <-chan error) error {
	timer := time.NewTimer(markEvery)
	defer timer.Stop()
	marked := s.began
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case f := <-s.inbox:
			s.catchUp()
			f()
		case <-timer.C:
			s.catchUp()
		}
		now := time.Now()
		if c := s.client; c != nil && now.Sub(marked) >= markEvery {
			marked = now
			c.mark()
			if now.Sub(c.heard) > virtual.Silence {
				c.end()
			}
		}
		s.admitNext(now)
		timer.Reset(s.wait())
	}
}

// catchUp brings the world to where the real clock says that it is.
func (s *Server) catchUp() {
	s.station.world.Run(s.from + int64(float64(time.Since(s.began))*s.scale))
}

// wait returns how long nothing is to be done, in real time.
func (s *Server) wait() time.Duration {
	next, planned := s.station.world.Next()
	if !planned {
		return markEvery
	}
	left := time.Duration(float64(next-s.station.world.Mono()) / s.scale)
	return min(markEvery, left+1) // rounded up: a wake-up just before the instant would spin
}

// admit begins a session. A second client must not take the lines of a first that lives, but a daemon that was
// killed and started again may be here before the end of its old connection is heard: one waits for that a while.
func (s *Server) admit(conn net.Conn) {
	lines, err := s.station.Connect()
	switch {
	case err == nil:
		s.client = newSession(s, conn, lines)
		s.client.begin()
	case s.next == nil:
		s.next, s.nextAt = conn, time.Now()
	default:
		s.others.Go(func() { turnAway(conn, err) })
	}
}

// admitNext lets the one that waits have free lines, or sends it away when it waited long enough.
func (s *Server) admitNext(now time.Time) {
	conn := s.next
	switch {
	case conn == nil:
	case s.client == nil:
		s.next = nil
		s.admit(conn)
	case now.Sub(s.nextAt) > secondWaits:
		s.next = nil
		s.others.Go(func() { turnAway(conn, ErrInUse) })
	}
}

func turnAway(conn net.Conn, why error) {
	defer conn.Close()
	text, err := virtual.Append(nil, virtual.Message{Kind: virtual.Done, ID: 1, Error: virtual.ErrorRefused, Why: why.Error()})
	if err == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(virtual.Silence))
		_, _ = conn.Write(text)
	}
}

// sources returns what the wire declares: the lateness is real time, seen by the virtual clock.
func (s *Server) sources() map[string]time.Duration {
	late := time.Duration(float64(lateness) * s.scale)
	return map[string]time.Duration{SourceFront: late, SourceLimits: late}
}
