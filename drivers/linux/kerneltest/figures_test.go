//go:build linux

package kerneltest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
)

// slower is how much longer our way from the kernel's stamp to a second goroutine may be than the bare library's.
const slower = 1.5

// held is an edge in the hands of the second goroutine.
type held struct{ stamp, at int64 }

// figures are the median and the 99th percentile of durations.
func figures(all []int64) (p50, p99 int64) {
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

// hand is a sink that hands each edge over, as the station does to the owner of its state.
type hand struct{ ch chan bus.Edge }

func (h hand) Edge(e bus.Edge)         { h.ch <- e }
func (h hand) Watermark(bus.Watermark) {}

// TestFigures compares our way of an edge with that of a bare program with go-gpiocdev in the same guest. The
// figures count instructions, of 2 ns each: they are no latency of any board.
func TestFigures(t *testing.T) {
	inGuest(t)
	const n, every = 1000, 2 * time.Millisecond
	clock, err := linux.NewClock()
	if err != nil {
		t.Fatal(err)
	}
	chip := plug(t, "figures", 3)
	collect := func(got <-chan held, written []int64) (toStamp, toHeld []int64) {
		for _, at := range written {
			h := <-got
			toStamp = append(toStamp, h.stamp-at)
			toHeld = append(toHeld, h.at-h.stamp)
		}
		return toStamp, toHeld
	}
	say := func(what string, all []int64) int64 {
		p50, p99 := figures(all)
		t.Logf("FIGURE %-38s p50 %6.1f us  p99 %6.1f us", what, float64(p50)/1e3, float64(p99)/1e3)
		return p50
	}

	var toStamp, ours, theirs []int64
	// The first round is for a kernel that is still busy with its start.
	for range 2 {
		bare := bareHeld(t, clock, chip, n)
		_, theirs = collect(bare.got, chip.edges(t, 0, n, every))
		bare.close(t)

		edges, got := make(chan bus.Edge, n), make(chan held, n)
		g := open(t, linux.Options{})
		if err := g.Watch(chip.lines[:2], hand{edges}); err != nil {
			t.Fatal(err)
		}
		go func() {
			for e := range edges {
				got <- held{e.Mono, clock.Mono()}
			}
		}()
		toStamp, ours = collect(got, chip.edges(t, 0, n, every))
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		close(edges)
	}
	say("write to stamp", toStamp)
	say("stamp to second goroutine, bare", theirs)
	say("stamp to second goroutine, ours", ours)
	p50, _ := figures(ours)
	bare50, _ := figures(theirs)
	t.Logf("FIGURE ratio of the medians %.2f", float64(p50)/float64(bare50))
	if float64(p50) > slower*float64(bare50) {
		t.Errorf("our way takes %d ns, the bare one %d ns: more than %.1f times as long", p50, bare50, slower)
	}

	say("stamp to output changed", outputAfter(t, chip, n, every))
}

// bareProgram is what a program with go-gpiocdev alone does: a handler that hands over to a second goroutine.
type bareProgram struct {
	lines  *gpiocdev.Lines
	events chan gpiocdev.LineEvent
	got    chan held
}

func (b bareProgram) close(t *testing.T) {
	t.Helper()
	if err := b.lines.Close(); err != nil {
		t.Error(err)
	}
	close(b.events)
}

func bareHeld(t *testing.T, clock *linux.Clock, chip *Chip, n int) bareProgram {
	t.Helper()
	events, got := make(chan gpiocdev.LineEvent, n), make(chan held, n)
	var found string
	for _, name := range gpiocdev.Chips() {
		c, err := gpiocdev.NewChip(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Label == chip.label {
			found = name
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := gpiocdev.RequestLines(found, []int{0, 1}, gpiocdev.WithBothEdges,
		gpiocdev.WithEventHandler(func(e gpiocdev.LineEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for e := range events {
			got <- held{int64(e.Timestamp), clock.Mono()}
		}
	}()
	return bareProgram{lines, events, got}
}

// outputAfter is from an edge's stamp to the change of an output that the edge caused.
func outputAfter(t *testing.T, chip *Chip, n int, every time.Duration) []int64 {
	t.Helper()
	g := open(t, linux.Options{})
	out, err := g.Output(chip.lines[2], false)
	if err != nil {
		t.Fatal(err)
	}
	edges, done := make(chan bus.Edge, n), make(chan int64, n)
	if err := g.Watch(chip.lines[:2], hand{edges}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for e := range edges {
			out.Set(e.Level, 0, 0, func(mono int64, _ error) { done <- mono - e.Mono })
		}
	}()
	t.Cleanup(func() { close(edges) })
	chip.edges(t, 0, n, every)
	var all []int64
	for range n {
		all = append(all, <-done)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAnIdleHour: the bus by itself wakes up once a second, and keeps nothing.
func TestAnIdleHour(t *testing.T) {
	inGuest(t)
	chip := plug(t, "idle", 4)
	g := open(t, linux.Options{})
	if _, err := g.Output("idle.3", false); err != nil {
		t.Fatal(err)
	}
	if err := g.Watch(chip.lines[:3], quiet{}); err != nil {
		t.Fatal(err)
	}
	measure := func(after time.Duration) (goroutines int, heap, wakes uint64) {
		<-time.After(after)
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc, wakeUps(t)
	}
	goroutines, heap, wakes := measure(10 * time.Minute)
	goroutines60, heap60, wakes60 := measure(50 * time.Minute)
	rate := float64(wakes60-wakes) / (50 * 60)
	t.Logf("FIGURE idle: goroutines %d and %d, heap %d and %d bytes, %.2f wake-ups a second", goroutines, goroutines60, heap, heap60, rate)
	if goroutines60 != goroutines {
		t.Errorf("%d goroutines at minute 10, %d at minute 60", goroutines, goroutines60)
	}
	if heap60 > heap*105/100 {
		t.Errorf("heap of %d bytes at minute 10, %d at minute 60", heap, heap60)
	}
	if rate > 1.01 {
		t.Errorf("%.3f wake-ups a second, want at most one", rate)
	}
}

// quiet is a sink that keeps nothing.
type quiet struct{}

func (quiet) Edge(bus.Edge)           {}
func (quiet) Watermark(bus.Watermark) {}

// wakeUps is how often the threads of this program were put on a processor after a wait.
func wakeUps(t *testing.T) (sum uint64) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "\nvoluntary_ctxt_switches:")
		n, err := strconv.ParseUint(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), 10, 64)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", file, err))
		}
		sum += n
	}
	return sum
}
