//go:build linux

package linux

import (
	"fmt"
	"slices"

	"scentpost/drivers/bus"
)

// lose gives up a chip that does not answer: its requests are closed, since the kernel keeps the old chip alive for
// them, and whoever waits for an output is told.
func (r *reader) lose(u view, cause error) {
	now := r.kernel.mono()
	cause = fmt.Errorf("chip %s: %w: %w", u.label, bus.ErrGone, cause)
	for _, in := range u.groups {
		for in.seq.missing() > 0 {
			r.giveUp(in)
		}
	}
	r.mu.Lock()
	u.up, u.err, r.looked = false, cause, Survey{}
	r.mu.Unlock()
	r.giveBack(u)
	for _, in := range u.groups {
		r.gap(in, bus.Gap{From: in.looked, Why: cause.Error()})
	}
	r.retry = now + int64(retryEvery)
	r.opt.OnState(State{Chip: u.label, Outputs: r.driven(u), Err: cause})
}

// giveBack closes the requests of a chip that is not up, so that nobody can have added one meanwhile.
func (r *reader) giveBack(u view) {
	r.mu.Lock()
	outputs := slices.Clip(u.unit.outputs)
	for _, in := range u.groups {
		if in.req != nil {
			in.req.close() // what the kernel says of a chip that is gone changes nothing
		}
		in.req, in.look, in.stuck = nil, 0, 0
	}
	r.mu.Unlock()
	for _, o := range outputs {
		o.lose()
	}
}

// driven names the outputs of a chip.
func (r *reader) driven(u view) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, o := range u.unit.outputs {
		lines = append(lines, o.line)
	}
	return lines
}

// findAgain looks for the chips that are away, under whatever number they are now.
func (r *reader) findAgain() {
	if !slices.ContainsFunc(r.units, func(u view) bool { return !u.up }) {
		return
	}
	s, err := look(r.kernel)
	if err != nil {
		return
	}
	for _, u := range r.units {
		if u.up || !s.has(u.label) {
			continue
		}
		r.mu.Lock()
		err := r.reopen(u.unit, s)
		u.up = err == nil
		if err != nil {
			u.err = fmt.Errorf("chip %s: %w: %w", u.label, bus.ErrGone, err)
		}
		r.mu.Unlock()
		if err != nil {
			r.giveBack(u)
			continue
		}
		now := r.kernel.mono()
		for _, in := range u.groups {
			r.gap(in, bus.Gap{From: in.looked, To: now, Why: fmt.Sprintf("chip %s was away", u.label)})
		}
		r.opt.OnState(State{Chip: u.label, Up: true, Outputs: r.driven(u)})
	}
}

// reopen asks a chip that is back for everything that it had, its outputs before anything else, each at its safe
// level. The caller holds the mutex.
func (r *reader) reopen(u *unit, s Survey) error {
	for _, o := range u.outputs {
		at, err := s.Find(u.label + ":" + o.name)
		if err != nil {
			return err
		}
		if err := o.open(at); err != nil {
			return err
		}
	}
	for _, in := range u.groups {
		var places []Place
		for _, line := range in.inputs {
			at, err := s.Find(u.label + ":" + line.name)
			if err != nil {
				return err
			}
			places = append(places, at)
		}
		if err := r.openGroup(in, places); err != nil {
			return err
		}
	}
	return nil
}
