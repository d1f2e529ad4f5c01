package bustest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"scentpost/drivers/bus"
)

// The errors of a Player, to be tested with errors.Is.
var (
	// ErrWaiting: what comes next in the recording is a call that was not made yet.
	ErrWaiting = errors.New("the recording waits for a call")
	// ErrOther: a call is not the one in the recording.
	ErrOther = errors.New("the recording has another call here")
)

// Player is a bus.Bus that gives again what a Recorder noted. Calls must come in the order of the recording and be the
// same; what the bus gave comes when Play is called, each entry not before the calls that stand before it. It starts no
// goroutine and reads no clock.
type Player struct {
	mu      sync.Mutex // guards the rest, never held over a call to a sink or an answer
	entries []Entry
	next    int                        // the entry that Play gives next
	called  int                        // the entry behind the last call that was made
	sink    bus.Sink                   // of Watch
	answers map[int]func(int64, error) // of sets, by number
	failed  error
}

// NewPlayer plays what Read gave.
func NewPlayer(entries []Entry) (*Player, error) {
	if len(entries) == 0 || entries[0].Kind != Begin {
		return nil, errors.New("player: the recording does not begin with a line of the kind begin")
	}
	return &Player{entries: slices.Clone(entries), next: 1, called: 1, answers: map[int]func(int64, error){}}, nil
}

// take makes the next call of the recording, which must be like e, and returns it.
func (p *Player) take(e Entry, like func(recorded Entry) bool) (Entry, error) {
	if p.failed != nil {
		return Entry{}, p.failed
	}
	i := p.called
	for i < len(p.entries) && !p.entries[i].call() {
		i++
	}
	switch {
	case i == len(p.entries):
		p.failed = fmt.Errorf("player: %s: %w: none is left", e, ErrOther)
	case p.entries[i].Kind != e.Kind || !like(p.entries[i]):
		p.failed = fmt.Errorf("player: %s: %w: line %d is %s", e, ErrOther, i+1, p.entries[i])
	}
	if p.failed != nil {
		return Entry{}, p.failed
	}
	p.called = i + 1
	return p.entries[i], nil
}

// Play gives what stands in the recording up to the next call that was not made: ErrWaiting then, with the call; nil at
// the end. A call that was not the recorded one comes back from every Play after it.
func (p *Player) Play() error {
	for {
		p.mu.Lock()
		if p.failed != nil || p.next == len(p.entries) {
			defer p.mu.Unlock()
			return p.failed
		}
		e := p.entries[p.next]
		if e.call() && p.next >= p.called {
			defer p.mu.Unlock()
			return fmt.Errorf("player: line %d: %w: %s", p.next+1, ErrWaiting, e)
		}
		p.next++
		sink, answer := p.sink, p.answers[e.Number]
		p.mu.Unlock()
		give(e, sink, answer)
	}
}

// give gives one entry to those whom it is for.
func give(e Entry, sink bus.Sink, answer func(int64, error)) {
	switch {
	case e.Kind == Edge && sink != nil:
		sink.Edge(bus.Edge{Line: e.Line, Level: e.Level, Mono: e.Mono, Bound: e.Bound, Source: e.Source, Seq: e.Seq})
	case e.Kind == Mark && sink != nil:
		sink.Watermark(bus.Watermark{Source: e.Source, Mono: e.Mono})
	case e.Kind == Done && answer != nil:
		answer(e.Mono, fromWords(e.Err))
	}
}

// Watch takes the call of the recording; the order of the lines does not matter.
func (p *Player) Watch(lines []string, sink bus.Sink) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := slices.Sorted(slices.Values(lines))
	e, err := p.take(Entry{Kind: Watch, Lines: lines}, func(r Entry) bool {
		return slices.Equal(slices.Sorted(slices.Values(r.Lines)), asked)
	})
	if err != nil {
		return err
	}
	p.sink = sink
	return fromWords(e.Err)
}

// Output takes the call of the recording.
func (p *Player) Output(line string, safe bool) (bus.Output, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.take(Entry{Kind: Output, Line: line, Level: safe}, func(r Entry) bool { return r.Line == line && r.Level == safe })
	if err == nil {
		err = fromWords(e.Err)
	}
	if err != nil {
		return nil, err
	}
	return played{p, line}, nil
}

// played is an output of a Player.
type played struct {
	player *Player
	line   string
}

// Set implements bus.Output.
func (o played) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	p := o.player
	p.mu.Lock()
	asked := Entry{Kind: Set, Line: o.line, Level: level, At: at, Longest: longest}
	e, err := p.take(asked, func(r Entry) bool {
		return r.Line == o.line && r.Level == level && r.At == at && r.Longest == longest
	})
	if err == nil && done != nil {
		p.answers[e.Number] = done
	}
	p.mu.Unlock()
	if err != nil && done != nil {
		done(0, err)
	}
}

// Level takes the call of the recording and returns what was read then.
func (p *Player) Level(line string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.take(Entry{Kind: Level, Line: line}, func(r Entry) bool { return r.Line == line })
	if err != nil {
		return false, err
	}
	return e.Level, fromWords(e.Err)
}

// Sources names what stamps edges, as the recorded bus did.
func (p *Player) Sources() map[string]time.Duration { return maps.Clone(p.entries[0].Sources) }

// Close takes the call of the recording. The error says when not all of it was played.
func (p *Player) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := p.take(Entry{Kind: Close}, func(Entry) bool { return true })
	if err != nil {
		return err
	}
	for i := p.next; i < p.called-1; i++ {
		if !p.entries[i].call() {
			return fmt.Errorf("player: closed before line %d was played: %s (call Play first)", i+1, p.entries[i])
		}
	}
	return fromWords(e.Err)
}
