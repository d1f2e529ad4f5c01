//go:build linux

package linux

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"

	"scentpost/drivers/bus"
	"scentpost/drivers/bus/bustest"
	"scentpost/drivers/bus/carrier"
	"scentpost/drivers/mcp23017"
)

// chipWires are wires with one port expander on them, which may be slow, hang, or be away.
type chipWires struct {
	*bustest.MCP23017
	mu   sync.Mutex
	slow time.Duration
	hang chan struct{}
}

func (w *chipWires) Tx(address uint16, write, read []byte) error {
	w.mu.Lock()
	slow, hang := w.slow, w.hang
	w.mu.Unlock()
	if hang != nil {
		<-hang
	}
	<-time.After(slow)
	return w.MCP23017.Tx(address, write, read)
}

func (w *chipWires) Close() error { return nil }

func (w *chipWires) are(slow time.Duration, hang chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow, w.hang = slow, hang
}

// station is a machine with a GPIO chip and an expander on a bus, joined, over a fake kernel and fake wires: what a
// station has but for the kernel itself.
type station struct {
	*testing.T
	bus.Bus
	k         *fake
	w         *chipWires
	heard     *ear
	near, far bus.Output // a drive on GPIO and one on the expander, which is active-low
}

func onStation(t *testing.T, f func(*station)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &station{T: t, k: newFake(), w: &chipWires{MCP23017: bustest.NewMCP23017(0x20, 0xFFFF), slow: 200 * time.Microsecond}, heard: &ear{}}
		s.k.plug("chip", "near", "asks", "beam")
		machine, err := OpenMachine(Options{kernel: s.k, Wiring: map[string]Wiring{"asks": {ActiveLow: true}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		machine.open = func(name string, opt I2COptions) (*I2C, error) {
			opt.open, opt.mono = func(string) (i2c.BusCloser, error) { return s.w, nil }, s.k.mono
			return OpenI2C(name, opt)
		}
		wires, err := machine.Wires("i2c-1")
		if err != nil {
			t.Fatal(err)
		}
		chip, err := mcp23017.New(wires, wires, mcp23017.Options{Name: "exp", Address: 0x20, Lateness: time.Second,
			Pins: map[string]mcp23017.Pin{"A0": {Number: 0, ActiveLow: true}, "A1": {Number: 1, ActiveLow: true}}})
		if err != nil {
			t.Fatal(err)
		}
		looked := chip.Attend(250 * ms)
		<-looked
		if s.Bus, err = carrier.Join(machine, carrier.Carrier{Name: "exp", Bus: chip, Interrupt: "asks", Interrupted: chip.Interrupt}); err != nil {
			t.Fatal(err)
		}
		s.near, s.far = s.output("near"), s.output("exp:A0")
		if err := s.Watch([]string{"beam", "exp:A1"}, s.heard); err != nil {
			t.Fatal(err)
		}
		pass(10 * ms)
		s.heard.heard()
		s.k.done()
		f(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.open() {
			t.Error("it ends with an open canister")
		}
	})
}

func (s *station) output(line string) bus.Output {
	s.Helper()
	o, err := s.Output(line, false)
	if err != nil {
		s.Fatal(err)
	}
	return o
}

// open tells whether the drive on the expander is on.
func (s *station) open() bool { return !s.w.Pin(0) }

// told is what was told of presence, without its reasons.
func (s *station) told() (all []string) {
	for _, text := range s.heard.heard() {
		if strings.HasPrefix(text, "here") || strings.HasPrefix(text, "gone") {
			all = append(all, strings.SplitAfter(text, "]")[0])
		}
	}
	return all
}

// nearMoves checks that the drive on GPIO does what it is told, at once.
func (s *station) nearMoves(when string) {
	s.Helper()
	s.near.Set(true, 0, time.Minute, nil)
	s.near.Set(false, 0, 0, nil)
	equal(s.T, when+": the drive on GPIO", s.k.done(), "set near true", "set near false")
}

func TestAnExpanderOnSlowWires(t *testing.T) {
	onStation(t, func(s *station) {
		s.w.are(20*ms, nil)
		var done int64
		from := s.k.mono()
		s.far.Set(true, 0, time.Minute, func(mono int64, err error) {
			if done = mono; err != nil {
				t.Error(err)
			}
		})
		s.nearMoves("while the wires are busy")
		pass(time.Second)
		if took := time.Duration(done - from); !s.open() || took < 20*ms || took > time.Second {
			t.Errorf("open %t, after %s", s.open(), took)
		}
		s.far.Set(true, 0, 300*ms, nil)
		pass(time.Second)
		if s.open() {
			t.Error("the longest time is not kept")
		}
		equal(t, "told", s.told())
	})
}

func TestAnExpanderThatVanishes(t *testing.T) {
	for _, fault := range []error{unix.EREMOTEIO, unix.EIO, unix.ETIMEDOUT} {
		onStation(t, func(s *station) {
			s.far.Set(true, 0, time.Hour, nil)
			pass(100 * ms)
			s.w.Fail(fault)
			var answer error
			pass(300 * ms)
			equal(t, "gone, by a poll and by a look at once", s.told(), "gone [exp:A0 exp:A1]", "gone [exp:A0 exp:A1]")
			s.far.Set(true, 0, time.Minute, func(_ int64, err error) { answer = err })
			if !errors.Is(answer, bus.ErrGone) || !errors.Is(answer, fault) {
				t.Errorf("%v: %v", fault, answer)
			}
			s.nearMoves("while it is away")
			if _, err := s.Level("exp:A1"); !errors.Is(err, bus.ErrGone) {
				t.Errorf("its level: %v", err)
			}
			s.w.Drive(1, false)
			s.w.Fail(nil)
			pass(2 * time.Second)
			equal(t, "back", s.told(), "here [exp:A0 exp:A1]")
			if s.open() {
				t.Error("it is back and open")
			}
			if level, err := s.Level("exp:A1"); err != nil || !level {
				t.Errorf("its level: %t, %v", level, err)
			}
			s.far.Set(true, 0, time.Minute, nil)
			pass(100 * ms)
			if !s.open() {
				t.Error("it cannot be used")
			}
		})
	}
}

func TestAnExpanderOnWiresThatHang(t *testing.T) {
	onStation(t, func(s *station) {
		s.far.Set(true, 0, time.Hour, nil)
		pass(100 * ms)
		hang := make(chan struct{})
		s.w.are(0, hang)
		pass(2500 * ms)
		equal(t, "gone, though nothing has failed", s.told(), "gone [exp:A0 exp:A1]")
		s.nearMoves("while the wires hang")
		for range 1000 {
			s.far.Set(false, 0, 0, nil)
			s.far.Set(true, 0, time.Minute, nil)
		}
		s.w.are(0, nil)
		close(hang)
		pass(3 * time.Second)
		equal(t, "back", s.told(), "here [exp:A0 exp:A1]")
		if s.open() {
			t.Error("what was commanded while they hung showed")
		}
	})
}

// TestAnInterruptStampsAnEdgeOfAnExpander: the kernel's stamp of the line that it asks with.
func TestAnInterruptStampsAnEdgeOfAnExpander(t *testing.T) {
	onStation(t, func(s *station) {
		s.k.mu.Lock()
		chip := s.k.paths["/dev/gpiochip0"]
		s.k.mu.Unlock()
		chip.pull(1, true)
		pass(time.Second)
		s.heard.heard()
		at := since(s.k.mono())
		s.w.Drive(1, false)
		chip.pull(1, false) // the chip pulls its interrupt down
		pass(10 * ms)
		want := fmt.Sprintf("1 exp:A1 true at %s within 100µs", at)
		if got := s.heard.heard(); len(got) != 2 || got[1] != want {
			t.Errorf("%q, want %q behind the interrupt", got, want)
		}
	})
}
