package firmware

import (
	"math/rand/v2"
	"slices"
	"strings"
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

// TestInputsThatOscillate, at any rate, on one pin and on one of each port, with every other pin an output that is open:
// the board goes on while it hears heartbeats, its outputs fall back in time when it does not, what it could not follow is
// told, and its stack stays within bounds.
func TestInputsThatOscillate(t *testing.T) {
	spacings := []uint64{2, 4, 8, 11, 12, 13, 14, 15, 17, 20, 27, 41}
	for n, noisy := range [][]string{{"D2"}, {"D2", "D8", "A0"}} {
		t.Run(strings.Join(noisy, "+"), func(t *testing.T) {
			t.Parallel()
			h := newStorm(t, noisy)
			for i, spacing := range spacings {
				if !testing.Short() || i%2 == n { // in `make test` on one pin, or on three
					h.storm(spacing * us)
				}
			}
			if len(h.starts) > 1 {
				t.Errorf("the board started anew: %+v", h.starts)
			}
			memoryOf(t).check(t, h.host)
		})
	}
}

// storm is a board whose inputs oscillate, all others of whose pins are outputs.
type storm struct {
	*host
	noisy, outputs []string
	modes          map[string]message.Mode
	level          bool
	dropped        uint16 // as the board said last
}

const stormBeat = 60 // milliseconds without a heartbeat

func newStorm(t *testing.T, noisy []string) *storm {
	s := &storm{noisy: noisy, modes: map[string]message.Mode{}}
	for i, name := range names {
		switch {
		case slices.Contains(noisy, name):
			s.modes[name] = message.Input
		case i >= 2 && name != "D13":
			s.modes[name] = []message.Mode{message.OutLow, message.OutHigh}[i%2]
			s.outputs = append(s.outputs, name)
		}
	}
	s.host = configured(t, 500_000, pins(stormBeat, s.modes))
	s.beatEach = 20 * ms
	return s
}

// oscillate runs for some time, in which the inputs change at each multiple of a spacing, one behind the other.
func (s *storm) oscillate(spacing, cycles uint64) {
	s.t.Helper()
	for end := s.chip.Now() + cycles; s.chip.Now() < end; s.run(ms) {
		for at := s.chip.Now(); at < s.chip.Now()+ms; at += spacing {
			s.level = !s.level
			for i, name := range s.noisy {
				s.chip.Pin(at+uint64(i)*spacing/uint64(len(s.noisy)), name, s.level)
			}
		}
	}
}

func (s *storm) storm(spacing uint64) {
	s.t.Helper()
	s.run(50 * ms)
	for _, name := range s.outputs {
		if got := s.command(&message.Set{Pin: pin(name), Level: !s.modes[name].Safe(), At: s.now(), Longest: 60_000_000}); got != message.Taken {
			s.t.Fatalf("%d us: opening %s: %v", spacing/us, name, got)
		}
	}
	s.drove, s.events, s.answers = nil, nil, nil
	s.oscillate(spacing, 2*stormBeat*ms)
	if len(s.drove) > 0 {
		s.t.Errorf("%d us: outputs moved while the board heard heartbeats: %+v", spacing/us, s.drove[0])
	}
	each := s.beatEach
	s.beatEach = 0
	s.beat()
	begin := s.chip.Now()
	s.oscillate(spacing, (stormBeat+20)*ms)
	for _, name := range s.outputs {
		want := map[bool]string{true: simavr.High, false: simavr.Low}[s.modes[name].Safe()]
		got, at := s.as(name)
		if after := float64(at-begin) / ms; got != want || after > stormBeat+10 {
			s.t.Fatalf("%d us: %s is %q %.1f ms after the last heartbeat of %d", spacing/us, name, got, after, stormBeat)
		}
	}
	s.beatEach = each
	s.run(50 * ms)
	if edges := uint64((3*stormBeat + 20) * ms / spacing); spacing < 30*us && !s.toldOfLosses() {
		s.t.Errorf("%d us: %d edges, and no loss was told", spacing/us, edges)
	}
	s.longest(spacing)
}

// toldOfLosses tells whether an event or a PONG said that edges are lost.
func (s *storm) toldOfLosses() bool {
	dropped := s.dropped
	s.send(&message.Ping{Cookie: 1})
	s.run(5 * ms)
	for _, a := range s.answers {
		if pong, is := a.is.(*message.Pong); is {
			s.dropped = pong.Dropped
		}
	}
	return s.dropped != dropped && slices.ContainsFunc(s.events, func(e message.Event) bool { return e.Kind == message.Lost })
}

// longest: the time of an output counts as before the storm.
func (s *storm) longest(spacing uint64) {
	s.t.Helper()
	s.drove = nil
	if got := s.command(&message.Set{Pin: pin("D4"), Level: true, At: s.now(), Longest: 20_000}); got != message.Taken {
		s.t.Fatalf("%d us: opening behind it: %v", spacing/us, got)
	}
	opened := s.expect("D4", simavr.High)
	s.run(30 * ms)
	if after := float64(s.expect("D4", simavr.Low)-opened) / ms; after < 20 || after > 21.5 {
		s.t.Errorf("%d us: behind it, 20 ms are %.2f", spacing/us, after)
	}
}
