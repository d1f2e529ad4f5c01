package firmware

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// D4 is safe when low, D5 when high.
var canisters = map[string]message.Mode{"D4": message.OutLow, "D5": message.OutHigh}

// unsafe opens both, for a time that no test waits for.
func (h *host) unsafe() {
	h.t.Helper()
	for name, mode := range canisters {
		if got := h.command(&message.Set{Pin: pin(name), Level: !mode.Safe(), At: h.now(), Longest: 60_000_000}); got != message.Taken {
			h.t.Fatalf("opening %s: %v", name, got)
		}
	}
	h.expect("D4", simavr.High)
	h.expect("D5", simavr.Low)
}

// now is the board's clock, as far as an honest host could know it.
func (h *host) now() uint64 { return uint64(h.boardTime(h.chip.Now())) }

// as is what a pin was seen as last, and since when.
func (h *host) as(name string) (string, uint64) {
	for _, r := range slices.Backward(h.drove) {
		if r.Pin == name {
			return r.As, r.At
		}
	}
	return "", 0
}

func (h *host) expect(name, want string) uint64 {
	h.t.Helper()
	got, since := h.as(name)
	if got != want {
		h.t.Fatalf("%s is %s, want %s", name, got, want)
	}
	return since
}

// safe checks that both outputs are driven to their safe level, and returns since when they are.
func (h *host) safe() uint64 {
	h.t.Helper()
	return max(h.expect("D4", simavr.Low), h.expect("D5", simavr.High))
}

func TestNoOutputMovesBeforeAHeartbeat(t *testing.T) {
	h := start(t, 500_000)
	if len(h.drove) != len(names) {
		t.Fatalf("pins moved at the start: %+v", h.drove)
	}
	for _, r := range h.drove {
		if r.As != simavr.In || r.At != 0 {
			t.Fatalf("%s is %s at cycle %d", r.Pin, r.As, r.At)
		}
	}
	h.drove = nil
	h.open(0x12345678)
	h.beat()
	set := &message.Set{Pin: pin("D4"), Level: true, At: h.now(), Longest: 1_000_000}
	if got := h.command(set); got != message.NotConfigured {
		t.Errorf("a SET without configuration: %v", got)
	}
	if got := h.command(pins(100, canisters)); got != message.Taken {
		t.Fatalf("configuring: %v", got)
	}
	if got := h.command(set); got != message.NoHeartbeat {
		t.Errorf("a SET without heartbeat: %v", got)
	}
	h.sendNumbered(1, &message.Safe{Pins: 1<<64 - 1, Before: h.number})
	h.run(1000 * ms)
	if len(h.drove) > 0 {
		t.Fatalf("pins moved without a heartbeat: %+v", h.drove)
	}
	h.beat()
	h.run(ms)
	// The latch goes before the direction: seen from outside, D5 is pulled up for a moment, and never low.
	var moves []string
	for _, r := range h.drove {
		moves = append(moves, r.Pin+" "+r.As)
	}
	if want := []string{"D4 low", "D5 pull", "D5 high"}; !slices.Equal(moves, want) {
		t.Errorf("at the first heartbeat pins moved so: %q, want %q", moves, want)
	}
}

func TestWhatTheBoardNeedsIsNeverAnOutput(t *testing.T) {
	h := configured(t, 500_000, pins(100, canisters))
	h.drove = nil
	for _, name := range []string{"D0", "D1", "D13"} {
		for _, mode := range []message.Mode{message.OutLow, message.OutHigh} {
			if got := h.command(pins(100, map[string]message.Mode{name: mode})); got != message.NotAble {
				t.Errorf("%s as an output: %v", name, got)
			}
		}
	}
	h.beat()
	h.run(5 * ms)
	for _, r := range h.drove {
		if canisters[r.Pin] == message.Unused {
			t.Errorf("%s became %s", r.Pin, r.As)
		}
	}
}

// TestASilentHost: the time counts from the last byte of the last heartbeat, and is over 10 ms later at the latest.
func TestASilentHost(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(100, canisters))
	h.slice = ms / 2
	chance := rand.New(rand.NewPCG(seed, 5))
	worst := 0.0
	for range 20 {
		h.beat()
		h.run(2 * ms)
		h.unsafe()
		h.run(5*ms + chance.Uint64N(20*ms))
		h.events, h.drove = nil, nil
		begin := h.chip.Now()
		h.beat()
		wire := uint64(len(frame.Append(nil, message.Append(nil, 1, 0, &message.Beat{Count: h.beats})))) * 10 * simavr.Frequency / 500_000
		h.mute = true
		h.run(90 * ms)
		if len(h.drove) > 0 {
			t.Fatalf("outputs moved before the time was over: %+v", h.drove)
		}
		h.mute = false
		h.run(100 * ms)
		after := float64(h.safe()-begin-wire) / ms
		if after < 100 || after > 110 {
			t.Fatalf("outputs fell back %.2f ms after the heartbeat, want 100 to 110", after)
		}
		worst = max(worst, after)
		h.run(200 * ms)
		for _, e := range h.events {
			if e.Kind != message.Done || e.How != message.ByLoss || e.Level != canisters[names[e.Pin]].Safe() {
				t.Errorf("an event %+v", e)
			}
		}
		if len(h.events) != 2 {
			t.Errorf("%d events, want one for each output", len(h.events))
		}
		// The next heartbeat allows, and moves nothing.
		h.drove = nil
		h.beat()
		h.run(5 * ms)
		if len(h.drove) > 0 {
			t.Fatalf("a heartbeat moved outputs: %+v", h.drove)
		}
	}
	t.Logf("seed %d: outputs safe at most %.2f ms after the last heartbeat of 100", seed, worst)
}

func TestTheLongestTimeCuts(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(1000, canisters))
	h.beatEach = 50 * ms
	h.beat()
	h.run(2 * ms)
	chance := rand.New(rand.NewPCG(seed, 6))
	for range 20 {
		longest := 1 + chance.Uint64N(40_000)
		h.drove = nil
		if got := h.command(&message.Set{Pin: pin("D4"), Level: true, At: h.now(), Longest: uint32(longest)}); got != message.Taken {
			t.Fatalf("a SET: %v", got)
		}
		h.run(60 * ms)
		if len(h.drove) != 2 || h.drove[0].As != simavr.High || h.drove[1].As != simavr.Low {
			t.Fatalf("D4 moved so: %+v", h.drove)
		}
		if open := float64(h.drove[1].At-h.drove[0].At) / us; open < float64(longest) || open > float64(longest)+1100 {
			t.Errorf("open for %.0f us, want %d and at most a tick more", open, longest)
		}
	}
}

// TestTheTimerCutsWithoutTheMainLoop: a hang of the main loop keeps nothing open for longer, watchdog or not.
func TestTheTimerCutsWithoutTheMainLoop(t *testing.T) {
	h := configured(t, 500_000, pins(100, canisters))
	h.beat()
	h.run(2 * ms)
	if got := h.command(&message.Set{Pin: pin("D4"), Level: true, At: h.now(), Longest: 50_000}); got != message.Taken {
		t.Fatalf("a SET: %v", got)
	}
	if got := h.command(&message.Set{Pin: pin("D5"), Level: false, At: h.now(), Longest: 60_000_000}); got != message.Taken {
		t.Fatalf("a SET: %v", got)
	}
	h.chip.Hang(h.chip.Now(), true)
	hung := h.chip.Now()
	h.run(150 * ms)
	if len(h.starts) > 1 {
		t.Fatal("the watchdog was first")
	}
	if after := (h.expect("D4", simavr.Low) - hung) / ms; after > 51 {
		t.Errorf("D4 fell back %d ms after the hang, want 50: its longest time", after)
	}
	if after := (h.expect("D5", simavr.High) - hung) / ms; after > 110 {
		t.Errorf("D5 fell back %d ms after the hang, want 110 at most: the heartbeat", after)
	}
}

// TestTheWatchdogResets: whatever hangs, the board starts anew with its outputs let go of, and says why.
func TestTheWatchdogResets(t *testing.T) {
	for _, interrupts := range []bool{true, false} {
		t.Run(fmt.Sprintf("interrupts %v", interrupts), func(t *testing.T) {
			h := configured(t, 500_000, pins(10_000, canisters))
			boot := h.open(0x12345679).Boot
			h.beat()
			h.run(2 * ms)
			h.unsafe()
			// It is fed while it lives.
			h.run(1000 * ms)
			if len(h.starts) > 1 {
				t.Fatalf("the board started anew: %+v", h.starts)
			}
			hung := h.chip.Now()
			h.chip.Hang(hung, interrupts)
			h.answers = nil
			h.run(330 * ms)
			if len(h.starts) != 2 || h.starts[1].As != simavr.ByWatchdog {
				t.Fatalf("starts: %+v, want one by the watchdog", h.starts)
			}
			if after := (h.starts[1].At - hung) / ms; after > 270 {
				t.Errorf("the watchdog came after %d ms, want 250 nominally", after)
			}
			// Nobody drives them: the resistors do.
			h.expect("D4", simavr.In)
			h.expect("D5", simavr.In)
			b := h.lastBoard()
			if b.Cause != message.CauseWatchdog || b.Session != 0 || b.Boot != boot+1 || b.Configured {
				t.Errorf("the board says %+v", b)
			}
		})
	}
}

func (h *host) lastBoard() *message.Board {
	h.t.Helper()
	for _, a := range slices.Backward(h.answers) {
		if b, is := a.is.(*message.Board); is {
			return b
		}
	}
	h.t.Fatal("the board did not say that it started")
	return nil
}

func TestTheCauseOfAReset(t *testing.T) {
	h := start(t, 500_000)
	boot := h.lastBoard().Boot
	if got := h.lastBoard().Cause; got != message.CausePower {
		t.Errorf("the first start: %v", got)
	}
	for _, c := range []struct {
		cause string
		want  message.Cause
	}{
		{simavr.ByBrownOut, message.CauseBrownOut}, {simavr.ByPin, message.CauseReset},
		{simavr.ByPower, message.CausePower}, {simavr.ByUnknown, message.CauseUnknown}, {simavr.ByBrownOut, message.CauseBrownOut},
	} {
		h.open(0x12345678)
		if got := h.command(pins(10_000, canisters)); got != message.Taken {
			t.Fatalf("configuring: %v", got)
		}
		h.beat()
		h.run(2 * ms)
		h.unsafe()
		h.answers = nil
		at := h.chip.Now()
		h.chip.Reset(at, c.cause)
		h.run(100 * ms)
		boot++
		if b := h.lastBoard(); b.Cause != c.want || b.Boot != boot || b.Session != 0 {
			t.Errorf("after a reset by %s the board says %+v, want cause %v and start %d", c.cause, b, c.want, boot)
		}
		for _, name := range []string{"D4", "D5"} {
			if since := h.expect(name, simavr.In); since > at+us {
				t.Errorf("%s was let go of %d cycles after the reset", name, since-at)
			}
		}
	}
}
