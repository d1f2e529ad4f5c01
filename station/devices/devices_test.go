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
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

func TestOutputsAreSafeBeforeAnythingElse(t *testing.T) {
	w := opened(t, func(w *world) { w.levels["3A.closed"] = false; w.levels["3A.opened"] = true })
	watch := slices.Index(w.asked, "watch")
	if watch != 13 {
		t.Errorf("asked in the order %v; want the 13 outputs, then the inputs", w.asked)
	}
	for _, a := range w.asked[:watch] {
		if !strings.HasPrefix(a, "output") || !strings.HasSuffix(a, "false") {
			t.Errorf("%q before the inputs", a)
		}
	}
	w.until(2000 * ms)
	expect(t, "a canister that stood open and does not close", w.seen(), []string{"0 3:3A open=false 0 0 " + shutter.FaultNotClosed})
}

func TestANoseIsStampedWithItsFirstEdge(t *testing.T) {
	w := opened(t, nil)
	w.pulse(1000*ms, "beam3", true)
	w.pulse(1500*ms, "beam3", false)
	w.At(2000*ms, func() { w.edge("beam4", true) }) // a whisker
	w.At(2010*ms, func() { w.edge("beam4", false) })
	w.until(1023 * ms)
	expect(t, "before the line stood still", w.seen(), nil)
	w.until(3000 * ms)
	for _, e := range w.events {
		if e.By != "beam-3" && e.By != "beam-4" || e.At.Bound != 7 || e.At.Boot != "b" || e.At.UTC != 1000+e.At.Mono || e.Secret != nil {
			t.Errorf("event %+v: wrong device or stamp", e)
		}
	}
	expect(t, "bounces", w.seen(), []string{"1000 beam.entered 3", "1500 beam.left 3"})
}

func TestRawEdgesAreOfPublicLinesAlone(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("ABABAB"))
	w.pulse(200*ms, "beam1", true)
	w.pulse(300*ms, "call", true)
	w.until(1000 * ms)
	edges := map[string]int{}
	for _, e := range w.events {
		if b, ok := e.Body.(*event.RawEdge); ok {
			edges[b.Device]++
		}
	}
	if len(edges) != 2 || edges["beam-1"] != 5 || edges["call"] != 5 {
		t.Errorf("raw edges %v, want 5 of beam-1 and 5 of call", edges)
	}
}

func TestPresses(t *testing.T) {
	w := opened(t, nil)
	w.pulse(1000*ms, "call", true)
	w.pulse(1250*ms, "call", false)
	w.pulse(2000*ms, "call", true)
	w.pulse(4000*ms, "call", false)
	w.pulse(5000*ms, "call", true)
	w.pulse(15000*ms, "call", false)
	w.until(9999 * ms)
	expect(t, "short and long", w.seen(), []string{"1000 call alert 250", "2000 call alert 2000"})
	w.until(20000 * ms)
	expect(t, "held for ever", w.seen(), []string{"5000 call stuck 5000"})
}

func TestMarksWaitForWhatMayYetCome(t *testing.T) {
	w := opened(t, nil)
	last := func() int64 { return w.marks[len(w.marks)-1] / ms }
	w.until(990 * ms)
	if last() != 980 {
		t.Errorf("mark at %d, want 980", last())
	}
	w.pulse(1001*ms, "beam2", true)
	w.until(1020 * ms)
	if got := w.marks[len(w.marks)-1]; got != 1001*ms-1 {
		t.Errorf("with a nose in flight from 1001 ms the mark is %d, want just below", got)
	}
	w.until(1040 * ms)
	expect(t, "settled", w.seen(), []string{"1001 beam.entered 2"})
	if last() != 1040 {
		t.Errorf("mark at %d, want 1040", last())
	}
	w.pulse(1101*ms, "call", true)
	w.until(3000 * ms)
	if got := w.marks[len(w.marks)-1]; got != 1101*ms-1 {
		t.Errorf("with a button held from 1101 ms the mark is %d, want just below", got)
	}
	w.pulse(3001*ms, "call", false)
	w.until(3100 * ms)
	if last() != 3100 || !slices.IsSorted(w.marks) {
		t.Errorf("last mark %d, want 3100, and all in order", last())
	}
}

// A fact must be there before the mark that passes its stamp.
func TestFactsComeBeforeTheirMark(t *testing.T) {
	w := opened(t, nil)
	w.onEvent = func(e event.Event) {
		if e.Type != event.CanisterMoved && len(w.marks) > 0 && e.At.Mono < w.marks[len(w.marks)-1] {
			t.Errorf("%s stamped %d after mark %d", e.Type, e.At.Mono, w.marks[len(w.marks)-1])
		}
	}
	for i := int64(0); i < 200; i++ {
		w.pulse((100+i*37)*ms, fmt.Sprint("beam", 1+i%6), i%2 == 0)
		w.pulse((100+i*53)*ms, "call", i%2 == 0)
	}
	w.until(20000 * ms)
	if n := len(w.seen()); n < 50 {
		t.Errorf("only %d facts", n)
	}
}

func TestASilentSourceIsWaitedForAsLongAsItMayBeLate(t *testing.T) {
	w := opened(t, func(w *world) { w.mute, w.lateness = true, 100*time.Millisecond })
	w.pulse(1000*ms, "beam1", true) // the last bounce at 1004, settled at 1024
	w.until(1123 * ms)
	expect(t, "before its lateness has run out", w.seen(), nil)
	w.until(1124 * ms)
	expect(t, "after it", w.seen(), []string{"1000 beam.entered 1"})
	if len(w.marks) != 0 {
		t.Errorf("marks %v of a source that gives none", w.marks)
	}
	if got := w.station.Sources()["gpio"]; got < 5*time.Second {
		t.Errorf("declared lateness %s; a press may come after 5 s", got)
	}
}

func TestAllMovesStartAtOneInstantInPositionOrder(t *testing.T) {
	for _, letters := range []string{"AAAAAA", "BABBAB"} {
		w := opened(t, func(w *world) { w.travel = func(line string) int64 { return 200*ms + 10*ms*int64(line[1]) } })
		moves := run(letters)
		slices.Reverse(moves)
		w.station.Move(500*ms, time.Minute, moves)
		w.until(499 * ms)
		if len(w.lines) != 0 {
			t.Errorf("%s: driven before its time: %v", letters, w.lines)
		}
		w.until(5000 * ms)
		var want []string
		for i, l := range letters {
			want = append(want, fmt.Sprintf("500 %d%c.drive true", i+1, l))
		}
		expect(t, letters, w.lines, want)
		if got := w.seen(); len(got) != 6 {
			t.Errorf("%s: reports %v, want one a position", letters, got)
		}
	}
}

// Whatever a canister holds it is handled alike: but for the letters, two placements give the same commands,
// at the same times, with the same limits.
func TestPlacementsAreHandledAlike(t *testing.T) {
	trace := func(letters string) []string {
		w := opened(t, nil)
		w.station.Move(500*ms, time.Minute, run(letters))
		w.until(3000 * ms)
		for line, o := range w.outputs {
			if o.level && o.longest != time.Minute {
				t.Errorf("%s opens for %s", line, o.longest)
			}
		}
		w.station.CloseAll()
		w.until(5000 * ms)
		out := slices.Concat(w.lines, w.seen())
		for i := range out {
			out[i] = strings.NewReplacer("A", "x", "B", "x").Replace(out[i])
		}
		return out
	}
	first, second := trace("AAAAAA"), trace("BABABB")
	expect(t, "the same but for the letters", second, first)
	if len(first) != 24 {
		t.Errorf("%d lines and reports, want 24: %v", len(first), first)
	}
}

// What may be read of a report without its secret does not tell which canister it was, nor when it arrived.
func TestAReportTellsItsPositionAlone(t *testing.T) {
	public := func(letters string) []string {
		w := opened(t, func(w *world) { w.travel = func(line string) int64 { return 200*ms + 10*ms*int64(line[1]) } })
		w.station.Move(500*ms, time.Minute, run(letters))
		w.until(3000 * ms)
		var out []string
		for _, e := range w.events {
			e.Secret = nil
			out = append(out, fmt.Sprintf("%+v %+v", e, e.Body))
		}
		for i := range out {
			out[i] = out[i][:strings.Index(out[i], "Body:0x")] + out[i][strings.LastIndex(out[i], "&"):]
		}
		slices.Sort(out) // when they come is the host's to hide
		return out
	}
	expect(t, "public side", public("BBABAB"), public("AAAAAA"))
}

func TestMoveFaults(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *world)
		moves  []event.Move
		want   []string
	}{
		"jammed":    {func(w *world) { w.travel = func(string) int64 { return -1 } }, run("A"), []string{"100 1:1A open=true 100 0 " + shutter.FaultNotOpened}},
		"too slow":  {func(w *world) { w.travel = func(string) int64 { return 900 * ms } }, run("A"), []string{"100 1:1A open=true 100 0 " + shutter.FaultNotOpened}},
		"in time":   {func(w *world) { w.travel = func(string) int64 { return 790 * ms } }, run("A"), []string{"100 1:1A open=true 100 890"}},
		"no drive":  {func(w *world) { w.refuse = func(string) error { return errJam } }, run("A"), []string{"100 1:1A open=true 0 0 drive burnt"}},
		"unknown":   {nil, []event.Move{{Position: 1, Canister: "1Z", Open: true}}, []string{"100 1:1Z open=true 0 0 " + FaultUnknown}},
		"elsewhere": {nil, []event.Move{{Position: 2, Canister: "1A", Open: true}}, []string{"100 2:1A open=true 0 0 " + FaultUnknown}},
	} {
		w := opened(t, c.before)
		w.station.Move(100*ms, time.Minute, c.moves)
		w.until(2000 * ms)
		expect(t, name, w.seen(), c.want)
	}
}

func TestALostLimitSwitchIsAFault(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	expect(t, "opened", w.seen(), []string{"100 1:1A open=true 100 400"})
	w.At(1100*ms, func() { w.edge("1A.opened", false) }) // a shake
	w.At(1110*ms, func() { w.edge("1A.opened", true) })
	w.At(2000*ms, func() { w.edge("1A.opened", false) })
	w.At(2500*ms, func() { w.edge("4B.closed", false) }) // one that nobody commanded
	w.until(3000 * ms)
	expect(t, "lost", w.seen(), []string{
		"100 1:1A open=true 100 0 " + shutter.FaultFell,
		"0 4:4B open=false 0 0 " + shutter.FaultRose,
	})
}

func TestTheEmergencyStopClosesBeforeAnybodyHears(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("AAAAAA"))
	w.until(1000 * ms)
	w.events, w.lines = nil, nil
	w.onEvent = func(e event.Event) {
		if p, ok := e.Body.(*event.Press); ok && p.Role == event.ButtonEStop && len(w.lines) != 6 {
			t.Errorf("the stop is reported when %d of 6 drives are closed", len(w.lines))
		}
	}
	w.pulse(2000*ms, "stop", true)
	w.until(2000 * ms)
	var want []string
	for p := 1; p <= 6; p++ {
		want = append(want, fmt.Sprintf("2000 %dA.drive false", p))
	}
	expect(t, "at the first edge", w.lines, want)
	w.until(3000 * ms)
	if got := w.seen(); got[0] != "2000 stop e-stop 0" || len(got) != 7 {
		t.Errorf("reports %v, want the stop once and six closings", got)
	}

	w.station.Move(3100*ms, time.Minute, run("A"))
	w.until(4000 * ms)
	expect(t, "while it is held", w.seen(), []string{"3100 1:1A open=true 0 0 " + FaultStopped})
	w.pulse(4000*ms, "stop", false)
	w.until(4100 * ms)
	w.station.Move(4200*ms, time.Minute, run("A"))
	w.until(5000 * ms)
	expect(t, "let go", w.seen(), []string{"4200 1:1A open=true 4200 4500"})
}

func TestAnEmergencyStopBeatsAPendingMove(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(1000*ms, time.Minute, run("AAAAAA"))
	w.pulse(500*ms, "stop", true)
	w.until(5000 * ms)
	if len(w.lines) != 0 {
		t.Errorf("driven after the stop: %v", w.lines)
	}
	got := w.seen()
	if !slices.Contains(got, "1000 3:3A open=true 0 0 "+shutter.FaultReplaced) || !slices.Contains(got, "500 3:3A open=false 500 500") {
		t.Errorf("reports %v, want the opening replaced and the closing confirmed", got)
	}
}

func TestAStopThatIsHeldAtTheStart(t *testing.T) {
	w := opened(t, func(w *world) { w.levels["stop"] = true })
	expect(t, "told at once", w.seen(), []string{"0 stop e-stop 0"})
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	expect(t, "and nothing opens", w.seen(), []string{"100 1:1A open=true 0 0 " + FaultStopped})
}

func TestTheDeadManNeedsNobody(t *testing.T) {
	w := opened(t, func(w *world) { w.mute = true }) // no host calls, and the source is silent too
	w.station.Move(100*ms, 10*time.Second, run("AB"))
	w.until(10099 * ms)
	w.seen()
	if len(w.lines) != 2 {
		t.Fatalf("driven %v", w.lines)
	}
	w.until(10100 * ms)
	expect(t, "closed", w.lines[2:], []string{"10100 1A.drive false", "10100 2B.drive false"})
	w.until(12000 * ms)
	expect(t, "and told", w.seen(), []string{
		"100 1:1A open=true 0 0 " + FaultLongest, "100 2:2B open=true 0 0 " + FaultLongest,
		"10100 1:1A open=false 10100 10400", "10100 2:2B open=false 10100 10400",
	})
}

// The canister that may stay open least decides for all, so that nobody learns which one it is.
func TestAllCloseWithTheShortest(t *testing.T) {
	cfg := layout()
	for i, d := range cfg.Devices {
		if d.Canister == "2B" {
			cfg.Devices[i].Values.Durations[templates.SettingLongest] = 30 * time.Second
		}
	}
	w := newWorld(t)
	s, err := Open(cfg, w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.station = s
	w.lines = nil
	s.Move(1000*ms, time.Minute, run("AB"))
	w.until(40000 * ms)
	expect(t, "all at once", w.lines, []string{"1000 1A.drive true", "1000 2B.drive true", "31000 1A.drive false", "31000 2B.drive false"})
}

func TestCloseAllDoesNoHarm(t *testing.T) {
	w := opened(t, nil)
	w.station.CloseAll()
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	for range 3 {
		w.station.CloseAll()
	}
	w.until(2000 * ms)
	w.station.CloseAll()
	w.until(3000 * ms)
	expect(t, "one report a move", w.seen(), []string{"100 1:1A open=true 100 400", "1000 1:1A open=false 1000 1300"})
	expect(t, "one change a move", w.lines, []string{"100 1A.drive true", "1000 1A.drive false"})
}

func TestAFailedClosingIsTriedAgain(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	w.refuse = func(string) error { return bus.ErrGone }
	w.station.CloseAll()
	w.until(2000 * ms)
	w.refuse = func(string) error { return nil }
	w.station.CloseAll()
	w.until(3000 * ms)
	expect(t, "reports", w.seen(), []string{
		"100 1:1A open=true 100 400",
		"1000 1:1A open=false 0 0 " + bus.ErrGone.Error(),
		"2000 1:1A open=false 2000 2300",
	})
}

func TestClosingMovesDoNotWait(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("AB"))
	w.until(1000 * ms)
	w.lines = nil
	w.station.Move(1<<50, 0, []event.Move{{Position: 2, Canister: "2B"}})
	w.until(1001 * ms)
	expect(t, "now", w.lines, []string{"1000 2B.drive false"})
}

// The host steps within the sink in a virtual world, and moves from there.
func TestTheSinkMayCommand(t *testing.T) {
	w := opened(t, nil)
	w.onEvent = func(e event.Event) {
		switch e.Type {
		case event.BeamEntered:
			w.station.Move(w.now+100*ms, time.Minute, run("A"))
		case event.BeamLeft:
			w.station.CloseAll()
		}
	}
	w.pulse(1000*ms, "beam1", true)
	w.pulse(3000*ms, "beam1", false)
	w.until(5000 * ms)
	if len(w.lines) != 2 {
		t.Errorf("driven %v, want opened and closed", w.lines)
	}
}

func TestLights(t *testing.T) {
	w := opened(t, nil)
	w.station.Light("ready", true, 0)
	w.station.Light("no such light", true, 0)
	expect(t, "on", w.lines, []string{"0 lamp true"})
	w.station.Light("ready", false, 0)
	w.station.Light("ready", true, time.Second)
	if got := w.outputs["lamp"].longest; got != time.Second {
		t.Errorf("on for %s, want 1s", got)
	}
}

func TestCloseLeavesEverythingSafeAndQuiet(t *testing.T) {
	w := opened(t, nil)
	w.station.Light("ready", true, 0)
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	w.events, w.lines, w.marks = nil, nil, nil
	if err := w.station.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, "closed and dark", w.lines, []string{"1000 1A.drive false", "1000 lamp false"})
	w.station.Move(1100*ms, time.Minute, run("A"))
	w.pulse(1200*ms, "beam1", true)
	w.until(9000 * ms)
	if len(w.events)+len(w.marks) != 0 || len(w.lines) != 2 {
		t.Errorf("after Close: events %v, marks %v, driven %v", w.events, w.marks, w.lines)
	}
}

func TestOpenNamesEveryDeviceThatFails(t *testing.T) {
	cfg := layout()
	cfg.Devices[0].Type.Part = nil
	cfg.Devices[1].Values.Durations["settle"] = time.Hour
	cfg.Devices[2].Type.Tells = templates.Content
	_, err := Open(cfg, newWorld(t), nil, nil)
	for _, want := range []string{"device beam-1: the station has no use for a beam", "device beam-2: beam: ", "device beam-3: tells content: what it gives would be public"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s in it", err, want)
		}
	}
	cfg = layout()
	cfg.Devices[6].Lines[shutter.Drive] = "absent-1"
	cfg.Devices[8].Lines[shutter.Opened] = cfg.Devices[7].Lines[shutter.Opened]
	w := newWorld(t)
	_, err = Open(cfg, w, w, w)
	if !errors.Is(err, bus.ErrUnknownLine) || !strings.Contains(err.Error(), "canister-6B") || !strings.Contains(err.Error(), "line of its own") {
		t.Errorf("error %v, want both lines", err)
	}
}

func TestEdgesThatComeWhileOpening(t *testing.T) {
	w := newWorld(t)
	cfg := config.Config{Devices: []config.Device{layout().Devices[0]}}
	s, err := Open(cfg, early{w}, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.station = s
	w.until(100 * ms)
	expect(t, "the edge after the level", w.seen(), []string{"0 beam.entered 1"})
}

// early is a bus that gives an edge and a mark before it is asked for the level.
type early struct{ *world }

func (e early) Watch(lines []string, sink bus.Sink) error {
	e.world.sink = sink
	e.edge("beam1", true)
	e.levels["beam1"] = false // as it was read before
	sink.Watermark(bus.Watermark{Source: "gpio", Mono: 5})
	return nil
}
