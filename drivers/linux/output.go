//go:build linux

package linux

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// output is one output line, a request of its own.
type output struct {
	gpio *GPIO
	unit *unit
	line string
	name string // of the line, on its chip
	safe bool

	mu      sync.Mutex // guards what follows; held over no callback
	req     request    // nil while the chip is away
	closed  bool
	pending func(mono int64, err error) // of a Set that waits for its instant
	timer   *time.Timer                 // of the instant, or of the longest time
}

// Output asks for a line with its safe level and its polarity in the request itself, so that no other level can be
// seen; see bus.Bus. When its chip was away, it is asked for again before anything else.
func (g *GPIO) Output(line string, safe bool) (bus.Output, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, fmt.Errorf("output %s: %w", line, bus.ErrClosed)
	}
	at, err := g.locate(line)
	if err != nil {
		return nil, err
	}
	o := &output{gpio: g, unit: g.unit(at.Label), line: line, name: at.Line.Name, safe: safe}
	if !o.unit.up {
		return nil, fmt.Errorf("output %s: %w: %w", line, bus.ErrGone, o.unit.err)
	}
	if err := o.open(at); err != nil {
		g.looked = Survey{} // it may lie elsewhere by now
		return nil, err
	}
	o.unit.outputs = append(o.unit.outputs, o)
	g.kernel.wake() // so that the loss of its chip is seen
	return o, nil
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
