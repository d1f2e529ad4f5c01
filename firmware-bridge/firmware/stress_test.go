package firmware

import (
	"math/rand/v2"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

// TestABurstOfCommands: all that a host may send at once, without a pause on the wire, is taken and answered once.
func TestABurstOfCommands(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(1000, canisters))
	h.beat()
	h.run(2 * ms)
	for round := range 50 {
		h.answers = nil
		var line []byte
		for i := range byte(8) {
			set := &message.Set{Pin: pin("D4"), Level: i%2 == 0, At: h.now(), Longest: 60_000_000}
			line = frame.Append(line, message.Append(nil, byte(h.session), h.number+i, set))
		}
		h.number += 8
		line = frame.Append(line, message.Append(nil, byte(h.session), byte(round), &message.Safe{Pins: 1 << pin("D4"), Before: h.number}))
		line = frame.Append(line, message.Append(nil, byte(h.session), 0, &message.Ping{Cookie: uint32(round)}))
		h.chip.Hear(h.chip.Now(), line)
		h.beat()
		h.run(20 * ms)
		acks, pongs := 0, 0
		for _, a := range h.answers {
			switch m := a.is.(type) {
			case *message.Ack:
				if m.Result != message.Taken {
					t.Fatalf("round %d: %v", round, m.Result)
				}
				acks++
			case *message.Pong:
				if m.Errors != 0 {
					t.Fatalf("round %d: %d frames or bytes were passed over", round, m.Errors)
				}
				pongs++
			}
		}
		if acks != 9 || pongs != 1 || h.overruns > 0 {
			t.Fatalf("round %d: %d of 9 answers, %d PONGs, %d overruns", round, acks, pongs, h.overruns)
		}
		h.expect("D4", simavr.Low)
	}
}

// TestALineFullOfGarbage: the board lives on, hears no heartbeat in it, and takes its outputs back.
func TestALineFullOfGarbage(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(100, canisters))
	h.beat()
	h.run(2 * ms)
	h.unsafe()
	chance := rand.New(rand.NewPCG(seed, 10))
	begin := h.chip.Now()
	for range 100 { // 10 ms each
		garbage := make([]byte, 500)
		for i := range garbage {
			garbage[i] = byte(chance.Uint32())
		}
		h.chip.Hear(h.chip.Now(), garbage)
		h.run(10 * ms)
	}
	if after := (h.safe() - begin) / ms; after > 110 {
		t.Errorf("outputs fell back %d ms after the last heartbeat, want at most 110", after)
	}
	if len(h.starts) > 1 {
		t.Errorf("the board started anew: %+v", h.starts)
	}
	// And it is there again when the line is.
	h.run(50 * ms)
	h.open(0x87654321)
}

// TestAnInputThatOscillates: edges closer than the interrupt is long leave time for nothing else, not even for the
// timer. Then it is the watchdog that takes the outputs back, and the board says that it did.
func TestAnInputThatOscillates(t *testing.T) {
	t.Parallel()
	h := configured(t, 500_000, pins(10_000, map[string]message.Mode{"D4": message.OutLow, "D5": message.OutHigh, "D2": message.Input}))
	h.beat()
	h.run(2 * ms)
	h.unsafe()
	begin, high := h.chip.Now(), false
	for range 35 {
		for at := h.chip.Now(); at < h.chip.Now()+10*ms; at += 4 * us {
			high = !high
			h.chip.Pin(at, "D2", high)
		}
		h.run(10 * ms)
	}
	if len(h.starts) != 2 || h.starts[1].As != simavr.ByWatchdog {
		t.Fatalf("starts: %+v, want one by the watchdog", h.starts)
	}
	for _, name := range []string{"D4", "D5"} {
		if after := (h.expect(name, simavr.In) - begin) / ms; after > 270 {
			t.Errorf("%s was let go of after %d ms, want 250 nominally", name, after)
		}
	}
	if b := h.lastBoard(); b.Cause != message.CauseWatchdog {
		t.Errorf("the board says %+v", b)
	}
}
