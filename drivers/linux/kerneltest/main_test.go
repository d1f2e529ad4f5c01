//go:build linux

package kerneltest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is the first process of the guest.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	if os.Getpid() != 1 {
		os.Exit(m.Run())
	}
	if err := Begin(); err != nil {
		End(false, err.Error())
	}
	code := m.Run()
	End(code == 0, fmt.Sprintf("kerneltest, code %d", code))
}

// inGuest skips a test that needs the guest's kernel.
func inGuest(t *testing.T) {
	t.Helper()
	if os.Getpid() != 1 {
		t.Skip("needs the guest of `make test-kernel`")
	}
}

// unplugging skips a test that takes a chip away while its lines are in use. Linux before 6.9 frees then what the open lines go
// on using ("REMOVING GPIOCHIP WITH GPIOS STILL REQUESTED"), and falls over it sooner or later.
func unplugging(t *testing.T) {
	t.Helper()
	inGuest(t)
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		t.Fatalf("the kernel's release %q: %v", release, err)
	}
	if major < 6 || major == 6 && minor < 9 {
		t.Skipf("Linux %s does not survive a chip that goes while its lines are in use: 6.9 and later do", release)
	}
}

// onPi skips a test that needs the guest with a Raspberry Pi's drivers.
func onPi(t *testing.T) {
	t.Helper()
	if model, err := get("/proc/device-tree/model"); os.Getpid() != 1 || err != nil || !strings.Contains(model, "Raspberry Pi") {
		t.Skip("needs the guest of `make test-pi`")
	}
}
