package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"scentpost/station/durable"
)

// DefaultBallast is the size of the ballast file in bytes: a run of some hundred records with their pages, the
// write-ahead log and its move into the database, several times over.
const DefaultBallast = 8 << 20

// ErrBallastSpent says that the disk was full, and that the ballast was given up so that the run under way could
// finish: no new one may start.
var ErrBallastSpent = errors.New("journal: the disk is full: no new run until there is room again; delete or move what is not needed")

// ballast is a file of no content whose room is given up when the disk is full.
type ballast struct {
	path string
	size int64 // bytes; 0: none is kept

	mu    sync.Mutex  // guards the file, and changes of spent
	spent atomic.Bool // read without the mutex, which is held while the file is written
}

// fill restores the ballast when there is room for it and as much again. A disk without that room is a condition,
// not an error.
func (b *ballast) fill() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size <= 0 {
		return nil
	}
	if state, err := os.Stat(b.path); err == nil && state.Size() == b.size {
		b.spent.Store(false)
		return nil
	}
	b.spent.Store(true)
	free, err := freeBytes(filepath.Dir(b.path))
	if err != nil {
		return err
	}
	if free < 2*b.size {
		return nil
	}
	err = durable.Replace(b.path, noise(b.size))
	if isFull(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restoring the ballast: %w", err)
	}
	b.spent.Store(false)
	return nil
}

// noise returns bytes that no file system can compress or leave out: the room must really be taken.
func noise(size int64) []byte {
	out := make([]byte, size)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = byte(x)
	}
	return out
}

// release gives the room up; it tells whether there was any to give.
func (b *ballast) release() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	had := b.size > 0 && !b.spent.Swap(true)
	return os.Remove(b.path) == nil && had
}

// room returns ErrBallastSpent or nil.
func (b *ballast) room() error {
	if b.spent.Load() {
		return ErrBallastSpent
	}
	return nil
}

// freeBytes returns what this user may still write on the folder's disk.
func freeBytes(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("asking for the room on the journal's disk: %w", err)
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}
