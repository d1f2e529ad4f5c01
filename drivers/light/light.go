// Package light is a lamp on an output line, which may burn for as long as it likes.
package light

import (
	"time"

	"scentpost/drivers/bus"
)

// Light is one lamp.
type Light struct{ out bus.Output }

// New returns the lamp of an output whose safe level is off.
func New(out bus.Output) *Light { return &Light{out: out} }

// Set switches the lamp at once, and off again after lasting when that is not 0. It never waits. A lamp that fails
// stays dark: nothing depends on it.
func (l *Light) Set(on bool, lasting time.Duration) { l.out.Set(on, 0, lasting, nil) }
