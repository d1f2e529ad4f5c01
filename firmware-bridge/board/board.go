// Package board offers the pins of a microcontroller board behind a byte port as a bus.Bus.
//
// It opens the port and opens it again, moves bytes between it and the pins of package pinbus, and tells what these have to
// tell. A board that is absent is looked for until Close.
package board

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/pinbus"
)

const (
	// retryFirst and retryMost are the pauses between two attempts to open a port. One that has been away for retryFor is tried
	// on a grid alone, at the instants at which the machine's own lines wake an idle station up.
	retryFirst = 250 * time.Millisecond
	retryMost  = 2 * time.Second
	retryFor   = time.Minute
	retryGrid  = 5 * time.Second
	// lastWord bounds how long Close waits for the board to say that its outputs are safe.
	lastWord = 300 * time.Millisecond
	// stuckAfter is how long a write may be under way. An adapter that hangs may take what little is said to a board that does
	// not answer for minutes: silentAfter is how long nothing may come. A board that is left alone is greeted twice in it.
	stuckAfter  = 2 * time.Second
	silentAfter = 11 * time.Second
	// heldUp is how late the owner may be without having been held up.
	heldUp = 20 * time.Millisecond
	// chunk is how much is read at once, chunks how many may wait for the owner, outbox how many bytes for the port.
	chunk  = 512
	chunks = 64
	outbox = 1 << 14
)

// Options are what a board is made of.
type Options struct {
	pinbus.Options
	// Open opens the port. It is called again after each failure.
	Open func() (bus.Port, error)
	// Now is the monotonic clock in nanoseconds.
	Now func() int64
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

	mu    sync.Mutex // guards what follows; held over no callback and no port
	pins  *pinbus.Machine
	out   []byte   // for the port
	tells []func() // for the sink and for who waits, in order
	stuck bool     // the port does not take what is written
}

// New returns a board that is looked for from now on. The error names everything that is wrong with the options.
func New(o Options) (*Board, error) {
	if o.Open == nil || o.Now == nil {
		return nil, fmt.Errorf("board %q: a port and a clock are expected", o.Name)
	}
	p, err := pinbus.New(o.Options)
	if err != nil {
		return nil, err
	}
	b := &Board{opt: o, pins: p, wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}), looked: make(chan struct{}),
		writes: make(chan struct{}, 1)}
	go b.run()
	return b, nil
}

// Looked is closed when the board was found, or when the first attempt to is over.
func (b *Board) Looked() <-chan struct{} { return b.looked }

// poke leaves a token for a goroutine that may be busy.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flush takes what the pins have to say. The caller holds the mutex.
func (b *Board) flush() {
	out, tells := b.pins.Take()
	if len(b.out)+len(out) > outbox {
		b.stuck, b.out = true, nil
	} else {
		b.out = append(b.out, out...)
	}
	b.tells = append(b.tells, tells...)
	if len(out) > 0 {
		poke(b.writes)
	}
}

// with does something with the pins, and takes what they have to say.
func (b *Board) with(do func(p *pinbus.Machine, now int64)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do(b.pins, b.opt.Now())
	b.flush()
}

// ask is with for all but the owner, which is to look at what has become of it.
func (b *Board) ask(do func(p *pinbus.Machine, now int64)) {
	b.with(do)
	poke(b.wake)
}

// deliver tells what there is to tell, in order. It runs on the owner's goroutine, without the mutex.
func (b *Board) deliver() {
	for {
		b.mu.Lock()
		tells := b.tells
		b.tells = nil
		looked := b.pins.Looked()
		b.mu.Unlock()
		for _, tell := range tells {
			tell()
		}
		if looked {
			b.found()
		}
		if len(tells) == 0 {
			return
		}
	}
}

// found closes Looked. Only the owner's goroutine calls it.
func (b *Board) found() {
	select {
	case <-b.looked:
	default:
		close(b.looked)
	}
}

// Watch asks for the inputs; see bus.Bus.
func (b *Board) Watch(lines []string, sink bus.Sink) (err error) {
	b.ask(func(p *pinbus.Machine, now int64) { err = p.Watch(now, lines, sink) })
	return err
}

// Level reads an input; see bus.Bus.
func (b *Board) Level(line string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pins.Level(line)
}

// Output asks for an output; see bus.Bus. Only off can be its safe level, as the wiring of a board says what that means.
func (b *Board) Output(line string, safe bool) (bus.Output, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.pins.Output(line, safe); err != nil {
		return nil, err
	}
	return output{b, line}, nil
}

// output is one output of the board.
type output struct {
	board *Board
	line  string
}

// Set drives the output; see bus.Output.
func (o output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	var deaf error
	o.board.ask(func(p *pinbus.Machine, now int64) { deaf = p.Set(now, o.line, level, at, longest, done) })
	if deaf != nil && done != nil {
		done(0, deaf)
	}
}

// Sources names the board; see bus.Bus.
func (b *Board) Sources() map[string]time.Duration { return b.pins.Sources() }

// BeatEvery is how often it must hear a heartbeat; see bus.Keeper.
func (b *Board) BeatEvery() time.Duration { return b.pins.BeatEvery() }

// Beat is one heartbeat; see bus.Keeper.
func (b *Board) Beat() { b.ask((*pinbus.Machine).Beat) }

// Attend says whether somebody waits for what the inputs tell; see bus.Attendant.
func (b *Board) Attend(on bool) { b.ask(func(p *pinbus.Machine, _ int64) { p.Attend(on) }) }

// Report returns how the board is.
func (b *Board) Report() pinbus.Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pins.Report()
}

// Close takes every output to its safe level, waits a moment for the board to say so, and lets go of the port. It does
// not wait for a port that hangs, and says so.
func (b *Board) Close() error {
	b.once.Do(func() {
		b.ask((*pinbus.Machine).Close)
		close(b.quit)
	})
	select {
	case <-b.ended:
		return nil
	case <-time.After(2 * lastWord):
		return fmt.Errorf("board %s: its port hangs: it was left alone, and its outputs fall back without heartbeats", b.opt.Name)
	}
}

// Why a port that is open is opened anew.
var (
	errStuck  = errors.New("the port does not take what is written to it (unplug the board and plug it in again)")
	errSilent = fmt.Errorf("nothing has come for %s: the port was opened anew (if that does not help, unplug the board and plug it in again)", silentAfter)
)
