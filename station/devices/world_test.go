package devices

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
	"scentpost/drivers/shutter"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

const ms = int64(time.Millisecond)

// world is a clock, a bus and a sink on one goroutine: six positions of canisters, beams, two buttons and a light.
type world struct {
	t   *testing.T
	now int64
	due []*due
	n   int

	levels   map[string]bool
	sink     bus.Sink
	outputs  map[string]*output
	seq      uint64
	lateness time.Duration
	mute     bool  // the source tells no marks
	lag      int64 // a command of a canister is done so long after its instant
	asked    []string

	station *Station
	events  []event.Event
	marks   []int64
	lines   []string                // what was driven, when
	onEvent func(e event.Event)     // the host's answer, from within the sink
	travel  func(line string) int64 // of a shutter; negative: it jams
	refuse  func(line string) error // what a drive says to a command

	conditions []string
	held       map[string]bool
	away       map[string]error // lines that are not there
}

type due struct {
	at int64
	n  int
	f  func()
}

func newWorld(t *testing.T) *world {
	return &world{t: t, levels: map[string]bool{}, outputs: map[string]*output{},
		travel: func(string) int64 { return 300 * ms }, refuse: func(string) error { return nil }}
}

func (w *world) Now() event.Stamp {
	return event.Stamp{Boot: "b", Mono: w.now, UTC: 1000 + w.now, Quality: event.Simulated}
}

func (w *world) At(mono int64, f func()) func() {
	w.n++
	d := &due{at: mono, n: w.n, f: f}
	w.due = append(w.due, d)
	return func() { d.f = nil }
}

// until runs the world up to and including the instant.
func (w *world) until(at int64) {
	for {
		var next *due
		for _, d := range w.due {
			if d.at <= at && (next == nil || d.at < next.at || d.at == next.at && d.n < next.n) {
				next = d
			}
		}
		if next == nil {
			break
		}
		w.due = slices.DeleteFunc(w.due, func(d *due) bool { return d == next })
		w.now = max(w.now, next.at)
		if next.f != nil {
			next.f()
		}
	}
	w.now = at
}

// mark tells that no edge before the present instant will come.
func (w *world) mark() {
	if !w.mute {
		w.sink.Watermark(bus.Watermark{Source: "gpio", Mono: w.now})
	}
}

// edge changes an input, now.
func (w *world) edge(line string, level bool) {
	w.seq++
	w.levels[line] = level
	w.sink.Edge(bus.Edge{Line: line, Level: level, Mono: w.now, Bound: 7, Source: "gpio", Seq: w.seq})
}

// pulse bounces a line to level, at the instant at.
func (w *world) pulse(at int64, line string, level bool) {
	for i, l := range []bool{level, !level, level, !level, level} {
		w.At(at+int64(i)*ms, func() { w.edge(line, l) })
	}
}

func (w *world) Watch(lines []string, sink bus.Sink) error {
	w.asked = append(w.asked, "watch")
	w.sink = sink
	return nil
}

func (w *world) Level(line string) (bool, error) { return w.levels[line], w.away[line] }

func (w *world) Sources() map[string]time.Duration {
	return map[string]time.Duration{"gpio": w.lateness}
}

func (w *world) Close() error { return nil }

func (w *world) Output(line string, safe bool) (bus.Output, error) {
	if strings.HasPrefix(line, "absent") {
		return nil, bus.ErrUnknownLine
	}
	w.asked = append(w.asked, fmt.Sprintf("output %s %v", line, safe))
	o := &output{world: w, line: line}
	w.outputs[line] = o
	return o, nil
}

// output is a drive, and the shutter behind it.
type output struct {
	world   *world
	line    string
	level   bool
	command int // counts sets
	motion  int // counts changes of the drive
	pending func(int64, error)
	slow    int64 // how long a way to the safe level takes
	longest time.Duration
}

func (o *output) Set(level bool, at int64, longest time.Duration, done func(int64, error)) {
	w := o.world
	if done == nil {
		done = func(int64, error) {}
	}
	if o.pending != nil {
		o.pending(0, bus.ErrReplaced)
		o.pending = nil
	}
	if err := errors.Join(w.refuse(o.line), w.away[o.line]); err != nil {
		done(0, err)
		return
	}
	o.command++
	o.longest = longest
	command := o.command
	drive := func() {
		if o.command != command {
			return
		}
		o.pending = nil
		o.drive(level)
		done(w.now, nil)
	}
	if !level {
		at = w.now + o.slow
	}
	if w.lag > 0 && strings.HasSuffix(o.line, ".drive") {
		due := max(at, w.now)
		at = due + w.lag
		for _, by := range []int64{200 * ms, w.lag} { // at a mark, and before it is done
			w.At(due+by, func() { w.sink.(bus.LagSink).Lag(bus.Lag{Line: o.line, By: time.Duration(by)}) })
		}
	}
	if at <= w.now {
		drive()
		return
	}
	o.pending = done
	w.At(at, drive)
}

func (o *output) drive(level bool) {
	w := o.world
	if o.level == level {
		return
	}
	o.level = level
	o.motion++
	w.lines = append(w.lines, fmt.Sprintf("%d %s %v", w.now/ms, o.line, level))
	from, to := ".closed", ".opened"
	if !level {
		from, to = to, from
	}
	canister := strings.TrimSuffix(o.line, ".drive")
	travel, motion := w.travel(canister), o.motion
	move := func(line string, level bool) func() {
		return func() {
			if o.motion == motion && w.levels[line] != level {
				w.edge(line, level)
			}
		}
	}
	if travel < 0 || !strings.HasSuffix(o.line, ".drive") {
		return
	}
	w.At(w.now+10*ms, move(canister+from, false))
	w.At(w.now+travel, move(canister+to, true))
}

// Event and Watermark are the host's side.
func (w *world) Event(e event.Event) {
	w.events = append(w.events, e)
	if w.onEvent != nil {
		w.onEvent(e)
	}
}

func (w *world) Watermark(_ string, mono int64) { w.marks = append(w.marks, mono) }

// made is a device of a type of the catalogue, with settings besides the defaults: each a name and a text. What it may not lack
// is out of the nose's reach.
func made(typ string, d config.Device, settings ...string) config.Device {
	var known bool
	if d.Type, known = catalog.Find(typ); !known {
		panic("no type " + typ)
	}
	given := map[string]string{}
	if d.Type.Class == templates.Canister {
		given[templates.SettingPinch] = "out-of-reach"
	}
	for i := 0; i < len(settings); i += 2 {
		given[settings[i]] = settings[i+1]
	}
	var problems map[string]error
	if d.Values, problems = d.Type.Check(given); problems != nil {
		panic(fmt.Sprint(typ, problems))
	}
	return d
}

// layout is the configuration of the world.
func layout() config.Config {
	var cfg config.Config
	add := func(d config.Device) { cfg.Devices = append(cfg.Devices, d) }
	for p := 1; p <= 6; p++ {
		add(made("beam", config.Device{Name: fmt.Sprint("beam-", p), Position: p, Lines: map[string]string{templates.RoleLine: fmt.Sprint("beam", p)}}))
	}
	for p := 6; p >= 1; p-- { // from the last: the order in which they move is not the file's
		for _, letter := range []string{"B", "A"} {
			id := fmt.Sprint(p, letter)
			add(made("shutter", config.Device{Name: "canister-" + id, Position: p, Canister: id, Lines: map[string]string{
				shutter.Drive: id + ".drive", shutter.Opened: id + ".opened", shutter.Closed: id + ".closed"}}))
		}
	}
	add(made("button", config.Device{Name: "call", Lines: map[string]string{templates.RoleLine: "call"}}, "role", "alert"))
	add(made("button", config.Device{Name: "stop", Lines: map[string]string{templates.RoleLine: "stop"}}, "role", "e-stop"))
	add(made("light", config.Device{Name: "ready", Lines: map[string]string{templates.RoleLine: "lamp"}}))
	return cfg
}

// opened returns a world with a station at work, every canister closed, marks every 20 ms.
func opened(t *testing.T, before func(w *world)) *world {
	t.Helper()
	w := newWorld(t)
	for p := 1; p <= 6; p++ {
		w.levels[fmt.Sprint(p, "A.closed")], w.levels[fmt.Sprint(p, "B.closed")] = true, true
	}
	if before != nil {
		before(w)
	}
	s, err := Open(layout(), w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.station = s
	var tick func()
	tick = func() { w.mark(); w.At(w.now+20*ms, tick) }
	w.At(w.now+20*ms, tick)
	return w
}

// run are the moves of one run: the canister of a letter at each position.
func run(letters string) []event.Move {
	var moves []event.Move
	for i, l := range letters {
		moves = append(moves, event.Move{Position: i + 1, Canister: fmt.Sprint(i+1, string(l)), Open: true})
	}
	return moves
}

// seen returns the events but raw edges, as text.
func (w *world) seen() []string {
	var out []string
	for _, e := range w.events {
		at := e.At.Mono / ms
		switch b := e.Body.(type) {
		case *event.Beam:
			out = append(out, fmt.Sprintf("%d %s %d", at, e.Type, b.Position))
		case *event.Press:
			out = append(out, fmt.Sprintf("%d %s %s %d", at, e.By, b.Role, b.HeldMS))
		case *event.Handling:
			m := e.Secret.(*event.Moves)
			out = append(out, strings.TrimSpace(fmt.Sprintf("%d %d:%s open=%v %d %d %s", at, b.Position, m.Canister, m.Open, m.Commanded/ms, m.Confirmed/ms, m.Fault)))
		}
	}
	w.events = nil
	return out
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

var errJam = errors.New("drive burnt")
