//go:build linux

package linux

import (
	"errors"
	"testing"
)

// TestABusThatIsOff: the error says so, whatever the machine of the test has.
func TestABusThatIsOff(t *testing.T) {
	if _, err := openI2C("i2c-999"); !errors.Is(err, ErrBusOff) || err.Error() != "i2c-999: "+ErrBusOff.Error() {
		t.Errorf("%v", err)
	}
	if err := ProbeI2C("i2c-999", 0x20); !errors.Is(err, ErrBusOff) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"", "spi-1", "i2c-", "i2c--1", "i2c-one"} {
		if _, err := openI2C(name); err == nil || errors.Is(err, ErrBusOff) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Buses(); err != nil {
		t.Error(err)
	}
}
