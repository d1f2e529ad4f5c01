package backup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"scentpost/station/durable"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// Bounds of what is read of a journal at once.
const (
	pageLines = 4096
	pageBytes = 4 << 20
)

// Options say what a backup is of.
type Options struct {
	Made        string // Header.Made
	Program     string // Header.Program
	Connections int64
	Key         string // the station's private key, "" to leave it out
}

// Write writes a backup of a journal. The vault is not read: what was revealed stands in the log, and what was not is
// left out.
func Write(w io.Writer, from journal.Logs, o Options) error {
	log, err := logOf(from)
	if err != nil {
		return err
	}
	e := NewEncoder(w)
	err = e.Write(Header{Format: Format, Draft: event.Draft, Made: o.Made, Program: o.Program, Site: log.Site, Station: log.Station, Connections: o.Connections})
	if err != nil {
		return err
	}
	for _, b := range from.Epochs() {
		if err := writeEpoch(e, from, b); err != nil {
			return fmt.Errorf("epoch %s: %w", b.ID, err)
		}
	}
	names, err := from.Identities() // after the records: they are written before them
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := e.Write(Name{Ref: n.Ref, Salt: n.Salt, Is: n.Name}); err != nil {
			return err
		}
	}
	if o.Key != "" {
		if err := e.Write(Key{Private: o.Key}); err != nil {
			return err
		}
	}
	return e.Close()
}

// logOf returns what the last epoch with records says that the station is.
func logOf(from journal.Logs) (record.Log, error) {
	epochs := from.Epochs()
	for i := len(epochs) - 1; i >= 0; i-- {
		a, err := from.Log(epochs[i].ID)
		if err != nil {
			return record.Log{}, err
		}
		lines, err := a.Lines(0, 1, pageBytes)
		if err != nil {
			return record.Log{}, damaged(err)
		}
		if len(lines) == 0 {
			continue
		}
		r, err := record.Decode(lines[0].Bytes)
		return record.Log{Site: r.Site, Station: r.Station, Epoch: r.Epoch}, err
	}
	return record.Log{}, errors.New("the journal holds no record yet: there is nothing to back up")
}

// damaged says what to do about a journal that is.
func damaged(err error) error {
	if errors.Is(err, journal.ErrDamaged) {
		return fmt.Errorf("%w: start scentpostd on it, which goes on in a new epoch, and make the backup then", err)
	}
	return err
}

// writeEpoch writes the part of one epoch: each checkpoint behind the last record that it covers.
func writeEpoch(e *Encoder, from journal.Logs, b journal.Beginning) error {
	a, err := from.Log(b.ID)
	if err != nil {
		return err
	}
	heads, err := a.Checkpoints("")
	if err != nil {
		return err
	}
	if err := e.Write(epochOf(b)); err != nil {
		return err
	}
	var tree record.Tree
	for tree.Size() < a.Size() {
		lines, err := a.Lines(tree.Size(), pageLines, pageBytes)
		if err != nil {
			return damaged(err)
		}
		if len(lines) == 0 {
			return fmt.Errorf("%w: it ends at record %d of %d", journal.ErrDamaged, tree.Size(), a.Size())
		}
		for _, l := range lines {
			if err := e.Write(Line{Bytes: l.Bytes}); err != nil {
				return err
			}
			tree.Append(l.Bytes)
			for ; len(heads) > 0 && heads[0].Size <= tree.Size(); heads = heads[1:] {
				c := heads[0]
				if err := e.Write(Checkpoint{Size: c.Size, Why: c.Why, Session: c.Session, Note: string(c.Note)}); err != nil {
					return err
				}
			}
		}
	}
	root := tree.Root()
	return e.Write(End{ID: b.ID, Size: tree.Size(), Root: hex.EncodeToString(root[:])})
}

// Check reads a backup to its end.
func Check(r io.Reader) (Summary, error) {
	d := NewDecoder(r)
	for {
		switch _, err := d.Next(); {
		case errors.Is(err, io.EOF):
			return d.Summary(), nil
		case err != nil:
			return d.Summary(), err
		}
	}
}

// Save writes a backup to a new file that its owner alone can read, makes it durable, and reads it back: what it
// returns was found in the file. Nothing is left of a file that could not be written whole.
func Save(path string, from journal.Logs, o Options) (Summary, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Summary{}, fmt.Errorf("make the backup: %w", err)
	}
	s, err := save(f, from, o)
	if err = errors.Join(err, f.Close()); err != nil {
		return s, errors.Join(err, os.Remove(path))
	}
	return s, durable.SyncFolder(filepath.Dir(path))
}

func save(f *os.File, from journal.Logs, o Options) (Summary, error) {
	if err := Write(f, from, o); err != nil {
		return Summary{}, err
	}
	if err := f.Sync(); err != nil {
		return Summary{}, fmt.Errorf("write the backup: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Summary{}, fmt.Errorf("read the backup back: %w", err)
	}
	s, err := Check(f)
	if err != nil {
		return s, fmt.Errorf("the journal gives no backup that holds: %w", err)
	}
	return s, nil
}
