package bustest

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
)

var (
	_ bus.Bus = (*Recorder)(nil)
	_ bus.Bus = (*Player)(nil)
)

// hardware is a bus of one output and whatever inputs, which answers at once and gives what it is told to.
type hardware struct {
	sink    bus.Sink
	pending func(int64, error)
	fails   error
	levels  map[string]bool
}

func (h *hardware) Watch(_ []string, sink bus.Sink) error {
	h.sink = sink
	return h.fails
}

func (h *hardware) Output(line string, _ bool) (bus.Output, error) {
	if line == "nothing" {
		return nil, bus.ErrUnknownLine
	}
	return h, nil
}

func (h *hardware) Set(_ bool, at int64, _ time.Duration, done func(int64, error)) {
	if h.pending != nil {
		h.pending(0, bus.ErrReplaced)
	}
	h.pending = done
}

func (h *hardware) Level(line string) (bool, error) { return h.levels[line], nil }
func (h *hardware) Sources() map[string]time.Duration {
	return map[string]time.Duration{"chip": 20 * time.Millisecond}
}
func (h *hardware) Close() error { return nil }

// ear notes what it hears.
type ear struct{ heard []any }

func (e *ear) Edge(edge bus.Edge)        { e.heard = append(e.heard, edge) }
func (e *ear) Watermark(m bus.Watermark) { e.heard = append(e.heard, m) }

// session makes the same calls on any bus; flow lets the bus give what it has.
func session(t *testing.T, b bus.Bus, e *ear, flow func(step int)) {
	t.Helper()
	if _, err := b.Output("nothing", false); !errors.Is(err, bus.ErrUnknownLine) {
		t.Errorf("output of no line: %v", err)
	}
	out, err := b.Output("c1a.drive", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Watch([]string{"beam1", "c1a.opened"}, e); err != nil {
		t.Fatal(err)
	}
	if level, err := b.Level("beam1"); err != nil || !level {
		t.Errorf("level %v, %v", level, err)
	}
	flow(0)
	out.Set(true, 500, time.Second, func(mono int64, err error) { e.heard = append(e.heard, mono, err) })
	out.Set(true, 600, time.Second, func(mono int64, err error) { e.heard = append(e.heard, mono, err) })
	flow(1)
	out.Set(false, 0, 0, nil)
	flow(2)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// record plays a session on hardware and returns the recording and what was heard.
func record(t *testing.T) ([]byte, *ear) {
	t.Helper()
	var tape bytes.Buffer
	h, e := &hardware{levels: map[string]bool{"beam1": true}}, &ear{}
	r, err := NewRecorder(h, &tape)
	if err != nil {
		t.Fatal(err)
	}
	session(t, r, e, func(step int) {
		switch step {
		case 0:
			h.sink.Edge(bus.Edge{Line: "beam1", Level: false, Mono: 100, Bound: 3, Source: "chip", Seq: 1})
			h.sink.Watermark(bus.Watermark{Source: "chip", Mono: 101})
		case 1:
			h.pending(601, nil)
			h.pending = nil
			h.sink.Edge(bus.Edge{Line: "c1a.opened", Level: true, Mono: 700, Source: "chip", Seq: 2})
		}
	})
	return tape.Bytes(), e
}

func player(t *testing.T, tape []byte) *Player {
	t.Helper()
	entries, err := Read(bytes.NewReader(tape))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlayer(entries)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatWasRecordedIsPlayed(t *testing.T) {
	tape, want := record(t)
	p, got := player(t, tape), &ear{}
	if !maps.Equal(p.Sources(), (&hardware{}).Sources()) {
		t.Errorf("sources %v", p.Sources())
	}
	session(t, p, got, func(step int) {
		if err := p.Play(); !errors.Is(err, ErrWaiting) {
			t.Errorf("step %d: %v", step, err)
		}
	})
	if len(want.heard) < 6 || !slices.EqualFunc(got.heard, want.heard, func(a, b any) bool { return a == b }) {
		t.Errorf("heard\n%v\nwant\n%v", got.heard, want.heard)
	}
	if err := p.Play(); err != nil {
		t.Errorf("at its end: %v", err)
	}
}

// TestNothingComesBeforeItsCause: an edge that followed a move is not given before the move was commanded.
func TestNothingComesBeforeItsCause(t *testing.T) {
	tape, _ := record(t)
	p, e := player(t, tape), &ear{}
	if err := p.Play(); !errors.Is(err, ErrWaiting) || !strings.Contains(err.Error(), `"output"`) || len(e.heard) > 0 {
		t.Errorf("%v, heard %v", err, e.heard)
	}
}

func TestAnotherCallIsRefused(t *testing.T) {
	tape, _ := record(t)
	for name, call := range map[string]func(p *Player) error{
		"another line":   func(p *Player) error { _, err := p.Output("c1b.drive", false); return err },
		"another level":  func(p *Player) error { _, err := p.Output("nothing", true); return err },
		"another kind":   func(p *Player) error { _, err := p.Level("nothing"); return err },
		"watch too soon": func(p *Player) error { return p.Watch([]string{"beam1"}, &ear{}) },
		"closed":         func(p *Player) error { return p.Close() },
	} {
		p := player(t, tape)
		if err := call(p); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", name, err)
		}
		if err := p.Play(); !errors.Is(err, ErrOther) {
			t.Errorf("%s: then %v", name, err)
		}
	}
	short := player(t, []byte(`{"kind":"begin","format":1}`))
	if err := short.Close(); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), "none is left") {
		t.Errorf("%v", err)
	}
}

// TestAnotherSetIsRefused changes each part of a command, which is (true, 500, 1 s) in the recording.
func TestAnotherSetIsRefused(t *testing.T) {
	tape, _ := record(t)
	for _, c := range []struct {
		level   bool
		at      int64
		longest time.Duration
		refused bool
	}{{true, 500, time.Second, false}, {false, 500, time.Second, true}, {true, 501, time.Second, true}, {true, 500, time.Minute, true}} {
		p := player(t, tape)
		_, _ = p.Output("nothing", false)
		out, err := p.Output("c1a.drive", false)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Watch([]string{"c1a.opened", "beam1"}, &ear{}); err != nil { // in another order
			t.Fatal(err)
		}
		if _, err := p.Level("beam1"); err != nil {
			t.Fatal(err)
		}
		var answer error
		out.Set(c.level, c.at, c.longest, func(_ int64, err error) { answer = err })
		if errors.Is(answer, ErrOther) != c.refused {
			t.Errorf("%+v: %v", c, answer)
		}
	}
}

func TestClosedTooSoon(t *testing.T) {
	p := player(t, []byte(`{"kind":"begin","format":1}
{"kind":"watch","lines":["a"]}
{"kind":"edge","line":"a","mono":5}
{"kind":"close"}
`))
	if err := p.Watch([]string{"a"}, &ear{}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("%v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	const begin = `{"kind":"begin","format":1}` + "\n"
	for text, want := range map[string]string{
		"":                         "is empty",
		`{"kind":"mark"}`:          "line 1: kind \"mark\"",
		begin + begin:              "line 2: kind \"begin\"",
		`{"kind":"begin"}`:         "format 0",
		begin + `{"kind":"noise"}`: "line 2: kind \"noise\" is not known",
		begin + `{"kind":"edge"}`:  "without a line",
		begin + `{"kind":"edge","line":"a","colour":1}`:  "colour",
		begin + `{"kind":"mark"}{"kind":"mark"}`:         "more than one",
		begin + `{"kind":"mark"`:                         "line 2",
		begin + `{"kind":"done","number":1}`:             "not waiting",
		begin + `{"kind":"set","line":"a"}`:              "set number 0",
		begin + strings.Repeat("x", maxLine+1):           "after line 1",
		begin + `{"kind":"edge","line":"a","mono":1e99}`: "line 2",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	if _, err := NewPlayer(nil); err == nil {
		t.Error("an empty recording is played")
	}
}

// TestADiskThatIsFull: the bus goes on, the recording says that it is not whole.
func TestADiskThatIsFull(t *testing.T) {
	full, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0) // writing to it fails
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	if _, err := NewRecorder(&hardware{}, full); err == nil {
		t.Error("a recorder that cannot write begins")
	}
	r := &Recorder{to: &hardware{levels: map[string]bool{"a": true}}, out: full}
	if level, err := r.Level("a"); err != nil || !level {
		t.Errorf("the bus does not go on: %v, %v", level, err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "recording") {
		t.Errorf("%v", err)
	}
}

func TestAWatchThatFails(t *testing.T) {
	var tape bytes.Buffer
	r, err := NewRecorder(&hardware{fails: bus.ErrGone}, &tape)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Watch(nil, &ear{}); !errors.Is(err, bus.ErrGone) {
		t.Error(err)
	}
	if err := r.Close(); !errors.Is(err, bus.ErrGone) {
		t.Errorf("the recording says that it is whole: %v", err)
	}
}

// TestEveryEntrySurvives: what is written is what is read.
func TestEveryEntrySurvives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := []Entry{{Kind: Begin, Format: Format, Sources: map[string]time.Duration{"s": 5}}}
		for i := range rapid.IntRange(0, 20).Draw(rt, "entries") {
			e := Entry{Kind: rapid.SampledFrom([]Kind{Watch, Output, Level, Set, Close, Edge, Mark}).Draw(rt, "kind")}
			switch e.Kind {
			case Output, Level, Edge:
				e.Line, e.Level = rapid.StringN(1, 9, 20).Draw(rt, "line"), rapid.Bool().Draw(rt, "level")
				e.Mono, e.Seq = rapid.Int64().Draw(rt, "mono"), rapid.Uint64().Draw(rt, "seq")
			case Set:
				e.Number, e.At, e.Longest = i+1, rapid.Int64().Draw(rt, "at"), time.Duration(rapid.Int64().Draw(rt, "longest"))
			}
			want = append(want, e)
		}
		var tape strings.Builder
		for _, e := range want {
			tape.WriteString(e.String() + "\n")
		}
		got, err := Read(strings.NewReader(tape.String()))
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%v of\n%s", err, tape.String())
		}
		for i := range got {
			if got[i].String() != want[i].String() {
				rt.Fatalf("%s, want %s", got[i], want[i])
			}
		}
	})
}

// FuzzRead: whatever was read can be played to its end without a panic, by who makes the calls that it asks for.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"kind":"begin","format":1,"sources":{"chip":20}}
{"kind":"output","line":"a"}
{"kind":"watch","lines":["b"]}
{"kind":"set","line":"a","level":true,"number":1}
{"kind":"edge","line":"b","mono":7,"source":"chip","seq":1}
{"kind":"done","number":1,"mono":9,"err":"replaced"}
{"kind":"close"}`))
	f.Add([]byte(`{"kind":"begin","format":2}`))
	f.Fuzz(func(t *testing.T, tape []byte) {
		entries, err := Read(bytes.NewReader(tape))
		if err != nil {
			return
		}
		p, err := NewPlayer(entries)
		if err != nil {
			t.Fatal(err)
		}
		outs := map[string]bus.Output{}
		for _, e := range entries {
			switch e.Kind {
			case Watch:
				_ = p.Watch(e.Lines, &ear{})
			case Output:
				if out, err := p.Output(e.Line, e.Level); err == nil {
					outs[e.Line] = out
				}
			case Level:
				_, _ = p.Level(e.Line)
			case Set:
				if out := outs[e.Line]; out != nil {
					out.Set(e.Level, e.At, e.Longest, func(int64, error) {})
				}
			}
			_ = p.Play()
		}
	})
}
