//go:build linux

package linux

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// TestAbsentLinesAreNoReasonNotToStart: whatever is there works; each line that is not is told with what was seen.
func TestAbsentLinesAreNoReasonNotToStart(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		one := b.k.plug("one", "a", "b", "busy", "")
		b.k.plug("two", "b", "c")
		one.info.Lines[2].Consumer = "gpio-keys"
		a := &answers{k: b.k}
		x := b.output("x", false)
		x.Set(true, 0, 0, a.to("absent"))
		e := b.watch("a", "b", "c", "two:c", "busy", "y", "z")
		b.want("heard", e.heard(),
			`gone [x] at 0s: line "x": no such line (the chips here are one, two; gpioinfo lists their lines)`,
			`gone [b] at 0s: line "b": no such line: 2 lines are named so (one:b, two:b): name the chip too, as label:line, where the labels differ`,
			`gone [two:c] at 0s: line "two:c": it is the same as "c"`,
			`gone [busy] at 0s: line "busy" of one is used by gpio-keys: end that, or take another line`,
			`gone [y] at 0s: line "y": no such line (the chips here are one, two; gpioinfo lists their lines)`,
			`gone [z] at 0s: line "z": no such line (the chips here are one, two; gpioinfo lists their lines)`)
		b.want("answers", a.given(), "absent: output x: bus is away at 0s")
		for _, line := range []string{"x", "y", "busy"} {
			if _, err := b.Level(line); !errors.Is(err, bus.ErrGone) {
				t.Errorf("level of %s: %v", line, err)
			}
		}
		one.pull(0, true)
		pass(ms)
		b.want("what is there works", e.heard(), "1 a true at 0s within 100µs")
	})
}

// TestAnAbsentLineComes: outputs of all chips at their safe level before anything else, the levels told before the first
// edge, and no restart.
func TestAnAbsentLineComes(t *testing.T) {
	onBench(t, map[string]Wiring{"late:o": {ActiveLow: true}}, func(b *bench) {
		a := &answers{k: b.k}
		o := b.output("late:o", false)
		e := b.watch("late:a", "late:b")
		e.heard()
		pass(time.Second)
		late := b.k.plug("late", "b", "a", "o")
		b.k.mu.Lock()
		late.high[1], late.high[2] = true, false // the drive would be on: its line is low
		b.k.mu.Unlock()
		pass(retryMost)
		b.want("driven", b.k.done(), "out o true")
		if len(late.held) != 2 || late.held[0].asked.Lines != 1 || late.held[1].asked.Lines != 2 {
			t.Errorf("requests %+v", late.held)
		}
		heard := e.heard()
		if len(heard) != 1 || !strings.HasPrefix(heard[0], "here [late:o late:a late:b] map[late:a:true late:b:false] at ") {
			t.Errorf("heard %q", heard)
		}
		o.Set(true, 0, 0, a.to("open"))
		late.pull(0, true)
		pass(100 * ms)
		b.want("usable", b.k.done(), "set o false")
		if heard := e.heard(); len(heard) != 1 || !strings.HasPrefix(heard[0], "1 late:b true") {
			t.Errorf("heard %q", heard)
		}
		if got := a.given(); len(got) != 1 || !strings.HasPrefix(got[0], "open at ") {
			t.Errorf("answers %q", got)
		}
	})
}

// TestWhoLooksForAbsentLinesRests: a device that nobody will ever plug in costs no wake-up beside those of the grid, and one
// that goes then is looked for often again.
func TestWhoLooksForAbsentLinesRests(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		one := b.k.plug("one", "a", "b")
		b.output("never", false)
		b.watch("a", "b")
		pass(retryFor + retryMost)
		before := b.k.waited()
		pass(time.Minute)
		if got, most := b.k.waited()-before, int(time.Minute/MarkEvery); got > most {
			t.Errorf("%d wake-ups in a minute, want at most %d", got, most)
		}
		one.unplug()
		pass(time.Second)
		before = b.k.waited()
		pass(time.Minute / 2)
		if got, least := b.k.waited()-before, int(time.Minute/2/retryMost); got < least {
			t.Errorf("%d looks for a chip that has just gone in half a minute, want %d", got, least)
		}
	})
}

// TestALineThatSomebodyHasHoldsUpNoOther: the kernel refuses a request for the sake of one of its lines.
func TestALineThatSomebodyHasHoldsUpNoOther(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "c")
		c.info.Lines[1].Consumer = "another program"
		e := b.watch("a", "b", "c")
		b.want("heard", e.heard(), `gone [b] at 0s: line "b" of chip is used by another program: end that, or take another line`)
		if len(c.held) != 1 || c.held[0].asked.Lines != 2 {
			t.Errorf("requests %+v", c.held)
		}
		c.kernel.mu.Lock()
		c.info.Lines[1].Consumer = ""
		c.kernel.mu.Unlock()
		pass(retryMost)
		if n := len(c.held); n != 2 || !c.held[0].closed || c.held[1].asked.Lines != 3 {
			t.Errorf("a line that was free to join is alone: %+v", c.held)
		}
		heard := e.heard()
		if len(heard) != 2 || !strings.HasPrefix(heard[0], "gap [a c] lost 0, ") || !strings.HasPrefix(heard[1], "here [b] map[b:false]") {
			t.Errorf("heard %q", heard)
		}
		c.pull(0, true)
		c.pull(1, true)
		pass(ms)
		if heard := e.heard(); len(heard) != 2 {
			t.Errorf("after joining: %q", heard)
		}
		b.want("nobody is alone", b.alone.heard())
	})
}

// TestALoneLineIsTold: where a chip has one line of ours alone, people learn that its losses are found in another way.
func TestALoneLineIsTold(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		b.k.plug("one", "a", "b")
		b.k.plug("two", "c")
		b.watch("a", "c", "d")
		b.want("alone", b.alone.heard(), "[a c]")
		b.k.plug("three", "d", "e")
		pass(retryMost)
		b.want("alone", b.alone.heard(), "[a c d]")
	})
}

// TestARequestThatFails: the lines are absent with the kernel's reason, and tried again.
func TestARequestThatFails(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "o")
		c.fails(unix.EPERM, nil)
		o := b.output("o", false)
		e := b.watch("a", "b")
		b.want("heard", e.heard(), "gone [o] at 0s: output o: operation not permitted",
			"gone [a b] at 0s: watch 2 lines of chip: operation not permitted")
		c.fails(nil, nil)
		pass(retryFirst)
		b.want("heard", e.heard(), fmt.Sprintf("here [o a b] map[a:false b:false] at %s", retryFirst))
		o.Set(true, 0, 0, nil)
		b.want("driven", b.k.done(), "out o false", "set o true")
	})
}

// TestEdgesBeforeALossAreGiven: what the kernel had numbered and nobody has read is counted, not forgotten.
func TestEdgesBeforeALossAreGiven(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b")
		e := b.watch("a", "b")
		pass(ms)
		c.lose(0, true, 1) // the edge before it is under way for ever
		pass(ms)
		c.unplug()
		pass(ms)
		heard := e.heard()
		if len(heard) != 3 || heard[0] != "gap [a b] lost 1, 0s to 1ms" || heard[1] != "2 a true at 1ms within 100µs" || !strings.HasPrefix(heard[2], "gone [a b]") {
			t.Errorf("heard %q", heard)
		}
		if got := b.Counts(); got.Lost != 1 || got.Received != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestAChipThatVanishesInSilence: the look on the grid finds it, and says when it was last seen: what its lines could tell is
// missing since then, not since it was found.
func TestAChipThatVanishesInSilence(t *testing.T) {
	onBench(t, nil, func(b *bench) {
		c := b.k.plug("chip", "a", "b", "o")
		b.output("o", false)
		e := b.watch("a", "b")
		const good = MarkEvery // the grid begins with the kernel
		pass(good + time.Second)
		e.heard()
		c.fails(unix.ENODEV, unix.ENODEV)
		pass(MarkEvery)
		heard := e.heard()
		if len(heard) != 2 || !strings.HasPrefix(heard[0], fmt.Sprintf("gone [o a b] at %s:", 2*good)) || !strings.HasPrefix(heard[1], "mark ") {
			t.Errorf("a mark before what went, or nothing of it: %q", heard)
		}
		if e.from != good {
			t.Errorf("last seen at %s, want %s", e.from, good)
		}
	})
}
