//go:build linux

package linux

import (
	"fmt"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/host/v3/sysfs"
)

// SPIOptions are how a chip on an SPI bus is spoken to, and who wants to know of it.
type SPIOptions struct {
	// Speed is the clock, Mode the polarity and phase of the chip's data sheet. A word has eight bits.
	Speed physic.Frequency
	Mode  spi.Mode
	// OnState, unless nil, is called when the bus is off or hangs, with the reason, and with nil when it is neither any
	// more. It must not wait for the bus.
	OnState func(err error)

	open func(name string) (spi.PortCloser, error) // for tests
	mono func() int64                              // for tests
}

// SPI is one chip select of an SPI bus of this machine, with a goroutine of its own, as I2C has. No part uses it yet.
type SPI struct {
	*worker
	opt SPIOptions

	// What follows is the worker's own.
	port spi.PortCloser // nil while the bus is not open
	conn spi.Conn
}

// OpenSPI returns the chip select of a name, such as spi0.0. That it is off is no error: it is looked for at every
// transfer.
func OpenSPI(name string, opt SPIOptions) (*SPI, error) {
	if _, _, err := selectOf(name); err != nil {
		return nil, err
	}
	if opt.Speed <= 0 {
		return nil, fmt.Errorf("SPI bus %s: a speed above 0 is expected, got %s", name, opt.Speed)
	}
	if opt.open == nil {
		opt.open = openSPI
	}
	s := &SPI{opt: opt}
	s.worker = newWorker(name, opt.OnState, opt.mono, s.giveBack)
	return s, nil
}

// selectOf returns the bus and the chip select of a name.
func selectOf(name string) (number, chip int, err error) {
	if n, err := fmt.Sscanf(name+"\n", "spi%d.%d\n", &number, &chip); err != nil || n != 2 || number < 0 || chip < 0 || fmt.Sprintf("spi%d.%d", number, chip) != name {
		return 0, 0, fmt.Errorf("SPI bus %q: a name such as spi0.0 is expected: bus and chip select", name)
	}
	return number, chip, nil
}

func openSPI(name string) (spi.PortCloser, error) {
	number, chip, err := selectOf(name)
	if err != nil {
		return nil, err
	}
	port, err := sysfs.NewSPI(number, chip)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (on a Raspberry Pi: dtparam=spi=on; is the user in the group spi?)", name, err)
	}
	return port, nil
}

// Tx makes one transfer in both directions at once. It is called from within a job. After one that failed the bus is
// opened anew.
func (s *SPI) Tx(write, read []byte) error {
	if s.conn == nil {
		err := s.connect()
		s.is(err)
		if err != nil {
			return err
		}
	}
	err := s.conn.Tx(write, read)
	if err != nil {
		s.giveBack()
	}
	return err
}

func (s *SPI) connect() (err error) {
	if s.port, err = s.opt.open(s.name); err != nil {
		return err
	}
	if s.conn, err = s.port.Connect(s.opt.Speed, s.opt.Mode, 8); err != nil {
		s.giveBack()
	}
	return err
}

// giveBack closes the port; one that failed has nothing more to say.
func (s *SPI) giveBack() {
	if s.port != nil {
		s.port.Close()
	}
	s.port, s.conn = nil, nil
}
