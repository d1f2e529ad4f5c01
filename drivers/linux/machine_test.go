//go:build linux

package linux

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheEndOfAMachine: its outputs are safe before it waits for anything, and buses that hang are waited for together.
func TestTheEndOfAMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, began, hang := newFake(), time.Now(), make(chan struct{})
		defer func() {
			close(hang)
			pass(10 * ms)
		}()
		k.plug("chip", "o")
		states := &ear{}
		m, err := OpenMachine(Options{kernel: k}, func(name string, err error) { states.add("%s %v", name, err) })
		if err != nil {
			t.Fatal(err)
		}
		m.open = func(name string, opt I2COptions) (*I2C, error) {
			w := &wires{hang: hang}
			opt.open, opt.mono = w.open, k.mono
			return OpenI2C(name, opt)
		}
		o, err := m.Output("o", false)
		if err != nil {
			t.Fatal(err)
		}
		o.Set(true, 0, 0, nil)
		k.done()
		for _, name := range []string{"i2c-1", "i2c-0", "i2c-1"} {
			w, err := m.Wires(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Do(func() { w.Tx(0x20, []byte{1}, nil) }); err != nil {
				t.Fatal(err)
			}
		}
		if len(m.buses) != 2 {
			t.Errorf("%d buses, want one of each name", len(m.buses))
		}
		pass(hangsAfter + ms)
		if got := states.heard(); len(got) != 2 {
			t.Errorf("states %q", got)
		}
		driven := make(chan []string, 1)
		time.AfterFunc(ms, func() { driven <- k.done() })
		before := time.Now()
		if err := m.Close(); !errors.Is(err, ErrHangs) {
			t.Errorf("%v", err)
		}
		if took := time.Since(before); took != lastJobs {
			t.Errorf("the end took %s after %s", took, before.Sub(began))
		}
		equal(t, "while the buses hang", <-driven, "set o false")
	})
}

func TestWiresOfNoBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := OpenMachine(Options{kernel: newFake()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wires("spi0"); err == nil {
			t.Error("it is no I2C bus")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
