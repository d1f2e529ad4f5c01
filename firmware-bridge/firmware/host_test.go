package firmware

import (
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

const (
	us = simavr.PerMicrosecond
	ms = 1000 * us
)

// often is how often something is played: long in `make long`, and short in `make test`.
func often(long, short int) int {
	if testing.Short() {
		return short
	}
	return long
}

// answer is a message of the board, and the cycle at which its last byte came.
type answer struct {
	at     uint64
	header message.Header
	is     message.Message
}

// host is the smallest one that holds events and sends heartbeats. It looks at the line every slice.
type host struct {
	t    *testing.T
	chip *simavr.Chip

	session  uint32
	number   byte // of the next command
	slice    uint64
	mute     bool   // it holds nothing
	beatEach uint64 // cycles between heartbeats, 0 for none
	nextBeat uint64
	beats    uint16

	splitter frame.Splitter
	zero     uint64 // the cycle at which the board's clock began
	next     uint16 // the next event
	events   []message.Event
	resends  int // events that it had already
	bad      int // pieces of the line that are no message

	answers  []answer
	drove    []simavr.Report
	edges    []simavr.Report
	starts   []simavr.Report
	overruns int
}

// start starts a board at a rate, without a session.
func start(t *testing.T, baud int) *host {
	t.Helper()
	return started(t, simavrtest.Start(t, baud))
}

func started(t *testing.T, chip *simavr.Chip) *host {
	t.Helper()
	h := &host{t: t, chip: chip, slice: ms}
	h.run(60 * ms)
	if len(h.starts) != 1 || h.zero == 0 {
		t.Fatalf("the board did not start: %+v", h.starts)
	}
	return h
}

// run runs for some cycles.
func (h *host) run(cycles uint64) {
	h.t.Helper()
	for until := h.chip.Now() + cycles; h.chip.Now() < until; {
		h.step(min(h.chip.Now()+h.slice, until))
	}
}

func (h *host) step(until uint64) {
	h.t.Helper()
	if h.beatEach > 0 && h.chip.Now() >= h.nextBeat {
		h.beat()
		h.nextBeat = h.chip.Now() + h.beatEach
	}
	reports, err := h.chip.Run(until)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range reports {
		switch r.Kind {
		case simavr.Said:
			h.splitter.Write([]byte{r.Byte}, func(body []byte) { h.take(r.At, body) }, func(error) { h.bad++ })
		case simavr.Drove:
			h.drove = append(h.drove, r)
		case simavr.Edge:
			h.edges = append(h.edges, r)
		case simavr.Started:
			h.starts = append(h.starts, r)
			h.splitter.Reset() // what was on its way ends in the middle
		case simavr.Clocked:
			h.zero = r.At
		case simavr.Overrun:
			h.overruns++
		}
	}
}

func (h *host) take(at uint64, body []byte) {
	header, m, err := message.Parse(body)
	if err != nil {
		h.bad++
		return
	}
	h.answers = append(h.answers, answer{at, header, m})
	e, is := m.(*message.Events)
	if !is || header.Session != byte(h.session) {
		return
	}
	for i, event := range e.List {
		if e.First+uint16(i) != h.next {
			h.resends++
			continue
		}
		h.next++
		h.events = append(h.events, event)
	}
	if !h.mute {
		h.send(&message.Held{Next: h.next, Again: e.First != h.next && int16(e.First-h.next) > 0})
	}
}

// send sends a message now.
func (h *host) send(m message.Message) { h.sendNumbered(0, m) }

func (h *host) sendNumbered(number byte, m message.Message) {
	h.chip.Hear(h.chip.Now(), frame.Append(nil, message.Append(nil, byte(h.session), number, m)))
}

// command sends a command, and returns the result.
func (h *host) command(m message.Message) message.Result {
	h.t.Helper()
	number := h.number
	h.number++
	h.sendNumbered(number, m)
	return h.result(number, m.Type())
}

func (h *host) result(number byte, of message.Type) message.Result {
	h.t.Helper()
	a := h.await("its answer", func(a answer) bool {
		ack, is := a.is.(*message.Ack)
		return is && a.header.Number == number && ack.Of == of
	})
	return a.is.(*message.Ack).Result
}

// await runs until an answer is one that is waited for, of those to come.
func (h *host) await(what string, wanted func(answer) bool) answer {
	h.t.Helper()
	seen := len(h.answers)
	for end := h.chip.Now() + 200*ms; h.chip.Now() < end; {
		h.step(h.chip.Now() + ms/4)
		for ; seen < len(h.answers); seen++ {
			if wanted(h.answers[seen]) {
				return h.answers[seen]
			}
		}
	}
	h.t.Fatalf("the board did not send %s", what)
	return answer{}
}

// open opens a session and returns what the board says of itself.
func (h *host) open(session uint32) *message.Board {
	h.t.Helper()
	h.session, h.number, h.next, h.events, h.beats = session, 0, 0, nil, 0
	h.send(&message.Hello{Session: session, Lowest: 1, Highest: 1})
	a := h.await("BOARD", func(a answer) bool {
		b, is := a.is.(*message.Board)
		return is && b.Session == session
	})
	return a.is.(*message.Board)
}

func (h *host) beat() {
	h.beats++
	h.send(&message.Beat{Count: h.beats})
}

// pins is a configuration by the names of pins.
func pins(beatMS uint16, modes map[string]message.Mode) *message.Configure {
	c := &message.Configure{BeatMS: beatMS}
	for name, mode := range modes {
		c.Modes[pin(name)] = mode
	}
	return c
}

// names are the board's pins by number.
var names = []string{
	"D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "A0", "A1", "A2", "A3", "A4", "A5",
}

func pin(name string) byte {
	for i, n := range names {
		if n == name {
			return byte(i)
		}
	}
	panic("no pin " + name)
}

// configured starts a board, opens a session and configures it.
func configured(t *testing.T, baud int, c *message.Configure) *host {
	t.Helper()
	h := start(t, baud)
	h.open(0x12345678)
	if got := h.command(c); got != message.Taken {
		t.Fatalf("configuring: %v", got)
	}
	return h
}

// boardTime is the board's clock at a cycle, in microseconds.
func (h *host) boardTime(cycle uint64) float64 { return float64(cycle-h.zero) / us }
