package holder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"scentpost/station/holder"
)

// TestOneHoldsIt: a second one is refused and hears who holds it, until the first one lets go.
func TestOneHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := holder.Take(path, "scentpostd of demo/a-longer-name")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("is held by process %d (scentpostd of demo/a-longer-name)", os.Getpid())
	if _, err := holder.Take(path, "x"); !errors.Is(err, holder.ErrHeld) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, first.(*os.File).Fd(), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("a child would hold on to the lock: flags %d, %v", flags, errno)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := holder.Take(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := holder.Take(path, ""); err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("after a longer name: %v", err)
	}
}

// TestWhatIsNoNameIsAnotherProcess, whatever lies in the file.
func TestWhatIsNoNameIsAnotherProcess(t *testing.T) {
	for _, junk := range []string{"", "\n", "abc", " 12", strings.Repeat("9", 1000), "\x00\x01"} {
		path := filepath.Join(t.TempDir(), "lock")
		if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		if _, err := holder.Take(path, "x"); !errors.Is(err, holder.ErrHeld) || !strings.Contains(err.Error(), "held by ") {
			t.Errorf("%q: %v", junk, err)
		}
	}
}

// TestALockThatMayOnlyBeRead is held all the same: the name in it helps people, and no more.
func TestALockThatMayOnlyBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	lock, err := holder.Take(path, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := holder.Take(path, "x"); !errors.Is(err, holder.ErrHeld) {
		t.Errorf("%v", err)
	}
	if _, err := holder.Take(filepath.Join(path, "none"), "x"); err == nil || errors.Is(err, holder.ErrHeld) {
		t.Errorf("a lock in no folder: %v", err)
	}
}
