//go:build linux

package linux

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/warthog618/go-gpiocdev/uapi"

	"scentpost/drivers/bus"
)

// eventBuffer is how many events the kernel keeps of one request, the most that it allows. Left alone it keeps 16 a
// line and throws away the oldest beyond.
const eventBuffer = 1024

// input is one watched line.
type input struct {
	line  string // as it was given to Watch
	name  string // on its chip
	level bool   // that the sink was told, or that it had when the watch began
	known bool   // level means something
	edge  int64  // stamp of the latest edge
	// doubted is since when the level is another one than was told, with no edge to say so; 0 when it is not.
	doubted int64
}

// group is one request of watched lines. Only the bus's goroutine uses it, once it is watched.
type group struct {
	unit    *unit
	inputs  []*input
	places  map[uint32]int // place in inputs by offset in the chip
	req     request        // nil while the chip is away; changed under the mutex of the bus
	seq     sequence
	stamp   int64  // of the latest event that was taken in order
	newest  uint32 // number of the latest event that was read
	drained uint32 // number of the latest event when the kernel's buffer was last seen empty
	stuck   int64  // since when events wait for one that is missing; 0 when none does
	look    int64  // when the levels are to be looked at, besides the grid; 0 when not
	looked  int64  // when they last were, and agreed
}

// Watch asks for the lines of each chip in as few requests as will do, none of a single line where the chip has
// two: what is missing shows only in the numbers of a request of several. See bus.Bus; a bus.GapSink hears of what
// is missing.
func (g *GPIO) Watch(names []string, sink bus.Sink) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return fmt.Errorf("watch: %w", bus.ErrClosed)
	case g.sink != nil:
		return errors.New("watch: the lines of this bus are watched already")
	}
	byChip := map[string][]Place{}
	given := map[Place]string{}
	var failed []error
	for _, name := range names {
		at, err := g.locate(name)
		if err == nil && given[at] != "" {
			err = fmt.Errorf("line %q: it is the same as %q", name, given[at])
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		given[at] = name
		byChip[at.Label] = append(byChip[at.Label], at)
	}
	var groups []*group
	for _, label := range slices.Sorted(maps.Keys(byChip)) {
		for _, places := range split(byChip[label]) {
			in := &group{unit: g.unit(label)}
			if !in.unit.up {
				failed = append(failed, fmt.Errorf("watch %d lines: %w", len(places), in.unit.err))
				continue
			}
			for _, p := range places {
				in.inputs = append(in.inputs, &input{line: given[p], name: p.Line.Name})
			}
			groups = append(groups, in)
			failed = append(failed, g.openGroup(in, places))
		}
	}
	if err := errors.Join(failed...); err != nil {
		for _, in := range groups {
			if in.req != nil {
				err = errors.Join(err, in.req.close())
			}
		}
		return err
	}
	for _, in := range groups {
		in.unit.groups = append(in.unit.groups, in)
	}
	g.sink = sink
	g.kernel.wake()
	return nil
}

// split divides the lines of a chip into requests that the kernel takes, of even sizes.
func split(places []Place) [][]Place {
	n := (len(places) + uapi.LinesMax - 1) / uapi.LinesMax
	var parts [][]Place
	for i := range n {
		parts = append(parts, places[i*len(places)/n:(i+1)*len(places)/n])
	}
	return parts
}

// openGroup requests the lines of a group where they are today. The caller holds the mutex.
func (g *GPIO) openGroup(in *group, places []Place) error {
	r := uapi.LineRequest{Lines: uint32(len(places)), EventBufferSize: eventBuffer}
	flags := map[uapi.LineFlagV2]uapi.LineBitmap{}
	in.places = map[uint32]int{}
	for i, p := range places {
		r.Offsets[i] = p.Offset
		in.places[p.Offset] = i
		f := g.opt.Wiring[in.inputs[i].line].flags()
		flags[f] = flags[f].Set(i, 1)
	}
	const common = uapi.LineFlagV2Input | uapi.LineFlagV2EdgeBoth
	r.Config.Flags = common
	for _, f := range slices.Sorted(maps.Keys(flags)) {
		if f != 0 {
			r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: (common | f).Encode(), Mask: flags[f]})
		}
	}
	req, err := g.use(places[0], r)
	if err != nil {
		for _, p := range places {
			err = p.explain(err)
		}
		g.looked = Survey{}
		return fmt.Errorf("watch %d lines of %s: %w", len(places), in.unit.label, err)
	}
	now := g.kernel.mono()
	in.req, in.seq, in.stamp = req, sequence{lines: len(places)}, now
	in.newest, in.drained, in.stuck = 0, 0, 0
	in.look = now
	if in.looked == 0 {
		in.looked = now
	}
	return nil
}

// Level reads the present level of a line that is watched or driven; see bus.Bus.
func (g *GPIO) Level(line string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.units {
		for _, in := range u.groups {
			for i, watched := range in.inputs {
				if watched.line == line {
					return levelOf(in.req, i, line)
				}
			}
		}
		for _, o := range u.outputs {
			if o.line == line {
				o.mu.Lock()
				defer o.mu.Unlock()
				return levelOf(o.req, 0, line)
			}
		}
	}
	return false, fmt.Errorf("level of %s: %w: it is neither watched nor driven", line, bus.ErrUnknownLine)
}

func levelOf(req request, i int, line string) (bool, error) {
	if req == nil {
		return false, fmt.Errorf("level of %s: %w", line, bus.ErrGone)
	}
	bits, err := req.values(uapi.LineBitmap(1) << i)
	if err != nil {
		return false, fmt.Errorf("level of %s: %w", line, away(err))
	}
	return bits.Get(i) != 0, nil
}
