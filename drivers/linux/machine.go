//go:build linux

package linux

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"scentpost/drivers/bus"
)

// Machine is the GPIO lines and the I2C buses of this machine: a bus.Bus that has bus.Wires beside its lines.
type Machine struct {
	*GPIO
	onBus func(name string, err error)
	open  func(name string, opt I2COptions) (*I2C, error)

	mu    sync.Mutex // guards buses
	buses map[string]*I2C
}

// OpenMachine returns the lines and buses of this machine. That there are none is no error. onBus, unless nil, hears that
// an I2C bus is off or hangs, with the reason, and nil when it is neither any more; it must not wait.
func OpenMachine(opt Options, onBus func(name string, err error)) (*Machine, error) {
	gpio, err := OpenGPIO(opt)
	if err != nil {
		return nil, err
	}
	if onBus == nil {
		onBus = func(string, error) {}
	}
	return &Machine{GPIO: gpio, onBus: onBus, open: OpenI2C, buses: map[string]*I2C{}}, nil
}

// Wires returns the I2C bus of a name, such as i2c-1: the same one for everybody who asks. Its owner is the Machine.
func (m *Machine) Wires(name string) (bus.Wires, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.buses[name]; b != nil {
		return b, nil
	}
	b, err := m.open(name, I2COptions{OnState: func(err error) { m.onBus(name, err) }})
	if err != nil {
		return nil, err
	}
	m.buses[name] = b
	return b, nil
}

// Mono is the clock that stamps edges, CLOCK_MONOTONIC in nanoseconds.
func (m *Machine) Mono() int64 { return m.kernel.mono() }

// Close drives every GPIO output to its safe level and gives all lines back. Then the I2C buses end, all at once: one that
// hangs holds up neither the lines nor another bus.
func (m *Machine) Close() error {
	err := m.GPIO.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	failed := make([]error, len(m.buses))
	var ends sync.WaitGroup
	for i, name := range slices.Sorted(maps.Keys(m.buses)) {
		ends.Go(func() { failed[i] = m.buses[name].Close() })
	}
	ends.Wait()
	return errors.Join(append(failed, err)...)
}
