//go:build linux

package kerneltest

import (
	"fmt"
	"os"
	"strings"
	"testing"
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

// onPi skips a test that needs the guest with a Raspberry Pi's drivers.
func onPi(t *testing.T) {
	t.Helper()
	if model, err := get("/proc/device-tree/model"); os.Getpid() != 1 || err != nil || !strings.Contains(model, "Raspberry Pi") {
		t.Skip("needs the guest of `make test-pi`")
	}
}
