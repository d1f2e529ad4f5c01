package devices

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/drivers/bus"
	"scentpost/drivers/shutter"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/templates"
)

// lose takes lines away, as a bus tells it: a chip that is gone.
func (w *world) lose(lines ...string) {
	why := fmt.Errorf("chip: %w", bus.ErrGone)
	for _, line := range lines {
		w.absent(line, why)
		if o := w.outputs[line]; o != nil { // its pull closes it
			o.command++
			o.drive(false)
			if o.pending != nil {
				o.pending(0, why)
				o.pending = nil
			}
		}
	}
	w.sink.(bus.PresenceSink).Presence(bus.Presence{Lines: lines, Mono: w.now, Why: why})
}

func (w *world) absent(line string, why error) {
	if w.away == nil {
		w.away = map[string]error{}
	}
	w.away[line] = why
}

// find brings lines back, at the levels that they have.
func (w *world) find(lines ...string) {
	p := bus.Presence{Lines: lines, Mono: w.now, Here: true, Levels: map[string]bool{}}
	for _, line := range lines {
		delete(w.away, line)
		if w.outputs[line] == nil {
			p.Levels[line] = w.levels[line]
		}
	}
	w.sink.(bus.PresenceSink).Presence(p)
}

// voids are the voids so far.
func (w *world) voids() int {
	n := 0
	for _, e := range w.events {
		if e.Type == event.RunVoided {
			n++
		}
	}
	return n
}

// names are those of devices.
func names(all []Presence) []string {
	var out []string
	for _, p := range all {
		out = append(out, p.Device)
	}
	return out
}

// TestAStationStartsWithoutWhatIsAbsent: what is there works, each absent device is named with what was seen, and it is
// said which sessions can be held.
func TestAStationStartsWithoutWhatIsAbsent(t *testing.T) {
	w := opened(t, func(w *world) {
		for _, line := range []string{"beam3", "5B.opened"} {
			w.absent(line, fmt.Errorf("level of %s: %w", line, bus.ErrGone))
		}
	})
	w.absent("5A.drive", bus.ErrGone)
	w.lose("5A.drive", "lamp") // outputs are told when the watch begins
	expect(t, "named", w.heard(), []string{
		"0 device-absent beam-3 true beam3: level of beam3: bus is away",
		"0 device-absent canister-5B true 5B.opened: level of 5B.opened: bus is away",
		"0 device-absent canister-5A true 5A.drive: chip: bus is away; unknown: the level of 5A.drive",
		"0 device-absent ready true lamp: chip: bus is away; unknown: the level of lamp"})
	s := w.station
	for n, want := range map[int][]string{1: nil, 2: nil, 3: {"beam-3"}, 4: {"beam-3"}, 5: {"beam-3", "canister-5B", "canister-5A"}, 6: {"beam-3", "canister-5B", "canister-5A"}} {
		if got := names(s.Absent(n)); !slices.Equal(got, want) {
			t.Errorf("a session of %d positions misses %v, want %v", n, got, want)
		}
	}
	if got := s.Serves(6); got != 2 {
		t.Errorf("it serves %d positions, want 2", got)
	}
	if w.voids() > 0 {
		t.Error("a station that starts has lost nothing")
	}
	w.lines = nil
	s.Move(500*ms, time.Minute, run("AAAABA"))
	w.pulse(600*ms, "beam2", true)
	w.until(2000 * ms)
	expect(t, "what is there works", w.seen(), []string{"0 5:5A open=false 0 0 " + FaultAway, "500 5:5B open=true 0 0 " + FaultAway, "600 beam.entered 2",
		"500 1:1A open=true 500 800", "500 2:2A open=true 500 800", "500 3:3A open=true 500 800", "500 4:4A open=true 500 800", "500 6:6A open=true 500 800"})
	if slices.ContainsFunc(w.lines, func(l string) bool { return strings.Contains(l, "5B.drive true") }) {
		t.Errorf("a canister opens whose limit switch is away: %v", w.lines)
	}
}

// TestWhatComesIsUsable: without a restart, its levels read and its canister closed, and nothing is made of what happened
// while it was away.
func TestWhatComesIsUsable(t *testing.T) {
	w := opened(t, func(w *world) {
		for _, line := range []string{"beam3", "2A.opened", "2A.closed", "stop"} {
			w.absent(line, bus.ErrGone)
		}
	})
	if got := w.station.Serves(6); got != 0 {
		t.Errorf("without its emergency stop it serves %d positions", got)
	}
	w.until(1000 * ms)
	w.seen()
	w.levels["beam3"], w.levels["2A.closed"], w.levels["2A.opened"] = true, false, true // it stands open
	w.find("stop", "beam3", "2A.opened", "2A.closed")
	if got := w.station.Absent(6); got != nil || w.station.Serves(6) != 6 {
		t.Errorf("absent still: %v", got)
	}
	w.until(1900 * ms)
	// The world's drive is off already, so that the shutter that stands open does not move: it was told to, and failed.
	expect(t, "told to close", w.seen(), []string{"1000 2:2A open=false 1000 0 " + shutter.FaultNotClosed})
	w.edge("2A.opened", false)
	w.edge("2A.closed", true)
	w.edge("beam3", false)
	w.until(3000 * ms)
	expect(t, "a beam that was broken when it came", w.seen(), []string{"1900 beam.left 3"})
}

// TestALossInARun: a beam that goes may be a nose that is missed; a canister that goes is told behind the curtain, and
// what is left of it is closed; a lamp is missed by nobody.
func TestALossInARun(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		voids int
		moved []string
		off   []string // what is driven to its safe level at once
	}{
		{"a beam and a button", []string{"beam1", "call"}, 1, nil, nil},
		{"a lamp", []string{"lamp"}, 0, nil, nil},
		{"a canister that is open", []string{"1A.drive", "1A.opened", "1A.closed"}, 0, []string{"500 1:1A open=true 0 0 " + FaultAway}, []string{"1000 1A.drive false"}},
		{"its limit switches alone", []string{"1A.opened", "1A.closed"}, 0, []string{"500 1:1A open=true 0 0 " + FaultAway}, []string{"1000 1A.drive false"}},
		{"a canister that rests", []string{"1B.opened"}, 0, []string{"0 1:1B open=false 0 0 " + FaultAway}, nil},
	} {
		w := opened(t, nil)
		w.station.Move(500*ms, time.Minute, run("AAAAAA"))
		w.until(1000 * ms)
		w.seen()
		w.lines = nil
		w.lose(c.lines...)
		if w.voids() != c.voids {
			t.Errorf("%s: %d voids, want %d", c.name, w.voids(), c.voids)
		}
		expect(t, c.name+": driven", w.lines, c.off)
		w.lose(c.lines...) // again: nothing new
		w.until(1500 * ms)
		if w.voids() != c.voids {
			t.Errorf("%s: %d voids, want %d", c.name, w.voids(), c.voids)
		}
		expect(t, c.name, w.seen(), c.moved)
		w.find(c.lines...)
		w.station.CloseAll()
		w.until(5000 * ms)
		if got := w.station.Absent(6); got != nil {
			t.Errorf("%s: absent: %v", c.name, got)
		}
		for line, o := range w.outputs {
			if o.level {
				t.Errorf("%s: %s is on", c.name, line)
			}
		}
	}
}

// TestALossInAMove: the command has failed, once, and its late answer counts for nothing.
func TestALossInAMove(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(500*ms, time.Minute, run("AAAAAA"))
	w.until(600 * ms)
	w.lose("1A.opened")
	w.until(2000 * ms)
	got := w.seen()
	if n := len(got); n != 6 || got[0] != "500 1:1A open=true 500 0 "+FaultAway {
		t.Errorf("%q", got)
	}
}

// TestAStopThatGoesWhilePressedStays: nothing opens until it is back and let go.
func TestAStopThatGoesWhilePressedStays(t *testing.T) {
	w := opened(t, nil)
	w.edge("stop", true)
	w.until(100 * ms)
	w.lose("stop")
	w.until(200 * ms)
	if !w.station.Status().Stopped {
		t.Error("it was let go by being unplugged")
	}
	w.levels["stop"] = false
	w.find("stop")
	if w.station.Status().Stopped {
		t.Error("it is held, and its line says it is not")
	}
}

// TestACarrierThatGoes: the device that carries lines is a device of its own in what is told.
func TestACarrierThatGoes(t *testing.T) {
	w := newWorld(t)
	w.levels["exp-1:A2"] = true
	cfg := config.Config{Devices: []config.Device{
		made("mcp23017", config.Device{Name: "exp-1", Bus: "i2c-1", Interrupt: "GPIO4"}),
		made("beam", config.Device{Name: "beam-1", Position: 1, Lines: map[string]string{"line": "beam1"}}),
		made("light", config.Device{Name: "ready", Lines: map[string]string{"line": "exp-1:A0"}}),
	}}
	s, err := Open(cfg, w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	sink := w.sink.(bus.PresenceSink)
	sink.Presence(bus.Presence{Carrier: "exp-1", Lines: []string{"exp-1:A0"}, Why: bus.ErrGone})
	expect(t, "gone", w.heard(), []string{"0 device-absent exp-1 true bus is away (carries ready)",
		"0 device-absent ready true exp-1 is absent; unknown: the level of exp-1:A0"})
	if got := s.Absent(6); got != nil {
		t.Errorf("without a light: %v", got)
	}
	sink.Presence(bus.Presence{Lines: []string{"GPIO4"}, Why: bus.ErrGone})
	expect(t, "its interrupt too", w.heard(), []string{"0 device-absent exp-1 true bus is away (carries ready); GPIO4: bus is away"})
	sink.Presence(bus.Presence{Carrier: "exp-1", Lines: []string{"exp-1:A0"}, Here: true})
	sink.Presence(bus.Presence{Lines: []string{"GPIO4"}, Here: true})
	expect(t, "back", w.heard(), []string{"0 device-absent exp-1 true GPIO4: bus is away", "0 device-absent ready false", "0 device-absent exp-1 false"})
	if got := s.Absent(6); got != nil {
		t.Errorf("a session misses %v", got)
	}
}

// TestPresenceOfEveryDevice: each is in the status, in the order of the configuration.
func TestPresenceOfEveryDevice(t *testing.T) {
	w := opened(t, nil)
	w.lose("3B.drive")
	all := w.station.Status().Devices
	if len(all) != len(layout().Devices) {
		t.Fatalf("%d devices of %d", len(all), len(layout().Devices))
	}
	for i, d := range layout().Devices {
		p := all[i]
		if p.Device != d.Name || p.Position != d.Position || p.Canister != d.Canister || p.Here == (d.Canister == "3B") || p.Here != (p.Why == "") {
			t.Errorf("%+v of %+v", p, d)
		}
		if d.Canister == "3B" && p.Class != templates.Canister {
			t.Errorf("%+v", p)
		}
	}
}

// TestNothingStaysOpenWhateverGoes: lines go and come at any time; once all are there and every canister was told to
// close, all are closed, and nobody waits for an answer.
func TestNothingStaysOpenWhateverGoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := opened(t, nil)
		lines := []string{"beam1", "1A.drive", "1A.opened", "1A.closed", "2B.drive", "stop"}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			line := rapid.SampledFrom(lines).Draw(rt, "line")
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				w.lose(line)
			case 1:
				w.find(line)
			case 2:
				w.station.Move(w.now+rapid.Int64Range(0, 500).Draw(rt, "at")*ms, 20*time.Second, run(rapid.SampledFrom([]string{"AAAAAA", "BBBBBB"}).Draw(rt, "run")))
			case 3:
				w.station.CloseAll()
			case 4:
				w.until(w.now + rapid.Int64Range(1, 2000).Draw(rt, "pass")*ms)
			}
		}
		w.find(lines...)
		w.station.CloseAll()
		w.until(w.now + 30_000*ms)
		for line, o := range w.outputs {
			if o.level {
				rt.Fatalf("%s is on", line)
			}
		}
		for _, c := range w.station.canisters {
			if c.moving || c.open || !c.settled {
				rt.Fatalf("%s: open %v, moving %v, settled %v", c.name, c.open, c.moving, c.settled)
			}
		}
	})
}

// TestWhichSessionsCanBeHeld: it is a condition of its own, and what they miss is named.
func TestWhichSessionsCanBeHeld(t *testing.T) {
	w := newWorld(t)
	cfg := layout()
	cfg.Positions = 6
	for p := 1; p <= 6; p++ {
		w.levels[fmt.Sprint(p, "A.closed")], w.levels[fmt.Sprint(p, "B.closed")] = true, true
	}
	w.absent("beam4", bus.ErrGone)
	s, err := Open(cfg, w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "limited", w.heard(), []string{"0 device-absent beam-4 true beam4: bus is away",
		"0 sessions-limited  true sessions of at most 3 of 6 positions can be held: see which devices are absent"})
	for n, want := range map[int][]string{1: nil, 3: nil, 4: {"beam-4"}} {
		if got := names(s.Absent(n)); !slices.Equal(got, want) {
			t.Errorf("%d positions: %v, want %v", n, got, want)
		}
	}
	w.lose("stop", "lamp")
	if got := names(s.Absent(1)); !slices.Equal(got, []string{"stop"}) {
		t.Errorf("without the emergency stop: %v", got)
	}
	if got := w.heard(); len(got) != 3 || got[2] != "0 sessions-limited  true no session can be held: see which devices are absent" {
		t.Errorf("%q", got)
	}
	w.lose("1A.drive", "1B.drive", "2A.drive", "2B.drive")
	if got := names(s.Absent(1)); !slices.Equal(got, []string{"canister-1B", "canister-1A", "stop"}) {
		t.Errorf("at position 1: %v", got)
	}
	w.heard()
	w.find("stop", "1A.drive", "1B.drive", "2A.drive", "2B.drive", "beam4")
	if got := w.heard(); got[len(got)-1] != "0 sessions-limited  false" || s.Absent(6) != nil {
		t.Errorf("%q, and %v", got, s.Absent(6))
	}
}

// TestASensorIsMissedSinceItWasLastSeen: what it could tell may be missing since then, which is what the void is judged by.
func TestASensorIsMissedSinceItWasLastSeen(t *testing.T) {
	for _, c := range []struct{ from, want int64 }{{30 * ms, 30 * ms}, {0, 100 * ms}} {
		w := opened(t, nil)
		w.until(100 * ms)
		inlet{w.station}.Presence(bus.Presence{Lines: []string{"beam2"}, From: c.from, Mono: 100 * ms, Why: bus.ErrGone})
		void := w.events[len(w.events)-1]
		if void.Type != event.RunVoided || void.At.Mono != c.want {
			t.Errorf("last seen at %d: %s stamped %d", c.from, void.Type, void.At.Mono)
		}
	}
}

// TestAnEmergencyStopThatGoesClosesEverything: before anybody hears of it, and whatever the host makes of it, also behind a
// call. Nothing opens while nobody could stop it.
func TestAnEmergencyStopThatGoesClosesEverything(t *testing.T) {
	w := opened(t, nil)
	w.station.Move(100*ms, time.Minute, run("AAAAAA"))
	w.until(1000 * ms)
	w.events, w.lines = nil, nil
	w.onEvent = func(event.Event) {
		if len(w.lines) < 6 {
			t.Errorf("something is told when %d of 6 drives are closed", len(w.lines))
		}
	}
	w.lose("stop")
	var want []string
	for p := 1; p <= 6; p++ {
		want = append(want, fmt.Sprintf("1000 %dA.drive false", p))
	}
	expect(t, "at once", w.lines, want)
	if w.voids() != 1 {
		t.Errorf("%d voids", w.voids())
	}
	w.onEvent = nil
	w.until(2000 * ms)
	w.seen()
	w.station.Move(2100*ms, time.Minute, run("A"))
	w.until(3000 * ms)
	expect(t, "while it is absent", w.seen(), []string{"2100 1:1A open=true 0 0 " + FaultNoStop})
	w.find("stop")
	w.station.Move(3100*ms, time.Minute, run("A"))
	w.until(4000 * ms)
	expect(t, "and once it is back", w.seen(), []string{"3100 1:1A open=true 3100 3400"})
	w.lines = nil
	w.lose("call")
	if len(w.lines) != 0 {
		t.Errorf("a button that stops nothing closes %v", w.lines)
	}
}

// TestNothingOpensAtAStartWithoutTheEmergencyStop: a move that is to come as well.
func TestNothingOpensAtAStartWithoutTheEmergencyStop(t *testing.T) {
	w := opened(t, func(w *world) { w.absent("stop", bus.ErrGone) })
	w.station.Move(100*ms, time.Minute, run("A"))
	w.until(1000 * ms)
	expect(t, "absent", w.seen(), []string{"100 1:1A open=true 0 0 " + FaultNoStop})
	w = opened(t, nil)
	w.station.Move(1000*ms, time.Minute, run("AAAAAA"))
	w.At(500*ms, func() { w.lose("stop") })
	w.until(2000 * ms)
	if slices.ContainsFunc(w.lines, func(l string) bool { return strings.HasSuffix(l, "true") }) {
		t.Errorf("a move that was to come opens: %v", w.lines)
	}
}

// TestWhatCarriesAbsentDevicesIsNamed: it is what people can mend.
func TestWhatCarriesAbsentDevicesIsNamed(t *testing.T) {
	w := newWorld(t)
	canister := func(position int, on string) config.Device {
		line := func(pin string) string { return fmt.Sprintf("%s:%s%d", on, pin, position) }
		return made("shutter", config.Device{Name: fmt.Sprint("canister-", position), Position: position, Canister: fmt.Sprint(position, "A"),
			Lines: map[string]string{shutter.Drive: line("A"), shutter.Opened: line("B"), shutter.Closed: line("C")}})
	}
	s, err := Open(config.Config{Positions: 2, Devices: []config.Device{
		made("mcp23017", config.Device{Name: "exp-1", Bus: "i2c-1"}), canister(1, "exp-1"), canister(2, "exp-1"),
		made("beam", config.Device{Name: "beam-1", Position: 1, Lines: map[string]string{"line": "beam1"}}),
	}}, w, w, w)
	if err != nil {
		t.Fatal(err)
	}
	sink := w.sink.(bus.PresenceSink)
	sink.Presence(bus.Presence{Lines: []string{"exp-1:A2"}, Why: bus.ErrGone})
	if got := s.Absent(1); got != nil {
		t.Errorf("without position 2: %v", got)
	}
	sink.Presence(bus.Presence{Lines: []string{"beam1"}, Why: bus.ErrGone})
	sink.Presence(bus.Presence{Carrier: "exp-1", Lines: []string{"exp-1:A1", "exp-1:B1", "exp-1:C1"}, Why: bus.ErrGone})
	if got := names(s.Absent(2)); !slices.Equal(got, []string{"exp-1", "beam-1"}) {
		t.Errorf("the chip, a pin of it and a beam: %v", got)
	}
}
