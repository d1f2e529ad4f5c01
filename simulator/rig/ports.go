package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrLocked says that another rig plays the board behind a link.
var ErrLocked = errors.New("another rig plays it")

// take takes the link of a board's port for this process until the file is closed, by whatever end: the kernel lets go of it.
// Two rigs that made one link would each take it from the other. The folder of the link is made.
func take(link string) (*os.File, error) {
	whole, err := filepath.Abs(link)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(whole, "/dev/") {
		return nil, fmt.Errorf("%s is in /dev, where real ports are: a rig makes no link there (take a folder of your own as its port)", link)
	}
	if found, err := os.Lstat(link); err == nil && found.Mode()&os.ModeSymlink == 0 {
		return nil, fmt.Errorf("%s is there and is no link (take it away, or name another port)", link)
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(link+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the port: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("%w: %s.lock is held (end that rig first, or name another port)", ErrLocked, link)
		}
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
