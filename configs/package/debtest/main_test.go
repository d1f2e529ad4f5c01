// Package debtest_test installs, upgrades and purges the Debian package on a Debian that systemd has booted.
//
// Its tests run as root inside a guest only, started there by a unit: `make test-deb` makes the root, packs everything
// and boots it in QEMU. Elsewhere they say so and do nothing. The guest's time is real: nothing here depends on how
// fast it is.
package debtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// folder is where the guest has what `make test-deb` packed beside the root.
const folder = "/debtest/"

// guestVariable is set by the unit that runs these tests.
const guestVariable = "SCENTPOST_DEB_GUEST"

// TestMain says on the console how it went, in the line that the host waits for, and switches the guest off.
func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv(guestVariable) == "" {
		os.Exit(code)
	}
	result := "PASS"
	if code != 0 {
		result = "FAIL"
	}
	fmt.Printf("RESULT %s debtest, code %d\n", result, code)
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// inGuest skips a test that would change the machine that it runs on.
func inGuest(t *testing.T) {
	t.Helper()
	if os.Getenv(guestVariable) == "" {
		t.Skip("needs the guest of `make test-deb`")
	}
}

// try runs a program, and returns all that it said and its exit code.
func try(t *testing.T, c *exec.Cmd) (said string, code int) {
	t.Helper()
	out, err := c.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", c, err)
	}
	return strings.TrimSpace(string(out)), c.ProcessState.ExitCode()
}

// must runs a program that must not fail, and returns what it said.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	return mustRun(t, exec.Command(name, args...))
}

func mustRun(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	said, code := try(t, c)
	if code != 0 {
		t.Fatalf("%s: exit %d\n%s", c, code, said)
	}
	return said
}

// as runs scentpost with another account.
func as(uid uint32, args ...string) *exec.Cmd {
	c := exec.Command("scentpost", args...)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return c
}

// unit returns a property of the daemon's unit.
func unit(t *testing.T, property string) string {
	t.Helper()
	return must(t, "systemctl", "show", "--property", property, "--value", "scentpostd.service")
}

// log follows what the daemon, and systemd of it, say from now on.
type log struct {
	*bufio.Scanner
	heard []string
}

func follow(t *testing.T) *log {
	t.Helper()
	_, cursor, found := strings.Cut(must(t, "journalctl", "--lines", "1", "--show-cursor"), "-- cursor: ")
	if !found {
		t.Fatal("the journal of systemd is empty")
	}
	c := exec.Command("journalctl", "--follow", "--after-cursor", cursor, "--output", "cat", "--unit", "scentpostd.service")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return &log{Scanner: bufio.NewScanner(out)}
}

// until waits for a line that holds text.
func (l *log) until(t *testing.T, text string) {
	t.Helper()
	for l.Scan() {
		if l.heard = append(l.heard, l.Text()); strings.Contains(l.Text(), text) {
			return
		}
	}
	t.Fatalf("the log ended without %q: %v\n%s", text, l.Err(), strings.Join(l.heard, "\n"))
}
