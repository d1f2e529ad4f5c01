package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Reading is a journal that is read beside whoever writes it, and implements Logs. It takes no lock, holds no transaction open and changes
// nothing: a log only grows, so the records that were durable when it was opened stay what they are.
type Reading struct {
	dir     string
	epochs  []Beginning
	current *ledger
	broken  error     // why the current one's database cannot be read
	ended   []*ledger // those that were opened
	names   names
}

// Read opens the journal in the folder for reading alone.
func Read(dir string) (*Reading, error) {
	m, _, err := epochsOf(dir)
	if err != nil {
		return nil, err
	}
	if len(m.Epochs) == 0 && m.Aside != nil {
		return nil, fmt.Errorf("the journal in %s has no epoch yet: one of draft %d was put aside; start scentpostd, which begins it", dir, m.Aside.Draft)
	}
	if len(m.Epochs) == 0 {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("there is no journal in %s: %w", dir, err)
		}
		return nil, fmt.Errorf("there is no journal in %s: it has no meta.json; name the folder that `data` of the configuration names", dir)
	}
	r := &Reading{dir: dir, epochs: m.Epochs}
	if r.current, err = r.open(m.current().ID); errors.Is(err, ErrDamaged) {
		r.current, r.broken = &ledger{epoch: m.current().ID}, err
	} else if err != nil {
		return nil, err
	}
	r.names = names{}
	second, err := readRoll(dir)
	r.names.add(second)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, errors.Join(r.unreadable(err), r.Close())
	}
	path := filepath.Join(dir, deskFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // SQLite would make one
		return r, nil
	}
	first, whole := namesIn(path)
	if r.names.add(first); !whole && len(r.names) == 0 {
		return nil, errors.Join(r.unreadable(fmt.Errorf("%s cannot be read", deskFile)), r.Close())
	}
	return r, nil
}

// open opens an epoch's database.
func (r *Reading) open(epoch string) (*ledger, error) {
	path := epochPath(r.dir, epoch)
	if _, err := os.Stat(path); err != nil { // SQLite would make one
		return nil, r.unreadable(judged(err))
	}
	db, err := openToRead(path, readers)
	if err != nil {
		return nil, r.unreadable(err)
	}
	l, _, err := newLedger(db, path, epoch)
	if err != nil {
		return nil, r.unreadable(err)
	}
	return l, nil
}

// unreadable says what to do about a journal that cannot be read.
func (r *Reading) unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the journal in %s: %w", r.dir, err)
	}
	return fmt.Errorf("the journal in %s cannot be read as it is: start scentpostd on it, which puts a damaged one right: %w", r.dir, err)
}

// PutAside lists the journals of other drafts that were put aside; none of them is read.
func (r *Reading) PutAside() ([]Aside, error) { return PutAside(r.dir) }

// Epochs implements Logs.
func (r *Reading) Epochs() []Beginning { return slices.Clone(r.epochs) }

// Log implements Logs: of the current epoch all that was durable when the journal was opened.
func (r *Reading) Log(epoch string) (Log, error) {
	if epoch == r.current.epoch {
		return r.current, r.broken
	}
	l, err := openEnded(epoch, r.epochs, func() (*ledger, error) { return r.open(epoch) })
	if err != nil {
		return nil, err
	}
	r.ended = append(r.ended, l)
	return l, nil
}

// Identities implements Logs: the names that are known now, at least those that the records of the logs refer to, since a name
// is written before the first record that needs it.
func (r *Reading) Identities() ([]Identity, error) { return r.names.list(), nil }

// Close lets go of the files.
func (r *Reading) Close() error {
	var errs []error
	for _, l := range append(r.ended, r.current) {
		if l != nil {
			errs = append(errs, l.close())
		}
	}
	return errors.Join(errs...)
}
