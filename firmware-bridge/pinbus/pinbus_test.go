package pinbus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/firmware-bridge/link"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

const ms = int64(time.Millisecond)

// desk is the pins of a board and the twin that has them, on one goroutine, with a wire on which nothing takes time.
type desk struct {
	*testing.T
	pins  *Machine
	twin  *twin.Board
	now   int64
	cut   bool
	tells []func()
	heard []string
	marks int
	beats bool
	spoke int // how often there was something to write
}

var used = map[string]Pin{"D2": {}, "D3": {ActiveLow: true, PullUp: true}, "D5": {Output: true}, "D6": {Output: true, ActiveLow: true}}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, now: 1000 * ms, beats: true}
	var offered []message.Pin
	for _, name := range []string{"D2", "D3", "D5", "D6"} {
		offered = append(offered, message.Pin{Index: byte(len(offered)), Abilities: 15, Name: name})
	}
	d.twin = twin.New(twin.Options{Pins: offered, ID: message.NoID, Kind: "twin", Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
	d.twin.Input(d.now, "D3", true) // its pull-up
	session := uint32(7)
	var err error
	d.pins, err = New(Options{Name: "b", ID: message.NoID, Pins: used, Beat: 500 * time.Millisecond, Baud: 1e9, Session: func() uint32 { session += 3; return session }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// exchange moves bytes both ways until nobody has any, and keeps what is to be told.
func (d *desk) exchange() {
	for more := true; more; {
		out, tells := d.pins.Take()
		d.tells = append(d.tells, tells...)
		if len(out) > 0 {
			d.spoke++
		}
		if d.cut {
			return
		}
		d.twin.Receive(d.now, out)
		said, _ := d.twin.Take()
		d.pins.Receive(d.now, said)
		more = len(said) > 0
	}
}

// pass lets time pass, in milliseconds: the twin's loop, what is due, and a heartbeat each tenth of a second. What is to be
// told is told in the end.
func (d *desk) pass(while int64) {
	for range while {
		d.now += ms
		if d.beats && d.now/ms%100 == 0 {
			d.pins.Beat(d.now)
		}
		if !d.cut {
			d.twin.Tick(d.now)
		}
		if at, any := d.pins.Due(); any && at <= d.now {
			d.pins.Tick(d.now)
		}
		d.exchange()
	}
	d.tell()
}

func (d *desk) tell() {
	for len(d.tells) > 0 {
		tell := d.tells[0]
		d.tells = d.tells[1:]
		tell()
		d.exchange()
	}
}

func (d *desk) want(what string, want ...string) {
	d.Helper()
	if !slices.Equal(d.heard, want) {
		d.Errorf("%s:\n got %q\nwant %q", what, d.heard, want)
	}
	d.heard = nil
}

func (d *desk) Edge(e bus.Edge) {
	d.heard = append(d.heard, fmt.Sprint(e.Seq, " ", e.Line, " ", e.Level))
}
func (d *desk) Watermark(bus.Watermark) { d.marks++ }
func (d *desk) Gap(g bus.Gap)           { d.heard = append(d.heard, fmt.Sprint("gap ", g.Lines)) }
func (d *desk) Fall(f bus.Fall)         { d.heard = append(d.heard, "fell "+f.Line) }
func (d *desk) Presence(p bus.Presence) {
	d.heard = append(d.heard, fmt.Sprint("here ", p.Here, " ", p.Lines, " ", p.Levels, " ", p.Why == nil))
}

// start asks for outputs and inputs, and opens the port.
func (d *desk) start() {
	d.Helper()
	for _, err := range []error{d.pins.Output("D5", false), d.pins.Output("D6", false), d.pins.Watch(d.now, []string{"D2", "D3"}, d)} {
		if err != nil {
			d.Fatal(err)
		}
	}
	d.pins.Open(d.now)
	d.pass(1000)
}

const (
	gone  = "here false [D2 D3 D5 D6] map[] false"
	there = "here true [D2 D3 D5 D6] map[D2:false D3:false] true"
)

// TestItCallsNobody: whatever happens is told by what Take returns, and by nothing else.
func TestItCallsNobody(t *testing.T) {
	d := newDesk(t)
	d.beats = false
	if err := errors.Join(d.pins.Output("D5", false), d.pins.Watch(d.now, []string{"D2"}, d)); err != nil {
		t.Fatal(err)
	}
	if d.pins.Looked() {
		t.Error("nobody has looked for it")
	}
	d.pins.Open(d.now)
	for range 1000 {
		d.now += ms
		d.twin.Tick(d.now)
		d.pins.Tick(d.now)
		d.exchange()
	}
	d.twin.Input(d.now, "D2", true)
	d.exchange()
	d.twin.Tick(d.now)
	d.exchange()
	if len(d.heard) > 0 || len(d.tells) < 3 || !d.pins.Looked() {
		t.Fatalf("it called by itself: %q; %d to be told", d.heard, len(d.tells))
	}
	d.tell()
	d.want("told", "here false [D2 D5] map[] false", "here true [D2 D5] map[D2:false] true", "1 D2 true")
}

// TestACommand: to an instant, back by itself, and at once to the safe level; each answered once.
func TestACommand(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.want("at the start", gone, there)
	done := func(what string) func(int64, error) {
		return func(mono int64, err error) { d.heard = append(d.heard, fmt.Sprintf("%s %v %t", what, err, mono > 0)) }
	}
	set := func(line string, level bool, at int64, longest time.Duration) {
		d.Helper()
		if err := d.pins.Set(d.now, line, level, at, longest, done(fmt.Sprint(line, " ", level))); err != nil {
			d.Error(err)
		}
	}
	set("D5", true, d.now+200*ms, 300*time.Millisecond)
	d.pass(190)
	d.want("before its instant")
	d.pass(20)
	d.want("at it", "D5 true <nil> true")
	d.pass(400)
	d.want("after its longest", "fell D5")
	set("D6", true, 0, time.Second)
	d.pass(10)
	set("D6", true, d.now+500*ms, time.Second)
	set("D6", false, 0, 0)
	d.pass(10)
	d.want("replaced", "D6 true <nil> true", "D6 true "+bus.ErrReplaced.Error()+" false", "D6 false <nil> true")
	if d.marks < 5 {
		t.Errorf("%d watermarks", d.marks)
	}
}

// TestWhatMayStayOnIsSaidAgain at half of the longest time that the protocol knows, and not once it was put out.
func TestWhatMayStayOnIsSaidAgain(t *testing.T) {
	d := newDesk(t)
	d.start()
	if err := d.pins.Set(d.now, "D5", true, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	renew := d.pins.outputs["D5"].renew
	if renew != d.now+int64(hold)/2 {
		t.Errorf("it is said again after %s", time.Duration(renew-d.now))
	}
	d.pass(10)
	d.now = renew
	spoke := d.spoke
	d.pins.renew(d.now)
	d.pins.flush(d.now)
	d.exchange()
	if d.spoke == spoke || d.pins.outputs["D5"].renew != d.now+int64(hold)/2 {
		t.Error("it was not said again")
	}
	if err := d.pins.Set(d.now, "D5", false, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	if at, _ := d.pins.Due(); at > d.now+int64(time.Minute) {
		t.Errorf("something is due in %s", time.Duration(at-d.now))
	}
}

// TestABoardThatIsNotThere: no command waits, and that it is away is told once for each reason.
func TestABoardThatIsNotThere(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.want("at the start", gone, there)
	if err := d.pins.Set(d.now, "D5", true, d.now+int64(time.Minute), time.Second, func(_ int64, err error) { d.heard = append(d.heard, fmt.Sprint(errors.Is(err, bus.ErrGone))) }); err != nil {
		t.Fatal(err)
	}
	d.cut = true
	why := errors.New("unplugged")
	for range 3 {
		d.pins.Shut(d.now, why)
	}
	d.pass(1)
	d.want("when it goes", "true", "gap [D2 D3]", gone, gone) // that it went, and why the port does not open
	for range 1000 {
		for _, level := range []bool{true, false} {
			if err := d.pins.Set(d.now, "D5", level, 0, time.Second, func(int64, error) { t.Fatal("called") }); !errors.Is(err, bus.ErrGone) {
				t.Fatalf("set %t: %v", level, err)
			}
		}
	}
	if len(d.pins.waits) > 0 || d.pins.Busy() {
		t.Errorf("%d wait", len(d.pins.waits))
	}
	if r := d.pins.Report(); r.State != link.Shut || !errors.Is(r.Why, bus.ErrGone) || !r.Known {
		t.Errorf("%+v", r)
	}
	d.cut = false
	d.pins.Open(d.now)
	d.pass(1000)
	d.want("when it is back", "gap [D2 D3]", there)
	d.pins.Close(d.now)
	if err := d.pins.Set(d.now, "D5", false, 0, 0, nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	d := newDesk(t)
	d.start()
	for what, err := range map[string]error{
		"an input as output": d.pins.Output("D2", false), "an output twice": d.pins.Output("D5", false), "safe when on": d.pins.Output("D6", true),
		"watched twice": d.pins.Watch(d.now, nil, d), "an unknown line": second(d.pins.Level("D9")), "an output's level": second(d.pins.Level("D5")),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "board b: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a board without a name was made")
	}
	if _, err := New(Options{Name: "x"}); err == nil || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("a board without a heartbeat: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
