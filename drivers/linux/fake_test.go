//go:build linux

package linux

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"

	"scentpost/drivers/bus"
)

// fake is a kernel whose chips do what a test says. Its time is that of the bubble of synctest it was made in.
type fake struct {
	began   time.Time
	changed chan struct{}

	mu    sync.Mutex // guards what follows, and all chips
	paths map[string]*fakeChip
	next  int      // number of the next chip that is plugged in
	log   []string // what was asked of outputs, and requests
	waits int
}

// fakeChip is one chip.
type fakeChip struct {
	kernel    *fake
	info      Chip
	high      []bool // the voltage of each line
	gone      bool
	forbidden bool  // to open
	refuse    error // what the next requests fail with
	mute      bool  // levels change without events
	broken    error // what set and values fail with
	held      []*fakeRequest
}

type fakeRequest struct {
	chip   *fakeChip
	asked  uapi.LineRequest
	events []uapi.LineEvent
	seqno  uint32
	lineNo map[uint32]uint32
	closed bool
}

// bootMono is where the fake's clock begins.
const bootMono = 1_000 * int64(time.Second)

func newFake() *fake {
	return &fake{began: time.Now(), changed: make(chan struct{}, 1), paths: map[string]*fakeChip{}}
}

// plug adds a chip under a new number.
func (k *fake) plug(label string, names ...string) *fakeChip {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := &fakeChip{kernel: k, info: Chip{Label: label}, high: make([]bool, len(names))}
	for _, name := range names {
		c.info.Lines = append(c.info.Lines, Line{Name: name})
	}
	k.paths[fmt.Sprintf("/dev/gpiochip%d", k.next)] = c
	k.next++
	return c
}

// forbid adds a chip under a new number that nobody may open.
func (k *fake) forbid(label string) {
	k.plug(label).forbidden = true
}

// unplug removes a chip for good.
func (c *fakeChip) unplug() {
	c.kernel.mu.Lock()
	c.gone = true
	maps.DeleteFunc(c.kernel.paths, func(_ string, other *fakeChip) bool { return other == c })
	c.kernel.mu.Unlock()
	c.kernel.wake()
}

func (k *fake) chips() ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.paths)), nil
}

func (k *fake) mono() int64 { return bootMono + int64(time.Since(k.began)) }

func (k *fake) wake() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

func (k *fake) close() error { return nil }

func (k *fake) open(path string) (chip, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.paths[path] == nil {
		return nil, fmt.Errorf("open %s: %w", path, unix.ENOENT)
	}
	if k.paths[path].forbidden {
		return nil, fmt.Errorf("open %s: %w", path, unix.EACCES)
	}
	return k.paths[path], nil
}

func (k *fake) wait(requests []request, timeout time.Duration) (hung bool, err error) {
	timer := time.NewTimer(max(timeout, 0))
	defer timer.Stop()
	for {
		k.mu.Lock()
		ready := false
		k.waits++
		for _, r := range requests {
			f := r.(*fakeRequest)
			hung = hung || f.chip.gone
			ready = ready || len(f.events) > 0
		}
		k.mu.Unlock()
		if hung || ready {
			return hung, nil
		}
		select {
		case <-k.changed:
			return false, nil
		case <-timer.C:
			return false, nil
		}
	}
}

func (c *fakeChip) about() (Chip, error) { return c.info, nil }

func (c *fakeChip) close() error { return nil }

func (c *fakeChip) request(r uapi.LineRequest) (request, error) {
	c.kernel.mu.Lock()
	defer c.kernel.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	f := &fakeRequest{chip: c, asked: r, lineNo: map[uint32]uint32{}}
	c.held = append(c.held, f)
	if r.Config.Flags&uapi.LineFlagV2Output != 0 {
		var values uapi.OutputValues
		values.Decode(r.Config.Attrs[0].Attr)
		c.drive(r.Offsets[0], (values&1 != 0) != r.Config.Flags.IsActiveLow(), "out")
	}
	return f, nil
}

// drive sets a line's voltage and notes it. The caller holds the mutex.
func (c *fakeChip) drive(offset uint32, high bool, how string) {
	c.high[offset] = high
	c.kernel.log = append(c.kernel.log, fmt.Sprintf("%s %s %t", how, c.info.Lines[offset].Name, high))
}

// flags are those of the line at a place of a request.
func (f *fakeRequest) flags(i int) uapi.LineFlagV2 {
	flags := f.asked.Config.Flags
	for _, a := range f.asked.Config.Attrs[:f.asked.Config.NumAttrs] {
		if a.Attr.ID == uapi.LineAttributeIDFlags && a.Mask.Get(i) != 0 {
			flags.Decode(a.Attr)
		}
	}
	return flags
}

func (f *fakeRequest) fail() error {
	if f.chip.gone {
		return unix.ENODEV
	}
	return f.chip.broken
}

func (f *fakeRequest) read(dst []uapi.LineEvent) (int, error) {
	f.chip.kernel.mu.Lock()
	defer f.chip.kernel.mu.Unlock()
	if f.chip.gone {
		return 0, unix.ENODEV
	}
	n := copy(dst, f.events)
	f.events = slices.Delete(f.events, 0, n)
	return n, nil
}

func (f *fakeRequest) values(mask uapi.LineBitmap) (bits uapi.LineBitmap, err error) {
	f.chip.kernel.mu.Lock()
	defer f.chip.kernel.mu.Unlock()
	for i := range int(f.asked.Lines) {
		if mask.Get(i) != 0 && f.chip.high[f.asked.Offsets[i]] != f.flags(i).IsActiveLow() {
			bits = bits.Set(i, 1)
		}
	}
	return bits, f.fail()
}

func (f *fakeRequest) set(levels, mask uapi.LineBitmap) error {
	f.chip.kernel.mu.Lock()
	defer f.chip.kernel.mu.Unlock()
	if err := f.fail(); err != nil {
		return err
	}
	f.chip.drive(f.asked.Offsets[0], (levels&1 != 0) != f.flags(0).IsActiveLow(), "set")
	return nil
}

func (f *fakeRequest) close() error {
	f.chip.kernel.mu.Lock()
	defer f.chip.kernel.mu.Unlock()
	if f.closed {
		return unix.EBADF
	}
	f.closed = true
	return nil
}

// pull sets the voltage of a line, and makes the event of whoever watches it.
func (c *fakeChip) pull(offset uint32, high bool) {
	c.kernel.mu.Lock()
	if c.high[offset] != high && !c.mute {
		c.event(offset, high, 0)
	}
	c.high[offset] = high
	c.kernel.mu.Unlock()
	c.kernel.wake()
}

// event makes an event of a line, after so many that the kernel numbered and lost. The caller holds the mutex.
func (c *fakeChip) event(offset uint32, high bool, lost uint32) {
	for _, f := range c.held {
		i := slices.Index(f.asked.Offsets[:f.asked.Lines], offset)
		if i < 0 || f.closed {
			continue
		}
		id := uapi.LineEventFallingEdge
		if high != f.flags(i).IsActiveLow() {
			id = uapi.LineEventRisingEdge
		}
		f.seqno += lost + 1
		f.lineNo[offset]++
		f.events = append(f.events, uapi.LineEvent{
			Timestamp: uint64(c.kernel.mono()), ID: id, Offset: offset, Seqno: f.seqno, LineSeqno: f.lineNo[offset],
		})
	}
}

// lose makes an event after so many that were lost.
func (c *fakeChip) lose(offset uint32, high bool, lost uint32) {
	c.kernel.mu.Lock()
	c.event(offset, high, lost)
	c.high[offset] = high
	c.kernel.mu.Unlock()
	c.kernel.wake()
}

// fails says what the next requests, and all other calls, fail with.
func (c *fakeChip) fails(requests, calls error) {
	c.kernel.mu.Lock()
	defer c.kernel.mu.Unlock()
	c.refuse, c.broken = requests, calls
}

// waited is how often anybody waited.
func (k *fake) waited() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.waits
}

// done is all that was asked of outputs since the last time.
func (k *fake) done() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	log := k.log
	k.log = nil
	return log
}

// ear is a sink that keeps all as text.
type ear struct {
	mu   sync.Mutex
	text []string
	from time.Duration // of the latest lines that went
}

func (e *ear) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, fmt.Sprintf(format, args...))
}

func since(mono int64) time.Duration { return time.Duration(mono - bootMono) }

func (e *ear) Edge(x bus.Edge) {
	e.add("%d %s %t at %s within %s", x.Seq, x.Line, x.Level, since(x.Mono), time.Duration(x.Bound))
}

func (e *ear) Gap(x bus.Gap) {
	to := "now on"
	if x.To != 0 {
		to = since(x.To).String()
	}
	e.add("gap %v lost %d, %s to %s", x.Lines, x.Lost, since(x.From), to)
}

func (e *ear) Presence(x bus.Presence) {
	if x.Here {
		e.add("here %v %v at %s", x.Lines, x.Levels, since(x.Mono))
		return
	}
	e.add("gone %v at %s: %v", x.Lines, since(x.Mono), x.Why)
	e.from = since(x.From)
}

func (e *ear) Watermark(x bus.Watermark) { e.add("mark %s", since(x.Mono)) }

// heard is all that was given since the last time.
func (e *ear) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := e.text
	e.text = nil
	return text
}

// pass lets the bubble's time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// bench is a bus over a fake kernel.
type bench struct {
	*testing.T
	*GPIO
	k      *fake
	states ear
	alone  ear
}

// onBench runs a test in a bubble.
func onBench(t *testing.T, wiring map[string]Wiring, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, k: newFake()}
		g, err := OpenGPIO(Options{Wiring: wiring, kernel: b.k, OnState: func(s State) {
			b.states.add("%s %t %v", s.Chip, s.Up, s.Outputs)
		}, OnAlone: func(lines []string) { b.alone.add("%v", lines) }})
		if err != nil {
			t.Fatal(err)
		}
		b.GPIO = g
		f(b)
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}

// told is every state that was told so far.
func (b *bench) told() []string {
	b.states.mu.Lock()
	defer b.states.mu.Unlock()
	return slices.Clone(b.states.text)
}

func (b *bench) output(line string, safe bool) bus.Output {
	b.Helper()
	o, err := b.Output(line, safe)
	if err != nil {
		b.Fatal(err)
	}
	return o
}

func (b *bench) watch(lines ...string) *ear {
	b.Helper()
	e := &ear{}
	if err := b.Watch(lines, e); err != nil {
		b.Fatal(err)
	}
	synctest.Wait()
	return e
}

func (b *bench) want(what string, got []string, want ...string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
