package virtual

import (
	"net"
	"sync"
	"time"
)

// link is one connection to a station: read by the client's goroutine, written by one of its own.
type link struct {
	conn   net.Conn
	in     *Reader
	heard  time.Time // when the deadline for reading was last moved
	out    chan Message
	closed chan struct{}
	once   sync.Once
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, in: NewReader(conn), out: make(chan Message, outgoing), closed: make(chan struct{})}
}

// read returns the next message, or an error when the station was silent for too long.
func (l *link) read() (Message, error) {
	if now := time.Now(); now.Sub(l.heard) > Silence/8 {
		l.heard = now
		if err := l.conn.SetReadDeadline(now.Add(Silence)); err != nil {
			return Message{}, err
		}
	}
	return l.in.Next()
}

// send gives a message to the writer. A station that takes nothing any more is dead.
func (l *link) send(m Message) {
	select {
	case l.out <- m:
	default:
		l.close()
	}
}

// close ends the connection; it may be called any number of times and from anywhere.
func (l *link) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.conn.Close() // nothing is lost by it that the protocol relies on
	})
}

// write writes what is sent, and heartbeats, until the link is closed.
func (l *link) write() {
	beat := time.NewTicker(Heartbeat)
	defer beat.Stop()
	var text []byte
	for {
		m := Message{Kind: Beat}
		select {
		case <-l.closed:
			return
		case m = <-l.out:
		case <-beat.C:
		}
		var err error
		if text, err = Append(text[:0], m); err == nil {
			if err = l.conn.SetWriteDeadline(time.Now().Add(Silence)); err == nil {
				_, err = l.conn.Write(text)
			}
		}
		if err != nil {
			l.close()
			return
		}
	}
}
