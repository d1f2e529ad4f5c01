//go:build linux

package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// modulesFile lists the kernel modules that the guest was packed with, in the order in which they are loaded.
const modulesFile = "/modules"

// Begin makes a machine of a kernel that has just started: file systems, and the modules.
func Begin() error {
	if err := mount("devtmpfs", "/dev"); err != nil {
		return err
	}
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tracefs", "/sys/kernel/tracing"}} {
		if err := mount(m[0], m[1]); err != nil {
			return err
		}
	}
	modules, err := get(modulesFile)
	if err != nil {
		return fmt.Errorf("load the modules: %w", err)
	}
	for _, name := range strings.Fields(modules) {
		if err := load("/" + name); err != nil {
			return err
		}
	}
	return errors.Join(mount("configfs", "/sys/kernel/config"), loopback())
}

// loopback brings up the one network that the guest has.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return fmt.Errorf("bring up the loopback network: %w", err)
	}
	request, err := unix.NewIfreq("lo")
	if err == nil {
		request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("bring up the loopback network: %w", err)
	}
	return nil
}

func mount(kind, path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("mount %s: %w", kind, err)
	}
	if err := unix.Mount(kind, path, kind, 0, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, path, err)
	}
	return nil
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load a module: %w", err)
	}
	err = unix.FinitModule(int(f.Fd()), "", 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("load %s: %w", path, err)
	}
	return nil
}

// End says how it went on the console, in the line that the host waits for, and switches the machine off.
func End(passed bool, what string) {
	result := "PASS"
	if !passed {
		result = "FAIL"
	}
	fmt.Printf("RESULT %s %s\n", result, what)
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	os.Exit(1) // not the guest's first process
}
