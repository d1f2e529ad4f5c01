package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/durable"
	"scentpost/station/event"
	"scentpost/station/record"
)

// Left says how much of an epoch has left the station. It is the same in every draft: the file outlives the journal.
type Left struct {
	Draft int       `json:"draft,omitempty"` // event.Draft of the program that wrote it
	Epoch string    `json:"epoch"`
	Size  int64     `json:"size,string"` // records
	Root  tlog.Hash `json:"root"`        // of the log at Size
	// Starts is how often the journal had been opened: a journal that counts fewer is an older copy.
	Starts int64 `json:"starts,string"`
	// Sum is that of the fields but the draft (see sum): a changed bit must not look like another history. 0 in a file of an old draft.
	Sum uint32 `json:"sum,omitempty"`
}

// sum returns the CRC-32C of what it says. A wrong draft is found out by the journal's own.
func (l Left) sum() uint32 {
	return crc32.Checksum(fmt.Appendf(nil, "%s %d %x %d", l.Epoch, l.Size, l.Root[:], l.Starts), castagnoli)
}

// Departed is the file outside the journal's folder that says how much has left the station: whoever restores or
// loses the folder does not restore or lose this with it. It has the same line twice, since a damaged one would end the epoch.
type Departed struct {
	path string
	room func(do func() error) error // does it, from the ballast's room when the disk is full; nil: without one

	mu   sync.Mutex // guards left and the file
	left Left
}

// LeftAt reads the file of what has left the station without using it; found is false when there is none.
func LeftAt(path string) (left Left, found bool, err error) {
	d, found, err := loadDeparted(path)
	return d.Load(), found, err
}

// loadDeparted reads the file: found is false when there is none, and the error says ErrDamaged when it does not
// hold what was written.
func loadDeparted(path string) (d *Departed, found bool, err error) {
	d = &Departed{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("reading what has left the station: %w", err)
	}
	err = fmt.Errorf("%w: the file of what has left the station is empty", ErrDamaged)
	for line := range bytes.Lines(text) { // the same twice: a changed bit costs one of them
		left, wrong := readLeft(line, filepath.Base(path))
		if wrong == nil {
			d.left = left
			return d, true, nil
		}
		if errors.Is(err, ErrDamaged) {
			d.left, err = left, wrong
		}
	}
	return d, true, err
}

// readLeft reads one line of the file of that name.
func readLeft(line []byte, name string) (left Left, err error) {
	if err := json.Unmarshal(line, &left); err != nil {
		return Left{}, fmt.Errorf("%w: the file of what has left the station: %w", ErrDamaged, err)
	}
	switch {
	case left.Draft > event.Draft:
		return left, checkDraft(left.Draft, name)
	case left.Sum != 0 && left.Sum != left.sum():
		return Left{}, fmt.Errorf("%w: the file of what has left the station is not what was written", ErrDamaged)
	case left.Size < 0 || left.Starts < 0 || checkEpochID(left.Epoch) != nil:
		return Left{}, fmt.Errorf("%w: the file of what has left the station holds no size of an epoch", ErrDamaged)
	}
	return left, nil
}

// Store makes durable that the first size records of the epoch, with this root, leave the station. It must return
// before they do: a batch that is sent, a checkpoint that is shown. What is known to have left costs nothing.
// Records of an ended epoch need no note: nothing is ever added to it.
func (d *Departed) Store(epoch string, size int64, root tlog.Hash) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if epoch != d.left.Epoch || size <= d.left.Size {
		return nil
	}
	next := d.left
	next.Size, next.Root = size, root
	return d.write(next)
}

// Load returns what is known to have left.
func (d *Departed) Load() Left {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left
}

// begin notes that an epoch begins, with nothing gone yet.
func (d *Departed) begin(epoch string, starts int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.write(Left{Epoch: epoch, Root: emptyRoot(), Starts: starts})
}

// started notes that the journal was opened with this epoch as the current one.
func (d *Departed) started(epoch string, starts int64) error {
	if d.Load().Epoch != epoch {
		return d.begin(epoch, starts)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.left
	next.Starts = starts
	return d.write(next)
}

func (d *Departed) write(next Left) error {
	next.Draft = event.Draft
	next.Sum = next.sum()
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	do := func() error { return durable.Replace(d.path, slices.Concat(text, newline, newline, text, newline)) }
	if d.room == nil {
		err = do()
	} else {
		err = d.room(do)
	}
	if err != nil {
		return fmt.Errorf("noting what leaves the station: %w", err)
	}
	d.left = next
	return nil
}

// newline ends each line of the file. Two stand between the lines, so that none of them joins these when it is changed.
var newline = []byte{'\n'}

// emptyRoot returns the root of an empty log.
func emptyRoot() tlog.Hash {
	var empty record.Tree
	return empty.Root()
}
