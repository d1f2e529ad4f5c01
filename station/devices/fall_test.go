package devices

import (
	"errors"
	"testing"
	"time"

	"scentpost/drivers/bus"
)

// TestACanisterThatClosesByItself: what carries it says so; it is told as a fault of the move, and commanded closed.
func TestACanisterThatClosesByItself(t *testing.T) {
	w := opened(t, nil)
	var sink bus.Sink = inlet{w.station}
	falls, wants := sink.(bus.FallSink)
	if !wants {
		t.Fatal("the station does not hear of outputs that fall")
	}
	w.station.Move(100*ms, time.Minute, run("AB"))
	w.until(1000 * ms)
	w.seen()
	w.lines = nil
	falls.Fall(bus.Fall{Line: "1A.drive", Mono: 50 * ms, Why: errors.New("of a command before")})
	falls.Fall(bus.Fall{Line: "no such line", Mono: 900 * ms, Why: errors.New("of nobody")})
	w.until(1100 * ms)
	expect(t, "what is none of it", w.lines, nil)
	falls.Fall(bus.Fall{Line: "1A.drive", Mono: 1000 * ms, Why: errors.New("board nano-1: it heard no heartbeat")})
	w.until(2000 * ms)
	expect(t, "it alone is closed", w.lines, []string{"1100 1A.drive false"})
	expect(t, "told", w.seen(), []string{"100 1:1A open=true 0 0 board nano-1: it heard no heartbeat", "1100 1:1A open=false 1100 1400"})
}
