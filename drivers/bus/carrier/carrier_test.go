package carrier

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

// part is a bus that keeps what it is asked.
type part struct {
	source string
	late   time.Duration
	refuse error
	asked  []string
	sink   bus.Sink
	end    *[]string
}

func (p *part) ask(format string, args ...any) {
	p.asked = append(p.asked, fmt.Sprintf(format, args...))
}

func (p *part) Watch(lines []string, sink bus.Sink) error {
	p.ask("watch %v", lines)
	p.sink = sink
	return p.refuse
}

func (p *part) Output(line string, safe bool) (bus.Output, error) {
	p.ask("output %s %t", line, safe)
	return &out{p, line}, p.refuse
}

func (p *part) Level(line string) (bool, error) {
	p.ask("level %s", line)
	return true, p.refuse
}

func (p *part) Sources() map[string]time.Duration {
	return map[string]time.Duration{p.source: p.late}
}

func (p *part) Close() error {
	*p.end = append(*p.end, p.source)
	return p.refuse
}

type out struct {
	of   *part
	line string
}

func (o *out) Set(level bool, _ int64, _ time.Duration, _ func(int64, error)) {
	o.of.ask("set %s %t", o.line, level)
}

// ear is a sink that wants to hear of everything.
type ear struct{ text []string }

func (e *ear) Edge(x bus.Edge)           { e.add("edge %s %s %d", x.Line, x.Source, x.Seq) }
func (e *ear) Watermark(w bus.Watermark) { e.add("mark %s %d", w.Source, w.Mono) }
func (e *ear) Gap(g bus.Gap)             { e.add("gap %v", g.Lines) }
func (e *ear) Presence(p bus.Presence) {
	e.add("here %q %v %t %v", p.Carrier, p.Lines, p.Here, p.Levels)
}

func (e *ear) Fall(f bus.Fall)                { e.add("fell %s", f.Line) }
func (e *ear) Lag(l bus.Lag)                  { e.add("late %s %s", l.Line, l.By) }
func (e *ear) add(format string, args ...any) { e.text = append(e.text, fmt.Sprintf(format, args...)) }

// deaf is a sink that wants edges and marks alone.
type deaf struct{ ear *ear }

func (d deaf) Edge(x bus.Edge)           { d.ear.Edge(x) }
func (d deaf) Watermark(w bus.Watermark) { d.ear.Watermark(w) }

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

type rig struct {
	own, exp, nano *part
	ended          []string
	rang           []string
	joined         *Joined
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{}
	r.own = &part{source: "gpio", late: time.Millisecond, end: &r.ended}
	r.exp = &part{source: "exp-1", late: time.Second, end: &r.ended}
	r.nano = &part{source: "nano-1", late: time.Minute, end: &r.ended}
	j, err := Join(r.own, Carrier{Name: "nano-1", Bus: r.nano}, Carrier{Name: "exp-1", Bus: r.exp, Interrupt: "GPIO4",
		Interrupted: func(mono, bound int64) { r.rang = append(r.rang, fmt.Sprint(mono, bound)) }})
	if err != nil {
		t.Fatal(err)
	}
	r.joined = j
	return r
}

func TestLinesGoToWhoeverHasThem(t *testing.T) {
	r := newRig(t)
	for _, line := range []string{"exp-1:A0", "pinctrl:GPIO17", "GPIO17", "exp-1", "nano-1:D4", "exp-12:A0"} {
		o, err := r.joined.Output(line, false)
		if err != nil {
			t.Fatal(err)
		}
		o.Set(true, 0, 0, nil)
	}
	if _, err := r.joined.Level("exp-1:B7"); err != nil {
		t.Fatal(err)
	}
	want(t, "the expander", r.exp.asked, "output A0 false", "set A0 true", "level B7")
	want(t, "the board", r.nano.asked, "output D4 false", "set D4 true")
	want(t, "the machine", r.own.asked, "output pinctrl:GPIO17 false", "set pinctrl:GPIO17 true", "output GPIO17 false",
		"set GPIO17 true", "output exp-1 false", "set exp-1 true", "output exp-12:A0 false", "set exp-12:A0 true")
}

func TestWhatEachTellsComesTogether(t *testing.T) {
	r, e := newRig(t), &ear{}
	if err := r.joined.Watch([]string{"exp-1:A0", "GPIO17", "exp-1:A1"}, e); err != nil {
		t.Fatal(err)
	}
	want(t, "the expander", r.exp.asked, "watch [A0 A1]")
	want(t, "the board, which has none", r.nano.asked, "watch []")
	want(t, "the machine, with the line that interrupts", r.own.asked, "watch [GPIO17 GPIO4]")
	r.exp.sink.Edge(bus.Edge{Line: "A0", Source: "exp-1", Seq: 4})
	r.own.sink.Edge(bus.Edge{Line: "GPIO17", Source: "gpio", Seq: 9})
	r.nano.sink.Watermark(bus.Watermark{Source: "nano-1", Mono: 5})
	r.exp.sink.(bus.GapSink).Gap(bus.Gap{Lines: []string{"A0", "A1"}})
	r.own.sink.(bus.GapSink).Gap(bus.Gap{Lines: []string{"GPIO17"}})
	r.nano.sink.(bus.PresenceSink).Presence(bus.Presence{Lines: []string{"D4"}, Levels: map[string]bool{"D4": true}})
	r.own.sink.(bus.PresenceSink).Presence(bus.Presence{Lines: []string{"GPIO17"}, Here: true})
	r.nano.sink.(bus.FallSink).Fall(bus.Fall{Line: "D4"})
	r.own.sink.(bus.LagSink).Lag(bus.Lag{Line: "GPIO17", By: time.Second})
	r.nano.sink.(bus.LagSink).Lag(bus.Lag{Line: "D4", By: time.Minute})
	want(t, "heard", e.text, "edge exp-1:A0 exp-1 4", "edge GPIO17 gpio 9", "mark nano-1 5", "gap [exp-1:A0 exp-1:A1]",
		"gap [GPIO17]", `here "nano-1" [nano-1:D4] false map[nano-1:D4:true]`, `here "" [GPIO17] true map[]`, "fell nano-1:D4", "late GPIO17 1s", "late nano-1:D4 1m0s")
}

func TestASinkIsToldWhatItWantsAlone(t *testing.T) {
	r, e := newRig(t), &ear{}
	if err := r.joined.Watch(nil, deaf{e}); err != nil {
		t.Fatal(err)
	}
	r.exp.sink.(bus.GapSink).Gap(bus.Gap{})
	r.exp.sink.(bus.PresenceSink).Presence(bus.Presence{})
	r.exp.sink.(bus.FallSink).Fall(bus.Fall{})
	r.exp.sink.(bus.LagSink).Lag(bus.Lag{})
	r.exp.sink.Watermark(bus.Watermark{Source: "exp-1"})
	want(t, "heard", e.text, "mark exp-1 0")
}

// TestAnInterruptRings: with the stamp of its edge, when the line becomes active; and its edge counts like every other.
func TestAnInterruptRings(t *testing.T) {
	r, e := newRig(t), &ear{}
	if err := r.joined.Watch(nil, e); err != nil {
		t.Fatal(err)
	}
	r.own.sink.Edge(bus.Edge{Line: "GPIO4", Level: true, Mono: 70, Bound: 3, Source: "gpio", Seq: 1})
	r.own.sink.Edge(bus.Edge{Line: "GPIO4", Mono: 80, Bound: 3, Source: "gpio", Seq: 2})
	r.own.sink.Edge(bus.Edge{Line: "GPIO17", Level: true, Source: "gpio", Seq: 3})
	want(t, "rang", r.rang, "70 3")
	want(t, "heard", e.text, "edge GPIO4 gpio 1", "edge GPIO4 gpio 2", "edge GPIO17 gpio 3")
}

func TestSourcesOfAll(t *testing.T) {
	r := newRig(t)
	got := r.joined.Sources()
	if len(got) != 3 || got["gpio"] != time.Millisecond || got["exp-1"] != time.Second || got["nano-1"] != time.Minute {
		t.Errorf("%v", got)
	}
	got["gpio"] = time.Hour
	if r.joined.Sources()["gpio"] != time.Millisecond {
		t.Error("the caller's copy is the bus's own")
	}
}

// TestEachIsClosed: the machine's own lines last, and each whatever another one says.
func TestEachIsClosed(t *testing.T) {
	r := newRig(t)
	r.exp.refuse = errors.New("wires hang")
	if err := r.joined.Close(); err == nil || err.Error() != "carrier exp-1: wires hang" {
		t.Errorf("%v", err)
	}
	want(t, "closed", r.ended, "exp-1", "nano-1", "gpio")
}

func TestErrorsNameTheCarrier(t *testing.T) {
	r := newRig(t)
	r.exp.refuse = bus.ErrUnknownLine
	_, output := r.joined.Output("exp-1:C9", false)
	_, level := r.joined.Level("exp-1:C9")
	for _, err := range []error{output, level, r.joined.Watch([]string{"exp-1:C9"}, &ear{})} {
		if !errors.Is(err, bus.ErrUnknownLine) || !strings.HasPrefix(err.Error(), "carrier exp-1: ") {
			t.Errorf("%v", err)
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	r := newRig(t)
	for want, carriers := range map[string][]Carrier{
		"taken by another":  {{Name: "exp-1", Bus: r.exp}, {Name: "exp-1", Bus: r.nano}},
		"another name":      {{Name: "other", Bus: &part{source: "gpio"}}},
		"without a colon":   {{Name: "a:b", Bus: r.exp}},
		`carrier "": a nam`: {{Bus: r.exp}},
	} {
		if _, err := Join(r.own, carriers...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// machine is a part that has wires.
type machine struct{ *part }

func (machine) Wires(name string) (bus.Wires, error) { return nil, errors.New("asked for " + name) }

func TestWiresAreTheMachines(t *testing.T) {
	r := newRig(t)
	if _, err := r.joined.Wires("i2c-1"); err == nil || !strings.Contains(err.Error(), "no I2C buses") {
		t.Errorf("%v", err)
	}
	j, err := Join(machine{r.own})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Wires("i2c-1"); err == nil || err.Error() != "asked for i2c-1" {
		t.Errorf("%v", err)
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string]string{"exp-1:A0": "exp-1 A0 true", "chip:A0": "chip A0 false", "A0": "A0  false", "exp-1:a:b": "exp-1 a:b true"} {
		carrier, pin, ok := Split(line, func(name string) bool { return name == "exp-1" })
		if got := fmt.Sprint(carrier, " ", pin, " ", ok); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
