package virtual

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"periph.io/x/conn/v3/physic"

	"scentpost/drivers/bus"
)

// waitingJobs is how many jobs may wait for one I2C bus.
const waitingJobs = 32

// Wires returns an I2C bus of the station by its name. It has one goroutine until Close, however often it is asked for.
func (c *Client) Wires(name string) (bus.Wires, error) {
	if !slices.Contains(c.hello.Buses, name) {
		return nil, fmt.Errorf("%w: the virtual station has no I2C bus %q (it has %q)", bus.ErrUnknownLine, name, c.hello.Buses)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.wires[name]; w != nil {
		return w, nil
	}
	select {
	case <-c.closed:
		return nil, bus.ErrClosed
	default:
	}
	w := &wires{client: c, name: name, jobs: make(chan func(), waitingJobs)}
	if c.wires == nil {
		c.wires = map[string]*wires{}
	}
	c.wires[name] = w
	c.workers.Go(w.run)
	return w, nil
}

// lastWithin bounds how long the end waits for the jobs that take what is on I2C to its safe level.
const lastWithin = 500 * time.Millisecond

// lastJobs does the jobs that wait on every bus.
func (c *Client) lastJobs() {
	c.mu.Lock()
	all := slices.Collect(maps.Values(c.wires))
	c.mu.Unlock()
	limit := time.NewTimer(lastWithin)
	defer limit.Stop()
	for _, w := range all {
		done := make(chan struct{})
		if w.Do(func() { close(done) }) != nil {
			continue
		}
		select {
		case <-done:
		case <-limit.C:
			return
		}
	}
}

// wires are one I2C bus of the station. A transfer is answered, or the station is taken for dead.
type wires struct {
	client *Client
	name   string
	jobs   chan func()
}

func (w *wires) run() {
	for {
		select {
		case <-w.client.closed:
			return
		case job := <-w.jobs:
			job()
		}
	}
}

// String names the bus.
func (w *wires) String() string { return w.name }

// SetSpeed does nothing.
func (w *wires) SetSpeed(physic.Frequency) error { return nil }

// Tx makes one transfer; see i2c.Bus.
func (w *wires) Tx(address uint16, write, read []byte) error {
	m, err := w.client.call(Message{Kind: I2C, Bus: w.name, Address: address, Write: write, Read: len(read)})
	if err == nil && len(m.Data) != len(read) {
		err = fmt.Errorf("%w: %d bytes were read, expected %d", ErrMessage, len(m.Data), len(read))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	copy(read, m.Data)
	return nil
}

// Now is the station's virtual clock.
func (w *wires) Now() int64 { return w.client.Mono() }

// At implements bus.Wires.
func (w *wires) At(mono int64, f func()) (stop func()) {
	left := time.Duration(float64(mono-w.Now()) / w.client.Scale())
	timer := time.AfterFunc(max(left, 0), f)
	return func() { timer.Stop() }
}

// Do implements bus.Wires.
func (w *wires) Do(job func()) error {
	select {
	case <-w.client.closed:
		return bus.ErrClosed
	default:
	}
	select {
	case w.jobs <- job:
		return nil
	default:
		return bus.ErrBusy
	}
}
