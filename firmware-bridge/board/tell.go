package board

import (
	"fmt"
	"slices"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
)

// deliver tells what the link has found, in order. It runs on the owner's goroutine, without the mutex.
func (b *Board) deliver() {
	b.greetSink()
	for {
		b.mu.Lock()
		facts := b.facts
		b.facts = nil
		b.mu.Unlock()
		if len(facts) == 0 {
			break
		}
		for _, f := range facts {
			b.tell(f)
		}
	}
	b.mu.Lock()
	state, why := b.link.State()
	b.mu.Unlock()
	if state == link.Wrong {
		b.away(fmt.Errorf("board %s: %w", b.opt.Name, why))
	}
}

// greetSink tells a new sink that the board is not there, if it is not.
func (b *Board) greetSink() {
	b.mu.Lock()
	news := b.sink != nil && !b.greeted
	b.greeted = b.greeted || news
	up, why := b.up, b.why
	b.mu.Unlock()
	if news && !up {
		b.absent(why)
	}
}

func (b *Board) tell(f link.Fact) {
	sink := b.ear()
	switch f.Kind {
	case link.Done:
		b.finish(f)
	case link.Ready:
		b.ready(sink, f)
	case link.Away:
		b.mu.Lock()
		b.up = false
		for _, o := range b.outputs {
			o.held = false
		}
		b.mu.Unlock()
		b.away(fmt.Errorf("board %s: %w: %w", b.opt.Name, bus.ErrGone, f.Err))
	case link.Edge:
		b.edge(sink, f)
	case link.Watermark:
		b.seen = f.Mono
		if sink != nil {
			sink.Watermark(bus.Watermark{Source: b.opt.Name, Mono: f.Mono})
		}
	case link.Gap:
		b.gap(sink, f)
	case link.Fell:
		b.fell(sink, f)
	}
}

// fell tells that an output went to its safe level by itself.
func (b *Board) fell(sink bus.Sink, f link.Fact) {
	b.mu.Lock()
	if o := b.outputs[f.Pin]; o != nil {
		o.held = false
	}
	b.mu.Unlock()
	if to, wants := sink.(bus.FallSink); wants {
		to.Fall(bus.Fall{Line: f.Pin, Mono: f.Mono, Bound: f.Bound, Why: fmt.Errorf("board %s: %s", b.opt.Name, f.Why)})
	}
}

// ready tells that the board is there, with the levels of its inputs.
func (b *Board) ready(sink bus.Sink, f link.Fact) {
	b.mu.Lock()
	b.up, b.why, b.seen = true, nil, f.Mono
	b.found()
	levels := map[string]bool{}
	for _, line := range b.lines {
		levels[line] = f.Levels[line] != b.opt.Pins[line].ActiveLow
	}
	b.mu.Unlock()
	if to, wants := sink.(bus.PresenceSink); wants {
		to.Presence(bus.Presence{Lines: b.all(), Here: true, Levels: levels, Mono: f.Mono})
	}
}

func (b *Board) edge(sink bus.Sink, f link.Fact) {
	if sink == nil || !slices.Contains(b.lines, f.Pin) {
		return // nobody watches it
	}
	b.mu.Lock()
	b.seq++
	e := bus.Edge{Line: f.Pin, Level: f.Level != b.opt.Pins[f.Pin].ActiveLow, Mono: f.Mono, Bound: f.Bound, Source: b.opt.Name, Seq: b.seq}
	b.mu.Unlock()
	sink.Edge(e)
}

func (b *Board) gap(sink bus.Sink, f link.Fact) {
	b.mu.Lock()
	b.seq += f.Lost
	g := bus.Gap{Source: b.opt.Name, Lines: slices.Clone(b.lines), Lost: f.Lost, From: f.From, To: f.Mono, Why: fmt.Sprintf("board %s: %s", b.opt.Name, f.Why)}
	b.mu.Unlock()
	if to, wants := sink.(bus.GapSink); wants {
		to.Gap(g)
	}
}
