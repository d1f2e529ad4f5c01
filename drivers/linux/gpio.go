//go:build linux

package linux

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"

	"scentpost/drivers/bus"
)

const (
	// Source names what stamps the edges: the kernel, in the interrupt, on CLOCK_MONOTONIC.
	Source = "gpio"
	// Lateness is how much later than its stamp an edge may come: a Pi Zero that is busy holds a program up for
	// tens of milliseconds.
	Lateness = 100 * time.Millisecond
	// MarkEvery is the grid of the watermarks, of the look at every level, and of the look for a chip that
	// vanished in silence. A station that idles wakes up so often, and Go's own thread a few times after it.
	MarkEvery = 5 * time.Second
	// AttendEvery is that grid while somebody waits for the inputs: a lock waits for the mark behind its instant.
	AttendEvery = 50 * time.Millisecond
	// consumer is what gpioinfo shows as the owner of our lines.
	consumer = "scentpost"
)

// Bias says what holds a line when nothing drives it.
type Bias string

// The biases. The zero value leaves the line as it is.
const (
	BiasAsIs Bias = ""
	BiasUp   Bias = "pull-up"
	BiasDown Bias = "pull-down"
	BiasNone Bias = "none"
)

// Wiring says how a line is wired.
type Wiring struct {
	// ActiveLow is set where the low voltage means active.
	ActiveLow bool
	Bias      Bias
}

func (w Wiring) flags() (f uapi.LineFlagV2) {
	if w.ActiveLow {
		f |= uapi.LineFlagV2ActiveLow
	}
	switch w.Bias {
	case BiasUp:
		f |= uapi.LineFlagV2BiasPullUp
	case BiasDown:
		f |= uapi.LineFlagV2BiasPullDown
	case BiasNone:
		f |= uapi.LineFlagV2BiasDisabled
	}
	return f
}

// State is whether a chip is there.
type State struct {
	Chip string // its label
	Up   bool
	// Outputs are the lines that the station drives on it. While it is away their levels are unknown; when Up is
	// set again, they are at their safe level.
	Outputs []string
	// Err says why it is away, nil while Up.
	Err error
}

// Options are how lines are wired, and who wants to know of the chips.
type Options struct {
	// Wiring is by line, named as in Watch and Output. A line that is not in it is active when it is high, and
	// biased as it is.
	Wiring map[string]Wiring
	// OnState, unless nil, is called from the bus's goroutine when a chip goes away or is wholly back. It must not
	// wait for the bus.
	OnState func(State)
	// OnAlone, unless nil, is called from the bus's goroutine with the lines that have a request to themselves, when
	// they are others than before: the kernel's numbers do not tell of all that such a line loses. What is lost of it
	// is found by two edges in a row that tell one level, and by looking at its level. It must not wait for the bus.
	OnAlone func(lines []string)

	kernel kernel // for tests
}

// Counts are what became of the edges since the bus was opened. They concern limit switches too.
type Counts struct {
	// Received edges came from the kernel; Lost ones were numbered by it and never came.
	Received, Lost uint64
	// Repeated edges told the level that the line had already: a pulse shorter than the kernel can follow.
	Repeated uint64
	// Found changes had no edge at all: a look at the level told of them.
	Found uint64
}

// GPIO is a bus.Bus over the GPIO character devices of this machine. A line that is absent, for whatever reason, is
// looked for until Close: see bus.Presence. It owns one goroutine, from which all its callbacks come, save that an
// Output answers from where it was set or from its timer. It may be used from any goroutine.
type GPIO struct {
	opt    Options
	kernel kernel
	ended  chan struct{}
	once   sync.Once
	fail   error // of Close

	mu      sync.Mutex // guards what follows; held over no callback
	closed  bool
	attends bool // somebody waits for the inputs
	outputs []*output
	inputs  []*input
	groups  []*group // the requests of the inputs that are here
	news    bool     // lines went or came, or were asked for, since the goroutine last looked
	sink    bus.Sink
	counts  Counts
	seq     uint64 // of the latest edge; only the goroutine changes it
	looked  Survey
}

// spot is where a line of ours is, as far as is known. The mutex of the bus guards it.
type spot struct {
	line string // as it was given
	chip string // the label of its chip, by which it is found again; "" before it was found at all
	name string // on its chip
	why  error  // why it is not here, nil while it is
	seen int64  // when its chip last answered before that, 0 when it never did
	told bool   // the sink believes that it is here
}

// find returns where the line is now.
func (p *spot) find(s Survey) (Place, error) {
	if p.chip == "" {
		return s.Find(p.line)
	}
	return s.Find(p.chip + ":" + p.name)
}

// at notes where the line was found.
func (p *spot) at(at Place) { p.chip, p.name = at.Label, at.Line.Name }

// OpenGPIO returns a bus over the chips of this machine. That there is none is no error yet: lines are looked for
// when they are asked for.
func OpenGPIO(opt Options) (*GPIO, error) {
	if opt.OnState == nil {
		opt.OnState = func(State) {}
	}
	if opt.OnAlone == nil {
		opt.OnAlone = func([]string) {}
	}
	k := opt.kernel
	if k == nil {
		real, err := newCdev()
		if err != nil {
			return nil, fmt.Errorf("open the GPIO chips: %w", err)
		}
		k = real
	}
	g := &GPIO{opt: opt, kernel: k, ended: make(chan struct{})}
	go g.run()
	return g, nil
}

// Sources names the kernel; see bus.Bus.
func (g *GPIO) Sources() map[string]time.Duration { return map[string]time.Duration{Source: Lateness} }

// Attend says whether somebody waits for the inputs; see bus.Attendant.
func (g *GPIO) Attend(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.attends = on
	g.kernel.wake()
}

// Counts returns what became of the edges so far.
func (g *GPIO) Counts() Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts
}

// taken returns which line of ours is at a place, "" when none is. The caller holds the mutex.
func (g *GPIO) taken(at Place) string {
	for _, o := range g.outputs {
		if o.why == nil && o.chip == at.Label && o.name == at.Line.Name {
			return o.line
		}
	}
	for _, in := range g.inputs {
		if in.why == nil && in.chip == at.Label && in.name == at.Line.Name {
			return in.line
		}
	}
	return ""
}

// use opens the chip of a Place, asks it for lines and closes it again: a request lives on without. It fails when
// another chip has taken the place's path meanwhile.
func (g *GPIO) use(at Place, r uapi.LineRequest) (request, error) {
	c, err := g.kernel.open(at.Path)
	if err != nil {
		return nil, err
	}
	about, err := c.about()
	if err == nil && (about.Label != at.Label || int(at.Offset) >= len(about.Lines) || about.Lines[at.Offset].Name != at.Line.Name) {
		err = fmt.Errorf("%s is not %s with its line %q any more: %w", at.Path, at.Label, at.Line.Name, bus.ErrGone)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	copy(r.Consumer[:], consumer)
	req, err := c.request(r)
	return req, errors.Join(err, c.close())
}

// Close drives every output to its safe level and gives all lines back. It must not be called from a callback.
func (g *GPIO) Close() error {
	g.once.Do(func() {
		g.mu.Lock()
		g.closed = true
		g.mu.Unlock()
		g.kernel.wake()
		<-g.ended
		var failed []error
		for _, o := range g.outputs {
			failed = append(failed, o.end())
		}
		for _, in := range g.groups {
			failed = append(failed, in.req.close())
		}
		g.fail = errors.Join(append(failed, g.kernel.close())...)
	})
	return g.fail
}
