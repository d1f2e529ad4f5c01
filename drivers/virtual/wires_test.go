package virtual

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/drivers/bus"
)

var _ bus.Wires = (*wires)(nil)

// TestATransferGoesOverTheWire: in a job of the bus, whose answer is what the station's chip gave.
func TestATransferGoesOverTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.hello.Buses = []string{"i2c-1"}
		p.reply = func(m Message) Message {
			switch {
			case m.Kind != I2C || m.Bus != "i2c-1":
				return Message{}
			case m.Address == 0x76:
				return Message{Data: append(slices.Clone(m.Write), make([]byte, m.Read-len(m.Write))...)}
			case m.Address == 0x77:
				return Message{Data: []byte{1}}
			}
			return Message{Error: ErrorTransfer, Why: "no chip acknowledged"}
		}
		c, err := Dial(Options{Dial: p.dial})
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Wires("i2c-1")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.Wires("i2c-1"); err != nil || again != w {
			t.Errorf("asked for twice: %v, %v", again, err)
		}
		if _, err := c.Wires("i2c-2"); !errors.Is(err, bus.ErrUnknownLine) || !strings.Contains(err.Error(), "i2c-1") {
			t.Errorf("a bus that there is not: %v", err)
		}
		read := make([]byte, 3)
		var good, absent, short error
		done := make(chan bool)
		must(t, w.Do(func() {
			good = w.Tx(0x76, []byte{7, 8}, read)
			absent = w.Tx(0x20, []byte{0}, read)
			short = w.Tx(0x77, []byte{0}, read)
			close(done)
		}))
		<-done
		if good != nil || !slices.Equal(read, []byte{7, 8, 0}) {
			t.Errorf("read %v, %v", read, good)
		}
		if absent == nil || !strings.Contains(absent.Error(), "i2c-1: ") || !strings.Contains(absent.Error(), "no chip acknowledged") {
			t.Errorf("no chip: %v", absent)
		}
		if !errors.Is(short, ErrMessage) {
			t.Errorf("an answer that is too short: %v", short)
		}
		must(t, c.Close())
		if err := w.Do(func() {}); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestJobsWaitInOrderAndNotWithoutEnd: a station that does not answer holds up the jobs behind it, up to a bound.
func TestJobsWaitInOrderAndNotWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.hello.Buses = []string{"i2c-1"}
		c, err := Dial(Options{Dial: p.dial})
		must(t, err)
		w, err := c.Wires("i2c-1")
		must(t, err)
		hold := make(chan bool)
		must(t, w.Do(func() { <-hold }))
		synctest.Wait()
		var order []int
		for i := range waitingJobs {
			must(t, w.Do(func() { order = append(order, i) }))
		}
		if err := w.Do(func() {}); !errors.Is(err, bus.ErrBusy) {
			t.Errorf("one job too many: %v", err)
		}
		close(hold)
		synctest.Wait()
		if len(order) != waitingJobs || !slices.IsSorted(order) {
			t.Errorf("done in the order %v", order)
		}
		must(t, c.Close())
	})
}

// TestAnInstantOfTheVirtualClock: At goes by the station's clock, ten times as fast as ours.
func TestAnInstantOfTheVirtualClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.hello.Buses = []string{"i2c-1"}
		c, err := Dial(Options{Dial: p.dial})
		must(t, err)
		w, err := c.Wires("i2c-1")
		must(t, err)
		begin := time.Now()
		var called time.Duration
		w.At(w.Now()+int64(100*time.Millisecond), func() { called = time.Since(begin) })
		w.At(w.Now()+int64(50*time.Millisecond), func() { t.Error("it was stopped") })()
		time.Sleep(time.Second)
		synctest.Wait()
		if called != 10*time.Millisecond {
			t.Errorf("called after %s", called)
		}
		must(t, c.Close())
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheEndDoesWhatWaits: what takes outputs on I2C to their safe level is among it. A job that hangs is waited for for a
// moment only.
func TestTheEndDoesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.hello.Buses = []string{"i2c-1"}
		p.reply = func(m Message) Message {
			if m.Kind == I2C {
				return Message{Data: []byte{}}
			}
			return Message{}
		}
		c, err := Dial(Options{Dial: p.dial})
		must(t, err)
		w, err := c.Wires("i2c-1")
		must(t, err)
		last := errors.New("the last job was not done")
		must(t, w.Do(func() { last = w.Tx(0x20, []byte{0x14, 0, 0}, nil) }))
		must(t, c.Close())
		if last != nil {
			t.Error(last)
		}
		q := newPeer(t)
		q.hello.Buses = []string{"i2c-1"}
		d, err := Dial(Options{Dial: q.dial})
		must(t, err)
		w, err = d.Wires("i2c-1")
		must(t, err)
		hold := make(chan bool)
		must(t, w.Do(func() { <-hold }))
		time.AfterFunc(2*lastWithin, func() { close(hold) })
		began := time.Now()
		must(t, d.Close())
		if took := time.Since(began); took != 2*lastWithin {
			t.Errorf("the end took %s; the job that hung had its goroutine until then", took)
		}
	})
}
