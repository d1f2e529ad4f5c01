// Package light is a lamp on an output line, which may burn for as long as it likes.
package light

import "scentpost/drivers/bus"

// Light is one lamp.
type Light struct{ out bus.Output }

// New returns the lamp of an output whose safe level is off.
func New(out bus.Output) *Light { return &Light{out: out} }

// Set switches the lamp at once. It never waits; what goes wrong is told to failed, unless that is nil, save
// that a newer Set came first.
func (l *Light) Set(on bool, failed func(error)) {
	l.out.Set(on, 0, 0, func(_ int64, err error) {
		if err != nil && failed != nil {
			failed(err)
		}
	})
}
