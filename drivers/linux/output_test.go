//go:build linux

package linux

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// answers collects what Sets were answered.
type answers struct {
	k    *fake
	text []string
}

func (a *answers) to(name string) func(int64, error) {
	return func(mono int64, err error) {
		if err != nil {
			a.text = append(a.text, fmt.Sprintf("%s: %v at %s", name, err, since(a.k.mono())))
			return
		}
		a.text = append(a.text, fmt.Sprintf("%s at %s", name, since(mono)))
	}
}

func (a *answers) given() []string {
	text := a.text
	a.text = nil
	return text
}

func (b *bench) at(d time.Duration) int64 { return bootMono + int64(d) }

func TestOutputsAreAskedForAtTheirSafeLevel(t *testing.T) {
	for _, c := range []struct {
		wiring Wiring
		safe   bool
		high   bool
	}{
		{Wiring{}, false, false}, {Wiring{}, true, true}, {Wiring{ActiveLow: true}, false, true}, {Wiring{ActiveLow: true}, true, false},
	} {
		onBench(t, map[string]Wiring{"o": c.wiring}, func(b *bench) {
			b.k.plug("chip", "o")
			out := b.output("o", c.safe)
			b.want("request", b.k.done(), fmt.Sprintf("out o %t", c.high))
			out.Set(!c.safe, 0, 0, nil)
			b.want("set", b.k.done(), fmt.Sprintf("set o %t", !c.high))
			if level, err := b.Level("o"); err != nil || level == c.safe {
				t.Errorf("level %t, %v", level, err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b.want("closed", b.k.done(), fmt.Sprintf("set o %t", c.high))
		})
	}
}

func TestSet(t *testing.T) {
	for name, c := range map[string]struct {
		do            func(*bench, bus.Output, *answers)
		done, answers []string
	}{
		"at its instant, for its time": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, b.at(50*ms), 30*ms, a.to("open"))
				pass(100 * ms)
			},
			[]string{"set o true", "set o false"}, []string{"open at 50ms"}},
		"in the past": {
			func(b *bench, o bus.Output, a *answers) { o.Set(true, b.at(-1), 0, a.to("open")) },
			[]string{"set o true"}, []string{"open at 0s"}},
		"safe is never delayed": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, b.at(50*ms), 0, a.to("open"))
				pass(10 * ms)
				o.Set(false, b.at(time.Hour), 0, a.to("close"))
				pass(100 * ms)
			},
			[]string{"set o false"}, []string{"open: replaced by a newer command at 10ms", "close at 10ms"}},
		"the newer longest time counts": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, 0, 30*ms, a.to("first"))
				pass(20 * ms)
				o.Set(true, 0, 30*ms, a.to("second"))
				pass(20 * ms)
				a.text = append(a.text, fmt.Sprint(b.k.done()))
				pass(20 * ms)
			},
			[]string{"set o false"}, []string{"first at 0s", "second at 20ms", "[set o true set o true]"}},
		"longest time ends with the safe level": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, 0, 30*ms, a.to("open"))
				o.Set(false, 0, 0, a.to("close"))
				pass(100 * ms)
			},
			[]string{"set o true", "set o false"}, []string{"open at 0s", "close at 0s"}},
		"closing answers what is pending": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, b.at(50*ms), 0, a.to("open"))
				if err := b.Close(); err != nil {
					b.Fatal(err)
				}
				o.Set(true, 0, 0, a.to("late"))
				pass(100 * ms)
			},
			[]string{"set o false"}, []string{"open: bus is closed at 0s", "late: bus is closed at 0s"}},
		"an answer may set again": {
			func(b *bench, o bus.Output, a *answers) {
				o.Set(true, b.at(50*ms), 0, func(int64, error) { o.Set(false, 0, 0, a.to("close")) })
				pass(100 * ms)
			},
			[]string{"set o true", "set o false"}, []string{"close at 50ms"}},
		"the chip refuses": {
			func(b *bench, o bus.Output, a *answers) {
				b.k.paths["/dev/gpiochip0"].fails(nil, unix.EIO)
				o.Set(true, 0, 0, a.to("open"))
				b.k.paths["/dev/gpiochip0"].fails(nil, nil)
			},
			nil, []string{"open: output o: input/output error at 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, nil, func(b *bench) {
				b.k.plug("chip", "o")
				o, a := b.output("o", false), &answers{k: b.k}
				b.want("request", b.k.done(), "out o false")
				c.do(b, o, a)
				b.want("done", b.k.done(), c.done...)
				b.want("answers", a.given(), c.answers...)
			})
		})
	}
}

// TestACommandInTheInstantOfAnother: a timer that has fired, and waits for the output, finds itself cancelled.
func TestACommandInTheInstantOfAnother(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		b.k.plug("chip", "o")
		o, a := b.output("o", false).(*output), &answers{k: b.k}
		b.k.done()
		o.Set(true, b.at(50*ms), 0, a.to("open"))
		synctest.Wait() // or the bus wants the output too
		o.mu.Lock()
		<-time.After(50 * ms)
		runtime.Gosched() // to the timer, which finds the output locked
		replaced := o.cancel()
		o.mu.Unlock()
		replaced(0, bus.ErrReplaced)
		pass(ms)
		b.want("done", b.k.done())
		b.want("answers", a.given(), "open: replaced by a newer command at 50ms")
	})
}

func TestAChipGoesAndComesBack(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		other := b.k.plug("other", "x", "y", "z")
		c := b.k.plug("chip", "a", "b", "o", "p")
		a := &answers{k: b.k}
		o, p := b.output("o", true), b.output("p", false)
		e := b.watch("a", "b", "x", "y")
		o.Set(false, 0, 0, nil)
		p.Set(true, b.at(time.Hour), 0, a.to("pending"))
		b.k.done()
		pass(10 * ms)
		c.unplug()
		pass(ms)
		b.want("answers", a.given(), "pending: output p: bus is away at 10ms")
		b.want("state", b.told(), "chip false [o p]")
		b.want("heard", e.heard(), "gone [o p a b] at 10ms: chip chip: bus is away: no such device")
		p.Set(true, 0, 0, a.to("while away"))
		b.want("answers", a.given(), "while away: output p: bus is away at 11ms")
		if _, err := b.Level("a"); !errors.Is(err, bus.ErrGone) {
			t.Errorf("level while away: %v", err)
		}
		b.output("z", false)
		for _, r := range c.held {
			if !r.closed {
				t.Error("a request keeps the old chip alive")
			}
		}
		b.k.done()
		b.k.plug("newcomer", "o") // takes the next number
		pass(300 * ms)
		b.k.plug("chip", "filler", "p", "o", "b", "a").pull(4, true)
		pass(400 * ms)
		b.want("back", b.k.done(), "out o true", "out p false")
		b.want("state", b.told(), "chip false [o p]", "chip true [o p]")
		b.want("heard", e.heard(), "here [o p a b] map[a:true b:false] at 710ms")
		other.pull(0, true)
		pass(ms)
		b.want("the other chip went on", e.heard(), "1 x true at 711ms within 100µs")
	})
}

// TestOutputsComeFirst: what a chip that is back does before its outputs are safe, nobody controls.
func TestOutputsComeFirst(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "o", "p")
		o := b.output("o", true)
		b.output("p", false)
		e := b.watch("a", "b")
		o.Set(false, 0, 0, nil)
		pass(10 * ms)
		c.unplug()
		pass(ms)
		b.k.done()
		e.heard()
		again := b.k.plug("chip", "p", "o", "b", "a")
		again.pull(3, true)
		again.fails(unix.EBUSY, nil) // udev is not done with it
		pass(250 * ms)
		b.want("state", b.told(), "chip false [o p]")
		again.fails(nil, nil)
		pass(250 * ms)
		b.want("state", b.told(), "chip false [o p]", "chip true [o p]")
		b.want("outputs", b.k.done(), "out o true", "out p false")
		if order := again.held; len(order) != 3 || order[2].asked.Lines != 2 {
			t.Errorf("requests in the order %+v", order)
		}
		b.want("heard", e.heard(), "here [o p a b] map[a:true b:false] at 310ms")
		o.Set(false, 0, 0, nil)
		b.want("drives again", b.k.done(), "set o false")
		again.pull(2, true)
		pass(ms)
		if got := e.heard(); len(got) != 1 || got[0] != "1 b true at 511ms within 100µs" {
			t.Errorf("edges after the return: %q", got)
		}
	})
}

// TestASilentRemoval: older kernels tell nobody that a chip is gone; the grid finds out.
func TestASilentRemoval(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "o")
		b.output("o", false)
		c.fails(nil, unix.ENODEV)
		pass(4999 * ms)
		b.want("state", b.told())
		pass(2 * ms)
		b.want("state", b.told(), "chip false [o]")
		c.fails(nil, nil)
		pass(200 * ms)
		b.want("state", b.told(), "chip false [o]", "chip true [o]")
	})
}

func TestOutputRefuses(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		b.k.plug("chip", "o")
		b.output("o", false)
		if _, err := b.Output("o", true); err == nil {
			t.Error("one output was given twice")
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Output("p", false); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := b.Watch(nil, &ear{}); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Watch after Close: %v", err)
		}
	})
}

// TestAnotherChipTookItsNumber: a number remembered from before may belong to another chip by now.
func TestAnotherChipTookItsNumber(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "o", "p")
		b.output("o", false)
		b.k.done()
		b.k.mu.Lock()
		b.k.paths["/dev/gpiochip0"] = &fakeChip{kernel: b.k, info: Chip{Label: "other", Lines: slices.Clone(c.info.Lines)}, high: make([]bool, 2)}
		b.k.mu.Unlock()
		b.output("chip:p", true)
		synctest.Wait()
		b.want("nothing was driven", b.k.done())
	})
}
