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

// Built is where things were built.
type Built struct{ Runner, ELF string }

// Build builds the runner, and the firmware for a rate of the line, where sources are newer. Without the packages that
// it needs the test is not run, and says so.
func Build(t testing.TB, baud int) Built {
	t.Helper()
	for _, file := range needs {
		if _, err := os.Stat(file); err != nil {
			t.Skipf("NOT RUN: the firmware cannot be built without %s (apt-get install gcc-avr avr-libc libsimavr-dev gcc make)", file)
		}
	}
	root := root(t)
	out := filepath.Join(root, "build", "firmware")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	elf := fmt.Sprintf("m328p-%d.elf", baud)
	withLock(t, filepath.Join(out, "lock"), func() {
		make := exec.Command("make", "-s", "-C", filepath.Join(root, "firmware-bridge", "firmware"), "OUT="+out, filepath.Join(out, "runner"), filepath.Join(out, elf))
		if said, err := make.CombinedOutput(); err != nil {
			t.Fatalf("building the firmware and its runner: %v\n%s", err, said)
		}
	})
	touch(t, filepath.Join(root, "firmware-bridge", "firmware"))
	return Built{Runner: filepath.Join(out, "runner"), ELF: filepath.Join(out, elf)}
}

// Start builds, and starts a chip that ends with the test.
func Start(t testing.TB, baud int) *simavr.Chip {
	t.Helper()
	b := Build(t, baud)
	c, err := simavr.Start(b.Runner, b.ELF, baud)
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

// root is the folder of the module, above the one that a test runs in.
func root(t testing.TB) string {
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
