package link

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/twin"
)

func TestALinkComesUp(t *testing.T) {
	w := newWorld(t, 1)
	w.board.Input(w.now, "D2", true)
	w.open()
	if got := w.take(Ready, Edge, Gap, Away); len(got) != 1 || got[0].Kind != Ready {
		t.Errorf("facts %+v, want that it is ready and nothing else", got)
	}
	if b, ok := w.link.Board(); !ok || b.Kind != "twin" || b.Boot != 1 || b.Cause != message.CausePower {
		t.Errorf("the board %+v, %t", b, ok)
	}
	for pin, want := range map[string]bool{"D2": true, "D3": false} {
		if level, ok := w.link.Level(pin); !ok || level != want {
			t.Errorf("%s is %t, %t, want %t", pin, level, ok, want)
		}
	}
	for _, pin := range []string{"D4", "D5", "D13", "D99"} {
		if _, ok := w.link.Level(pin); ok {
			t.Errorf("%s has a level, and is no input", pin)
		}
	}
	for pin, want := range map[string]bool{"D5": false, "D6": true, "D7": false} {
		if level, driven := w.level(pin); !driven || level != want {
			t.Errorf("output %s: driven %t to %t, want its safe level %t", pin, driven, level, want)
		}
	}
}

func TestNoOutputBeforeTheFirstHeartbeat(t *testing.T) {
	w := newWorld(t, 2)
	w.beat = 0
	w.open()
	if len(w.changes) > 0 {
		t.Errorf("outputs did %+v before a heartbeat", w.changes)
	}
	w.link.Set(w.now, "D5", true, w.now, time.Second, 1)
	w.exchange()
	w.until(w.now + 2*second)
	if got := w.take(Done); len(got) != 1 || !errors.Is(got[0].Err, ErrRefused) || len(w.changes) > 0 {
		t.Errorf("done %+v, changes %+v, want a refusal", got, w.changes)
	}
}

func TestASetWaitsForTheFirstHeartbeat(t *testing.T) {
	w := newWorld(t, 14)
	w.beat = 0
	w.open()
	w.take()
	w.link.Set(w.now, "D5", true, w.now, time.Second, 1)
	w.exchange()
	w.until(w.now + 200*ms)
	w.beat = w.now
	w.until(w.now + 30*ms)
	if got := w.take(Done); len(got) != 1 || got[0].Err != nil {
		t.Errorf("done %+v, want it done with the first heartbeat", got)
	}
}

// TestEdgesAndTheirStamps: each edge once, in order, at the host's time, and none before a watermark.
func TestEdgesAndTheirStamps(t *testing.T) {
	w := newWorld(t, 3)
	w.link.Arm(true)
	w.open()
	w.take()
	var played []int64
	at, level := w.now, false
	for range 500 {
		at += 2*ms + w.chance.Int64N(20*ms)
		level = !level
		played = append(played, at)
		w.script = append(w.script, action{at, func(l bool) func() { return func() { w.board.Input(w.now, "D3", l) } }(level)})
	}
	w.until(at + second)
	edges, mark := 0, int64(0)
	for _, f := range w.take(Edge, Watermark, Gap) {
		switch f.Kind {
		case Gap:
			t.Errorf("a gap on a sound line: %+v", f)
		case Watermark:
			if f.Mono < mark {
				t.Errorf("watermark %d after %d", f.Mono, mark)
			}
			mark = f.Mono
		case Edge:
			off := max(f.Mono-played[edges], played[edges]-f.Mono)
			if f.Mono < mark || f.Pin != "D3" || f.Level != (edges%2 == 0) || off > f.Bound {
				t.Errorf("edge %d: %+v, played at %d, watermark %d", edges, f, played[edges], mark)
			}
			edges++
		}
	}
	if edges != len(played) {
		t.Errorf("%d edges of %d", edges, len(played))
	}
	if silent := w.now - mark; silent > 60*ms {
		t.Errorf("armed, and the last watermark is %s old", time.Duration(silent))
	}
}

func TestCommands(t *testing.T) {
	w := newWorld(t, 4)
	w.open()
	w.take()
	w.changes = nil
	at := w.now + 300*ms
	w.link.Set(w.now, "D5", true, at, time.Second, 1)
	w.link.Set(w.now, "D6", false, at, time.Second, 2)
	w.exchange()
	w.until(w.now + 800*ms)
	done := w.take(Done)
	if len(done) != 2 {
		t.Fatalf("done %+v", done)
	}
	for _, d := range done {
		if off := max(d.Mono-at, at-d.Mono); d.Err != nil || off > ms || off > d.Bound+2*us {
			t.Errorf("%+v, commanded for %d", d, at)
		}
	}
	w.until(w.now + second)
	if got := w.take(Fell); len(got) != 2 || !strings.Contains(got[0].Why, "longest") {
		t.Errorf("after its longest time: %+v", got)
	}
	if unsafe, _ := w.level("D5"); unsafe {
		t.Error("D5 stays on past its longest time")
	}
	w.link.Set(w.now, "D5", true, w.now+200*ms, time.Second, 3)
	w.link.Set(w.now, "D5", true, w.now+300*ms, time.Second, 4)
	w.link.Safe(w.now, map[string]uint64{"D5": 5, "D6": 6})
	w.link.Set(w.now, "D9", true, w.now, time.Second, 7)
	w.exchange()
	w.until(w.now + 600*ms)
	var got []string
	for _, d := range w.take(Done) {
		got = append(got, fmt.Sprint(d.Token, " ", d.Err))
	}
	want := "3 replaced by a newer command; 4 replaced by a newer command; 7 the board is not as configured: pin D9 is no output; 5 <nil>; 6 <nil>"
	if strings.Join(got, "; ") != want {
		t.Errorf("done %q, want %q", strings.Join(got, "; "), want)
	}
	if on, _ := w.level("D5"); on {
		t.Error("D5 is on after Safe")
	}
}

// TestASafeIsNeverUndone: whatever is lost on the line, an output that was told to be safe after it was told to open
// is safe in the end, and stays so.
func TestASafeIsNeverUndone(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(t, seed)
		w.open()
		w.take()
		w.noise = noise{flip: 2e-3, frame: 0.3}
		w.link.Set(w.now, "D5", true, w.now+w.chance.Int64N(400*ms), 5*time.Second, 1)
		w.exchange()
		w.until(w.now + w.chance.Int64N(100*ms))
		w.link.Safe(w.now, map[string]uint64{"D5": 2})
		w.exchange()
		w.noise.frame = 0.5
		w.until(w.now + 300*ms)
		w.noise = noise{}
		w.until(w.now + 300*ms)
		if on, _ := w.level("D5"); on {
			t.Fatalf("seed %d: D5 is on", seed)
		}
		before := len(w.changes)
		w.until(w.now + second)
		if len(w.changes) > before {
			t.Fatalf("seed %d: afterwards %+v", seed, w.changes[before:])
		}
	}
}

// TestASafeUndoesNothingNewer: its answer is lost, and it is sent again, but no newer command is before it then.
func TestASafeUndoesNothingNewer(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(t, seed)
		w.open()
		w.take()
		w.noise = noise{frame: 0.4}
		w.link.Safe(w.now, map[string]uint64{"D5": 1})
		w.link.Set(w.now, "D5", true, w.now+300*ms, 5*time.Second, 2)
		w.exchange()
		w.until(w.now + 250*ms)
		w.noise = noise{}
		w.until(w.now + 500*ms)
		done := w.take(Done)
		on, _ := w.level("D5")
		if last := done[len(done)-1]; last.Token != 2 || on != (last.Err == nil) {
			t.Fatalf("seed %d: D5 is on %t after %+v", seed, on, done)
		}
	}
}

// TestNoEdgeBeforeAWatermark: when the map has moved, an edge comes late by as much, and its bound says so.
func TestNoEdgeBeforeAWatermark(t *testing.T) {
	w := newWorld(t, 13)
	w.open()
	w.take()
	mark := w.now + 5*ms
	w.link.events.told = mark
	w.board.Input(w.now, "D3", true)
	w.until(w.now + 100*ms)
	if got := w.take(Edge); len(got) != 1 || got[0].Mono != mark || got[0].Bound < 5*ms {
		t.Errorf("edge %+v, want it at %d, and its bound to hold the 5 ms", got, mark)
	}
}

func TestTheBoardFallsWithoutHeartbeats(t *testing.T) {
	w := newWorld(t, 5)
	w.open()
	w.link.Set(w.now, "D5", true, w.now, 10*time.Second, 1)
	w.exchange()
	w.until(w.now + 200*ms)
	if on, _ := w.level("D5"); !on {
		t.Fatal("D5 did not go on")
	}
	w.take()
	w.beat = 0
	w.until(w.now + 700*ms)
	if on, _ := w.level("D5"); on {
		t.Error("D5 is on without heartbeats")
	}
	if got := w.take(Fell); len(got) != 1 || !strings.Contains(got[0].Why, "heartbeat") {
		t.Errorf("told %+v", got)
	}
}

func TestABoardThatStartsAgain(t *testing.T) {
	w := newWorld(t, 6)
	w.open()
	w.take()
	w.board.Input(w.now, "D2", true)
	w.board.Reset(w.now, message.CauseBrownOut) // before the edge was sent
	w.link.Set(w.now, "D5", true, w.now+400*ms, time.Second, 9)
	w.exchange()
	w.until(w.now + 2*second)
	var got []string
	for _, f := range w.take(Done, Gap, Away, Ready, Edge) {
		got = append(got, string(f.Kind)+" "+fmt.Sprint(f.Err)+" "+f.Why)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{"done the board is away", "away the board is away: it has started again (brown-out)", "gap <nil> the board started again (brown-out)", "ready"} {
		if !strings.Contains(all, want) {
			t.Errorf("facts:\n%s\nwant %q", all, want)
		}
	}
	if level, ok := w.link.Level("D2"); !ok || !level {
		t.Errorf("D2 is %t, %t after the start", level, ok)
	}
}

// TestABrokenLine: nothing is configured anew, what the board held is thrown away and counted.
func TestABrokenLine(t *testing.T) {
	w := newWorld(t, 7)
	w.open()
	w.take()
	w.changes = nil
	w.cut = true
	w.down, w.up = nil, nil
	for i := range 5 {
		w.board.Input(w.now, "D3", i%2 == 0)
		w.until(w.now + 200*ms)
	}
	w.cut = false
	w.until(w.now + 3*second)
	var lost uint64
	for _, f := range w.take(Gap) {
		lost += f.Lost
	}
	if lost != 5 {
		t.Errorf("%d events are told as lost, want 5", lost)
	}
	if state, why := w.link.State(); state != Up || why != nil {
		t.Errorf("the link is %s: %v", state, why)
	}
	if len(w.changes) > 0 {
		t.Errorf("outputs that were safe did %+v: it was configured anew", w.changes)
	}
}

func TestTheWrongBoard(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"another id":    {func(o *Options) { o.ID = message.ID{'x'} }, `its id is "nano-1", the configuration wants "x"`},
		"no such pin":   {func(o *Options) { o.Pins = map[string]message.Mode{"A9": message.Input} }, "it has no pin A9 (its pins are D2, D3"},
		"not an output": {func(o *Options) { o.Pins = map[string]message.Mode{"D13": message.OutLow} }, "its pin D13 cannot be"},
	} {
		w := newWorld(t, 8)
		o := Options{ID: boardID, Pins: pins, Beat: 500 * time.Millisecond, Baud: baud, Session: w.chance.Uint32}
		c.change(&o)
		var err error
		if w.link, err = New(o); err != nil {
			t.Fatal(err)
		}
		w.link.Open(w.now)
		w.exchange()
		w.until(w.now + 2*second)
		state, why := w.link.State()
		if state != Wrong || !errors.Is(why, ErrBoard) || !strings.Contains(why.Error(), c.want) {
			t.Errorf("%s: %s, %v", name, state, why)
		}
		w.until(w.now + 20*second)
		if len(w.changes) > 0 {
			t.Errorf("%s: it was driven all the same: %+v", name, w.changes)
		}
	}
}

// TestALevelWithoutAnEdge: an edge that nobody counted is found by the next look.
func TestALevelWithoutAnEdge(t *testing.T) {
	w := newWorld(t, 9)
	w.open()
	w.take()
	w.link.events.levels ^= 1 // the link is of another mind than the board
	before := w.now
	w.until(w.now + second)
	got := w.take(Gap, Edge)
	if len(got) != 2 || got[0].Kind != Gap || got[1].Kind != Edge || got[1].Level {
		t.Fatalf("facts %+v, want a gap and the edge", got)
	}
	if since := got[1].Mono - before; got[1].Bound < since/2 {
		t.Errorf("its bound is %d, and it may have been any time in %d", got[1].Bound, since)
	}
}

// TestAGlitchIsCounted: a bounce faster than the board's interrupt hides nothing while the levels are those that the edges
// told. Where they are others an edge is missing, and the gap says what the board counted.
func TestAGlitchIsCounted(t *testing.T) {
	w := newWorld(t, 10)
	w.open()
	w.take()
	w.board.Input(w.now, "D3", true)
	w.board.Glitch()
	w.board.Glitch()
	w.until(w.now + second)
	if got := w.take(Gap, Edge); len(got) != 1 || got[0].Kind != Edge {
		t.Errorf("facts %+v, want the edge alone", got)
	}
	if n := w.link.Stats().Glitches; n != 2 {
		t.Errorf("%d glitches, want 2", n)
	}
	w.board.Glitch()
	w.link.events.levels ^= 2 // and the edge of it that counted was lost
	w.until(w.now + second)
	got := w.take(Gap, Edge)
	if len(got) != 2 || got[0].Kind != Gap || !strings.Contains(got[0].Why, "counted 1 pulses") || got[1].Kind != Edge || got[1].Pin != "D3" || !got[1].Level {
		t.Errorf("facts %+v, want a gap that says of the pulse, and the edge", got)
	}
	if strings.Contains(got[0].Why, "D3") {
		t.Errorf("%q names a pin, whose canister may be secret", got[0].Why)
	}
}

// TestAFullBoardCountsWhatItDrops.
func TestAFullBoardCountsWhatItDrops(t *testing.T) {
	w := newWorld(t, 11)
	w.board = twin.New(twin.Options{Pins: boardPins(), ID: boardID, Kind: "twin", Room: 40, Micros: w.micros})
	w.open()
	w.take()
	for i := range 101 {
		w.board.Input(w.now+int64(i)*us, "D3", i%2 == 0)
	}
	w.until(w.now + 2*second)
	edges, lost := 0, uint64(0)
	for _, f := range w.take(Edge, Gap) {
		if f.Kind == Edge {
			edges++
		}
		lost += f.Lost
	}
	if found := 1; edges+int(lost) != 101 && edges+int(lost) != 101+found {
		t.Errorf("%d edges and %d lost, played 101", edges, lost)
	}
	if lost == 0 {
		t.Error("a board with 40 places held 101 events")
	}
}

func TestAShutLink(t *testing.T) {
	w := newWorld(t, 12)
	w.open()
	w.take()
	w.link.Set(w.now, "D5", true, w.now+400*ms, time.Second, 3)
	gone := errors.New("the cable is out")
	w.link.Shut(w.now, gone)
	w.exchange()
	if got := w.take(Done, Away); len(got) != 2 || !errors.Is(got[0].Err, gone) || !errors.Is(got[1].Err, gone) {
		t.Errorf("facts %+v", got)
	}
	w.link.Receive(w.now, []byte{0, 1, 2, 0})
	w.link.Tick(w.now)
	if out, _ := w.link.Take(); len(out) > 0 {
		t.Errorf("a shut link sends %x", out)
	}
	if _, any := w.link.Due(); any {
		t.Error("a shut link has something to do")
	}
	w.until(w.now + second)
	w.open()
}

func TestOptions(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "baud") || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("no options: %v, want both problems", err)
	}
}
