package backup

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

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
// left out. What cannot be read of a damaged journal is left out, too: Save says so.
func Write(w io.Writer, from journal.Logs, o Options) error {
	_, err := write(w, from, o)
	return err
}

// write is Write, and says for people what is left out of a damaged journal.
func write(w io.Writer, from journal.Logs, o Options) (notIn []string, err error) {
	log, err := logOf(from)
	if err != nil {
		return nil, err
	}
	e := NewEncoder(w)
	err = e.Write(Header{Format: Format, Draft: event.Draft, Made: o.Made, Program: o.Program, Site: log.Site, Station: log.Station, Connections: o.Connections})
	if err != nil {
		return nil, err
	}
	epochs := from.Epochs()
	for i, b := range epochs {
		part := copier{to: e, from: from, epoch: b, of: -1}
		if i+1 < len(epochs) {
			part.of = epochs[i+1].PrevSize
		}
		if err := part.write(); err != nil {
			return nil, fmt.Errorf("epoch %s: %w", b.ID, err)
		}
		notIn = append(notIn, part.notIn...)
	}
	names, err := from.Identities() // after the records: they are written before them
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if err := e.Write(Name{Ref: n.Ref, Salt: n.Salt, Is: n.Name}); err != nil {
			return nil, err
		}
	}
	if o.Key != "" {
		if err := e.Write(Key{Private: o.Key}); err != nil {
			return nil, err
		}
	}
	return notIn, e.Close()
}

// logOf returns what the last epoch whose first record can be read says that the station is.
func logOf(from journal.Logs) (record.Log, error) {
	epochs := from.Epochs()
	var damage error
	for i := len(epochs) - 1; i >= 0; i-- {
		a, err := from.Log(epochs[i].ID)
		var lines []journal.Line
		if err == nil {
			lines, err = a.Lines(0, 1, pageBytes)
		}
		if err != nil && !errors.Is(err, journal.ErrDamaged) {
			return record.Log{}, err
		}
		if len(lines) == 0 {
			damage = errors.Join(damage, err)
			continue
		}
		r, err := record.Decode(lines[0].Bytes)
		return record.Log{Site: r.Site, Station: r.Station, Epoch: r.Epoch}, err
	}
	if damage != nil {
		return record.Log{}, fmt.Errorf("no epoch of the journal can be read: there is nothing to back up: %w", damage)
	}
	return record.Log{}, errors.New("the journal holds no record yet: there is nothing to back up")
}

// copier writes one epoch.
type copier struct {
	to    *Encoder
	from  journal.Logs
	epoch journal.Beginning
	of    int64 // how many records the next epoch says that it had; below 0 when it is the current one
	log   journal.Log
	heads []journal.Checkpoint // those that are still to be written
	tree  record.Tree
	notIn []string
}

// write writes the epoch as far as it can be read: each checkpoint after the last record that it covers.
func (p *copier) write() (err error) {
	if err := p.to.Write(epochOf(p.epoch)); err != nil {
		return err
	}
	p.log, err = p.from.Log(p.epoch.ID)
	if err == nil {
		p.of = max(p.of, p.log.Size())
		p.heads, err = p.log.Checkpoints("")
	}
	if errors.Is(err, journal.ErrDamaged) {
		p.note("all of epoch %s: %v", p.epoch.ID, err)
		p.of = max(p.of, 0)
	} else if err != nil {
		return err
	} else if err := p.records(); err != nil {
		return err
	}
	root := p.tree.Root()
	return p.to.Write(End{ID: p.epoch.ID, Size: p.tree.Size(), Root: hex.EncodeToString(root[:]), Of: p.of})
}

func (p *copier) note(format string, args ...any) {
	p.notIn = append(p.notIn, fmt.Sprintf(format, args...))
}

// records writes the records of the epoch up to one whose hash is not known, and notes what is left out.
func (p *copier) records() error {
	for p.tree.Size() < p.of {
		lines, err := p.log.Lines(p.tree.Size(), pageLines, pageBytes)
		for _, l := range lines {
			p.tree.Append(l.Bytes)
			if err := errors.Join(p.to.Write(Line{Bytes: l.Bytes}), p.checkpoints()); err != nil {
				return err
			}
		}
		if err == nil && len(lines) > 0 {
			continue
		}
		if err != nil && !errors.Is(err, journal.ErrDamaged) {
			return err
		}
		known, err := p.lost(err)
		if err != nil {
			return err
		}
		if !known {
			p.note("records %d to %d of epoch %s: its log is damaged there; export their sessions (scentpost record export)", p.tree.Size(), p.of-1, p.epoch.ID)
			break
		}
	}
	return p.beyond()
}

// beyond notes the sessions that go on after the end of an ended epoch.
func (p *copier) beyond() error {
	all, err := p.log.Sessions()
	if err != nil && !errors.Is(err, journal.ErrDamaged) {
		return err
	}
	for _, s := range all {
		if s.To > p.of {
			if p.of == 0 {
				p.note("session %s of epoch %s, which ended at no record: export it (scentpost record export)", s.ID, p.epoch.ID)
				continue
			}
			p.note("what session %s of epoch %s has after record %d, where the epoch ended: export it (scentpost record export)", s.ID, p.epoch.ID, p.of-1)
		}
	}
	return nil
}

// checkpoints writes those that the tree has come to.
func (p *copier) checkpoints() error {
	for ; len(p.heads) > 0 && p.heads[0].Size <= p.tree.Size(); p.heads = p.heads[1:] {
		c := p.heads[0]
		if c.Size < p.tree.Size() {
			continue // of an order that no checkpoint has
		}
		if err := p.to.Write(Checkpoint{Size: c.Size, Why: c.Why, Session: c.Session, Note: string(c.Note)}); err != nil {
			return err
		}
	}
	return nil
}

// lost writes the hash of the record that comes next and whose line is damaged. known is false when the hash is damaged, too.
func (p *copier) lost(damage error) (known bool, err error) {
	seq := p.tree.Size()
	var bad *journal.BadRecord
	if seq == 0 || !errors.As(damage, &bad) {
		return false, nil
	}
	leaf, err := p.leaf(seq, bad.Leaf)
	if err != nil {
		if errors.Is(err, journal.ErrDamaged) {
			err = nil
		}
		return false, err
	}
	p.note("record %d of epoch %s: its line is damaged, its hash is there", seq, p.epoch.ID)
	p.tree.AppendLeaf(nil, leaf)
	return true, errors.Join(p.to.Write(Lost{Seq: seq, Leaf: hex.EncodeToString(leaf[:])}), p.checkpoints())
}

// leaf returns the hash of a record whose line does not have the hash that is stored: the stored one, unless the hash of it and
// the record beside it shows that the line is right.
func (p *copier) leaf(seq int64, ofLine tlog.Hash) (tlog.Hash, error) {
	stored, err := p.log.ReadHashes([]int64{tlog.StoredHashIndex(0, seq)})
	if err != nil {
		return tlog.Hash{}, err
	}
	if seq|1 >= p.log.Size() {
		return stored[0], nil
	}
	pair, err := p.log.ReadHashes([]int64{tlog.StoredHashIndex(0, seq^1), tlog.StoredHashIndex(1, seq>>1)})
	if err != nil {
		return stored[0], nil
	}
	left, right := ofLine, pair[0]
	if seq&1 == 1 {
		left, right = right, left
	}
	if tlog.NodeHash(left, right) == pair[1] {
		return ofLine, nil
	}
	return stored[0], nil
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
	notIn, err := write(f, from, o)
	if err != nil {
		return Summary{}, err
	}
	if err := f.Sync(); err != nil {
		return Summary{}, fmt.Errorf("write the backup: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Summary{}, fmt.Errorf("read the backup back: %w", err)
	}
	s, err := Check(f)
	s.NotIn = notIn
	if err != nil {
		return s, fmt.Errorf("the journal gives no backup that holds: %w", err)
	}
	return s, nil
}
