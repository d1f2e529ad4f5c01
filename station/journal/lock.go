package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"scentpost/station/holder"
)

// ErrLocked says that another process has the journal open.
var ErrLocked = errors.New("journal: in use")

// lockFolder takes the folder for this process until the lock is closed.
func lockFolder(dir string) (io.Closer, error) {
	lock, err := holder.Take(filepath.Join(dir, "lock"), "")
	if errors.Is(err, holder.ErrHeld) {
		return nil, fmt.Errorf("%w: %w: stop that one first, or give this one another folder", ErrLocked, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the journal in %s: %w", dir, err)
	}
	return lock, nil
}
