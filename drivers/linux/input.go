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
	spot
	level bool  // that the sink was told, or that it had when it was found
	known bool  // level means something
	edge  int64 // stamp of the latest edge
	// doubted is since when the level is another one than was told, with no edge to say so; 0 when it is not.
	doubted int64
}

// group is one request of watched lines of one chip. Only the bus's goroutine uses it, once it is watched; members,
// places and req are not changed then.
type group struct {
	chip    string
	inputs  []*input
	places  map[uint32]int // place in inputs by offset in the chip
	req     request
	seq     sequence
	stamp   int64  // of the latest event that was taken in order
	newest  uint32 // number of the latest event that was read
	drained uint32 // number of the latest event when the kernel's buffer was last seen empty
	stuck   int64  // since when events wait for one that is missing; 0 when none does
	look    int64  // when the levels are to be looked at, besides the grid; 0 when not
	looked  int64  // when they last were, and agreed
}

// sure tells whether nothing is open: no event waits for one before it, and the levels are those that were told.
func (in *group) sure() bool {
	return in.stuck == 0 && !slices.ContainsFunc(in.inputs, func(i *input) bool { return i.doubted != 0 })
}

// Watch asks for the lines of each chip in as few requests as will do, none of a single line where the chip has
// two: what is missing shows only in the numbers of a request of several. See bus.Bus; a bus.GapSink hears of what
// is missing, a bus.PresenceSink of lines that are not there.
func (g *GPIO) Watch(names []string, sink bus.Sink) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return fmt.Errorf("watch: %w", bus.ErrClosed)
	case g.sink != nil:
		return errors.New("watch: the lines of this bus are watched already")
	}
	for i, name := range names {
		if g.has(name) || slices.Contains(names[:i], name) {
			return fmt.Errorf("watch %s: one line serves one device", name)
		}
	}
	for _, name := range names {
		g.inputs = append(g.inputs, &input{spot: spot{line: name, told: true, why: bus.ErrGone}})
	}
	var err error
	if g.looked, err = look(g.kernel); err != nil {
		return err
	}
	g.sink, g.news = sink, true
	g.placeInputs(g.looked)
	g.kernel.wake()
	return nil
}

// placeInputs finds the watched lines that are not here, and asks for those that are there now. A line that would be
// alone joins a request that its chip has already, which is made anew for it. It returns the lines of those: what came
// between the two requests is lost. The caller holds the mutex.
func (g *GPIO) placeInputs(s Survey) (disturbed []*input) {
	byChip := map[string][]*input{}
	places := map[*input]Place{}
	given := map[string]string{}
	for _, in := range g.inputs {
		if in.why == nil {
			continue
		}
		at, err := in.find(s)
		full := at.Label + ":" + at.Line.Name
		switch same := given[full] + g.taken(at); {
		case err != nil:
			in.why = err
		case same != "":
			in.why = fmt.Errorf("line %q: it is the same as %q", in.line, same)
		case at.Line.Consumer != "":
			in.why = fmt.Errorf("line %q of %s is used by %s: end that, or take another line", at.Line.Name, at.Label, at.Line.Consumer)
		default:
			given[full], places[in] = in.line, at
			byChip[at.Label] = append(byChip[at.Label], in)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(byChip)) {
		found := byChip[label]
		if with := g.withRoom(label); len(found) == 1 && with != nil {
			joined, err := g.dissolve(with, s, places)
			disturbed = append(disturbed, joined...)
			found = append(joined, found...)
			if err != nil {
				continue // the chip goes; whoever looks next finds out
			}
		}
		for _, some := range split(found) {
			g.openGroup(label, some, places)
		}
	}
	return disturbed
}

// withRoom returns a request of a chip that has room for one line more, nil when there is none. The caller holds the
// mutex.
func (g *GPIO) withRoom(chip string) *group {
	for _, in := range g.groups {
		if in.chip == chip && len(in.inputs) < uapi.LinesMax {
			return in
		}
	}
	return nil
}

// dissolve gives a request back and returns its lines, which are asked for anew. The caller holds the mutex.
func (g *GPIO) dissolve(in *group, s Survey, places map[*input]Place) ([]*input, error) {
	err := in.req.close()
	g.groups = slices.DeleteFunc(slices.Clone(g.groups), func(other *group) bool { return other == in })
	for _, line := range in.inputs {
		at, missing := line.find(s)
		places[line] = at
		err = errors.Join(err, missing)
	}
	for _, line := range in.inputs {
		line.why = err
	}
	return in.inputs, err
}

// split divides the lines of a chip into requests that the kernel takes, of even sizes.
func split(lines []*input) [][]*input {
	n := (len(lines) + uapi.LinesMax - 1) / uapi.LinesMax
	var parts [][]*input
	for i := range n {
		parts = append(parts, lines[i*len(lines)/n:(i+1)*len(lines)/n])
	}
	return parts
}

// openGroup requests lines of one chip where they are today, and reads the levels of those that have none yet. What
// fails is why they are not here. The caller holds the mutex.
func (g *GPIO) openGroup(chip string, lines []*input, at map[*input]Place) {
	now := g.kernel.mono()
	in := &group{chip: chip, inputs: lines, places: map[uint32]int{}, seq: sequence{lines: len(lines)}, stamp: now, look: now, looked: now}
	r := uapi.LineRequest{Lines: uint32(len(lines)), EventBufferSize: eventBuffer}
	flags := map[uapi.LineFlagV2]uapi.LineBitmap{}
	for i, line := range lines {
		r.Offsets[i] = at[line].Offset
		in.places[at[line].Offset] = i
		f := g.opt.Wiring[line.line].flags()
		flags[f] = flags[f].Set(i, 1)
	}
	const common = uapi.LineFlagV2Input | uapi.LineFlagV2EdgeBoth
	r.Config.Flags = common
	for _, f := range slices.Sorted(maps.Keys(flags)) {
		if f != 0 {
			r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: (common | f).Encode(), Mask: flags[f]})
		}
	}
	req, err := g.use(at[lines[0]], r)
	if err == nil {
		in.req = req
		err = in.learn()
	}
	if err != nil {
		for _, line := range lines {
			line.why = fmt.Errorf("watch %d lines of %s: %w", len(lines), chip, err)
		}
		if in.req != nil {
			in.req.close() // what the kernel says of a chip that is gone changes nothing
		}
		return
	}
	for _, line := range lines {
		line.at(at[line])
		line.why = nil
	}
	g.groups = append(slices.Clip(g.groups), in)
}

// learn reads the levels of the lines that have none yet.
func (in *group) learn() error {
	bits, err := in.req.values(uapi.NewLineBitMask(len(in.inputs)))
	if err != nil {
		return err
	}
	for i, line := range in.inputs {
		if !line.known {
			line.level, line.known, line.doubted = bits.Get(i) != 0, true, 0
		}
	}
	return nil
}

// Level reads the present level of a line that is watched or driven; see bus.Bus.
func (g *GPIO) Level(line string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, in := range g.groups {
		for i, watched := range in.inputs {
			if watched.line == line {
				return levelOf(in.req, i, line)
			}
		}
	}
	for _, in := range g.inputs {
		if in.line == line {
			return false, fmt.Errorf("level of %s: %w: %w", line, bus.ErrGone, in.why)
		}
	}
	for _, o := range g.outputs {
		if o.line != line {
			continue
		}
		if o.why != nil {
			return false, fmt.Errorf("level of %s: %w: %w", line, bus.ErrGone, o.why)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		return levelOf(o.req, 0, line)
	}
	return false, fmt.Errorf("level of %s: %w: it is neither watched nor driven", line, bus.ErrUnknownLine)
}

func levelOf(req request, i int, line string) (bool, error) {
	bits, err := req.values(uapi.LineBitmap(1) << i)
	if err != nil {
		return false, fmt.Errorf("level of %s: %w", line, away(err))
	}
	return bits.Get(i) != 0, nil
}
