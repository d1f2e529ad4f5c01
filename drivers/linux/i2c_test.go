//go:build linux

package linux

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"scentpost/drivers/bus"
)

// wires are a fake I2C bus. A transfer takes a millisecond.
type wires struct {
	mu     sync.Mutex
	off    error         // what opening fails with
	fail   error         // what a transfer fails with
	hang   chan struct{} // a transfer waits for its end, nil for not at all
	opened int
	closed int
	log    []string
}

func (w *wires) open(string) (i2c.BusCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.off != nil {
		return nil, w.off
	}
	w.opened++
	return w, nil
}

func (w *wires) Tx(address uint16, write, read []byte) error {
	w.mu.Lock()
	hang := w.hang
	w.mu.Unlock()
	if hang != nil {
		<-hang
	}
	<-time.After(time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf("0x%02x %x", address, write))
	return w.fail
}

func (w *wires) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	return nil
}

func (w *wires) String() string                  { return "fake" }
func (w *wires) SetSpeed(physic.Frequency) error { return nil }

// are changes what the wires do.
func (w *wires) are(off, fail error, hang chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off, w.fail, w.hang = off, fail, hang
}

func (w *wires) done() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

// onWires runs a test with a bus over fake wires, in a bubble.
func onWires(t *testing.T, f func(t *testing.T, b *I2C, w *wires, states *ear)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, states, began := &wires{}, &ear{}, time.Now()
		b, err := OpenI2C("i2c-1", I2COptions{open: w.open, mono: func() int64 { return bootMono + int64(time.Since(began)) },
			OnState: func(err error) { states.add("%v", err) }})
		if err != nil {
			t.Fatal(err)
		}
		f(t, b, w, states)
		b.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		synctest.Wait()
		if w.opened != w.closed {
			t.Errorf("opened %d times and closed %d times", w.opened, w.closed)
		}
	})
}

// ask makes one transfer in a job and keeps its error.
func ask(b *I2C, address uint16, err *error) error {
	return b.Do(func() { *err = b.Tx(address, []byte{1}, nil) })
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestJobsInOrder(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, states *ear) {
		for i := range 3 {
			if err := b.Do(func() { b.Tx(uint16(i), []byte{7}, nil) }); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "nobody waits for them", w.done())
		pass(10 * ms)
		equal(t, "done", w.done(), "0x00 07", "0x01 07", "0x02 07")
		equal(t, "states", states.heard())
		if w.opened != 1 {
			t.Errorf("opened %d times", w.opened)
		}
		if err := b.SetSpeed(physic.MegaHertz); err == nil || b.String() != "i2c-1" {
			t.Errorf("%v, %s", err, b)
		}
	})
}

func TestAtAndNow(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, _ *wires, _ *ear) {
		var called []int64
		at := b.Now() + int64(50*ms)
		b.At(at, func() { called = append(called, b.Now()) })
		stop := b.At(at, func() { t.Error("it was stopped") })
		stop()
		pass(time.Second)
		b.At(at, func() { called = append(called, b.Now()) })
		pass(ms)
		if want := []int64{at, at + int64(950*ms)}; !slices.Equal(called, want) {
			t.Errorf("called at %v, want %v", called, want)
		}
	})
}

// TestABusThatIsOffComes: it is told why, once, and found without a restart.
func TestABusThatIsOffComes(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, states *ear) {
		w.are(fmt.Errorf("i2c-1: %w", ErrBusOff), nil, nil)
		var err error
		for range 3 {
			ask(b, 0x20, &err)
			pass(time.Second)
			if !errors.Is(err, ErrBusOff) {
				t.Fatalf("%v", err)
			}
		}
		equal(t, "states", states.heard(), "i2c-1: "+ErrBusOff.Error())
		w.are(nil, nil, nil)
		ask(b, 0x20, &err)
		pass(time.Second)
		equal(t, "states", states.heard(), "<nil>")
		if err != nil {
			t.Error(err)
		}
	})
}

// TestATransferThatFails: the chip may be absent, or its adapter was unplugged and is another one by now: the bus is
// opened anew, and nothing is said of it.
func TestATransferThatFails(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, states *ear) {
		for _, fail := range []error{unix.EREMOTEIO, unix.EIO, unix.ENODEV, unix.ETIMEDOUT} {
			w.are(nil, fail, nil)
			var err, next error
			before := w.opened
			ask(b, 0x20, &err)
			pass(10 * ms)
			w.are(nil, nil, nil)
			ask(b, 0x21, &next)
			pass(10 * ms)
			if !errors.Is(err, fail) || next != nil || w.opened-before < 1 || w.opened-w.closed != 1 {
				t.Errorf("%v: %v, then %v; opened %d, closed %d", fail, err, next, w.opened, w.closed)
			}
		}
		equal(t, "states", states.heard())
	})
}

// TestABusThatHangs: whoever gives a job never waits, the queue has a bound, it is told that the bus hangs and that it
// answers again, and then the jobs go on.
func TestABusThatHangs(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, states *ear) {
		hang := make(chan struct{})
		w.are(nil, nil, hang)
		var err error
		ask(b, 0x20, &err)
		pass(hangsAfter - ms)
		equal(t, "states", states.heard())
		pass(2 * ms)
		equal(t, "states", states.heard(), "i2c-1 has not answered for 3s: "+ErrHangs.Error())
		taken := 0
		for range jobsMost + 5 {
			if err := ask(b, 0x21, &err); err == nil {
				taken++
			} else if !errors.Is(err, bus.ErrBusy) {
				t.Fatal(err)
			}
		}
		if taken != jobsMost {
			t.Errorf("%d jobs wait, want %d", taken, jobsMost)
		}
		w.are(nil, nil, nil)
		close(hang)
		pass(time.Second)
		equal(t, "states", states.heard(), "<nil>")
		if n := len(w.done()); n != jobsMost+1 {
			t.Errorf("%d transfers", n)
		}
	})
}

// TestABusThatHangsHoldsUpNoOther: another bus, its timers and the end of either.
func TestABusThatHangsHoldsUpNoOther(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, _ *ear) {
		hang := make(chan struct{})
		w.are(nil, nil, hang)
		other := &wires{}
		o, err := OpenI2C("i2c-2", I2COptions{open: other.open, mono: b.mono})
		if err != nil {
			t.Fatal(err)
		}
		var ignored error
		ask(b, 0x20, &ignored)
		ask(o, 0x20, &ignored)
		pass(10 * ms)
		equal(t, "the other bus", other.done(), "0x20 01")
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		ask(b, 0x21, &ignored)
		before := time.Now()
		if err := b.Close(); !errors.Is(err, ErrHangs) {
			t.Errorf("closed: %v", err)
		}
		if took := time.Since(before); took != lastJobs {
			t.Errorf("the end took %s", took)
		}
		close(hang)
		pass(time.Second)
		equal(t, "what was given up is not done", w.done(), "0x20 01")
	})
}

// TestTheEndDoesWhatWaits: the jobs that take outputs to their safe level are among them.
func TestTheEndDoesWhatWaits(t *testing.T) {
	onWires(t, func(t *testing.T, b *I2C, w *wires, _ *ear) {
		var err error
		ask(b, 0x20, &err)
		ask(b, 0x21, &err)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		equal(t, "done", w.done(), "0x20 01", "0x21 01")
		if err := ask(b, 0x22, &err); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
}

func TestOpenI2CRefuses(t *testing.T) {
	if _, err := OpenI2C("spi0", I2COptions{}); err == nil {
		t.Error("it is no I2C bus")
	}
}
