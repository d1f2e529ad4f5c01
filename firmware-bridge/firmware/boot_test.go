package firmware

import (
	"slices"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/message"
)

// drive opens both canisters, for a time that no test waits for.
func (h *host) drive() {
	h.t.Helper()
	h.open(0x12345678)
	if got := h.command(pins(10_000, canisters)); got != message.Taken {
		h.t.Fatalf("configuring: %v", got)
	}
	h.beat()
	h.run(2 * ms)
	h.unsafe()
	h.answers, h.starts, h.drove = nil, nil, nil
}

// letGo checks that since a cycle nobody has driven an output.
func (h *host) letGo(at uint64) {
	h.t.Helper()
	for _, name := range []string{"D4", "D5"} {
		if since := h.expect(name, simavr.In); since > at+us {
			h.t.Errorf("%s moved %d us after the reset", name, (since-at)/us)
		}
	}
}

func causes(starts []simavr.Report) (all []string) {
	for _, s := range starts {
		all = append(all, s.As)
	}
	return all
}

// TestBootLoader: with Optiboot the firmware comes back from every reset, with its outputs let go of, once, and soon. It cannot say
// why it started.
func TestBootLoader(t *testing.T) {
	t.Parallel()
	h := started(t, simavrtest.StartBehind(t, 500_000, simavrtest.Optiboot(t)))
	boot := h.lastBoard().Boot
	for _, c := range []struct {
		name  string
		reset func()
		least uint64 // milliseconds until the firmware runs
		most  uint64
		want  []string
	}{
		{"power", func() { h.chip.Reset(h.chip.Now(), simavr.ByPower) }, 0, 30, []string{simavr.ByPower}},
		{"a weak supply", func() { h.chip.Reset(h.chip.Now(), simavr.ByBrownOut) }, 0, 30, []string{simavr.ByBrownOut}},
		{"a hang", func() { h.chip.Hang(h.chip.Now(), true) }, 200, 300, []string{simavr.ByWatchdog}},
		{"a hang of all", func() { h.chip.Hang(h.chip.Now(), false) }, 200, 300, []string{simavr.ByWatchdog}},
		// It waits for an upload, and has its own watchdog start the firmware.
		{"opening the port", func() { h.chip.Reset(h.chip.Now(), simavr.ByPin) }, 1300, 1500, []string{simavr.ByPin, simavr.ByWatchdog}},
	} {
		h.drive()
		at := h.chip.Now()
		c.reset()
		h.run((c.most + 400) * ms)
		boot++
		if b := h.lastBoard(); b.Boot != boot || b.Cause != message.CauseUnknown || b.Session != 0 || b.Configured {
			t.Errorf("%s: the board says %+v, want start %d of an unknown cause", c.name, b, boot)
		}
		if got := causes(h.starts); !slices.Equal(got, c.want) {
			t.Fatalf("%s: the chip started by %q, want %q", c.name, got, c.want)
		}
		h.letGo(h.starts[0].At)
		if after := (h.zero - at) / ms; after < c.least || after > c.most {
			t.Errorf("%s: the firmware runs after %d ms, want %d to %d", c.name, after, c.least, c.most)
		}
	}
}

// TestBootLoaderHearsTheHost: a station that greets the board while Optiboot waits for an upload spoils nothing, and has the firmware
// start sooner. Optiboot would take the letter d for the begin of an upload, and erase; the first byte of a frame is zero.
func TestBootLoaderHearsTheHost(t *testing.T) {
	t.Parallel()
	for _, baud := range []int{500_000, 115_200} {
		h := started(t, simavrtest.StartBehind(t, baud, simavrtest.Optiboot(t)))
		for n := range uint64(3) {
			h.answers, h.starts = nil, nil
			h.chip.Reset(h.chip.Now(), simavr.ByPin)
			h.run(1 + n*500*ms) // it waits for 1.4 s
			h.session = uint32(0x64646400 + 1 + n)
			h.send(&message.Hello{Session: h.session, Lowest: 1, Highest: 1})
			h.run(600 * ms)
			if got := causes(h.starts); !slices.Equal(got, []string{simavr.ByPin, simavr.ByWatchdog}) {
				t.Fatalf("%d baud, greeting %d: the chip started by %q", baud, n, got)
			}
			h.open(h.session)
		}
	}
}

// TestBootLoaderOfOldNanos: after a reset by the watchdog it is reset again and again, and drives nothing. Only power ends that.
func TestBootLoaderOfOldNanos(t *testing.T) {
	t.Parallel()
	h := &host{t: t, chip: simavrtest.StartBehind(t, 500_000, simavrtest.OldNano(t)), slice: ms}
	h.run(2000 * ms)
	if b := h.lastBoard(); b.Cause != message.CausePower {
		t.Errorf("the first start: %v", b.Cause)
	}
	h.drive()
	h.chip.Hang(h.chip.Now(), true)
	h.run(600 * ms)
	h.chip.Reset(h.chip.Now(), simavr.ByPin)
	h.run(400 * ms)
	if n := len(h.starts); n < 40 || len(h.answers) > 0 {
		t.Errorf("%d starts within a second, and the board says %+v", n, h.answers)
	}
	h.letGo(h.starts[0].At)
	h.starts = nil
	h.chip.Reset(h.chip.Now(), simavr.ByPower)
	h.run(2000 * ms)
	if b := h.lastBoard(); b.Cause != message.CausePower || len(h.starts) != 1 {
		t.Errorf("after power: %d starts, the last by %v", len(h.starts), b.Cause)
	}
}
