//go:build linux

package linux

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"

	"scentpost/drivers/bus"
)

const ms = time.Millisecond

func TestEdgesAndMarks(t *testing.T) {
	onBench(t, map[string]Wiring{"b": {ActiveLow: true, Bias: BiasUp}}, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "c")
		e := b.watch("a", "chip:b")
		pass(10 * ms)
		c.pull(0, true)
		pass(ms)
		c.pull(1, true)
		c.pull(2, true) // not watched
		pass(4980 * ms)
		b.want("edges", e.heard(), "1 a true at 10ms within 100µs", "2 chip:b true at 11ms within 100µs")
		pass(10020 * ms)
		b.want("marks", e.heard(), "mark 4.99s", "mark 9.99s", "mark 14.99s")
	})
}

func TestWiringIsInTheRequest(t *testing.T) {
	onBench(t, map[string]Wiring{"b": {ActiveLow: true, Bias: BiasUp}, "c": {Bias: BiasDown}}, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "c")
		b.watch("a", "b", "c")
		if len(c.held) != 1 {
			t.Fatalf("%d requests, want one", len(c.held))
		}
		r := c.held[0]
		const input = uapi.LineFlagV2Input | uapi.LineFlagV2EdgeBoth
		for i, want := range []uapi.LineFlagV2{input, input | uapi.LineFlagV2ActiveLow | uapi.LineFlagV2BiasPullUp, input | uapi.LineFlagV2BiasPullDown} {
			if r.flags(i) != want {
				t.Errorf("line %d: flags %b, want %b", i, r.flags(i), want)
			}
		}
		if r.asked.EventBufferSize != eventBuffer || uapi.BytesToString(r.asked.Consumer[:]) != consumer {
			t.Errorf("buffer of %d for %q", r.asked.EventBufferSize, r.asked.Consumer)
		}
	})
}

// TestMarksDoNotFollowEdges: what a canister's limit switch does must not show in when a mark comes.
func TestMarksDoNotFollowEdges(t *testing.T) {
	marks := func(busy bool) (got []string) {
		onBench(t, nil, func(b *bench) {
			c := b.k.plug("chip", "a", "b")
			e := b.watch("a", "b")
			for i := range 1600 {
				if busy && i%7 < 3 {
					c.pull(uint32(i%2), i%4 < 2)
				}
				pass(10 * ms)
				for _, text := range e.heard() {
					if strings.HasPrefix(text, "mark") {
						got = append(got, fmt.Sprintf("%s heard at %s", text, since(b.k.mono()).Round(10*ms)))
					}
				}
			}
		})
		return got
	}
	idle, busy := marks(false), marks(true)
	if fmt.Sprint(idle) != fmt.Sprint(busy) || len(idle) != 3 {
		t.Errorf("idle %q\nbusy %q", idle, busy)
	}
}

// TestMarksAreFrequentWhileSomebodyWaits: and not one of them passes what may yet be found.
func TestMarksAreFrequentWhileSomebodyWaits(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		chip := b.k.plug("chip", "a", "b")
		e := b.watch("a", "b")
		pass(1010 * ms)
		b.Attend(true)
		pass(100 * ms)
		b.want("attended", e.heard(), "mark 1.04s", "mark 1.09s")
		pass(25 * ms)
		chip.mute = true
		chip.pull(0, true)
		chip.mute = false
		pass(75 * ms)
		b.want("a level that no edge told of, seen at 1.15 s", e.heard(), "gap [a] lost 0, 1.1s to 1.17s", "1 a true at 1.17s within 70ms", "mark 1.19s")
		b.Attend(false)
		pass(3780 * ms)
		b.want("left alone", e.heard())
		pass(20 * ms)
		b.want("left alone for longer", e.heard(), "mark 4.99s")
	})
}

func TestLostEdges(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*fakeChip)
		want []string
	}{
		"faster than the kernel": {
			func(c *fakeChip) { c.lose(0, true, 1) },
			[]string{"gap [a b] lost 1, 45ms to 50ms", "2 a true at 50ms within 100µs"}},
		"a full buffer": {
			func(c *fakeChip) { c.lose(0, true, 2000); c.lose(1, true, 0) },
			[]string{"gap [a b] lost 2000, 0s to 50ms", "2001 a true at 50ms within 100µs", "2002 b true at 50ms within 100µs"}},
		"overtaken": {
			func(c *fakeChip) {
				c.kernel.mu.Lock()
				c.event(0, true, 0)
				c.event(1, true, 0)
				r := c.held[0]
				r.events[0], r.events[1] = r.events[1], r.events[0]
				c.high[0], c.high[1] = true, true
				c.kernel.mu.Unlock()
				c.kernel.wake()
			},
			[]string{"1 a true at 50ms within 100µs", "2 b true at 50ms within 100µs"}},
		"a pulse too short to read": {
			func(c *fakeChip) { c.lose(0, false, 0) },
			[]string{"1 a false at 50ms within 100µs"}},
		"a change without an edge": {
			func(c *fakeChip) { c.mute = true; c.pull(0, true); c.mute = false },
			[]string{"gap [a] lost 0, 0s to 5.02s", "1 a true at 5.02s within 5.02s"}},
		"the second edge of two close ones": {
			func(c *fakeChip) {
				c.pull(0, true)
				pass(ms)
				c.mute = true
				c.pull(0, false)
				c.mute = false
			},
			[]string{"1 a true at 50ms within 100µs", "gap [a] lost 0, 50ms to 120ms", "2 a false at 120ms within 70ms"}},
		"a change back before it is believed, with the grid between": {
			func(c *fakeChip) {
				pass(4890 * ms)
				c.pull(1, true) // looked at at 4.99 s
				c.mute = true
				c.pull(0, true)
				pass(65 * ms) // the grid has looked again
				c.pull(0, false)
				c.mute = false
			},
			[]string{"1 b true at 4.94s within 100µs"}},
		"a change back before it is believed": {
			func(c *fakeChip) {
				pass(4940 * ms)
				c.mute = true
				c.pull(0, true)
				pass(15 * ms)
				c.pull(0, false)
				c.mute = false
			},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, nil, func(b *bench) {
				chip := b.k.plug("chip", "a", "b")
				e := b.watch("a", "b")
				pass(50 * ms)
				c.play(chip)
				pass(5100*ms - time.Duration(b.k.mono()-bootMono))
				got := e.heard()
				if len(got) > len(c.want) && got[len(got)-1] == "mark 4.99s" {
					got = got[:len(got)-1]
				}
				b.want("heard", got, c.want...)
			})
		})
	}
}

// TestALoneLine: its numbers do not tell of what the kernel was too slow for, two equal edges do.
func TestALoneLine(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b")
		e := b.watch("a")
		pass(50 * ms)
		c.lose(0, false, 0)
		pass(ms)
		c.lose(0, true, 3) // the buffer was full
		pass(10 * ms)
		b.want("heard", e.heard(), "gap [a] lost 1, 45ms to 50ms", "2 a false at 50ms within 100µs",
			"gap [a] lost 3, 50ms to 51ms", "6 a true at 51ms within 100µs")
		if got := b.Counts(); got != (Counts{Received: 2, Lost: 4, Repeated: 1}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestRequestsAreFewAndEven(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 2: {2}, 64: {64}, 65: {32, 33}, 130: {43, 43, 44}} {
		onBench(t, nil, func(b *bench) {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprintf("l%d", i))
			}
			c := b.k.plug("chip", names...)
			e := b.watch(names...)
			var got []int
			for _, r := range c.held {
				got = append(got, int(r.asked.Lines))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d lines: %v, want %v", n, got, want)
			}
			c.pull(uint32(n-1), true)
			synctest.Wait()
			b.want("last line", e.heard(), fmt.Sprintf("1 l%d true at 0s within 100µs", n-1))
		})
	}
}

func TestWatchRefuses(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		b.k.plug("one", "a", "b", "c")
		b.output("c", false)
		for _, lines := range [][]string{{"a", "a"}, {"a", "c"}} {
			if err := b.Watch(lines, &ear{}); err == nil {
				t.Errorf("watched %q", lines)
			}
		}
		b.watch("a", "b")
		if err := b.Watch([]string{"c"}, &ear{}); err == nil {
			t.Error("watched twice")
		}
		if _, err := b.Level("two:c"); !errors.Is(err, bus.ErrUnknownLine) {
			t.Errorf("level of a line that nobody has: %v", err)
		}
	})
}

// TestIdleWakesForTheGrid: an idle station wakes up for the grid alone.
func TestIdleWakesForTheGrid(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		b.k.plug("chip", "a", "b", "o")
		b.watch("a", "b")
		b.output("o", false)
		pass(10 * time.Second)
		before := b.k.waited()
		pass(time.Minute)
		if got := b.k.waited() - before; got > int(time.Minute/MarkEvery) {
			t.Errorf("%d wake-ups in a minute", got)
		}
	})
}
