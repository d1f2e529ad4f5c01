package mcp23017

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
)

const (
	ms      = int64(time.Millisecond)
	address = 0x21
)

// rig is a chip with its host: jobs and timers wait until they are told to run, and a transfer takes a millisecond.
type rig struct {
	t      *testing.T
	chip   *bustest.MCP23017
	now    int64
	jobs   []func()
	timers []*timer
	full   bool // no job is taken
	fired  int  // timers
	*Expander
	edges []bus.Edge
	marks []int64
	told  []string // of presence
}

type timer struct {
	at   int64
	f    func()
	dead bool
}

func (r *rig) Now() int64 { return r.now }

func (r *rig) Do(job func()) error {
	if r.full {
		return bus.ErrBusy
	}
	r.jobs = append(r.jobs, job)
	return nil
}

func (r *rig) At(mono int64, f func()) func() {
	timer := &timer{at: mono, f: f}
	r.timers = append(r.timers, timer)
	return func() { timer.dead = true }
}

func (r *rig) Edge(e bus.Edge) { r.edges = append(r.edges, e) }
func (r *rig) Presence(p bus.Presence) {
	r.told = append(r.told, fmt.Sprintf("%v %v %v", p.Here, p.Lines, p.Levels))
	if p.Here != (p.Why == nil) || p.Mono != r.now {
		r.t.Errorf("presence %+v at %d", p, r.now)
	}
}

// heard is what was told of presence since the last time.
func (r *rig) heard() []string {
	told := r.told
	r.told = nil
	return told
}

func (r *rig) Watermark(m bus.Watermark) { r.marks = append(r.marks, m.Mono) }

// work does the jobs that wait, each of which takes a millisecond.
func (r *rig) work() {
	for len(r.jobs) > 0 {
		r.step()
	}
}

// step does the first job that waits.
func (r *rig) step() {
	job := r.jobs[0]
	r.jobs = r.jobs[1:]
	r.now += ms
	job()
}

// until lets time pass, with timers but without the wires' goroutine, which may hang.
func (r *rig) until(mono int64) {
	for {
		slices.SortStableFunc(r.timers, func(a, b *timer) int { return cmp.Compare(a.at, b.at) })
		r.timers = slices.DeleteFunc(r.timers, func(t *timer) bool { return t.dead })
		if len(r.timers) == 0 || r.timers[0].at > mono {
			r.now = max(r.now, mono)
			return
		}
		next := r.timers[0]
		r.timers = r.timers[1:]
		r.now = max(r.now, next.at)
		r.fired++
		next.f()
	}
}

// The wiring of the tests: two relays that open when their line is low, pulled up; a lamp; buttons and switches to
// ground, with the chip's pull-ups, on both ports.
const (
	relay  = 0  // A0
	second = 8  // B0
	lamp   = 7  // A7
	button = 3  // A3
	limit  = 12 // B4
	other  = 4  // A4
	idle   = 0xFFFF &^ (1 << lamp)
)

func wiring() map[string]Pin {
	return map[string]Pin{
		"c1a.drive": {Number: relay, ActiveLow: true}, "c1b.drive": {Number: second, ActiveLow: true}, "lamp": {Number: lamp},
		"button": {Number: button, ActiveLow: true, PullUp: true}, "limit": {Number: limit, ActiveLow: true, PullUp: true},
		"spare": {Number: 13},
		"other": {Number: other, ActiveLow: true, PullUp: true},
	}
}

// fresh returns a chip that nobody has set up.
func fresh(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, chip: bustest.NewMCP23017(address, idle), now: 100 * ms}
	e, err := New(r.chip, r, Options{Name: "left", Address: address, Pins: wiring(), Lateness: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r.Expander = e
	return r
}

// running returns a chip with its outputs asked for and its inputs watched.
func running(t *testing.T) (r *rig, drive, twin, light bus.Output) {
	t.Helper()
	r = fresh(t)
	drive, twin, light = r.output("c1a.drive"), r.output("c1b.drive"), r.output("lamp")
	if err := r.Watch([]string{"button", "limit", "other"}, r); err != nil {
		t.Fatal(err)
	}
	r.work()
	if err := r.Begin(); err != nil {
		t.Fatal(err)
	}
	return r, drive, twin, light
}

func (r *rig) output(line string) bus.Output {
	r.t.Helper()
	out, err := r.Output(line, false)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// answer is what a command was answered.
type answer struct {
	mono  int64
	err   error
	times int
}

func (a *answer) take(mono int64, err error) { a.mono, a.err, a.times = mono, err, a.times+1 }

// opened tells whether a relay's pin was ever at the level that opens.
func opened(trace []bustest.Change, pin int) bool {
	return slices.Contains(trace, bustest.Change{Pin: pin, Level: false})
}
