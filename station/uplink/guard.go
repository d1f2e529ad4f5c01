package uplink

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// maxPacket bounds one MQTT packet from the broker, in bytes after its header. What the station reads back is far shorter.
const maxPacket = 1 << 20

// packetError is a packet that no broker sends who speaks MQTT with this station.
type packetError struct{ what string }

// Error implements error.
func (e *packetError) Error() string { return "uplink: the broker sent " + e.what }

// headers follows the packets in a stream of bytes, and refuses one that is too long before any of it is kept: paho makes
// room for as much as a header announces.
type headers struct {
	body   int // bytes of the present packet that are still to come
	length int // of the header that is being read
	place  int // of the next byte of that length, 0 before the type
	// answer are the first bytes of the stream without the length: the type of the first packet, and of its body a flag and
	// a code. It must answer the greeting in a way that MQTT has, which paho does not look at.
	answer []byte
}

// greeted looks at the answer to the greeting, as far as it is there.
func (h *headers) greeted(p ...byte) error {
	h.answer = append(h.answer, p[:min(len(p), 3-len(h.answer))]...)
	switch {
	case h.answer[0] != packets.Connack<<4:
		return &packetError{"something else than an answer to the greeting"}
	case len(h.answer) == 3 && h.answer[2] > packets.ErrRefusedNotAuthorised:
		return &packetError{fmt.Sprintf("the code %d as its answer to the greeting, which MQTT does not have", h.answer[2])}
	}
	return nil
}

// take reads the next bytes of the stream.
func (h *headers) take(p []byte) error {
	for len(p) > 0 {
		if h.body > 0 {
			n := min(h.body, len(p))
			if len(h.answer) < 3 {
				if err := h.greeted(p[:n]...); err != nil {
					return err
				}
			}
			h.body, p = h.body-n, p[n:]
			continue
		}
		if b := p[0]; h.place == 0 {
			if h.length, h.place = 0, 1; len(h.answer) == 0 {
				if err := h.greeted(b); err != nil {
					return err
				}
			}
		} else {
			h.length |= int(b&0x7f) << (7 * (h.place - 1))
			switch h.place++; {
			case h.length > maxPacket:
				return &packetError{fmt.Sprintf("a packet of %d bytes or more, at most %d are read", h.length, maxPacket)}
			case b&0x80 == 0:
				h.body, h.place = h.length, 0
			case h.place > 4:
				return &packetError{"a length of more than four bytes"}
			}
		}
		p = p[1:]
	}
	return nil
}

// guarded is a network connection whose packets are bounded, and which ends after a goodbye without losing it.
type guarded struct {
	net.Conn
	headers headers
	leaving atomic.Bool // DISCONNECT was written
}

// Write implements io.Writer. paho writes each packet at once.
func (g *guarded) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	if err == nil && len(p) == 2 && p[0] == packets.Disconnect<<4 {
		g.leaving.Store(true)
	}
	return n, err
}

// Close ends the connection. After DISCONNECT it waits a while until the broker ends it: a broker that is still answering an
// earlier packet would fail at that, and publish the will before it reads DISCONNECT.
func (g *guarded) Close() error {
	if half, can := g.Conn.(interface{ CloseWrite() error }); can && g.leaving.Load() && half.CloseWrite() == nil {
		_ = g.SetReadDeadline(time.Now().Add(disconnectWithin))
		_, _ = io.Copy(io.Discard, g.Conn)
	}
	return g.Conn.Close()
}

// Read implements io.Reader. One goroutine at a time calls it.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if g.leaving.Load() {
		return 0, io.EOF // Close reads what is left
	}
	if wrong := g.headers.take(p[:n]); wrong != nil {
		g.Conn.Close()
		return 0, wrong
	}
	return n, err
}
