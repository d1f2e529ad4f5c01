// Package holder lets one program hold a folder at a time, and names the one that does.
package holder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ErrHeld says that another program holds the file.
var ErrHeld = errors.New("in use")

// held is an ErrHeld that names the holder.
type held struct{ path, by string }

// Error says who holds the file.
func (h held) Error() string { return h.path + " is held by " + h.by }

// Is tells that it is an ErrHeld.
func (held) Is(target error) bool { return target == ErrHeld }

// maxText bounds what is read of a lock: a process id and a name.
const maxText = 256

// Take holds the file at path, which it makes if need be, until it is closed or the process ends, by whatever end: the
// kernel lets go of it. Go opens files with O_CLOEXEC, so no child holds on to it. as is said to others who try:
// "scentpostd of demo/east", or "". The error is ErrHeld, and names the holder, while another one has it.
func Take(path, as string) (io.Closer, error) {
	file, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, held{path, named(file)}
		}
		return nil, fmt.Errorf("take the lock %s: %w", path, err)
	}
	// Who it is helps people; the lock holds without, as on a full disk.
	text := strings.TrimSpace(strconv.Itoa(os.Getpid())+" "+as) + "\n"
	if _, err := file.WriteAt([]byte(text), 0); err == nil {
		_ = file.Truncate(int64(len(text)))
	}
	return file, nil
}

// open opens the file for writing, or for reading where it is there and may not be written: that is enough for a lock.
func open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		return file, nil
	}
	if read, readErr := os.Open(path); readErr == nil {
		return read, nil
	}
	return nil, err
}

// named says which process wrote its id into the lock, and as what.
func named(file *os.File) string {
	text, err := io.ReadAll(io.LimitReader(file, maxText))
	line, _, _ := strings.Cut(string(text), "\n")
	pid, as, _ := strings.Cut(strings.TrimSpace(line), " ")
	if _, bad := strconv.Atoi(pid); err != nil || bad != nil {
		return "another process"
	}
	if as == "" {
		return "process " + pid
	}
	return fmt.Sprintf("process %s (%s)", pid, as)
}
