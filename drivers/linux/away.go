//go:build linux

package linux

import (
	"fmt"
	"slices"

	"scentpost/drivers/bus"
)

// lose gives up a chip that does not answer: its requests are closed, since the kernel keeps the old chip alive for
// them, and whoever waits for an output is told.
func (r *reader) lose(chip string, cause error) {
	cause = fmt.Errorf("chip %s: %w: %w", chip, bus.ErrGone, cause)
	for _, in := range r.groups {
		for in.chip == chip && in.seq.missing() > 0 {
			r.giveUp(in)
		}
	}
	looked := r.grid - int64(MarkEvery) // the last look at every chip
	r.mu.Lock()
	r.looked, r.news = Survey{}, true
	r.GPIO.groups = slices.DeleteFunc(slices.Clone(r.GPIO.groups), func(in *group) bool {
		if in.chip != chip {
			return false
		}
		in.req.close() // what the kernel says of a chip that is gone changes nothing
		for _, line := range in.inputs {
			line.why, line.known, line.seen = cause, false, in.looked
		}
		return true
	})
	var outputs []*output
	var driven []string
	for _, o := range r.GPIO.outputs {
		if o.chip != chip {
			continue
		}
		driven = append(driven, o.line)
		if o.why == nil {
			o.why, o.seen = cause, looked
			outputs = append(outputs, o)
		}
	}
	r.mu.Unlock()
	for _, o := range outputs {
		o.lose()
	}
	r.lost[chip] = driven
	r.soon()
	r.opt.OnState(State{Chip: chip, Outputs: driven, Err: cause})
}

// soon has the next look for absent lines come soon.
func (r *reader) soon() {
	r.pause, r.missed = int64(retryFirst), r.kernel.mono()
	r.retry = r.missed + r.pause
}

// findAgain looks for what is absent, on whatever chips there are now. Outputs come before anything else, each at its
// safe level.
func (r *reader) findAgain() {
	s, err := look(r.kernel)
	if err != nil {
		return
	}
	r.mu.Lock()
	r.news = true
	for _, o := range r.GPIO.outputs {
		if o.why != nil {
			o.why = o.place(s)
		}
	}
	disturbed := r.placeInputs(s)
	r.mu.Unlock()
	r.disturb(disturbed)
	for chip, driven := range r.lost {
		if s.has(chip) && !r.misses(chip) {
			delete(r.lost, chip)
			r.opt.OnState(State{Chip: chip, Up: true, Outputs: driven})
		}
	}
}

// misses tells whether lines of a chip are still absent.
func (r *reader) misses(chip string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.spots(), func(p *spot) bool { return p.chip == chip && p.why != nil })
}

// spots are all lines that were asked for, outputs first. The caller holds the mutex.
func (r *reader) spots() []*spot {
	var all []*spot
	for _, o := range r.GPIO.outputs {
		all = append(all, &o.spot)
	}
	for _, in := range r.GPIO.inputs {
		all = append(all, &in.spot)
	}
	return all
}

// disturb tells of lines whose request was made anew, for the sake of another line, that edges may be missing.
func (r *reader) disturb(lines []*input) {
	if len(lines) == 0 {
		return
	}
	now := r.kernel.mono()
	gap := bus.Gap{From: now, To: now, Why: "another line of the chip came, and all are asked for together"}
	for _, line := range lines {
		gap.Lines = append(gap.Lines, line.line)
		gap.From = min(gap.From, max(line.edge, now-int64(MarkEvery)))
	}
	r.tellGap(gap)
}

// tellPresence tells the sink which lines went and came since it was told last.
func (r *reader) tellPresence() {
	sink, wants := r.sink.(bus.PresenceSink)
	if !wants {
		return
	}
	now := r.kernel.mono()
	here := bus.Presence{Here: true, Mono: now, Levels: map[string]bool{}}
	var gone []bus.Presence // by what was seen
	r.mu.Lock()
	for _, p := range r.spots() {
		if p.told == (p.why == nil) {
			continue
		}
		p.told = p.why == nil
		if p.told {
			here.Lines = append(here.Lines, p.line)
			continue
		}
		i := slices.IndexFunc(gone, func(g bus.Presence) bool { return g.Why.Error() == p.why.Error() })
		if i < 0 {
			i, gone = len(gone), append(gone, bus.Presence{Mono: now, Why: p.why})
		}
		gone[i].Lines = append(gone[i].Lines, p.line)
		if p.seen != 0 && (gone[i].From == 0 || p.seen < gone[i].From) {
			gone[i].From = p.seen
		}
	}
	for _, in := range r.GPIO.inputs {
		if slices.Contains(here.Lines, in.line) {
			here.Levels[in.line] = in.level
		}
	}
	r.mu.Unlock()
	for _, g := range gone {
		sink.Presence(g)
	}
	if len(here.Lines) > 0 {
		sink.Presence(here)
	}
}

// tellAlone tells which lines have a request to themselves, when they are others than before.
func (r *reader) tellAlone() {
	var alone []string
	for _, in := range r.groups {
		if len(in.inputs) == 1 {
			alone = append(alone, in.inputs[0].line)
		}
	}
	slices.Sort(alone)
	if !slices.Equal(alone, r.alone) {
		r.alone = alone
		r.opt.OnAlone(slices.Clone(alone))
	}
}
