package mcp23017

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

// take returns the edges since the last call.
func (r *rig) take() []bus.Edge {
	out := r.edges
	r.edges = nil
	return out
}

func edge(line string, level bool, mono, bound int64, seq uint64) bus.Edge {
	return bus.Edge{Line: line, Level: level, Mono: mono, Bound: bound, Source: "left", Seq: seq}
}

func TestAnEdgeHasTheStampOfTheInterrupt(t *testing.T) {
	r, _, _, _ := running(t)
	r.chip.Drive(button, false)
	if !r.chip.Interrupts() {
		t.Fatal("no interrupt")
	}
	asked := r.now
	r.until(r.now + 30*ms) // others use the wires
	r.Interrupt(asked+1, 7)
	r.work()
	if got, want := r.take(), []bus.Edge{edge("button", true, asked+1, 7, 1)}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if level, err := r.Level("button"); err != nil || !level || r.chip.Interrupts() {
		t.Errorf("level %v, %v, interrupts %v", level, err, r.chip.Interrupts())
	}
}

// TestAChangeBehindTheFirst: the chip captures the first change alone; the second is seen when it is read, and says how
// little is known of its time.
func TestAChangeBehindTheFirst(t *testing.T) {
	r, _, _, _ := running(t)
	r.chip.Drive(button, false)
	asked := r.now + 1
	r.chip.Drive(button, true)
	r.chip.Drive(other, false)
	r.until(r.now + 20*ms)
	r.Interrupt(asked, 0)
	r.work()
	want := []bus.Edge{
		edge("button", true, asked, 0, 1),
		edge("button", false, r.now, r.now-asked, 2), edge("other", true, r.now, r.now-asked, 3),
	}
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestBothPorts: the line tells when the first port captured, not which one that was.
func TestBothPorts(t *testing.T) {
	r, _, _, _ := running(t)
	asked := r.now + 1
	r.chip.Drive(limit, false)
	r.chip.Drive(button, false)
	r.until(r.now + 5*ms)
	r.Interrupt(asked, 2)
	r.work()
	wide := r.now - asked + 2
	want := []bus.Edge{edge("button", true, asked, wide, 1), edge("limit", true, asked, wide, 2)}
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestAnInterruptThatAPollTook: what the interrupt asked for was read before; the change seen now came later, and must
// not get its stamp.
func TestAnInterruptThatAPollTook(t *testing.T) {
	r, _, _, _ := running(t)
	r.chip.Drive(button, false)
	asked := r.now
	r.Poll()
	r.work()
	polled := r.now
	if got := r.take(); len(got) != 1 || got[0].Mono != polled || polled-got[0].Bound > asked {
		t.Errorf("%+v: its span does not reach back to %d", got, asked)
	}
	r.chip.Drive(button, true)
	r.Interrupt(asked, 0)
	r.work()
	if got, want := r.take(), []bus.Edge{edge("button", false, r.now, r.now-polled, 2)}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestALostInterrupt: nobody hears it, and the next poll finds the change with a span that holds it.
func TestALostInterrupt(t *testing.T) {
	r, _, _, _ := running(t)
	r.chip.Drive(limit, false)
	changed := r.now
	r.until(r.now + 250*ms)
	r.Poll()
	r.work()
	got := r.take()
	if len(got) != 1 || got[0].Line != "limit" || got[0].Mono-got[0].Bound > changed || got[0].Mono < changed {
		t.Errorf("%+v of a change at %d", got, changed)
	}
	if !slices.Equal(r.marks, []int64{r.now}) {
		t.Errorf("watermarks %v at %d", r.marks, r.now)
	}
	r.Poll()
	r.work()
	if got := r.take(); got != nil {
		t.Errorf("told twice: %+v", got)
	}
}

// TestWatermarksHold: no edge comes with a stamp before the last watermark, and none is numbered twice.
func TestWatermarksHold(t *testing.T) {
	r, _, _, _ := running(t)
	levels, mark, seq := map[int]bool{}, int64(0), uint64(0)
	for i := range 200 {
		pin := []int{button, limit, other}[i*i%3]
		levels[pin] = !levels[pin]
		r.chip.Drive(pin, !levels[pin])
		asked := r.now
		r.until(r.now + int64(i%7)*ms)
		if i%5 == 0 {
			r.Poll()
		}
		if i%3 != 0 {
			r.Interrupt(asked, 0)
		}
		r.work()
		for _, e := range r.take() {
			if e.Mono < mark || e.Seq != seq+1 {
				t.Fatalf("%+v after the watermark %d and the number %d", e, mark, seq)
			}
			seq = e.Seq
		}
		if n := len(r.marks); n > 0 {
			mark = r.marks[n-1]
		}
	}
	if seq == 0 || mark == 0 {
		t.Error("nothing was told")
	}
}

// TestWhatChangedWhileItWasAway: the levels are told once it is back, and no edge.
func TestWhatChangedWhileItWasAway(t *testing.T) {
	r, _, _, _ := running(t)
	r.heard()
	r.chip.Fail(syscall.EREMOTEIO)
	r.Poll()
	r.work()
	if _, err := r.Level("button"); !errors.Is(err, bus.ErrGone) {
		t.Errorf("the level of a chip that is away: %v", err)
	}
	r.chip.Drive(button, false)
	r.Interrupt(r.now, 0)
	r.work()
	r.chip.Fail(nil)
	r.until(r.now + 1000*ms)
	if err := r.Begin(); err != nil {
		t.Fatal(err)
	}
	const lines = "[button c1a.drive c1b.drive lamp limit other]"
	if got, want := r.heard(), []string{"false " + lines + " map[]", "true " + lines + " map[button:true limit:false other:false]"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := r.take(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	r.now += 100 * ms
	r.chip.Drive(button, true)
	r.Interrupt(r.now, 7)
	r.work()
	if got := r.take(); len(got) != 1 || got[0].Level || got[0].Seq != 1 {
		t.Errorf("%+v", got)
	}
}

// TestPulls: the chip pulls up the inputs that ask for it and the pins that have no line, and no output.
func TestPulls(t *testing.T) {
	r, _, _, _ := running(t)
	var pulls [2]byte
	if err := r.chip.Tx(address, []byte{0x0C}, pulls[:]); err != nil {
		t.Fatal(err)
	}
	for n := range pins {
		want := true
		for _, pin := range wiring() {
			if pin.Number == n {
				want = pin.PullUp
			}
		}
		if got := word(pulls[:])>>n&1 == 1; got != want {
			t.Errorf("pin %d: pulled up %v, want %v", n, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	r := fresh(t)
	watch := func(lines ...string) error { return r.Watch(lines, r) }
	_, unknown := r.Output("nothing", false)
	_, level := r.Level("nothing")
	r.output("lamp")
	_, twice := r.Output("lamp", false)
	for name, c := range map[string]struct{ got, want error }{
		"output of no line":   {unknown, bus.ErrUnknownLine},
		"level of no line":    {level, bus.ErrUnknownLine},
		"output twice":        {twice, ErrTaken},
		"watch no line":       {watch("button", "nothing"), bus.ErrUnknownLine},
		"watch A7":            {watch("lamp"), ErrInput},
		"nothing was kept":    {watch("button"), nil},
		"output of an input":  {second2(r.Output("button", false)), ErrTaken},
		"a level before that": {second2(r.Level("button")), bus.ErrGone},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if err := watch("other"); err == nil || !strings.Contains(err.Error(), "one go") {
		t.Errorf("watched twice: %v", err)
	}
	r.output("c1a.drive")
	e := fresh(t)
	e.output("c1a.drive")
	if err := e.Watch([]string{"c1a.drive"}, e); !errors.Is(err, ErrTaken) {
		t.Errorf("watched an output: %v", err)
	}
}

func second2[T any](_ T, err error) error { return err }

func TestNewRefuses(t *testing.T) {
	good := Options{Name: "left", Address: address, Pins: wiring(), Lateness: time.Second}
	for says, change := range map[string]func(*Options){
		"address 0x1F":    func(o *Options) { o.Address = 0x1F },
		"address 0x28":    func(o *Options) { o.Address = 0x28 },
		"a name":          func(o *Options) { o.Name = "" },
		"lateness":        func(o *Options) { o.Lateness = 0 },
		"pin 16":          func(o *Options) { o.Pins = map[string]Pin{"x": {Number: 16}} },
		"pin -1":          func(o *Options) { o.Pins = map[string]Pin{"x": {Number: -1}} },
		"x and y are on ": func(o *Options) { o.Pins = map[string]Pin{"x": {Number: 4}, "y": {Number: 4, ActiveLow: true}} },
	} {
		o := good
		change(&o)
		if _, err := New(nil, nil, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

func TestParsePin(t *testing.T) {
	for name, want := range map[string]int{"A0": 0, "A7": 7, "B0": 8, "B7": 15} {
		if got, err := ParsePin(name); err != nil || got != want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

func FuzzParsePin(f *testing.F) {
	for _, seed := range []string{"A0", "B7", "", "a0", "A8", "C0", "A/", "A00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := ParsePin(name)
		if err != nil {
			return
		}
		if back := string([]byte{"AB"[n/8], '0' + byte(n%8)}); n < 0 || n >= pins || back != name {
			t.Errorf("%q is %d, which is %q", name, n, back)
		}
	})
}
