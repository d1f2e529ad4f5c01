package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
)

// ErrNoDaemon says that no daemon answers on a socket.
var ErrNoDaemon = errors.New("no daemon answers")

// away says why a socket could not be dialled, and what to do.
func away(path string, err error) error {
	found, statErr := os.Stat(path)
	var slow net.Error
	switch {
	case path == "":
		return errors.New("no socket is named: name the daemon's with --socket or in SCENTPOST_SOCKET")
	case errors.Is(err, fs.ErrPermission) || errors.Is(statErr, fs.ErrPermission):
		return closed(path, err)
	case statErr == nil && found.IsDir():
		return fmt.Errorf("%s is a folder, the socket of a daemon is expected: name the socket in it with --socket", path)
	case statErr == nil && found.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%s is no socket: name the daemon's with --socket; its configuration says where it lies", path)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%s: the path is too long for a socket (107 bytes at most): %w", path, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: it has ended and left its socket: start scentpostd, or name another socket with --socket", ErrNoDaemon, path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w on %s: start scentpostd, or name its socket with --socket (there is nothing of that name)", ErrNoDaemon, path)
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%w on %s: start scentpostd, or name its socket with --socket: %w", ErrNoDaemon, path, err)
	}
	return fmt.Errorf("the daemon's socket %s cannot be opened: %w", path, err)
}

// closed says what this account may not enter on the way to a socket, and how it would.
func closed(path string, err error) error {
	whole, absErr := filepath.Abs(path)
	if absErr != nil {
		whole = path
	}
	shut := whole
	for dir := filepath.Dir(whole); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			if syscall.Access(dir, 1) != nil { // X_OK
				shut = dir
			}
			break
		}
	}
	found, statErr := os.Stat(shut)
	if statErr != nil {
		return fmt.Errorf("this account (uid %d) may not reach the daemon's socket %s: %w", os.Getuid(), path, err)
	}
	return fmt.Errorf("this account (uid %d) may not reach the daemon's socket %s: %s has mode %04o: %s: %w",
		os.Getuid(), path, shut, found.Mode().Perm(), enter(found), errors.Unwrap(err))
}

// enter says how an account gets past what is shut to it.
func enter(shut fs.FileInfo) string {
	owner, _ := shut.Sys().(*syscall.Stat_t)
	switch {
	case !shut.IsDir():
		return "a daemon opens it to everybody when it starts, so start the daemon again"
	case owner != nil && shut.Mode().Perm()&0o010 != 0:
		group := fmt.Sprint(owner.Gid)
		if g, err := user.LookupGroupId(group); err == nil {
			group = g.Name
		}
		return "join its group (sudo usermod -aG " + group + " YOUR-NAME, then log in again), or ask as its owner or root"
	}
	return "ask as its owner or root (sudo), or have the configuration put the socket elsewhere"
}
