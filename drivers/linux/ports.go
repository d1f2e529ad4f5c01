//go:build linux

package linux

import (
	"path/filepath"
	"slices"
	"strings"
)

// SerialPort is a serial port of the machine.
type SerialPort struct {
	// Name is the one to take into a configuration: it stays the same when boards are plugged in in another order.
	Name string
	// Device is what it is called today.
	Device string
	// Latency is for how many milliseconds a converter gathers bytes, 0 where it does not say; LatencyFile is where that is
	// set.
	Latency     int
	LatencyFile string
}

// Ports lists the serial ports that a board may be behind, by their names below a root, "" for that of the machine: USB
// converters, and the machine's own ports of the kinds that Raspberry Pis have.
func Ports(root string) []SerialPort {
	var all []SerialPort
	for _, kind := range []string{"ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS0", "serial0"} {
		found, err := filepath.Glob(filepath.Join(root, "/dev", kind))
		if err != nil {
			continue
		}
		for _, device := range found {
			if real, err := filepath.EvalSymlinks(device); err == nil {
				device = real
			}
			if slices.ContainsFunc(all, func(p SerialPort) bool { return p.Device == device }) {
				continue
			}
			p := SerialPort{Name: named(root, device), Device: device}
			p.Latency, p.LatencyFile = latency(root, device)
			all = append(all, p)
		}
	}
	return all
}

// named is the most lasting name of a port.
func named(root, device string) string {
	for _, dir := range []string{"by-id", "by-path"} {
		links, err := filepath.Glob(filepath.Join(root, "/dev/serial", dir, "*"))
		if err != nil {
			continue
		}
		for _, l := range links {
			if to, err := filepath.EvalSymlinks(l); err == nil && to == device {
				return l
			}
		}
	}
	return device
}

// PortLatency is for how many milliseconds the converter behind a port gathers bytes before it hands them on, and where
// that is set; 0 for one that does not say. FTDI's gather for 16 ms unless told otherwise.
func PortLatency(port string) (ms int, file string) {
	if real, err := filepath.EvalSymlinks(port); err == nil {
		port = real
	}
	return latency("", port)
}

func latency(root, device string) (ms int, file string) {
	file = filepath.Join(root, "/sys/bus/usb-serial/devices", filepath.Base(device), "latency_timer")
	n, ok := number(file)
	if !ok || !strings.HasPrefix(filepath.Base(device), "ttyUSB") {
		return 0, ""
	}
	return n, file
}
