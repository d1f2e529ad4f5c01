package circuit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
	"scentpost/simulator/world"
)

// held is a board with somebody at the other end of its cable.
type held struct {
	*testing.T
	world *world.World
	board *Board
	cable *Cable
	heard []string
	drove []string
}

func hold(t *testing.T, baud, ppm int) *held {
	t.Helper()
	h := &held{T: t, world: world.New(1)}
	h.board = New(Options{World: h.world, ID: "b", Baud: baud, PPM: ppm,
		Drive: func(pin string, driven, high bool) {
			h.drove = append(h.drove, fmt.Sprint(pin, " ", driven, " ", high))
		}})
	h.join()
	return h
}

func (h *held) join() {
	var split frame.Splitter
	h.cable = h.board.Join(func(bytes []byte) {
		split.Write(bytes, func(body []byte) {
			_, m, err := message.Parse(body)
			if err != nil {
				h.Error(err)
			}
			h.heard = append(h.heard, fmt.Sprintf("%T", m))
			if p, pong := m.(*message.Pong); pong {
				h.heard = append(h.heard, fmt.Sprint(p.Time))
			}
		}, func(err error) { h.Error(err) })
	})
}

func (h *held) say(m message.Message, session byte) (length int64) {
	text := frame.Append(nil, message.Append(nil, session, 0, m))
	h.cable.Say(text)
	return int64(len(text))
}

// greet begins a session.
func (h *held) greet() {
	h.Helper()
	h.say(&message.Hello{Session: 7, Lowest: message.Version, Highest: message.Version}, 7)
	h.world.RunFor(50 * time.Millisecond)
	if !slices.Contains(h.heard, "*message.Board") {
		h.Fatalf("heard %q", h.heard)
	}
	h.heard = nil
}

// TestBytesTakeTheirTime: ten bits each, one after the other.
func TestBytesTakeTheirTime(t *testing.T) {
	h := hold(t, 100_000, 0)
	h.greet()
	began := h.world.Mono()
	down := h.say(&message.Ping{Cookie: 1}, 7) + h.say(&message.Ping{Cookie: 2}, 7)
	byteTime := int64(100 * time.Microsecond)
	h.world.Run(began + down*byteTime - 1)
	if len(h.heard) > 1 {
		t.Errorf("heard %q before the second was there", h.heard)
	}
	h.world.RunFor(100 * time.Millisecond)
	first := (began + down/2*byteTime - world.Start) / 1000
	second := (began + down*byteTime - world.Start) / 1000
	want := []string{"*message.Pong", fmt.Sprint(first), "*message.Pong", fmt.Sprint(second)}
	if !slices.Equal(h.heard, want) {
		t.Errorf("heard %q, want %q", h.heard, want)
	}
}

// TestACableThatIsCut carries nothing that is on it, and nothing of a host that does not know.
func TestACableThatIsCut(t *testing.T) {
	h := hold(t, 100_000, 0)
	h.greet()
	h.say(&message.Ping{Cookie: 1}, 7)
	h.board.Cut()
	h.say(&message.Ping{Cookie: 2}, 7)
	h.world.RunFor(time.Second)
	if len(h.heard) > 0 {
		t.Errorf("heard %q over a cable that is cut", h.heard)
	}
	old := h.cable
	h.join()
	old.Say([]byte{0})
	h.say(&message.Ping{Cookie: 3}, 7)
	h.world.RunFor(time.Second)
	if len(h.heard) != 2 {
		t.Errorf("heard %q when it was whole again", h.heard)
	}
	h.board.End()
	h.world.RunFor(time.Minute)
	if at, planned := h.world.Next(); planned {
		t.Errorf("something is planned at %d after the end", at)
	}
}

// TestItsPinsAndItsStart: what it drives is heard, and a start lets go of it.
func TestItsPinsAndItsStart(t *testing.T) {
	h := hold(t, 500_000, 0)
	h.greet()
	config := message.Configure{BeatMS: 500}
	pins := slices.Sorted(pinNames)
	out := slices.Index(pins, "D4")
	config.Modes[out], config.Modes[slices.Index(pins, "D2")] = message.OutHigh, message.Input
	h.say(&config, 7)
	h.say(&message.Beat{Count: 1}, 7)
	h.world.RunFor(10 * time.Millisecond)
	h.board.Input("D2", true)
	h.world.RunFor(10 * time.Millisecond)
	if !slices.Equal(h.drove, []string{"D4 true true"}) {
		t.Errorf("drove %q", h.drove)
	}
	if !slices.Contains(h.heard, "*message.Events") {
		t.Errorf("heard %q of an edge", h.heard)
	}
	h.drove, h.heard = nil, nil
	h.board.Reset(message.CauseBrownOut)
	h.world.RunFor(10 * time.Millisecond)
	if len(h.drove) != 1 || !slices.Contains(h.heard, "*message.Board") {
		t.Errorf("drove %q and said %q at its start", h.drove, h.heard)
	}
}

// TestItsClockAndBack: mono is the first instant at which the clock shows so much, however far it is off.
func TestItsClockAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Board{opt: Options{PPM: rapid.IntRange(-6000, 6000).Draw(t, "ppm")}, began: rapid.Int64Range(0, 1e15).Draw(t, "began")}
		micros := rapid.Uint64Range(1, 1e12).Draw(t, "micros")
		at := b.mono(micros)
		if b.micros(at) < micros || b.micros(at-1) >= micros {
			t.Fatalf("%d us come at %d, where the clock shows %d, and %d before it", micros, at, b.micros(at), b.micros(at-1))
		}
		if a, b := b.micros(at), b.micros(at+int64(time.Second)); b-a < 993_999 || b-a > 1_006_001 {
			t.Fatalf("a second has %d us", b-a)
		}
	})
}
