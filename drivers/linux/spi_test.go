//go:build linux

package linux

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"scentpost/drivers/bus"
)

// chipSelect is a fake SPI port whose chip answers each byte with its complement.
type chipSelect struct {
	spi.Conn
	off, fail      error
	hang           chan struct{}
	opened, closed int
	speed          physic.Frequency
	mode           spi.Mode
}

func (c *chipSelect) open(string) (spi.PortCloser, error) {
	if c.off != nil {
		return nil, c.off
	}
	c.opened++
	return c, nil
}

func (c *chipSelect) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	c.speed, c.mode = f, mode
	return c, nil
}

func (c *chipSelect) Tx(w, r []byte) error {
	if c.hang != nil {
		<-c.hang
	}
	for i := range r {
		r[i] = ^w[i]
	}
	return c.fail
}

func (c *chipSelect) Close() error                      { c.closed++; return nil }
func (c *chipSelect) String() string                    { return "fake" }
func (c *chipSelect) LimitSpeed(physic.Frequency) error { return nil }

// transfer makes one transfer in a job, and waits for it.
func transfer(t *testing.T, s *SPI, write []byte) (read []byte, err error) {
	t.Helper()
	done := make(chan struct{})
	read = make([]byte, len(write))
	if refused := s.Do(func() { err = s.Tx(write, read); close(done) }); refused != nil {
		t.Fatal(refused)
	}
	<-done
	return read, err
}

func TestAnSPIBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chipSelect{off: errors.New("no such bus")}
		var states []error
		s, err := OpenSPI("spi0.1", SPIOptions{Speed: physic.MegaHertz, Mode: spi.Mode3, open: c.open, mono: func() int64 { return 1 },
			OnState: func(err error) { states = append(states, err) }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transfer(t, s, []byte{1}); !errors.Is(err, c.off) {
			t.Errorf("while it is off: %v", err)
		}
		c.off = nil
		if got, err := transfer(t, s, []byte{0x0F, 0xF0}); err != nil || !bytes.Equal(got, []byte{0xF0, 0x0F}) {
			t.Errorf("%x, %v", got, err)
		}
		if c.speed != physic.MegaHertz || c.mode != spi.Mode3 {
			t.Errorf("connected with %s, mode %v", c.speed, c.mode)
		}
		c.fail = errors.New("EIO")
		if _, err := transfer(t, s, []byte{1}); !errors.Is(err, c.fail) {
			t.Errorf("a transfer that fails: %v", err)
		}
		c.fail = nil
		if _, err := transfer(t, s, []byte{1}); err != nil || c.opened != 2 || c.closed != 1 {
			t.Errorf("after it: %v, opened %d times, closed %d times", err, c.opened, c.closed)
		}
		if len(states) != 2 || states[0] == nil || states[1] != nil {
			t.Errorf("states %v, want that it was off and is not", states)
		}
		if err := s.Close(); err != nil || c.closed != 2 {
			t.Errorf("close: %v, %d times", err, c.closed)
		}
	})
}

// TestAnSPIBusThatHangs: who gives jobs never waits, and the end waits for a moment only.
func TestAnSPIBusThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chipSelect{hang: make(chan struct{})}
		var told error
		s, err := OpenSPI("spi0.0", SPIOptions{Speed: physic.MegaHertz, open: c.open, mono: func() int64 { return 1 }, OnState: func(err error) { told = err }})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil {
			err = s.Do(func() { s.Tx([]byte{1}, nil) })
		}
		if !errors.Is(err, bus.ErrBusy) || time.Since(began) != 0 {
			t.Errorf("%v after %s, want that it is busy at once", err, time.Since(began))
		}
		time.Sleep(hangsAfter)
		synctest.Wait()
		if !errors.Is(told, ErrHangs) {
			t.Errorf("told %v", told)
		}
		if err := s.Close(); !errors.Is(err, ErrHangs) || time.Since(began) != hangsAfter+lastJobs {
			t.Errorf("close: %v after %s", err, time.Since(began))
		}
		close(c.hang)
	})
}

func TestNamesOfSPIBuses(t *testing.T) {
	for _, name := range []string{"", "spi", "spi0", "spi0.", "spi0.0x", "spi-1.0", "spi00.1", "/dev/spidev0.0", "i2c-1"} {
		if _, err := OpenSPI(name, SPIOptions{Speed: physic.MegaHertz}); err == nil || !strings.Contains(err.Error(), "such as spi0.0") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := OpenSPI("spi0.0", SPIOptions{}); err == nil || !strings.Contains(err.Error(), "speed") {
		t.Errorf("without a speed: %v", err)
	}
}
