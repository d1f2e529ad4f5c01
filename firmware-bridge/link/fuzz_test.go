package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

// play is a link and a script of bytes: whatever comes from the line, in whatever order a program uses it.
type play struct {
	*testing.T
	link   *Machine
	board  *twin.Board
	now    int64
	script []byte

	rests int  // how often it may rest: that takes long
	deaf  bool // the board hears nothing
	token uint64
	waits map[uint64]bool // tokens without an answer
	told  int64           // the latest edge or watermark of the session
}

func (p *play) one() byte {
	if len(p.script) == 0 {
		return 0
	}
	b := p.script[0]
	p.script = p.script[1:]
	return b
}

func (p *play) some(n int) []byte {
	b := make([]byte, n)
	p.script = p.script[copy(b, p.script):]
	return b
}

func (p *play) wait() uint64 {
	p.token++
	p.waits[p.token] = true
	return p.token
}

// frame is one that a board can say, with fields out of the script, and often such that it belongs to the session.
func (p *play) frame() []byte {
	kinds := []message.Type{message.TypeBoard, message.TypePin, message.TypeAck, message.TypePong, message.TypeEvents}
	kind := kinds[int(p.one())%len(kinds)]
	sizes := map[message.Type]int{message.TypeBoard: 56, message.TypePin: 10, message.TypeAck: 2, message.TypePong: 44, message.TypeEvents: 15 + int(p.one()%40)}
	session, number, payload := byte(p.link.session), p.one(), p.some(sizes[kind])
	belongs := p.one()
	switch {
	case belongs%4 == 0:
		session = p.one()
	case kind == message.TypeBoard:
		binary.LittleEndian.PutUint32(payload, p.link.session)
	case kind == message.TypePong:
		binary.LittleEndian.PutUint32(payload, p.link.clock.cookie-uint32(belongs/4%4))
		binary.LittleEndian.PutUint16(payload[28:], p.link.events.next+uint16(belongs/16))
	case kind == message.TypeEvents:
		binary.LittleEndian.PutUint16(payload, p.link.events.next+uint16(belongs/64))
		payload[2], payload[11], payload[12], payload[13], payload[14] = payload[2]%13, payload[11]%2, 0, 0, 0
	}
	if kind != message.TypeAck {
		number = 0
	}
	return frame.Append(nil, append([]byte{message.Version, byte(kind), session, number}, payload...))
}

// step does one thing of the script.
func (p *play) step() {
	p.now += int64(p.one()) * int64(p.one()) * 1000
	name := []string{"D2", "D3", "D5", "D6", "D7", "D99"}[p.one()%6]
	switch p.one() % 16 {
	case 0:
		p.link.Open(p.now)
	case 1:
		p.link.Shut(p.now, errors.New("shut"))
	case 2, 3:
		p.link.Set(p.now, name, p.one()%2 == 0, p.now+int64(int8(p.one()))*10*ms, time.Duration(p.one())*10*time.Millisecond, p.wait())
	case 4:
		tokens := map[string]uint64{name: p.wait()}
		if name != "D6" {
			tokens["D6"] = p.wait()
		}
		p.link.Safe(p.now, tokens)
	case 5:
		p.link.Beat(p.now)
	case 6:
		p.link.Arm(p.one()%2 == 0)
	case 7:
		p.link.Receive(p.now, p.some(int(p.one())))
	case 8, 9:
		p.link.Receive(p.now, p.frame())
	case 10:
		p.board.Input(p.now, name, p.one()%2 == 0)
	case 11:
		p.rest()
	case 12:
		p.deaf = !p.deaf
	default:
		p.link.Tick(p.now)
	}
	p.exchange()
}

// rest lets the link do what it wants for up to a second, with a board that answers.
func (p *play) rest() {
	if p.rests--; p.rests < 0 {
		return
	}
	for end := p.now + int64(p.one())*4*ms; p.now < end; {
		due, any := p.link.Due()
		if !any {
			return
		}
		p.now = max(p.now, min(due, p.now+5*ms))
		if p.now == due {
			p.link.Tick(p.now)
		}
		p.board.Tick(p.now)
		p.exchange()
		p.now += 10 * us
	}
}

// exchange has the board answer, and checks what the link says.
func (p *play) exchange() {
	p.Helper()
	out, facts := p.link.Take()
	for _, f := range facts {
		p.check(f)
	}
	if !p.deaf {
		p.board.Receive(p.now, out)
	}
	said, _ := p.board.Take()
	p.link.Receive(p.now, said)
	c := &p.link.commands
	if len(c.sent) > window || len(c.queue) > message.MaxPins+1 || len(p.link.clock.open) > pingsOpen || len(p.link.pins) > message.MaxPins {
		p.Fatalf("%d commands sent, %d wait, %d pings wait, %d pins", len(c.sent), len(c.queue), len(p.link.clock.open), len(p.link.pins))
	}
}

func (p *play) check(f Fact) {
	p.Helper()
	switch f.Kind {
	case Done:
		if !p.waits[f.Token] {
			p.Fatalf("nobody waits for %+v", f)
		}
		delete(p.waits, f.Token)
	case Ready:
		p.told = f.Mono
	case Edge, Watermark:
		if f.Mono < p.told || f.Mono > p.now || f.Bound < 0 {
			p.Fatalf("%+v after %d, and it is %d", f, p.told, p.now)
		}
		p.told = f.Mono
	}
}

// busy checks that time goes on: a link that is due at once for ever would hold its goroutine.
func (p *play) busy() {
	p.Helper()
	start := p.now
	for range 200 {
		due, any := p.link.Due()
		if !any {
			return
		}
		p.now = max(p.now, due)
		p.link.Tick(p.now)
		for _, f := range p.facts() {
			p.check(f)
		}
	}
	if p.now == start {
		p.Fatalf("a link that is %s is due at %d for ever", p.link.state, p.now)
	}
}

func (p *play) facts() []Fact {
	_, facts := p.link.Take()
	return facts
}

// FuzzMachine: whatever comes, and whatever it is told to do, a link never panics, its queues have bounds, edges and
// watermarks are in order and never later than now, every token has one answer, and it is never due for ever.
func FuzzMachine(f *testing.F) {
	// Two instants, a pin and what is done, and then what that needs: open, rest for a second, a heartbeat.
	up := []byte{0, 0, 0, 0, 0, 0, 0, 11, 250, 0, 0, 0, 5, 0, 0, 0, 11, 20}
	f.Add(up)
	f.Add([]byte("0000000+000220000"))                                                                            // opened anew while somebody waits
	f.Add(append(up[:len(up):len(up)], 1, 1, 2, 2, 0, 0, 10, 1, 1, 2, 4, 1, 1, 0, 11, 40, 1, 1, 0, 8, 3, 1, 0))   // a SET, a SAFE, a frame
	f.Add(append(up[:len(up):len(up)], 1, 1, 0, 10, 1, 1, 1, 0, 11, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 11, 200)) // an edge, shut, open
	deaf := append(up[:len(up):len(up)], 0, 0, 0, 12)
	for range 12 {
		deaf = append(deaf, 0, 0, 2, 2, 0, 1, 1)
	}
	f.Add(append(deaf, 100, 100, 0, 15))
	f.Fuzz(func(t *testing.T, script []byte) {
		p := &play{T: t, now: second, script: script, rests: 8, waits: map[uint64]bool{}}
		p.board = twin.New(twin.Options{Pins: boardPins(), ID: boardID, Kind: "twin", Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
		session := uint32(0)
		var err error
		p.link, err = New(Options{ID: boardID, Pins: pins, Beat: 500 * time.Millisecond, Baud: 1e9, Session: func() uint32 { session += 0x77; return session }})
		if err != nil {
			t.Fatal(err)
		}
		for len(p.script) > 0 {
			p.step()
		}
		p.busy()
		p.link.Shut(p.now, errors.New("the end"))
		for _, fact := range p.facts() {
			p.check(fact)
		}
		if len(p.waits) > 0 {
			t.Fatalf("after Shut these have no answer: %s", fmt.Sprint(p.waits))
		}
	})
}
