package bus

import (
	"errors"

	"periph.io/x/conn/v3/i2c"
)

// Wires are one I2C bus and the one goroutine that owns it. A transfer cannot be called off: wires that hang hold up the
// jobs behind it and nothing else.
type Wires interface {
	// Bus makes transfers. They may wait for as long as the wires do, so they are made from within a job alone.
	i2c.Bus
	// Now is the monotonic clock in nanoseconds, that of the edges.
	Now() int64
	// At calls f at or after mono, on a goroutine of its own; stop keeps it from being called, if it still can.
	At(mono int64, f func()) (stop func())
	// Do runs job soon, one job at a time and in order. It never waits: ErrBusy when too many wait already, ErrClosed
	// after the end.
	Do(job func()) error
}

// ErrBusy: too many jobs wait for wires that are slow or hang.
var ErrBusy = errors.New("too many jobs wait for the wires")
