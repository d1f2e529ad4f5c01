package mcp23017

import (
	"maps"
	"slices"

	"scentpost/drivers/bus"
)

// presence is what the sink was told of whether the chip is there. The expander's lock guards it.
type presence struct {
	telling bool   // somebody tells it
	gone    string // why the sink believes the chip to be away, "" when it believes it to be there
}

// tell tells the sink whether the chip is there, when that is news: by one goroutine at a time, so that the latest comes
// last. It may be called from anywhere, and is not to be called with the lock.
func (e *Expander) tell() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.telling || e.sink == nil {
		return
	}
	sink, wants := e.sink.(bus.PresenceSink)
	if !wants {
		return
	}
	e.telling = true
	for {
		p, gone := e.now()
		if gone == e.gone || e.closed {
			break
		}
		e.gone = gone
		e.mu.Unlock()
		sink.Presence(p)
		e.mu.Lock()
	}
	e.telling = false
}

// now is what there is to be told, with its evidence as text. It needs the lock.
func (e *Expander) now() (p bus.Presence, gone string) {
	p.Mono, p.Here = e.host.Now(), e.alive && e.known
	for _, name := range slices.Sorted(maps.Keys(e.pins)) {
		pin := e.pins[name]
		if e.outputs[pin.Number] != nil || e.watched[pin.Number] != "" {
			p.Lines = append(p.Lines, name)
		}
	}
	if !p.Here {
		p.Why, p.From = e.fault, e.read
		if p.Why == nil {
			p.Why = bus.ErrGone
		}
		return p, p.Why.Error()
	}
	p.Levels = map[string]bool{}
	for n, line := range e.watched {
		p.Levels[line] = (e.levels>>n&1 == 1) != e.pins[line].ActiveLow
	}
	return p, ""
}
