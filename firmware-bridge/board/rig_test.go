package board

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/pinbus"
	"scentpost/firmware-bridge/twin"
)

// rig is a board with a twin at the other end of a cable, in a bubble of virtual time.
type rig struct {
	*testing.T
	board *Board
	began time.Time
	quit  chan struct{}

	mu      sync.Mutex // guards what follows
	twin    *twin.Board
	cable   *cable // in the present port, nil when it is out
	opens   int
	refuse  error // of the next openings
	changes []twin.Change
	heard   []string
	from    int64         // of the latest presence
	away    time.Duration // how long before it was told the latest absence began
	whys    string        // of all absences
	noise   []byte        // comes in place of what the twin says
	stale   []byte        // lies in the next ports when they are opened
	lag     time.Duration // of bytes, each way
	hold    time.Duration // the next edge holds its sink up for so long
	frozen  int64         // until when nothing is read
	jammed  int64         // until when nothing is written
	mute    bool          // what the twin says is lost
	still   bool          // no heartbeats
}

// cable is an open port to the twin.
type cable struct {
	rig    *rig
	up     chan bytes
	out    chan struct{} // closed when it is unplugged
	closed bool
	hang   chan struct{} // Close waits for it, unless nil
	deaf   bool          // it takes nothing that is written, and returns never
	said   []byte        // all that was written
}

// bytes come at an instant.
type bytes struct {
	what []byte
	at   int64
}

var errUnplugged = errors.New("unplugged")

// wait lets the time of the bubble pass.
func wait(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (c *cable) Read(p []byte) (int, error) {
	select {
	case b := <-c.up:
		c.rig.mu.Lock()
		late := max(b.at, c.rig.frozen) - c.rig.now()
		c.rig.mu.Unlock()
		wait(time.Duration(late))
		return copy(p, b.what), nil
	case <-c.out:
		return 0, fmt.Errorf("%w: %w", bus.ErrGone, errUnplugged)
	case <-time.After(100 * time.Millisecond):
		return 0, nil
	}
}

func (c *cable) Write(p []byte) (int, error) {
	if c.deaf {
		<-c.out
		return 0, errUnplugged
	}
	c.rig.mu.Lock()
	jam := max(int64(c.rig.lag), c.rig.jammed-c.rig.now())
	c.rig.mu.Unlock()
	wait(time.Duration(jam))
	c.rig.mu.Lock()
	defer c.rig.mu.Unlock()
	c.said = append(c.said, p...)
	c.rig.twin.Receive(c.rig.now(), p)
	c.rig.pump()
	return len(p), nil
}

func (c *cable) Flush() error {
	for len(c.up) > 0 {
		<-c.up
	}
	return nil
}

func (c *cable) Close() error {
	c.closed = true
	if c.hang != nil {
		<-c.hang
	}
	return nil
}

func (r *rig) now() int64 { return int64(time.Since(r.began)) + int64(time.Hour) }

// pump moves what the twin says. The caller holds the mutex.
func (r *rig) pump() {
	out, changes := r.twin.Take()
	r.changes = append(r.changes, changes...)
	if r.noise != nil && len(out) > 0 {
		out = slices.Clone(r.noise)
	}
	if len(out) > 0 && r.cable != nil && !r.mute {
		select {
		case r.cable.up <- bytes{out, r.now() + int64(r.lag)}:
		default: // a full buffer
		}
	}
}

func (r *rig) open() (bus.Port, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opens++
	if r.refuse != nil {
		return nil, r.refuse
	}
	r.cable = &cable{rig: r, up: make(chan bytes, 64), out: make(chan struct{})}
	if r.stale != nil {
		r.cable.up <- bytes{r.stale, r.now()}
	}
	return r.cable, nil
}

// deny has the next openings fail with why, nil for none.
func (r *rig) deny(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = why
}

// change changes something of the rig.
func (r *rig) change(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

// unplug pulls the cable.
func (r *rig) unplug() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.cable.out)
	r.cable = nil
}

// do does something with the twin.
func (r *rig) do(f func(b *twin.Board, now int64)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.twin, r.now())
	r.pump()
}

var boardPins = map[string]pinbus.Pin{
	"D2": {}, "D3": {ActiveLow: true, PullUp: true}, "D5": {Output: true}, "D6": {Output: true, ActiveLow: true},
}

// wireless is the speed of a cable on which nothing takes time.
const wireless = 1e9

// newTwin returns a board with the pins of boardPins.
func newTwin(now int64) *twin.Board {
	var offered []message.Pin
	for _, name := range []string{"D2", "D3", "D5", "D6"} {
		offered = append(offered, message.Pin{Index: byte(len(offered)), Abilities: 15, Name: name})
	}
	b := twin.New(twin.Options{Pins: offered, ID: message.NoID, Kind: "twin", Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
	b.Input(now, "D3", true) // its pull-up
	return b
}

// inBubble runs a test with a board whose twin runs its main loop each millisecond.
func inBubble(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, began: time.Now(), quit: make(chan struct{})}
		r.twin = newTwin(r.now())
		go func() {
			for {
				select {
				case <-r.quit:
					return
				case <-time.After(time.Millisecond):
					r.do(func(b *twin.Board, now int64) { b.Tick(now) })
				}
			}
		}()
		session := uint32(0x1000)
		var err error
		r.board, err = New(Options{Open: r.open, Now: r.now, Options: pinbus.Options{Name: "nano-1", ID: message.NoID, Pins: boardPins, Beat: 500 * time.Millisecond, Baud: wireless,
			Session: func() uint32 { session += 0x101; return session }}})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				select {
				case <-r.quit:
					return
				case <-time.After(100 * time.Millisecond):
					if r.beats() {
						r.board.Beat()
					}
				}
			}
		}()
		test(r)
		if err := r.board.Close(); err != nil {
			t.Error(err)
		}
		pass(200 * time.Millisecond) // a read that was under way
		close(r.quit)
		if r.cable != nil && !r.cable.closed {
			time.Sleep(time.Millisecond)
			if !r.cable.closed {
				t.Error("the port is open after Close")
			}
		}
	})
}

func (r *rig) beats() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.still
}

func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

// The rig is the sink.

func (r *rig) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, fmt.Sprintf(format, args...))
}

func (r *rig) Edge(e bus.Edge) {
	off := time.Duration(max(e.Mono-r.now(), r.now()-e.Mono))
	r.mu.Lock()
	hold := r.hold
	r.hold = 0
	r.mu.Unlock()
	wait(hold)
	r.add("%d %s %t near %t", e.Seq, e.Line, e.Level, off < 20*time.Millisecond && e.Bound < int64(time.Millisecond))
}
func (r *rig) Watermark(bus.Watermark) {}
func (r *rig) Gap(g bus.Gap)           { r.add("gap %d %v", g.Lost, g.Lines) }
func (r *rig) Fall(f bus.Fall) {
	r.add("fell %s near %t", f.Line, time.Duration(r.now()-f.Mono) < time.Second && f.Why != nil)
}
func (r *rig) Presence(p bus.Presence) {
	slices.Sort(p.Lines)
	r.add("here %t %v %v", p.Here, p.Lines, p.Levels)
	r.change(func() {
		r.from = p.From
		if !p.Here {
			r.away = time.Duration(p.Mono - p.From)
			r.whys += p.Why.Error() + "\n"
		}
	})
}

// told is why the board was away each time.
func (r *rig) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.whys
}

// take returns what the sink heard since the last call.
func (r *rig) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	heard := r.heard
	r.heard = nil
	return heard
}

func (r *rig) want(what string, got []string, want ...string) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// level is how an output of the twin stands.
func (r *rig) level(pin string) (level, driven bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.changes {
		if c.Pin == pin {
			level, driven = c.Level, c.Driven
		}
	}
	return level, driven
}
