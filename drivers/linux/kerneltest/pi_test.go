//go:build linux

package kerneltest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/drivers/linux"
)

// The sensor of the Pi's guest: a TMP105 on the first bus. Datasheet: Texas Instruments SBOS348; registers are big end
// first, temperatures in 1/256 of a degree.
const (
	piBus          = "i2c-1"
	piSensor       = 0x48
	tmpTemperature = 0x00
	tmpConfig      = 0x01
	tmpLow         = 0x02
)

// transfer does one transfer on the bus's own goroutine.
func transfer(t *testing.T, b *linux.I2C, address uint16, write []byte, read int) ([]byte, error) {
	t.Helper()
	got, done := make([]byte, read), make(chan error, 1)
	if err := b.Do(func() { done <- b.Tx(address, write, got) }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		return got, err
	case <-time.After(time.Minute):
		t.Fatal("a transfer did not end within a minute")
	}
	return nil, nil
}

// TestPiI2C reads and writes a temperature sensor through the kernel's own driver of a Raspberry Pi's I2C bus.
func TestPiI2C(t *testing.T) {
	onPi(t)
	buses, err := linux.Buses()
	t.Logf("buses %v, %v", buses, err)
	if err := linux.ProbeI2C(piBus, piSensor); err != nil {
		t.Fatal(err)
	}
	if err := linux.ProbeI2C(piBus, piSensor+1); err == nil || !strings.Contains(err.Error(), "nothing answers at 0x49") {
		t.Errorf("probed where nothing is: %v", err)
	}
	states := make(chan error, 16)
	b, err := linux.OpenI2C(piBus, linux.I2COptions{OnState: func(err error) { states <- err }})
	if err != nil {
		t.Fatal(err)
	}
	for _, degrees := range []float64{23.5, -12.5} {
		// The script pi hands this to QEMU's monitor.
		fmt.Printf("HOST qom-set /machine/peripheral/sensor temperature %d\n", int(degrees*1000))
		limit, again := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
		for is := math.NaN(); is != degrees; {
			select {
			case <-again.C:
			case <-limit:
				t.Fatalf("the sensor says %.4f degrees, want %.2f", is, degrees)
			}
			got, err := transfer(t, b, piSensor, []byte{tmpTemperature}, 2)
			if err != nil {
				t.Fatal(err)
			}
			is = float64(int16(binary.BigEndian.Uint16(got))) / 256
		}
		again.Stop()
	}
	low := []byte{0x12, 0x30}
	if _, err := transfer(t, b, piSensor, append([]byte{tmpLow}, low...), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := transfer(t, b, piSensor, []byte{tmpLow}, 2); err != nil || !bytes.Equal(got, low) {
		t.Errorf("the limit reads %x, %v, want %x", got, err, low)
	}
	if got, err := transfer(t, b, piSensor, []byte{tmpConfig}, 1); err != nil {
		t.Error(err)
	} else {
		t.Logf("configuration %x", got)
	}
	if got, err := transfer(t, b, piSensor+1, []byte{0}, 1); err == nil {
		t.Errorf("read %x where nothing is", got)
	} else {
		t.Logf("where nothing is: %v", err)
	}
	if got, err := transfer(t, b, piSensor, []byte{tmpTemperature}, 2); err != nil {
		t.Errorf("after a transfer that failed: %x, %v", got, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for len(states) > 0 {
		t.Logf("state: %v", <-states)
	}
}

// TestPiLetsGo checks what a Raspberry Pi's kernel does with an output whose program is killed: as it is set, the line
// stays an output at its level, or becomes an input that its pull holds.
func TestPiLetsGo(t *testing.T) {
	onPi(t)
	const line = 17
	holder := actor(t, roleHolder)
	says, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := says.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	look := func(when string) string {
		t.Helper()
		is := pin(t, line)
		t.Logf("%s: %s", when, is)
		return is
	}
	if is := look("driven high"); !strings.Contains(is, "function gpio_out in hi") {
		t.Errorf("a driven line is %q", is)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait()
	keeps, want := linux.KeepsOutputs(linux.SysFolder, "pinctrl-bcm2835"), "function gpio_in "
	if keeps {
		want = "function gpio_out in hi"
	}
	t.Logf("the kernel keeps outputs: %t", keeps)
	if is := look("after SIGKILL"); !strings.Contains(is, want) {
		t.Errorf("after the kill the line is %q, want %q", is, want)
	}
}

// pin is what the driver reads in its registers of a pin. What gpiolib says of a line that nobody has is not to be
// trusted: it remembers the last direction.
func pin(t *testing.T, n int) string {
	t.Helper()
	if err := mount("debugfs", "/sys/kernel/debug"); err != nil && !errors.Is(err, syscall.EBUSY) {
		t.Fatal(err)
	}
	files, err := filepath.Glob("/sys/kernel/debug/pinctrl/*pinctrl-bcm2835/pins")
	if err != nil || len(files) != 1 {
		t.Fatalf("the pins of the board: %v, %v", files, err)
	}
	text, err := get(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, fmt.Sprintf("pin %d ", n)) {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("the board has no pin %d: %s", n, text)
	return ""
}
