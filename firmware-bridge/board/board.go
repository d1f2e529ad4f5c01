// Package board offers the pins of a microcontroller board behind a byte port as a bus.Bus.
//
// It opens the port and opens it again, moves bytes between it and a link, and tells what the link says in the words of
// the bus. A board that is absent is looked for until Close.
package board

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/clockmap"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
)

const (
	// retryFirst and retryMost are the pauses between two attempts to open a port.
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
	// hold is the longest for an output that may be on for as long as it likes, which the protocol knows not; it is
	// said again at half of it.
	hold = 10 * time.Minute
	// lastWord bounds how long Close waits for the board to say that its outputs are safe.
	lastWord = 300 * time.Millisecond
	// chunk is how much is read at once, chunks how many may wait for the owner, outbox how many bytes for the port.
	chunk  = 512
	chunks = 64
	outbox = 1 << 14
)

// Pin is how a pin of a board is used.
type Pin struct {
	Output    bool
	ActiveLow bool // the low voltage means active
	PullUp    bool // of an input
}

// mode is what the board is told of a pin. The safe level of an output is logically off.
func (p Pin) mode() message.Mode {
	switch {
	case p.Output && p.ActiveLow:
		return message.OutHigh
	case p.Output:
		return message.OutLow
	case p.PullUp:
		return message.PullUp
	}
	return message.Input
}

// Options are what a board is made of.
type Options struct {
	// Name stands in errors and is the source of the edges.
	Name string
	// ID is the board's own, message.NoID for whichever is there.
	ID message.ID
	// Pins are those that are used, by the names that the board gives them.
	Pins map[string]Pin
	// Beat is how long its outputs hold without a heartbeat, Baud the speed of the line.
	Beat time.Duration
	Baud int
	// Open opens the port. It is called again after each failure.
	Open func() (bus.Port, error)
	// Now is the monotonic clock in nanoseconds, Session the source of a session's 32 bits.
	Now     func() int64
	Session func() uint32
}

// Report is how a board is, for those who look after it.
type Report struct {
	State link.State
	// Why is why it is not up, nil when it is.
	Why   error
	Board message.Board // as it said of itself last; Known tells whether it ever did
	Known bool
	Pins  []message.Pin
	Clock clockmap.Report
	Stats link.Stats
	Opens uint64 // of the port
}

// Board is one board. It owns a goroutine until Close, and two more while its port is open. All callbacks come from
// the first, save that an output of a board that is away answers from where it was set.
type Board struct {
	opt    Options
	wake   chan struct{} // holds one token when there is something to do
	quit   chan struct{}
	ended  chan struct{}
	looked chan struct{} // closed when it was found, or when the first attempt is over
	once   sync.Once
	writes chan struct{} // holds one token when there are bytes to write

	seen int64 // the latest instant up to which it told everything; of the owner alone

	mu      sync.Mutex // guards what follows; held over no callback and no port
	link    *link.Machine
	out     []byte // for the port
	facts   []link.Fact
	stuck   bool // the port does not take what is written
	up      bool // the sink was told so
	why     error
	opens   uint64
	sink    bus.Sink
	lines   []string // that are watched
	outputs map[string]*output
	waits   map[uint64]func(mono int64, err error)
	token   uint64
	seq     uint64
	closed  bool
	greeted bool // the sink was told whether the board is there
}

// New returns a board that is looked for from now on. The error names everything that is wrong with the options.
func New(o Options) (*Board, error) {
	if o.Name == "" || o.Open == nil || o.Now == nil {
		return nil, fmt.Errorf("board %q: a name, a port and a clock are expected", o.Name)
	}
	modes := map[string]message.Mode{}
	for name, p := range o.Pins {
		modes[name] = p.mode()
	}
	m, err := link.New(link.Options{ID: o.ID, Pins: modes, Beat: o.Beat, Baud: o.Baud, Session: o.Session})
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", o.Name, err)
	}
	b := &Board{opt: o, link: m, wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}), looked: make(chan struct{}),
		writes: make(chan struct{}, 1), outputs: map[string]*output{}, waits: map[uint64]func(int64, error){},
		why: fmt.Errorf("board %s: %w: nobody has answered yet", o.Name, bus.ErrGone)}
	go b.run()
	return b, nil
}

// Looked is closed when the board was found, or when the first attempt to is over.
func (b *Board) Looked() <-chan struct{} { return b.looked }

// found closes Looked. Only the owner's goroutine calls it.
func (b *Board) found() {
	select {
	case <-b.looked:
	default:
		close(b.looked)
	}
}

// poke leaves a token for a goroutine that may be busy.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flush takes what the link has to say. The caller holds the mutex.
func (b *Board) flush() {
	out, facts := b.link.Take()
	if len(b.out)+len(out) > outbox {
		b.stuck, b.out = true, nil
	} else {
		b.out = append(b.out, out...)
	}
	b.facts = append(b.facts, facts...)
	if len(out) > 0 {
		poke(b.writes)
	}
	poke(b.wake)
}

// with does something with the link, and takes what it has to say.
func (b *Board) with(do func(m *link.Machine, now int64)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do(b.link, b.opt.Now())
	b.flush()
}

// Watch asks for the inputs; see bus.Bus.
func (b *Board) Watch(lines []string, sink bus.Sink) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sink != nil {
		return fmt.Errorf("board %s: its inputs are watched already", b.opt.Name)
	}
	for _, line := range lines {
		if p, known := b.opt.Pins[line]; !known || p.Output {
			return b.unknown(line, "input")
		}
	}
	b.sink, b.lines = sink, slices.Clone(lines)
	if b.up { // it came up before anybody watched
		now := link.Fact{Kind: link.Ready, Mono: b.opt.Now(), Levels: map[string]bool{}}
		for _, line := range lines {
			now.Levels[line], _ = b.link.Level(line)
		}
		b.facts = append(b.facts, now)
	}
	poke(b.wake)
	return nil
}

func (b *Board) unknown(line, what string) error {
	var names []string
	for name, p := range b.opt.Pins {
		if p.Output == (what == "output") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return fmt.Errorf("board %s: %s: %w (it is configured with the %ss %s)", b.opt.Name, line, bus.ErrUnknownLine, what, strings.Join(names, ", "))
}

// Level reads an input; see bus.Bus.
func (b *Board) Level(line string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.opt.Pins[line]
	if !known || p.Output {
		return false, b.unknown(line, "input")
	}
	level, ok := b.link.Level(line)
	if !ok {
		return false, b.why
	}
	return level != p.ActiveLow, nil
}

// Sources names the board; see bus.Bus.
func (b *Board) Sources() map[string]time.Duration {
	return map[string]time.Duration{b.opt.Name: link.Lateness}
}

// beatsInTime is how many heartbeats are sent in the time that outputs hold without one: some may be lost on the way.
const beatsInTime = 5

// BeatEvery is how often it must hear a heartbeat; see bus.Keeper.
func (b *Board) BeatEvery() time.Duration { return b.opt.Beat / beatsInTime }

// Beat is one heartbeat; see bus.Keeper.
func (b *Board) Beat() { b.with(func(m *link.Machine, now int64) { m.Beat(now) }) }

// Attend says whether a run is armed; see bus.Attendant.
func (b *Board) Attend(on bool) { b.with(func(m *link.Machine, _ int64) { m.Arm(on) }) }

// Report returns how the board is.
func (b *Board) Report() Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Report{Pins: b.link.Pins(), Clock: b.link.Clock(), Stats: b.link.Stats(), Opens: b.opens}
	r.State, _ = b.link.State()
	r.Board, r.Known = b.link.Board()
	if !b.up {
		r.Why = b.why
	}
	return r
}

// Close takes every output to its safe level, waits a moment for the board to say so, and lets go of the port. It does
// not wait for a port that hangs, and says so.
func (b *Board) Close() error {
	b.once.Do(func() {
		b.mu.Lock()
		pins := slices.Sorted(maps.Keys(b.outputs))
		b.mu.Unlock()
		b.safe(pins, nil)
		b.mu.Lock()
		b.closed = true
		b.mu.Unlock()
		close(b.quit)
		poke(b.wake)
	})
	select {
	case <-b.ended:
		return nil
	case <-time.After(2 * lastWord):
		return fmt.Errorf("board %s: its port hangs: it was left alone, and its outputs fall back without heartbeats", b.opt.Name)
	}
}

// errStuck: the port takes nothing any more.
var errStuck = errors.New("the port does not take what is written to it (unplug the board and plug it in again)")
