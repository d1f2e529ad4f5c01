// Package simavrtest builds the firmware and the runner of simavr for tests, and starts chips.
package simavrtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr"
)

// needs are files of the Debian packages without which nothing can be built.
var needs = []string{"/usr/bin/avr-gcc", "/usr/bin/gcc", "/usr/bin/make", "/usr/lib/avr/include/avr/io.h", "/usr/include/simavr/sim_avr.h"}

// The files of arduino-core-avr that boot loaders are taken from.
const (
	bootLoaders    = "/usr/share/arduino/hardware/arduino/avr/bootloaders/"
	optibootSource = bootLoaders + "optiboot/optiboot.c"
	oldNano        = bootLoaders + "atmega/ATmegaBOOT_168_atmega328.hex"
)

// Built is where things were built.
type Built struct{ Runner, ELF string }

// Flash is a chip's without a boot loader.
func (b Built) Flash() simavr.Flash { return simavr.Flash{Firmware: b.ELF} }

// Build builds the runner, and the firmware for a rate of the line, where sources are newer. Without the packages that
// it needs the test is not run, and says so.
func Build(t testing.TB, baud int) Built {
	t.Helper()
	need(t, "apt-get install gcc-avr avr-libc libsimavr-dev gcc make", needs...)
	name := fmt.Sprintf("m328p-%d", baud)
	made := build(t, "runner", name+".elf", name+".hex") // two of `make flash` at once would both make the last one
	return Built{Runner: made[0], ELF: made[1]}
}

// Optiboot builds the boot loader of Unos and newer Nanos, from the sources that Debian has. Without them the test is not run.
func Optiboot(t testing.TB) string {
	t.Helper()
	need(t, "apt-get install arduino-core-avr", optibootSource)
	return build(t, "optiboot.hex")[0]
}

// OldNano is the boot loader of old Nanos. Where Debian's package with it is not installed the test is not run.
func OldNano(t testing.TB) string {
	t.Helper()
	need(t, "apt-get install arduino-core-avr", oldNano)
	return oldNano
}

func need(t testing.TB, install string, files ...string) {
	t.Helper()
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			t.Skipf("NOT RUN: there is no %s (%s)", file, install)
		}
	}
}

// build makes files of the firmware's Makefile, and returns their paths.
func build(t testing.TB, names ...string) []string {
	t.Helper()
	root := Root(t)
	out := filepath.Join(root, "build", "firmware")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range names {
		files = append(files, filepath.Join(out, name))
	}
	sources := filepath.Join(root, "firmware-bridge", "firmware")
	withLock(t, filepath.Join(out, "lock"), func() {
		make := exec.Command("make", append([]string{"-s", "-C", sources, "OUT=" + out}, files...)...)
		if said, err := make.CombinedOutput(); err != nil {
			t.Fatalf("building the firmware and its runner: %v\n%s", err, said)
		}
	})
	touch(t, sources)
	return files
}

// Start builds, and starts a chip that ends with the test.
func Start(t testing.TB, baud int) *simavr.Chip {
	t.Helper()
	return StartBehind(t, baud, "")
}

// StartBehind is Start of a chip whose resets start a boot loader first.
func StartBehind(t testing.TB, baud int, bootLoader string) *simavr.Chip {
	t.Helper()
	b := Build(t, baud)
	c, err := simavr.Start(b.Runner, simavr.Flash{Firmware: b.ELF, BootLoader: bootLoader}, baud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Root is the folder of the module, above the one that a test runs in.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the folder of the test")
		}
		dir = filepath.Dir(dir)
	}
}

// withLock keeps tests of other packages from building at the same time.
func withLock(t testing.TB, file string, do func()) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	do()
}

// touch opens the sources, so that go test knows that its result depends on them.
func touch(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".c") || strings.HasSuffix(path, ".h") || d.Name() == "Makefile") {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
