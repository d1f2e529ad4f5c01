// Package visit asks a board that nobody else speaks with who it is, and gives it its id.
//
// It is for tools, not for sessions: it configures nothing, drives nothing, and leaves when it has its answer.
package visit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

const (
	// Within is how long a board is waited for: opening its port may have reset it, and old boot loaders wait 2 s.
	Within = 4 * time.Second
	// again is the pause after which a question without an answer is asked again.
	again = 150 * time.Millisecond
	// pings are how many round trips are measured.
	pings = 8
)

// The reasons for which nobody could be asked, to be tested with errors.Is.
var (
	// ErrSilent: not a byte came.
	ErrSilent = errors.New("nothing came from it")
	// ErrGarbage: bytes came, and no frame was among them.
	ErrGarbage = errors.New("what came is no frame of a board")
	// ErrVersion: it speaks another version of the protocol.
	ErrVersion = errors.New("it speaks another version of the protocol")
	// ErrRefused: the board says no.
	ErrRefused = errors.New("the board refuses")
	// ErrMute: it answered at first, and then no more.
	ErrMute = errors.New("it does not answer any more")
)

// Seen is what a board said.
type Seen struct {
	Board message.Board
	Pins  []message.Pin
	Pong  message.Pong // the last one
	// Fastest and Slowest are the round trips of its pings.
	Fastest, Slowest time.Duration
	// Resends are questions that were asked again, Noise pieces of the line that were no frames.
	Resends, Noise int
}

// Visitor speaks with the board behind an open port.
type Visitor struct {
	port    bus.Port
	session uint32
	split   frame.Splitter
	frames  []received
	bytes   int // that came
	seen    Seen
}

type received struct {
	head message.Header
	msg  message.Message
}

// New returns a visitor of a board. session is 32 bits that were drawn for this visit; the port stays the caller's.
func New(port bus.Port, session uint32) *Visitor {
	if session&0xFF == 0 {
		session |= 1
	}
	return &Visitor{port: port, session: session}
}

// Greet waits for the board and has it say what it is. It begins a session: whatever the board drove is safe from then on.
func (v *Visitor) Greet() (message.Board, error) {
	if err := v.port.Flush(); err != nil {
		return message.Board{}, err
	}
	limit := time.Now().Add(Within)
	hello := &message.Hello{Session: v.session, Lowest: message.Version, Highest: message.Version}
	for time.Now().Before(limit) {
		err := v.send(0, hello)
		if err != nil {
			return message.Board{}, err
		}
		answer, err := v.await(func(r received) bool {
			b, says := r.msg.(*message.Board)
			return says && b.Session == v.session || r.head.Version != message.Version
		})
		switch {
		case err != nil:
			return message.Board{}, err
		case answer == nil:
			v.seen.Resends++
			continue
		case answer.head.Version != message.Version:
			return message.Board{}, fmt.Errorf("%w: %d, and this program %d", ErrVersion, answer.head.Version, message.Version)
		}
		v.seen.Board = *answer.msg.(*message.Board)
		return v.seen.Board, nil
	}
	if v.bytes == 0 {
		return message.Board{}, ErrSilent
	}
	return message.Board{}, fmt.Errorf("%w: %d bytes came, %d pieces of them are no frames", ErrGarbage, v.bytes, v.seen.Noise)
}

// Look asks a board that was greeted for its pins and for the time.
func (v *Visitor) Look() (Seen, error) {
	for i := range v.seen.Board.Pins {
		answer, err := v.ask(0, &message.Describe{Index: i}, func(r received) bool {
			p, is := r.msg.(*message.Pin)
			return is && p.Index == i
		})
		if err != nil {
			return v.seen, err
		}
		v.seen.Pins = append(v.seen.Pins, *answer.(*message.Pin))
	}
	for cookie := range uint32(pings) {
		var took time.Duration
		began := time.Now()
		answer, err := v.ask(0, &message.Ping{Cookie: cookie}, func(r received) bool {
			p, is := r.msg.(*message.Pong)
			took = time.Since(began)
			return is && p.Cookie == cookie
		})
		if err != nil {
			return v.seen, err
		}
		v.seen.Pong = *answer.(*message.Pong)
		v.seen.Slowest = max(v.seen.Slowest, took)
		if v.seen.Fastest == 0 || took < v.seen.Fastest {
			v.seen.Fastest = took
		}
	}
	return v.seen, nil
}

// Name gives a board that was greeted its id, for good.
func (v *Visitor) Name(id message.ID) error {
	if v.seen.Board.Named && v.seen.Board.ID != id {
		return fmt.Errorf("%w: its id is %q already, and is given once", ErrRefused, Text(v.seen.Board.ID))
	}
	if v.seen.Board.ID == id {
		return nil
	}
	answer, err := v.ask(0, &message.Name{ID: id}, func(r received) bool { _, is := r.msg.(*message.Ack); return is })
	if err != nil {
		return err
	}
	if result := answer.(*message.Ack).Result; result != message.Taken {
		return fmt.Errorf("%w: %s", ErrRefused, result)
	}
	return nil
}

// Text is an id as people write it, "" for none.
func Text(id message.ID) string {
	if id == message.NoID {
		return ""
	}
	return strings.TrimRight(string(id[:]), "\x00")
}

// ask asks until the wanted answer comes.
func (v *Visitor) ask(number byte, question message.Message, wanted func(received) bool) (message.Message, error) {
	for limit := time.Now().Add(Within); time.Now().Before(limit); v.seen.Resends++ {
		if err := v.send(number, question); err != nil {
			return nil, err
		}
		answer, err := v.await(func(r received) bool { return r.head.Session == byte(v.session) && wanted(r) })
		if err != nil {
			return nil, err
		}
		if answer != nil {
			return answer.msg, nil
		}
	}
	return nil, ErrMute
}

func (v *Visitor) send(number byte, m message.Message) error {
	_, err := v.port.Write(frame.Append(nil, message.Append(nil, byte(v.session), number, m)))
	return err
}

// await reads until the wanted frame comes, or for a moment; then it returns nil. Others are passed over.
func (v *Visitor) await(wanted func(received) bool) (*received, error) {
	buffer := make([]byte, 512)
	for limit := time.Now().Add(again); ; {
		for len(v.frames) > 0 {
			r := v.frames[0]
			v.frames = v.frames[1:]
			if wanted(r) {
				return &r, nil
			}
		}
		if !time.Now().Before(limit) {
			return nil, nil
		}
		n, err := v.port.Read(buffer)
		if err != nil {
			return nil, err
		}
		v.bytes += n
		v.split.Write(buffer[:n], v.take, func(error) { v.seen.Noise++ })
	}
}

func (v *Visitor) take(body []byte) {
	head, msg, err := message.Parse(body)
	if err != nil {
		v.seen.Noise++
		return
	}
	v.frames = append(v.frames, received{head, msg})
}
