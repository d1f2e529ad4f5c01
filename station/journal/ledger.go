package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/record"
)

// ledger is the database of one epoch, and its Log. It is read by many and written by one connection; an ended epoch's
// has no writing connection.
type ledger struct {
	epoch string
	path  string
	read  *sql.DB      // nil: there is no record that could be read
	size  atomic.Int64 // durable records of the log; of an ended epoch those that the next one goes on from
	end   atomic.Int64 // durable records in the database: readers of one session see those behind size, too

	mu      sync.Mutex // guards all below: one commit at a time
	write   *sql.DB    // nil: not to be written
	add     statements
	edge    record.Tree
	session string // of the last row, whose start is known to be noted
	pending int64  // bytes committed since the last checkpoint of the write-ahead log, by estimate
}

// statements are the writer's prepared ones.
type statements struct {
	record, vault, session, checkpoint, entry *sql.Stmt
}

// ledgerState is what the database says about its last stop.
type ledgerState struct {
	starts int64 // how often the journal was opened; compared with the file outside the folder
	clean  bool
	size   int64 // at a clean stop
	root   tlog.Hash
}

// createLedger makes the database of a new epoch.
func createLedger(path, epoch string, starts int64) (*ledger, error) {
	if err := createDB(path, epochSchema); err != nil {
		return nil, err
	}
	l, _, err := openLedger(path, epoch)
	if err == nil {
		if err = l.startWriting(starts); err == nil {
			return l, nil
		}
		err = errors.Join(err, l.stopWriting(false), l.close())
	}
	return nil, errors.Join(err, removeDB(path)) // no record is in it
}

// openLedger opens the database for reading, and tells how it was left.
func openLedger(path, epoch string) (*ledger, ledgerState, error) {
	if _, err := os.Stat(path); err != nil { // SQLite would make one
		return nil, ledgerState{}, fmt.Errorf("the database of epoch %s: %w", epoch, judged(err))
	}
	read, err := openDB(path, readers, readPragmas)
	if err != nil {
		return nil, ledgerState{}, err
	}
	return newLedger(read, path, epoch)
}

// newLedger takes over a database that was opened for reading.
func newLedger(read *sql.DB, path, epoch string) (*ledger, ledgerState, error) {
	var state ledgerState
	l := &ledger{epoch: epoch, path: path, read: read}
	err := l.load(&state)
	if err == nil {
		err = l.foreign()
	}
	if err != nil {
		_ = read.Close()
		return nil, state, err
	}
	return l, state, nil
}

// load reads state, size and frontier: a few rows, however long the log is.
func (l *ledger) load(state *ledgerState) error {
	ctx := context.Background()
	if err := checkVersion(ctx, l.read, l.path); err != nil {
		return err
	}
	var root []byte
	err := queryOne(ctx, l.read, "SELECT starts, clean, size, root FROM state", &state.starts, &state.clean, &state.size, &root)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // none: a crash before the first start
		return fmt.Errorf("the state of epoch %s cannot be read: %w", l.epoch, err)
	}
	copy(state.root[:], root)
	return l.measure()
}

// measure reads the size.
func (l *ledger) measure() error {
	var size int64
	if err := queryOne(context.Background(), l.read, "SELECT ifnull(max(seq), -1) + 1 FROM records", &size); err != nil {
		return fmt.Errorf("the end of epoch %s cannot be read: %w", l.epoch, err)
	}
	l.size.Store(size)
	l.end.Store(size)
	return nil
}

// foreign returns an error when the first record is of another epoch: the file of another log lies here. A first record that
// is damaged shows nothing.
func (l *ledger) foreign() error {
	lines, err := l.Lines(0, 1, record.MaxLine)
	if err != nil || len(lines) == 0 {
		return nil
	}
	if r, err := record.Decode(lines[0].Bytes); err == nil && r.Epoch != l.epoch {
		return fmt.Errorf("%w: the database of epoch %s holds epoch %s", ErrDamaged, l.epoch, r.Epoch)
	}
	return nil
}

// startWriting opens the writing connection and notes the start; from here on the stop is unclean until close
// says otherwise. After an error nothing is open, and it may be tried again.
func (l *ledger) startWriting(starts int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.edge, err = record.RestoreTree(l.size.Load(), l); err != nil {
		return err
	}
	if l.write, err = openDB(l.path, 1, writePragmas); err != nil {
		return err
	}
	if err := l.prepare(starts); err != nil {
		err = errors.Join(judged(err), l.write.Close())
		l.write = nil
		return err
	}
	return nil
}

// prepare notes the start and makes the statements.
func (l *ledger) prepare(starts int64) (err error) {
	if _, err = l.write.Exec("INSERT OR REPLACE INTO state (one, starts, clean, size, root) VALUES (1, ?, 0, 0, x'')", starts); err != nil {
		return fmt.Errorf("noting the start in epoch %s: %w", l.epoch, err)
	}
	for _, s := range []struct {
		stmt *(*sql.Stmt)
		text string
	}{
		{&l.add.record, "INSERT INTO records (seq, session, type, hashes, line) VALUES (?, ?, ?, ?, ?)"},
		{&l.add.vault, "INSERT INTO vault (seq, run, nonce, body) VALUES (?, ?, ?, ?)"},
		{&l.add.session, "INSERT OR IGNORE INTO sessions (session, first, first_sum, known, last, entry, entry_sum) VALUES (?, ?, ?, 0, 0, x'', 0)"},
		{&l.add.entry, "UPDATE sessions SET known = ?, last = ?, entry = ?, entry_sum = ? WHERE session = ?"},
		{&l.add.checkpoint, "INSERT INTO checkpoints (size, why, session, note) VALUES (?, ?, ?, ?)"},
	} {
		if *s.stmt, err = l.write.Prepare(s.text); err != nil {
			return fmt.Errorf("preparing to write epoch %s: %w", l.epoch, err)
		}
	}
	return nil
}

// stopWriting closes the writing connection; clean marks the stop as clean.
func (l *ledger) stopWriting(clean bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.write == nil {
		return nil
	}
	write := l.write
	l.write = nil
	var err error
	if clean {
		root := l.edge.Root()
		_, err = write.Exec("UPDATE state SET clean = 1, size = ?, root = ?", l.edge.Size(), root[:])
		if err == nil {
			_, err = write.Exec("PRAGMA wal_checkpoint(truncate)")
		}
	}
	return errors.Join(err, write.Close())
}

// close lets go of the files.
func (l *ledger) close() error {
	if l.read == nil {
		return nil
	}
	return l.read.Close()
}

// endedAt ends the log behind its last good record. What lies behind it is no part of the log that went on: it may be
// malformed, or another history. It can be read by session.
func (l *ledger) endedAt(size int64) *ledger {
	l.size.Store(min(l.size.Load(), size))
	return l
}

// root returns the root of all that is durable.
func (l *ledger) root() tlog.Hash {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.edge.Root()
}

// commit writes the batch in one transaction and returns when it is durable.
func (l *ledger) commit(b Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.write == nil {
		return ErrNoEpoch
	}
	edge, session := l.edge, l.session
	tx, err := l.write.Begin()
	if err != nil {
		return fmt.Errorf("beginning a commit at record %d: %w", edge.Size(), err)
	}
	if err := l.insert(tx, b, &edge, &session); err != nil {
		// SQLite may have rolled back by itself already, so that this one fails: only the first error counts.
		_ = tx.Rollback()
		return fmt.Errorf("writing record %d of epoch %s: %w", edge.Size(), l.epoch, err)
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("committing up to record %d of epoch %s: %w", edge.Size(), l.epoch, err)
	}
	l.edge, l.session = edge, session
	l.size.Store(edge.Size())
	l.end.Store(edge.Size())
	return nil
}

// insert writes the batch's rows and moves the edge.
func (l *ledger) insert(tx *sql.Tx, b Batch, edge *record.Tree, session *string) error {
	line, vault := tx.Stmt(l.add.record), tx.Stmt(l.add.vault)
	hashes := make([]tlog.Hash, 0, maxStored)
	var packed []byte
	for i := range b.Rows {
		r := &b.Rows[i]
		leaf := record.LeafHash(r.Line)
		if r.Lost {
			leaf = r.Leaf
		}
		hashes, packed = edge.AppendLeaf(hashes[:0], leaf), packed[:0]
		for j := range hashes {
			packed = append(packed, hashes[j][:]...)
		}
		if _, err := line.Exec(r.Seq, r.Session, string(r.Type), packed, r.Line); err != nil {
			return err
		}
		if r.Seq == 0 {
			if _, err := tx.Exec("INSERT INTO beginning (one, line) VALUES (1, ?)", r.Line); err != nil {
				return err
			}
		}
		l.pending += int64(len(r.Line) + len(packed) + len(r.Body))
		if r.Session != *session && r.Session != "" {
			if _, err := tx.Stmt(l.add.session).Exec(r.Session, r.Seq, firstSum(r.Session, r.Seq)); err != nil {
				return err
			}
			*session = r.Session
		}
		if r.Sealed {
			if _, err := vault.Exec(r.Seq, r.Run, r.Nonce[:], r.Body); err != nil {
				return err
			}
		}
	}
	for _, e := range b.Entries {
		if _, err := tx.Stmt(l.add.entry).Exec(e.Known, e.Last, e.Text, e.sum(), e.Session); err != nil {
			return err
		}
	}
	for _, c := range b.Checkpoints {
		if _, err := tx.Stmt(l.add.checkpoint).Exec(c.Size, c.Why, c.Session, c.Note); err != nil {
			return err
		}
	}
	l.pending += commitBytes
	return nil
}

// The write-ahead log is moved into the database when about so much was written to it: often enough to keep it
// small, seldom enough that most pages are moved once and not again and again.
const (
	walBytes    = 4 << 20
	walBytesLow = 128 << 10 // on a full disk: its room is used again and again instead of the ballast's
	commitBytes = 8 << 10   // a commit writes whole pages: two or three of 4 KiB, however small the row
)

// tidy moves the write-ahead log into the database when more than limit bytes were written to it.
func (l *ledger) tidy(limit int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.write == nil || l.pending < limit {
		return nil
	}
	if _, err := l.write.Exec("PRAGMA wal_checkpoint(passive)"); err != nil {
		return fmt.Errorf("moving the write-ahead log of epoch %s into its database: %w", l.epoch, err)
	}
	l.pending = 0
	return nil
}
