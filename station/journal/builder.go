package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/durable"
)

// Restored marks a journal that was built from a backup and not started since. No epoch of it goes on.
type Restored struct {
	Made string `json:"made"` // when the backup was made, UTC
}

// building is the name of a file in a folder in which a journal is being built.
const building = "building"

// Builder builds a journal from its records, in a folder that nothing else uses. Without Finish there is no journal in
// it: the list of epochs comes last. Its vault is empty.
type Builder struct {
	dir     string
	epochs  []Beginning
	current *ledger
	desk    *desk
}

// Build begins a journal in a folder that does not exist yet.
func Build(dir string) (*Builder, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a journal's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, building), nil, 0o600); err != nil {
		return nil, fmt.Errorf("making a journal's folder: %w", err)
	}
	d, err := openDesk(dir, false)
	if err != nil {
		return nil, err
	}
	return &Builder{dir: dir, desk: d}, nil
}

// Begin ends the epoch before, if there is one, and begins the next.
func (b *Builder) Begin(e Beginning) error {
	if err := checkEpochID(e.ID); err != nil {
		return err
	}
	if slices.ContainsFunc(b.epochs, func(other Beginning) bool { return other.ID == e.ID }) {
		return fmt.Errorf("journal: epoch %q is there twice", e.ID)
	}
	if err := b.end(); err != nil {
		return err
	}
	var err error
	if b.current, err = createLedger(epochPath(b.dir, e.ID), e.ID, 0); err != nil {
		return fmt.Errorf("building epoch %s: %w", e.ID, err)
	}
	b.epochs = append(b.epochs, e)
	return nil
}

// Size returns how many records the epoch has, and Root its root.
func (b *Builder) Size() int64 { return b.current.size.Load() }

// Root returns the root of the epoch's log.
func (b *Builder) Root() tlog.Hash { return b.current.root() }

// Commit adds to the epoch, durably. Rows must not be sealed: there is no body to keep.
func (b *Builder) Commit(batch Batch) error {
	if b.current == nil {
		return ErrNoEpoch
	}
	if slices.ContainsFunc(batch.Rows, func(r Row) bool { return r.Sealed }) {
		return errors.New("journal: a journal is built without sealed bodies")
	}
	if err := checkBatch(batch, b.Size()); err != nil {
		return err
	}
	if len(batch.Identities) > 0 {
		if err := b.desk.keep(batch.Identities); err != nil {
			return err
		}
	}
	if err := b.current.commit(batch); err != nil {
		return err
	}
	return b.current.tidy(walBytes)
}

// end closes the epoch's database as after a clean stop.
func (b *Builder) end() error {
	if b.current == nil {
		return nil
	}
	l := b.current
	b.current = nil
	return errors.Join(l.stopWriting(true), l.close())
}

// Finish makes it a journal, durably.
func (b *Builder) Finish(from Restored) error {
	desk := b.desk
	b.desk = nil
	if err := errors.Join(b.end(), desk.catchUp(), desk.close()); err != nil {
		return fmt.Errorf("finishing the journal: %w", err)
	}
	if err := (meta{Epochs: b.epochs, Restored: &from}).store(b.dir); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(b.dir, building)); err != nil {
		return fmt.Errorf("finishing the journal: %w", err)
	}
	return durable.SyncFolder(b.dir)
}

// Close lets go of the files of a journal that was not finished.
func (b *Builder) Close() error {
	var errs []error
	if b.current != nil {
		errs = append(errs, b.current.stopWriting(false), b.current.close())
		b.current = nil
	}
	if b.desk != nil {
		errs = append(errs, b.desk.close())
		b.desk = nil
	}
	return errors.Join(errs...)
}

// Holds tells whether there is a journal in a folder, or a part of one.
func Holds(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == filepath.Base(metaPath(dir)) || strings.HasPrefix(e.Name(), "epoch-")
	}), err
}

// Unbuilt tells whether a folder is one in which the building of a journal was begun and not finished.
func Unbuilt(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, building))
	return err == nil
}

// Lock takes the lock of the journal in a folder, so that no daemon can open it until free is called. The error is
// ErrLocked, and names the process, when one has it open.
func Lock(dir string) (free func() error, err error) {
	file, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	return file.Close, nil
}
