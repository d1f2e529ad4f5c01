//go:build linux

package linux

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// output is one output line, a request of its own.
type output struct {
	spot
	gpio *GPIO
	safe bool

	mu      sync.Mutex // guards what follows; held over no callback
	req     request    // nil while the line is away
	closed  bool
	pending func(mono int64, err error) // of a Set that waits for its instant
	timer   *time.Timer                 // of the instant, or of the longest time
}

// Output asks for a line with its safe level and its polarity in the request itself, so that no other level can be
// seen; see bus.Bus. When it was away, it is asked for again before anything else.
func (g *GPIO) Output(line string, safe bool) (bus.Output, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, fmt.Errorf("output %s: %w", line, bus.ErrClosed)
	case g.has(line):
		return nil, fmt.Errorf("output %s: one line serves one device", line)
	}
	o := &output{gpio: g, spot: spot{line: line, told: true}, safe: safe}
	if o.why = o.place(g.looked); o.why != nil { // it may lie elsewhere by now
		if g.looked, o.why = look(g.kernel); o.why == nil {
			o.why = o.place(g.looked)
		}
	}
	g.outputs, g.news = append(g.outputs, o), true
	g.kernel.wake() // to see the loss of its chip, or to look for it
	return o, nil
}

// has tells whether a line was asked for already. The caller holds the mutex.
func (g *GPIO) has(line string) bool {
	return slices.ContainsFunc(g.outputs, func(o *output) bool { return o.line == line }) ||
		slices.ContainsFunc(g.inputs, func(in *input) bool { return in.line == line })
}

// place finds the line and asks for it. The caller holds the mutex of the bus.
func (o *output) place(s Survey) error {
	at, err := o.find(s)
	if err != nil {
		return err
	}
	if same := o.gpio.taken(at); same != "" {
		return fmt.Errorf("line %q: it is the same as %q", o.line, same)
	}
	if err := o.open(at); err != nil {
		return err
	}
	o.at(at)
	return nil
}

// open asks for the line where it is today.
func (o *output) open(at Place) error {
	r := uapi.LineRequest{Lines: 1}
	r.Offsets[0] = at.Offset
	r.Config.Flags = uapi.LineFlagV2Output | o.gpio.opt.Wiring[o.line].flags()
	level := 0
	if o.safe {
		level = 1
	}
	r.Config.AddAttribute(uapi.LineConfigAttribute{Attr: uapi.OutputValues(level).Encode(), Mask: 1})
	req, err := o.gpio.use(at, r)
	if err != nil {
		return fmt.Errorf("output %s: %w", o.line, at.explain(err))
	}
	o.mu.Lock()
	o.req = req
	o.mu.Unlock()
	return nil
}

// explain says who has a line that is busy.
func (p Place) explain(err error) error {
	if errors.Is(err, unix.EBUSY) && p.Line.Consumer != "" {
		return fmt.Errorf("%w: %q of %s is used by %s", err, p.Line.Name, p.Label, p.Line.Consumer)
	}
	return err
}

// Set drives the line; see bus.Output. While its chip is away it fails with bus.ErrGone. A chip that is slow to
// answer holds up this line only.
func (o *output) Set(level bool, at int64, longest time.Duration, done func(mono int64, err error)) {
	if done == nil {
		done = func(int64, error) {}
	}
	o.mu.Lock()
	replaced := o.cancel()
	now := o.gpio.kernel.mono()
	if level != o.safe && at > now && o.req != nil {
		o.pending = done
		o.after(at-now, func() { o.due(level, longest) })
		o.mu.Unlock()
		replaced(0, bus.ErrReplaced)
		return
	}
	mono, err := o.drive(level, longest)
	o.mu.Unlock()
	replaced(0, bus.ErrReplaced)
	done(mono, err)
}

// away marks the error of a call that failed because the chip is gone.
func away(err error) error {
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%w: %w", bus.ErrGone, err)
	}
	return err
}

// cancel takes back what is pending; the caller tells whoever waits for it. The caller holds the mutex.
func (o *output) cancel() func(int64, error) {
	waits := o.pending
	o.pending = nil
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if waits == nil {
		return func(int64, error) {}
	}
	return waits
}

// after calls f in so many nanoseconds, with the mutex held, unless it is cancelled before. The caller holds the mutex.
func (o *output) after(nanoseconds int64, f func()) {
	var timer *time.Timer
	timer = time.AfterFunc(time.Duration(nanoseconds), func() {
		o.mu.Lock()
		if o.timer != timer {
			o.mu.Unlock()
			return // cancelled when it had fired already
		}
		o.timer = nil
		f() // unlocks
	})
	o.timer = timer
}

// due does what was pending. The mutex is held, and let go.
func (o *output) due(level bool, longest time.Duration) {
	done := o.pending
	o.pending = nil
	mono, err := o.drive(level, longest)
	o.mu.Unlock()
	done(mono, err)
}

// drive sets the line now, and starts the longest time. The caller holds the mutex.
func (o *output) drive(level bool, longest time.Duration) (mono int64, err error) {
	switch {
	case o.closed:
		return 0, bus.ErrClosed
	case o.req == nil:
		return 0, fmt.Errorf("output %s: %w", o.line, bus.ErrGone)
	}
	var bits uapi.LineBitmap
	if level {
		bits = 1
	}
	if err := o.req.set(bits, 1); err != nil {
		o.gpio.kernel.wake() // who looks whether the chip is still there
		return 0, fmt.Errorf("output %s: %w", o.line, away(err))
	}
	mono = o.gpio.kernel.mono()
	if level != o.safe && longest > 0 {
		o.after(int64(longest), func() {
			o.drive(o.safe, 0)
			o.mu.Unlock()
		})
	}
	return mono, nil
}

// request is what the output has of its chip, nil while that is away.
func (o *output) request() request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.req
}

// probe asks whether the chip is still there.
func (o *output) probe() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.req == nil {
		return nil
	}
	_, err := o.req.values(1)
	return err
}

// lose forgets the request of a chip that is away; whoever waits for a Set is told.
func (o *output) lose() {
	o.mu.Lock()
	replaced := o.cancel()
	var err error
	if o.req != nil {
		err = o.req.close()
		o.req = nil
	}
	o.mu.Unlock()
	replaced(0, errors.Join(fmt.Errorf("output %s: %w", o.line, bus.ErrGone), err))
}

// end drives the line to its safe level and gives it back.
func (o *output) end() error {
	o.mu.Lock()
	replaced := o.cancel()
	var failed []error
	if o.req != nil {
		_, err := o.drive(o.safe, 0)
		failed = append(failed, err, o.req.close())
		o.req = nil
	}
	o.closed = true
	o.mu.Unlock()
	replaced(0, bus.ErrClosed)
	return errors.Join(failed...)
}
