//go:build linux

package linux

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"scentpost/drivers/bus"
)

const (
	// jobsMost is how many jobs may wait for one bus: a few for each chip of the 112 that one can carry, each of which
	// asks again and again whatever became of its last job.
	jobsMost = 256
	// hangsAfter is how long a job may take before its bus is said to hang. A kernel gives up on one transfer after a
	// second, and a job makes no more of them when one fails.
	hangsAfter = 3 * time.Second
	// lastJobs bounds how long the end of a bus waits for the jobs that take its outputs to their safe level.
	lastJobs = 500 * time.Millisecond
)

// I2COptions are who wants to know of an I2C bus.
type I2COptions struct {
	// OnState, unless nil, is called when the bus is off or hangs, with the reason, and with nil when it is neither any
	// more. It must not wait for the bus.
	OnState func(err error)

	open func(name string) (i2c.BusCloser, error) // for tests
	mono func() int64                             // for tests
}

// I2C is one I2C bus of this machine. It is a bus.Wires: one goroutine makes its transfers, as they cannot be called off,
// and whoever waits for a chip waits for that goroutine alone. A bus that is off is looked for at every transfer.
type I2C struct {
	name  string
	opt   I2COptions
	news  chan struct{} // there is a job, or the end has come
	ended chan struct{}

	// What follows is the goroutine's own.
	wires i2c.BusCloser // nil while the bus is not open
	stale bool          // a transfer failed: the bus may be another one by now

	mu     sync.Mutex // guards what follows; held over no job and no callback
	jobs   []func()
	closed bool
	given  bool // up: the jobs that are left are nobody's
	state  error
	told   error
	tells  bool // somebody is telling the state
}

// OpenI2C returns the I2C bus of a name, such as i2c-1. That it is off is no error.
func OpenI2C(name string, opt I2COptions) (*I2C, error) {
	if _, err := numberOf(name); err != nil {
		return nil, err
	}
	if opt.OnState == nil {
		opt.OnState = func(error) {}
	}
	if opt.open == nil {
		opt.open = openI2C
	}
	if opt.mono == nil {
		opt.mono = func() int64 { return read(unix.CLOCK_MONOTONIC) }
	}
	b := &I2C{name: name, opt: opt, news: make(chan struct{}, 1), ended: make(chan struct{})}
	go b.run()
	return b, nil
}

// String is the name of the bus.
func (b *I2C) String() string { return b.name }

// SetSpeed is refused: the kernel's configuration decides it for all chips of a bus.
func (b *I2C) SetSpeed(physic.Frequency) error {
	return fmt.Errorf("%s: the speed of an I2C bus is set in the machine's configuration (on a Raspberry Pi: dtparam=i2c_arm_baudrate)", b.name)
}

// Now is the kernel's monotonic clock; see bus.Wires.
func (b *I2C) Now() int64 { return b.opt.mono() }

// At calls f at or after mono; see bus.Wires.
func (b *I2C) At(mono int64, f func()) (stop func()) {
	timer := time.AfterFunc(max(time.Duration(mono-b.Now()), 0), f)
	return func() { timer.Stop() }
}

// Do runs job soon; see bus.Wires.
func (b *I2C) Do(job func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return fmt.Errorf("%s: %w", b.name, bus.ErrClosed)
	case len(b.jobs) >= jobsMost:
		return fmt.Errorf("%s: %w", b.name, bus.ErrBusy)
	}
	b.jobs = append(b.jobs, job)
	b.knock()
	return nil
}

func (b *I2C) knock() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// run is the goroutine that owns the bus.
func (b *I2C) run() {
	defer close(b.ended)
	for {
		job, more := b.next()
		if job == nil {
			if !more {
				break
			}
			<-b.news
			continue
		}
		hangs := time.AfterFunc(hangsAfter, func() {
			b.is(fmt.Errorf("%s has not answered for %s: %w", b.name, hangsAfter, ErrHangs))
		})
		job()
		if !hangs.Stop() {
			b.is(nil)
		}
	}
	if b.wires != nil {
		b.wires.Close() // what was written is written, and nobody is left to be told
	}
}

// next takes the next job; nil when there is none, and more tells whether another one may come.
func (b *I2C) next() (job func(), more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.jobs) == 0 || b.given {
		return nil, !b.closed
	}
	job = b.jobs[0]
	b.jobs[0] = nil
	if b.jobs = b.jobs[1:]; len(b.jobs) == 0 {
		b.jobs = nil // its array would only grow
	}
	return job, true
}

// Tx makes one transfer; see bus.Wires. It is called from within a job. After one that failed the bus is opened anew: its
// adapter may have been unplugged.
func (b *I2C) Tx(address uint16, write, read []byte) error {
	if b.stale && b.wires != nil {
		b.wires.Close() // it failed already
		b.wires = nil
	}
	b.stale = false
	if b.wires == nil {
		wires, err := b.opt.open(b.name)
		b.is(err)
		if err != nil {
			return err
		}
		b.wires = wires
	}
	err := b.wires.Tx(address, write, read)
	b.stale = err != nil
	return err
}

// is tells what the bus is, when that is news: one call at a time, and the latest last.
func (b *I2C) is(state error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = state
	if b.tells {
		return
	}
	b.tells = true
	for fmt.Sprint(b.state) != fmt.Sprint(b.told) {
		now := b.state
		b.told = now
		b.mu.Unlock()
		b.opt.OnState(now)
		b.mu.Lock()
	}
	b.tells = false
}

// Close makes the jobs that wait, and gives the bus back. It waits for wires that hang for a moment only, and then leaves
// them to themselves. It must not be called from a job.
func (b *I2C) Close() error {
	b.mu.Lock()
	b.closed = true
	b.knock()
	b.mu.Unlock()
	limit := time.NewTimer(lastJobs)
	defer limit.Stop()
	select {
	case <-b.ended:
		return nil
	case <-limit.C:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	left := len(b.jobs)
	b.given, b.jobs = true, nil
	return fmt.Errorf("%s: closed while a transfer hangs, with %d more jobs to do: what it drives stays as it is: %w", b.name, left, ErrHangs)
}

// ErrHangs: a transfer does not end.
var ErrHangs = errors.New("the wires hang (does a chip hold SDA or SCL low? power it off and on)")
