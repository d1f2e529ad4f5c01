package main

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is an account that owns nothing.
const nobody = 65534

// TestWhatIsClosedToAnAccount runs the program as an account that may not enter: it is told what is shut, and how it
// gets in.
func TestWhatIsClosedToAnAccount(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be another account")
	}
	dir, err := os.MkdirTemp("", "account-") // not TempDir: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "scentpost")
	copyTo(t, os.Args[0], program)
	state := filepath.Join(dir, "run")
	socket := filepath.Join(state, "s")
	data := filepath.Join(dir, "data")
	for _, folder := range []string{state, data} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		dir, socket os.FileMode
		gid         int
		command     string
		code        int
		want        string
	}{
		{0o700, 0o666, 0, "session status --socket " + socket, 1, "(uid 65534) may not reach the daemon's socket " + socket + ": " + state + " has mode 0700: ask as its owner or root (sudo)"},
		{0o750, 0o666, 3, "session status --socket " + socket, 1, state + " has mode 0750: join its group (sudo usermod -aG sys YOUR-NAME, then log in again)"},
		{0o755, 0o600, 0, "session status --socket " + socket, 1, socket + " has mode 0600: a daemon opens it to everybody when it starts"},
		{0o700, 0o666, 0, "station busy --socket " + socket, 2, "could not be found out: this account (uid 65534) may not reach"},
		{0o755, 0o666, 0, "station backup " + data + " -o " + filepath.Join(dir, "x"), 1, "the station's files are open to its own account alone: ask as that one or as root (sudo)"},
		{0o755, 0o666, 0, "key new a -o " + filepath.Join(state, "x"), 2, "this account may not write in " + state + ": name a file elsewhere with -o"},
	} {
		err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(socket, c.socket), os.Chown(state, 0, c.gid), os.Chmod(state, c.dir))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, strings.Fields(c.command)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != c.code || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, want %d; it says\n%swant\n%s", c.command, err, c.code, out, c.want)
		}
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
