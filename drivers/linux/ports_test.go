//go:build linux

package linux

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPortsByTheNamesThatLast: by-id before by-path before what it is called today; each port once; how long FTDI's
// converters gather.
func TestPortsByTheNamesThatLast(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, to string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(root, to), file); err != nil {
			t.Fatal(err)
		}
	}
	for _, device := range []string{"ttyUSB0", "ttyUSB1", "ttyACM0", "ttyAMA0", "tty1", "ttyS3"} {
		write("dev/"+device, "")
	}
	link("dev/serial/by-id/usb-nano", "dev/ttyUSB1")
	link("dev/serial/by-path/platform-usb-1", "dev/ttyUSB1")
	link("dev/serial/by-path/platform-usb-0", "dev/ttyUSB0")
	link("dev/serial0", "dev/ttyAMA0")
	write("sys/bus/usb-serial/devices/ttyUSB1/latency_timer", "16\n")
	want := []SerialPort{
		{Name: "dev/serial/by-path/platform-usb-0", Device: "dev/ttyUSB0"},
		{Name: "dev/serial/by-id/usb-nano", Device: "dev/ttyUSB1", Latency: 16, LatencyFile: "sys/bus/usb-serial/devices/ttyUSB1/latency_timer"},
		{Name: "dev/ttyACM0", Device: "dev/ttyACM0"},
		{Name: "dev/ttyAMA0", Device: "dev/ttyAMA0"},
	}
	got := Ports(root)
	if len(got) != len(want) {
		t.Fatalf("%+v, want %+v", got, want)
	}
	for i, p := range got {
		w := want[i]
		w.Name, w.Device = filepath.Join(root, w.Name), filepath.Join(root, w.Device)
		if w.LatencyFile != "" {
			w.LatencyFile = filepath.Join(root, w.LatencyFile)
		}
		if p != w {
			t.Errorf("%+v, want %+v", p, w)
		}
	}
	if ms, file := PortLatency("/dev/null"); ms != 0 || file != "" {
		t.Errorf("/dev/null gathers for %d ms by %s", ms, file)
	}
}
