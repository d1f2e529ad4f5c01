package motor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

var _ bus.Drive = (*Motor)(nil)

const ms = int64(time.Millisecond)

// travel is the longest time of a move on the bench.
const travel = 800 * time.Millisecond

// bench is two output lines on one goroutine, as a bus has them, with the log of what was switched.
type bench struct {
	now    int64
	late   int64 // how much later than it is done an answer comes
	due    []*due
	lines  map[string]*line
	log    []string
	onBoth func()
	*Motor
}

type due struct {
	at int64
	f  func()
}

type line struct {
	bench   *bench
	name    string
	on      bool
	refuses error
	change  *due               // what is to come
	pending func(int64, error) // who waits for it
	fall    *due               // the end of its longest
	longest []time.Duration    // of each time that it was switched on
}

func newBench(t interface{ Fatal(...any) }) *bench {
	b := &bench{lines: map[string]*line{}, onBoth: func() { t.Fatal("both lines are on") }}
	for _, name := range []string{Open, Close} {
		b.lines[name] = &line{bench: b, name: name}
	}
	var err error
	if b.Motor, err = New(b.lines[Open], b.lines[Close], travel); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) at(at int64, f func()) *due {
	d := &due{at, f}
	b.due = append(b.due, d)
	return d
}

func (b *bench) until(at int64) {
	for {
		var next *due
		for _, d := range b.due {
			if d.at <= at && d.f != nil && (next == nil || d.at < next.at) {
				next = d
			}
		}
		if next == nil {
			break
		}
		b.due = slices.DeleteFunc(b.due, func(d *due) bool { return d == next || d.f == nil })
		b.now = max(b.now, next.at)
		next.f()
	}
	b.now = at
}

func (d *due) stop() {
	if d != nil {
		d.f = nil
	}
}

func (l *line) drive(on bool) {
	if l.on == on {
		return
	}
	l.on = on
	l.bench.log = append(l.bench.log, fmt.Sprintf("%d %s %v", l.bench.now/ms, l.name, on))
	if l.bench.lines[Open].on && l.bench.lines[Close].on {
		l.bench.onBoth()
	}
}

// Set implements bus.Output.
func (l *line) Set(on bool, at int64, longest time.Duration, done func(int64, error)) {
	b := l.bench
	answer := func(mono int64, err error) {
		if done == nil {
			return
		}
		if b.late == 0 {
			done(mono, err)
			return
		}
		b.at(b.now+b.late, func() { done(mono, err) })
	}
	l.change.stop()
	if replaced := l.pending; replaced != nil {
		l.pending = nil
		replaced(0, bus.ErrReplaced)
	}
	if l.refuses != nil {
		answer(0, l.refuses)
		return
	}
	now := func() {
		l.pending = nil
		l.fall.stop()
		l.drive(on)
		if on {
			l.longest = append(l.longest, longest)
			l.fall = b.at(b.now+int64(longest), func() { l.drive(false) })
		}
		answer(b.now, nil)
	}
	if !on || at <= b.now {
		now()
		return
	}
	l.pending = answer
	l.change = b.at(at, now)
}

func (b *bench) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	if !slices.Equal(b.log, want) {
		t.Errorf("%s: %q, want %q", what, b.log, want)
	}
	b.log = nil
}

// TestAMove opens, rests, closes and rests, and both lines are off in between.
func TestAMove(t *testing.T) {
	b := newBench(t)
	var done []int64
	note := func(mono int64, err error) {
		if err != nil {
			t.Error(err)
		}
		done = append(done, mono/ms)
	}
	b.Set(true, 2000*ms, time.Minute, note)
	b.until(2300 * ms)
	b.Rest(true, b.now)
	b.until(10_000 * ms)
	b.expect(t, "opened", "2000 open true", "2300 open false")
	b.Set(false, 99_000*ms, 0, note)
	b.until(10_400 * ms)
	b.Rest(true, b.now)
	b.until(20_000 * ms)
	b.expect(t, "closed", "10050 close true", "10400 close false")
	if !slices.Equal(done, []int64{2000, 10_050}) {
		t.Errorf("done at %v", done)
	}
}

// TestAtTheStart: nobody knows where it is, and it is driven closed until it is told that it arrived.
func TestAtTheStart(t *testing.T) {
	b := newBench(t)
	b.Set(false, 0, 0, nil)
	b.until(100 * ms)
	b.expect(t, "of unknown place", "0 close true")
	b = newBench(t)
	b.Rest(true, b.now)
	b.Set(false, 0, 0, nil)
	b.until(100 * ms)
	b.expect(t, "closed already")
}

// TestNobodySaysThatItArrived: the bus ends what the motor was told, and the next command tries again.
func TestNobodySaysThatItArrived(t *testing.T) {
	b := newBench(t)
	b.Set(false, 0, 0, nil)
	b.until(5000 * ms)
	b.expect(t, "a jam", "0 close true", "3200 close false")
	b.Rest(false, b.now)
	b.Set(false, 0, 0, nil)
	b.until(5100 * ms)
	b.expect(t, "again", "5000 close true")
}

// TestASlowClosingGoesOn: it was late, and is closed all the same; an opening that is late is not.
func TestASlowClosingGoesOn(t *testing.T) {
	b := newBench(t)
	b.until(100 * ms)
	b.Set(false, 0, 0, nil)
	b.until(900 * ms)
	b.Rest(false, b.now) // the move has failed
	b.until(1500 * ms)
	b.Set(false, 0, 0, nil)
	b.until(2000 * ms)
	b.Rest(true, b.now) // and arrives
	b.expect(t, "closed late", "100 close true", "2000 close false")
	b.Set(true, 0, 0, nil)
	b.until(2500 * ms)
	b.Rest(false, b.now)
	b.expect(t, "opened late", "2050 open true", "2500 open false")
}

// TestAMoveIsTurnedBack: it opens, and an emergency stop comes. It is off at once, and closes after the pause.
func TestAMoveIsTurnedBack(t *testing.T) {
	b := newBench(t)
	var err error
	b.Set(true, 0, 0, func(_ int64, e error) { err = e })
	b.until(200 * ms)
	b.Set(false, 0, 0, nil)
	b.Set(false, 0, 0, nil) // again, to make sure: it changes nothing
	b.until(300 * ms)
	b.Set(false, 0, 0, nil)
	b.until(5000 * ms)
	b.expect(t, "turned back", "50 open true", "200 open false", "250 close true", "3450 close false")
	if err != nil {
		t.Errorf("the opening had begun: %v", err)
	}
}

// TestTheWayBackTakesAsLongAsTheWayThere: the limit switch is still active when the motor turns, and says at once that it
// is back.
func TestTheWayBackTakesAsLongAsTheWayThere(t *testing.T) {
	b := newBench(t)
	b.Rest(true, b.now)
	b.until(1000 * ms)
	b.Set(true, 0, 0, nil)
	b.until(1080 * ms) // on since 1050
	b.Set(false, 0, 0, func(int64, error) { b.at(b.now, func() { b.Rest(true, b.now) }) })
	b.until(5000 * ms)
	b.expect(t, "turned back", "1050 open true", "1080 open false", "1130 close true", "1175 close false")
	b.Set(false, 0, 0, nil)
	b.until(6000 * ms)
	b.expect(t, "it rests closed")
}

// TestAnOpeningThatIsToComeIsTakenBack: the answer says that it was replaced.
func TestAnOpeningThatIsToComeIsTakenBack(t *testing.T) {
	b := newBench(t)
	b.Rest(true, b.now)
	var err error
	b.Set(true, 2000*ms, 0, func(_ int64, e error) { err = e })
	b.until(1000 * ms)
	b.Set(false, 0, 0, nil)
	b.until(5000 * ms)
	if !errors.Is(err, bus.ErrReplaced) || slices.ContainsFunc(b.log, func(l string) bool { return strings.Contains(l, "open true") }) {
		t.Errorf("%v, %q", err, b.log)
	}
}

// TestALineThatCannotBeSwitchedOff: then the other one is not switched on, and the command failed.
func TestALineThatCannotBeSwitchedOff(t *testing.T) {
	for _, late := range []int64{0, 5 * ms} {
		b := newBench(t)
		b.late = late
		b.Set(true, 0, 0, nil)
		b.until(100 * ms)
		b.log = nil
		b.lines[Open].refuses = bus.ErrGone
		var err error
		b.Set(false, 0, 0, func(_ int64, e error) { err = e })
		b.until(400 * ms)
		if b.expect(t, "stuck on"); !errors.Is(err, bus.ErrGone) {
			t.Errorf("answered with %v", err)
		}
		b.lines[Open].refuses = nil
		b.Set(false, 0, 0, nil)
		b.until(500 * ms)
		if !b.lines[Close].on || b.lines[Open].on {
			t.Error("it does not close when it can")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	l := &line{}
	for _, c := range []struct {
		open, shut bus.Output
		travel     time.Duration
	}{{nil, l, travel}, {l, nil, travel}, {l, l, 0}, {l, l, time.Hour}} {
		if _, err := New(c.open, c.shut, c.travel); err == nil {
			t.Errorf("taken: %+v", c)
		}
	}
}

// TestNeverBothAndNeverForLong is a property: whatever is commanded when, with answers that come at once or late, the two
// lines are never on together, each time for at most a move, and a motor that is sent closed and left alone is off in the
// end.
func TestNeverBothAndNeverForLong(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(rt)
		b.late = rapid.SampledFrom([]int64{0, 1, 30 * ms}).Draw(rt, "late")
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			b.until(b.now + rapid.Int64Range(0, 300).Draw(rt, "gap")*ms)
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				b.Set(true, b.now+rapid.Int64Range(-10, 400).Draw(rt, "in")*ms, time.Minute, func(int64, error) {})
			case 1:
				b.Set(false, 0, 0, func(int64, error) {})
			case 2:
				b.Rest(rapid.Bool().Draw(rt, "arrived"), b.now)
			case 3: // who hears an answer may command at once
				b.Set(true, b.now, 0, func(int64, error) { b.Set(false, 0, 0, nil) })
			}
		}
		b.Rest(false, b.now)
		b.log = nil
		b.Set(false, 0, 0, nil)
		b.until(b.now + 200*ms)
		if !b.lines[Close].on {
			rt.Fatal("it does not close")
		}
		b.until(b.now + Patience*int64(travel) + ms)
		if b.lines[Close].on || b.lines[Open].on {
			rt.Fatal("it is on after the longest time of a move")
		}
		for name, l := range b.lines {
			for _, longest := range l.longest {
				if longest <= 0 || longest > Patience*travel || name == Open && longest > travel {
					rt.Fatalf("%s was switched on for %s", name, longest)
				}
			}
		}
	})
}

// racing is an output that may be set from anywhere; it knows the other one.
type racing struct {
	mu  *sync.Mutex // of both
	on  *[2]bool
	i   int
	bad *bool
}

// Set implements bus.Output.
func (r racing) Set(on bool, _ int64, _ time.Duration, done func(int64, error)) {
	r.mu.Lock()
	r.on[r.i] = on
	*r.bad = *r.bad || r.on[0] && r.on[1]
	r.mu.Unlock()
	if done != nil {
		done(0, nil)
	}
}

// TestCommandsFromManyGoroutines: the exclusion does not hang on who commands.
func TestCommandsFromManyGoroutines(t *testing.T) {
	var mu sync.Mutex
	var on [2]bool
	var bad bool
	m, err := New(racing{&mu, &on, 0, &bad}, racing{&mu, &on, 1, &bad}, travel)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 2000 {
				switch (g + i) % 3 {
				case 0:
					m.Set(true, 0, 0, func(int64, error) {})
				case 1:
					m.Set(false, 0, 0, nil)
				case 2:
					m.Rest(i%2 == 0, int64(i))
				}
			}
		})
	}
	all.Wait()
	if bad {
		t.Error("both lines were on")
	}
}

// asked is a line whose bus answers when it is told to, as a board does, and whose newer command takes the place of the one
// that waits.
type asked struct {
	on, wanted bool
	at         int64
	waits      func(int64, error)
}

// Set implements bus.Output.
func (a *asked) Set(on bool, at int64, _ time.Duration, done func(int64, error)) {
	if replaced := a.waits; replaced != nil {
		a.waits = nil
		replaced(0, bus.ErrReplaced)
	}
	a.wanted, a.at, a.waits = on, at, done
}

func (a *asked) answer(mono int64) {
	done := a.waits
	a.on, a.waits = a.wanted, nil
	if done != nil {
		done(mono, nil)
	}
}

// TestAClosingThatIsToldTwice before the other line is known to be off closes all the same, and answers both times.
func TestAClosingThatIsToldTwice(t *testing.T) {
	opens, closes := &asked{}, &asked{}
	m, err := New(opens, closes, travel)
	if err != nil {
		t.Fatal(err)
	}
	m.Set(true, 0, 0, nil)
	closes.answer(10 * ms)
	opens.answer(20 * ms)
	if !opens.on {
		t.Fatal("it does not open")
	}
	var told []string
	tell := func(who string) func(int64, error) {
		return func(mono int64, err error) { told = append(told, fmt.Sprint(who, " ", mono/ms, " ", err)) }
	}
	m.Set(false, 0, 0, tell("first"))
	m.Set(false, 0, 0, tell("second"))
	m.Set(false, 0, 0, tell("third"))
	if len(told) > 0 || closes.wanted {
		t.Fatalf("before the opening line is off: %q, closes %t", told, closes.wanted)
	}
	opens.answer(200 * ms)
	if opens.on || !closes.wanted || closes.at != 200*ms+int64(Pause) {
		t.Fatalf("opens %t, to close %t at %d ms", opens.on, closes.wanted, closes.at/ms)
	}
	m.Set(false, 0, 0, tell("fourth")) // the opening line is off: this only makes sure
	opens.answer(210 * ms)
	closes.answer(251 * ms)
	if want := []string{"fourth 210 <nil>", "first 251 <nil>", "second 251 <nil>", "third 251 <nil>"}; !closes.on || !slices.Equal(told, want) {
		t.Errorf("closes %t, told %q, want %q", closes.on, told, want)
	}
	m.Set(true, 0, 0, tell("opening")) // and it can still be turned back
	closes.answer(400 * ms)
	if !opens.wanted || closes.on {
		t.Errorf("opens %t, closes %t", opens.wanted, closes.on)
	}
}
