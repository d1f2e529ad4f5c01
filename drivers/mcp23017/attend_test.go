package mcp23017

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

const poll = 250 * time.Millisecond

// looked returns a chip that is looked after, with what the wires do between: nothing else asks.
func looked(t *testing.T) (*rig, bus.Output, <-chan struct{}) {
	t.Helper()
	r := fresh(t)
	first := r.Attend(poll)
	drive := r.output("c1a.drive")
	if err := r.Watch([]string{"button", "limit"}, r); err != nil {
		t.Fatal(err)
	}
	return r, drive, first
}

// pass lets time go by with wires that work.
func (r *rig) pass(d time.Duration) {
	for end := r.now + int64(d); r.now < end; {
		r.until(min(end, r.now+10*ms))
		r.work()
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestAttended: it is looked for at once, polled on its grid, and gives a mark at each poll.
func TestAttended(t *testing.T) {
	r, drive, first := looked(t)
	if closed(first) || r.Err() == nil {
		t.Error("it was looked for without its wires")
	}
	r.work()
	if !closed(first) || r.Err() != nil {
		t.Fatalf("looked for %v: %v", closed(first), r.Err())
	}
	if got := r.heard(); len(got) != 2 || !strings.HasPrefix(got[0], "false") || got[1] != "true [button c1a.drive limit] map[button:false limit:false]" {
		t.Errorf("%q", got)
	}
	r.marks = nil
	r.pass(time.Second)
	if len(r.marks) != 4 {
		t.Errorf("%d marks in four polls", len(r.marks))
	}
	r.chip.Drive(button, false)
	r.pass(poll + 20*time.Millisecond)
	if got := r.take(); len(got) != 1 || !got[0].Level {
		t.Errorf("%+v", got)
	}
	drive.Set(true, 0, time.Minute, nil)
	r.work()
	if r.chip.Pin(relay) {
		t.Error("it does not open")
	}
}

// TestAnAbsentChipComes: it is looked for once a second, and what is commanded meanwhile fails and never shows.
func TestAnAbsentChipComes(t *testing.T) {
	r, drive, first := looked(t)
	r.chip.Fail(syscall.EREMOTEIO)
	r.work()
	if !closed(first) {
		t.Error("it was looked for, and nobody is told")
	}
	if got := r.heard(); len(got) < 1 || !strings.HasPrefix(got[len(got)-1], "false [button c1a.drive limit]") {
		t.Errorf("%q", got)
	}
	before := r.chip.Transfers()
	r.pass(10 * time.Second)
	if n := r.chip.Transfers() - before; n < 5 || n > 11 {
		t.Errorf("%d transfers in ten seconds", n)
	}
	if got := r.heard(); got != nil {
		t.Errorf("told again: %q", got)
	}
	var a answer
	drive.Set(true, 0, time.Minute, a.take)
	r.chip.Fail(nil)
	r.pass(findEvery + poll)
	if r.Err() != nil || !errors.Is(a.err, bus.ErrGone) || opened(r.chip.Trace(), relay) {
		t.Errorf("%v, %+v, %v", r.Err(), a, r.chip.Trace())
	}
	if got := r.heard(); len(got) != 1 || got[0] != "true [button c1a.drive limit] map[button:false limit:false]" {
		t.Errorf("%q", got)
	}
}

// TestAChipThatNobodyPlugsInCostsLittle: what nobody plugs in for a minute is looked for at the instants at which the machine's
// own lines wake the station, and nothing else wakes it. One that is lost is looked for often again.
func TestAChipThatNobodyPlugsInCostsLittle(t *testing.T) {
	r, drive, _ := looked(t)
	r.chip.Fail(syscall.EREMOTEIO)
	r.pass(findFor + findLater)
	transfers, woken := r.chip.Transfers(), r.fired
	r.pass(time.Minute)
	if most := int(time.Minute / findLater); r.chip.Transfers()-transfers > most || r.fired-woken > most {
		t.Errorf("%d looks and %d wake-ups in a minute, want at most %d", r.chip.Transfers()-transfers, r.fired-woken, most)
	}
	r.chip.Fail(nil)
	r.pass(findLater + poll)
	if r.Err() != nil {
		t.Fatalf("it is not found: %v", r.Err())
	}
	drive.Set(true, 0, time.Hour, nil)
	r.pass(2 * time.Minute)
	r.chip.Fail(syscall.EREMOTEIO)
	r.pass(30 * time.Second)
	r.chip.Fail(nil)
	r.pass(findEvery + poll)
	if r.Err() != nil || !r.chip.Pin(relay) {
		t.Errorf("half a minute after it was lost: %v, closed %v", r.Err(), r.chip.Pin(relay))
	}
}

// TestWiresThatOweALook: the chip is away after a while, though no transfer has failed, and comes back with the wires, its
// outputs safe.
func TestWiresThatOweALook(t *testing.T) {
	r, drive, _ := looked(t)
	r.work()
	drive.Set(true, 0, time.Hour, nil)
	r.work()
	r.heard()
	r.until(r.now + int64(patience)) // the wires do nothing
	if r.Err() != nil {
		t.Errorf("away too soon: %v", r.Err())
	}
	r.until(r.now + 3*int64(poll))
	if !errors.Is(r.Err(), ErrHangs) || !errors.Is(r.Err(), bus.ErrGone) {
		t.Errorf("%v", r.Err())
	}
	if got := r.heard(); len(got) != 1 || !strings.HasPrefix(got[0], "false") {
		t.Errorf("%q", got)
	}
	if n := len(r.jobs); n != 1 {
		t.Errorf("%d jobs wait", n)
	}
	r.work()
	r.pass(findEvery + poll)
	if r.Err() != nil || !r.chip.Pin(relay) {
		t.Errorf("%v, closed %v", r.Err(), r.chip.Pin(relay))
	}
	if got := r.heard(); len(got) != 1 || !strings.HasPrefix(got[0], "true") {
		t.Errorf("%q", got)
	}
}

// TestAFullQueue: what the wires do not take makes the chip away; it is found again with its outputs safe.
func TestAFullQueue(t *testing.T) {
	r, drive, _ := looked(t)
	r.work()
	drive.Set(true, 0, time.Hour, nil)
	r.work()
	r.full = true
	var a answer
	drive.Set(false, 0, 0, a.take)
	if !errors.Is(a.err, bus.ErrBusy) || !errors.Is(r.Err(), bus.ErrBusy) {
		t.Errorf("%+v, %v", a, r.Err())
	}
	r.full = false
	r.pass(findEvery + poll)
	if r.Err() != nil || !r.chip.Pin(relay) {
		t.Errorf("%v, closed %v", r.Err(), r.chip.Pin(relay))
	}
}

// TestALostChipIsLookedForAtOnce: whatever transfer fails, the chip is found again and its outputs are safe, though no
// time has passed but that of the wires.
func TestALostChipIsLookedForAtOnce(t *testing.T) {
	for name, fails := range map[string]func(r *rig, lamp bus.Output){
		"a command": func(r *rig, lamp bus.Output) { lamp.Set(true, 0, 0, nil) },
		"a poll":    func(r *rig, _ bus.Output) { r.until(r.now + int64(poll)) },
		"an edge":   func(r *rig, _ bus.Output) { r.Interrupt(r.now, 0) },
	} {
		r, drive, _ := looked(t)
		lamp := r.output("lamp")
		r.work()
		drive.Set(true, 0, time.Hour, nil)
		r.work()
		r.heard()
		fails(r, lamp)
		r.marks = nil
		r.chip.Fail(syscall.EREMOTEIO)
		began := r.now
		r.step()
		r.chip.Fail(nil)
		r.work()
		if r.Err() != nil || !r.chip.Pin(relay) || r.now-began > 10*ms {
			t.Errorf("%s fails: %v, closed %v after %d ms", name, r.Err(), r.chip.Pin(relay), (r.now-began)/ms)
		}
		if len(r.marks) > 0 {
			t.Errorf("%s fails: a mark that is not of the grid", name)
		}
		if got := r.heard(); len(got) != 2 || !strings.HasPrefix(got[0], "false") || !strings.HasPrefix(got[1], "true") {
			t.Errorf("%s fails: %q", name, got)
		}
	}
}

// TestAnEmergencyStopOfALostChip: a command to close has it looked for at once, whatever the grid says, also when it
// comes while a look in vain is under way.
func TestAnEmergencyStopOfALostChip(t *testing.T) {
	for _, underWay := range []bool{false, true} {
		r, drive, _ := looked(t)
		r.work()
		drive.Set(true, 0, time.Hour, nil)
		r.work()
		r.chip.Fail(syscall.EREMOTEIO)
		r.until(r.now + int64(poll))
		var a answer
		closes := func() {
			r.chip.Fail(nil)
			drive.Set(false, 0, 0, a.take)
		}
		if underWay {
			r.sink = &hearing{rig: r, do: map[int]func(){2: closes}} // it is told what each of the two looks has seen
		}
		began := r.now
		r.work() // it is lost, looked for at once, and not found
		if !underWay {
			if r.Err() == nil || r.chip.Pin(relay) {
				t.Fatalf("%v, closed %v", r.Err(), r.chip.Pin(relay))
			}
			closes()
			r.work()
		}
		if !errors.Is(a.err, bus.ErrGone) || r.Err() != nil || !r.chip.Pin(relay) || r.now-began > 10*ms {
			t.Errorf("while a look is under way %v: %+v, %v, closed %v", underWay, a, r.Err(), r.chip.Pin(relay))
		}
	}
}

// hearing is a sink that does something when it is told of presence for the n-th time.
type hearing struct {
	*rig
	heard int
	do    map[int]func()
}

func (h *hearing) Presence(p bus.Presence) {
	h.heard++
	if f := h.do[h.heard]; f != nil {
		f()
	}
}

// TestALookThatTheWiresDoNotTake: once the queue was full, the chip is looked for at the next instants, as ever.
func TestALookThatTheWiresDoNotTake(t *testing.T) {
	r, _, _ := looked(t)
	r.work()
	r.full = true
	r.until(r.now + 2*int64(poll))
	if !errors.Is(r.Err(), bus.ErrBusy) {
		t.Errorf("%v", r.Err())
	}
	r.full = false
	r.pass(findEvery + poll)
	if r.Err() != nil {
		t.Errorf("with room in the queue: %v", r.Err())
	}
}

// TestAChipThatIsLostWhenItIsFound is looked for in its turn, not without a pause.
func TestAChipThatIsLostWhenItIsFound(t *testing.T) {
	r, _, _ := looked(t)
	r.work()
	r.Expander.chip.Bus = unreadable{r.chip}
	before := r.chip.Transfers()
	r.pass(10 * time.Second)
	if n := r.chip.Transfers() - before; n > 300 {
		t.Errorf("%d transfers in ten seconds", n)
	}
}

// unreadable is a chip that takes its settings, and gives no levels.
type unreadable struct{ *bustest.MCP23017 }

func (u unreadable) Tx(address uint16, write, read []byte) error {
	if len(write) == 1 && write[0] == regINTF {
		return syscall.EREMOTEIO
	}
	return u.MCP23017.Tx(address, write, read)
}

// TestNobodyLooksAfterTheEnd: no timer is left, and nothing is told.
func TestNobodyLooksAfterTheEnd(t *testing.T) {
	r, _, _ := looked(t)
	r.work()
	r.heard()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.work()
	before := r.chip.Transfers()
	r.pass(5 * time.Second)
	if n := r.chip.Transfers() - before; n > 0 || len(r.timers) > 0 {
		t.Errorf("%d transfers, %d timers after the end", n, len(r.timers))
	}
	if got := r.heard(); got != nil {
		t.Errorf("%q", got)
	}
}

// TestPresenceIsToldInOrder: one goroutine tells at a time, and a sink that answers from within hears the latest last.
func TestPresenceIsToldInOrder(t *testing.T) {
	r, _, _ := looked(t)
	again := &answering{rig: r}
	r.sink = again
	r.work()
	if want := []bool{true, false}; !slices.Equal(again.here, want) {
		t.Errorf("told %v, want %v", again.here, want)
	}
}

// answering is a sink that gives the chip up from within what it is told.
type answering struct {
	*rig
	here  []bool
	depth int
}

func (a *answering) Presence(p bus.Presence) {
	if a.depth++; a.depth > 1 {
		a.t.Error("told from within what is being told")
	}
	defer func() { a.depth-- }()
	a.here = append(a.here, p.Here)
	if p.Here && len(a.here) == 1 {
		a.lose(syscall.EIO)
	}
}
