//go:build linux

package kerneltest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
)

// patience is how long a test waits, in the guest's time, for what ought to come at once, or at the next look on the grid.
const patience = 10 * time.Second

// ear is a sink that keeps what it is given.
type ear struct {
	mu    sync.Mutex
	edges []bus.Edge
	gaps  []bus.Gap
	marks []bus.Watermark
	heard chan struct{}
}

func newEar() *ear { return &ear{heard: make(chan struct{}, 1)} }

func (e *ear) hear(f func()) {
	e.mu.Lock()
	f()
	e.mu.Unlock()
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

func (e *ear) Edge(edge bus.Edge)        { e.hear(func() { e.edges = append(e.edges, edge) }) }
func (e *ear) Gap(gap bus.Gap)           { e.hear(func() { e.gaps = append(e.gaps, gap) }) }
func (e *ear) Watermark(m bus.Watermark) { e.hear(func() { e.marks = append(e.marks, m) }) }

// until waits for what has been heard to be enough.
func (e *ear) until(t *testing.T, what string, enough func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		e.mu.Lock()
		ok := enough()
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-e.heard:
		case <-deadline:
			t.Fatalf("%s did not come within %s", what, patience)
		}
	}
}

func plug(t *testing.T, label string, lines int) *Chip {
	t.Helper()
	var names []string
	for i := range lines {
		names = append(names, fmt.Sprintf("%s.%d", label, i))
	}
	c, err := NewChip(label, names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func open(t *testing.T, opt linux.Options) *linux.GPIO {
	t.Helper()
	g, err := linux.OpenGPIO(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// TestEveryEdgeIsHeardOrCounted plays bursts on 8 lines, the last ones longer than the kernel's buffer.
func TestEveryEdgeIsHeardOrCounted(t *testing.T) {
	inGuest(t)
	const lines, edges = 8, 10_000
	chip := plug(t, "bursts", lines)
	clock, err := linux.NewClock()
	if err != nil {
		t.Fatal(err)
	}
	g, e := open(t, linux.Options{}), newEar()
	if err := g.Watch(chip.lines, e); err != nil {
		t.Fatal(err)
	}
	level := [lines]bool{}
	played := 0
	play := func(n int) {
		for range n {
			line := played % lines
			level[line] = !level[line]
			if err := chip.Pull(line, level[line]); err != nil {
				t.Fatal(err)
			}
			played++
		}
	}
	began := clock.Mono()
	for played < edges/2 {
		play(200)
		e.until(t, "the burst", func() bool { return uint64(len(e.edges))+g.Counts().Lost >= uint64(played) })
	}
	slow := g.Counts()
	for played < edges {
		e.mu.Lock() // a station that is held up for the whole of the burst
		play(edges / 4)
		e.mu.Unlock()
		e.until(t, "the storm", func() bool { return uint64(len(e.edges))+g.Counts().Lost >= uint64(played) })
	}
	ended := clock.Mono()
	counts := g.Counts()
	t.Logf("played %d; after short bursts %+v, in all %+v, %d gaps, %d marks", played, slow, counts, len(e.gaps), len(e.marks))
	if counts.Lost == 0 || len(e.gaps) == 0 {
		t.Error("the storm did not overflow the kernel's buffer: it shows nothing")
	}
	if counts.Received+counts.Lost != uint64(played) || int(counts.Received) != len(e.edges) {
		t.Errorf("received %d + lost %d, played %d", counts.Received, counts.Lost, played)
	}
	if slow.Lost != 0 || slow.Found != 0 {
		t.Errorf("bursts that fit in the kernel's buffer: %+v, want no loss", slow)
	}
	var seq uint64
	last := began
	for i, edge := range e.edges {
		if edge.Mono < last || edge.Mono > ended || edge.Seq <= seq {
			t.Fatalf("edge %d: %+v, after %d at %d", i, edge, seq, last)
		}
		last, seq = edge.Mono, edge.Seq
	}
	if seq != uint64(played) {
		t.Errorf("the last edge has the number %d, want %d", seq, played)
	}
	for line, name := range chip.lines {
		if got, err := g.Level(name); err != nil || got != level[line] {
			t.Errorf("level of %s: %t, %v, want %t", name, got, err, level[line])
		}
	}
}

// TestOutputsAreSafeFromTheFirstMoment reads from the kernel's trace what was done to an active-low line that is
// pulled towards closed, and to an active-high one.
func TestOutputsAreSafeFromTheFirstMoment(t *testing.T) {
	inGuest(t)
	chip := plug(t, "outputs", 2)
	if err := chip.Pull(0, true); err != nil { // the external pull towards the safe level
		t.Fatal(err)
	}
	tracer, err := StartTracer(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, linux.Options{Wiring: map[string]linux.Wiring{"outputs.0": {ActiveLow: true}}})
	check := func(what string, want ...bool) {
		t.Helper()
		for line, high := range want {
			if got, err := chip.Value(line); err != nil || got != high {
				t.Errorf("%s: line %d is high: %t, %v, want %t", what, line, got, err, high)
			}
		}
	}
	var outputs []bus.Output
	for _, line := range chip.lines {
		out, err := g.Output(line, false)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, out)
	}
	check("requested", true, false)
	for _, out := range outputs {
		out.Set(true, 0, 0, nil)
	}
	check("opened", false, true)
	for _, out := range outputs {
		out.Set(false, 0, 0, nil)
	}
	check("closed", true, false)
	moves, err := tracer.Stop()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range moves {
		got = append(got, fmt.Sprintf("%d %s %t", m.Line-chip.base, m.Kind, m.Value))
	}
	// gpio-sim is given the level before the direction.
	want := []string{
		"0 set true", "0 out false", "1 set false", "1 out false", // asked for
		"0 set false", "1 set true", // opened
		"0 set true", "1 set false", // closed
	}
	if !slices.Equal(got, want) {
		t.Errorf("the kernel did %q\nwant %q", got, want)
	}
}

// TestAChipThatComesBack: the outputs of a chip that was removed are safe again before anything else, and its edges go on.
func TestAChipThatComesBack(t *testing.T) {
	unplugging(t)
	chip := plug(t, "hotplug", 4)
	states := make(chan linux.State, 16)
	g, e := open(t, linux.Options{OnState: func(s linux.State) { states <- s }}), newEar()
	out, err := g.Output("hotplug.0", true) // the safe level is the high one: a fresh chip reads low
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Watch([]string{"hotplug.1", "hotplug.2"}, e); err != nil {
		t.Fatal(err)
	}
	out.Set(false, 0, 0, nil)
	pending := make(chan error, 1)
	out.Set(false, 1<<62, 0, func(_ int64, err error) { pending <- err })
	if err := chip.Unplug(); err != nil {
		t.Fatal(err)
	}
	state := func(what string) linux.State {
		t.Helper()
		select {
		case s := <-states:
			return s
		case <-time.After(patience):
			t.Fatalf("%s was not noticed within %s", what, patience)
		}
		panic("unreachable")
	}
	if s := state("the removal"); s.Up || s.Err == nil || s.Chip != "hotplug" || len(s.Outputs) != 1 {
		t.Errorf("removed: %+v", s)
	}
	select {
	case err := <-pending:
		t.Logf("pending command: %v", err)
	case <-time.After(patience):
		t.Error("a pending command was not answered")
	}
	if err := chip.Plug(); err != nil {
		t.Fatal(err)
	}
	if s := state("the return"); !s.Up || s.Err != nil {
		t.Errorf("back: %+v", s)
	}
	if high, err := chip.Value(0); err != nil || !high {
		t.Errorf("the output after the return is high: %t, %v, want its safe level", high, err)
	}
	before := len(e.edges)
	if err := chip.Pull(1, true); err != nil {
		t.Fatal(err)
	}
	e.until(t, "an edge after the return", func() bool { return len(e.edges) > before })
	e.mu.Lock()
	t.Logf("edges %+v, gaps %+v", e.edges, e.gaps)
	e.mu.Unlock()
}
