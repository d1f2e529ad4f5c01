package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/record"
)

// Bounds of a check: what is listed of a damage that may be as large as the database. All of it is counted.
const (
	maxProblems    = 20
	maxQuarantined = 1000
	walkRows       = 512 // records read at once
)

// badRow is a record that is not what was written; line is what could be read of it.
type badRow struct {
	seq  int64
	why  string
	line []byte
}

// inspection is what a check found in one epoch.
type inspection struct {
	pages []string  // problems of the database's pages
	good  int64     // records whose hashes are those of the log
	root  tlog.Hash // of these
	cut   bool      // there are more records
	bad   []badRow  // the first of them
	count int       // all of them
}

// quickCheck returns the first problems that SQLite finds in the database's pages. An error of the check is one of them when
// it is damage, and is returned when it is a condition.
func quickCheck(ctx context.Context, db *sql.DB) (problems []string, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA quick_check(%d)", maxProblems))
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return append(problems, err.Error()), nil
			}
			if text != "ok" {
				problems = append(problems, text)
			}
		}
		err = rows.Err()
	}
	if damaging(err) {
		return append(problems, err.Error()), nil
	}
	return problems, err
}

// inspect checks the pages, and hashes the records again from the last checkpoint on: from the first record on
// when a page is bad or the checkpoint does not agree. The error is the context's, or a condition.
func (l *ledger) inspect(ctx context.Context) (inspection, error) {
	var found inspection
	var err error
	if found.pages, err = quickCheck(ctx, l.read); err != nil {
		return found, fmt.Errorf("checking epoch %s: %w", l.epoch, err)
	}
	w := walker{ledger: l, found: &found}
	if len(found.pages) == 0 {
		w.edge = l.lastCheckpoint()
	}
	for from, size := w.edge.Size(), l.size.Load(); from < size && err == nil; from += walkRows {
		err = w.walk(ctx, from, min(from+walkRows, size))
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return found, fmt.Errorf("checking epoch %s: %w", l.epoch, err)
	}
	found.good, found.root = w.edge.Size(), w.edge.Root()
	found.cut = w.broken || found.good < l.size.Load()
	return found, nil
}

// lastCheckpoint returns the tree at the newest checkpoint whose root is that of the stored hashes, the empty
// one when it does not agree.
func (l *ledger) lastCheckpoint() record.Tree {
	var note []byte
	err := l.read.QueryRow("SELECT note FROM checkpoints WHERE size <= ? ORDER BY id DESC LIMIT 1", l.size.Load()).Scan(&note)
	if err != nil {
		return record.Tree{}
	}
	size, root, ok := noteHead(note)
	if !ok || size > l.size.Load() {
		return record.Tree{}
	}
	edge, err := record.RestoreTree(size, l)
	if err != nil || edge.Root() != root {
		return record.Tree{}
	}
	return edge
}

// noteHead reads size and root from a C2SP tlog-checkpoint. The signature is not looked at: a check compares the
// disk with itself.
func noteHead(note []byte) (size int64, root tlog.Hash, ok bool) {
	lines := bytes.SplitN(note, []byte("\n"), 4)
	if len(lines) < 4 {
		return 0, root, false
	}
	size, err := strconv.ParseInt(string(lines[1]), 10, 64)
	if err != nil || size < 0 {
		return 0, root, false
	}
	root, err = tlog.ParseHash(string(lines[2]))
	return size, root, err == nil
}

// walker hashes records again. A line that is not what was written costs its record and no other: the log holds its hash, and
// the hashes of the records after it show that the hash is right.
type walker struct {
	ledger *ledger
	edge   record.Tree // of the records whose hashes are known
	other  record.Tree // edge, had the hash of the last record been wrong and its line right; only where doubt is set
	doubt  bool
	broken bool // the hashes of a record are not known: edge stands still
	found  *inspection
}

// walk visits the records [from, to); where they cannot be read together it reads them one by one. The error is a condition.
func (w *walker) walk(ctx context.Context, from, to int64) error {
	next, err := w.visitRange(ctx, from, to)
	for ; next < to && err == nil; next++ {
		var after int64
		if after, err = w.visitRange(ctx, next, next+1); err == nil && after == next {
			w.bad(badRow{seq: next, why: "cannot be read, or is gone"})
			w.broken = true
		}
	}
	return err
}

// visitRange visits records until one cannot be read or is not there, and returns its seq. The error is a condition.
func (w *walker) visitRange(ctx context.Context, from, to int64) (int64, error) {
	rows, err := w.ledger.read.QueryContext(ctx, "SELECT seq, hashes, line FROM records WHERE seq >= ? ORDER BY seq LIMIT ?", from, to-from)
	if err != nil {
		return from, passing(err)
	}
	defer rows.Close()
	next := from
	var hashes, line sql.RawBytes
	for rows.Next() {
		var seq int64
		if rows.Scan(&seq, &hashes, &line) != nil || seq != next {
			return next, nil
		}
		w.visit(seq, hashes, line)
		next++
	}
	return next, passing(rows.Err())
}

// passing returns an error that is a condition, nil for damage.
func passing(err error) error {
	if damaging(err) {
		return nil
	}
	return err
}

// visit compares a record's line with its leaf hash, and its stored hashes with those of the log before it.
func (w *walker) visit(seq int64, stored, line []byte) {
	leaf := tlog.RecordHash(line)
	whole := len(stored) >= tlog.HashSize && bytes.Equal(stored[:tlog.HashSize], leaf[:])
	if !whole {
		w.bad(badRow{seq: seq, why: "the line is not the one that was hashed", line: bytes.Clone(line)})
	}
	if w.broken {
		return
	}
	befores := []record.Tree{w.edge}
	if w.doubt {
		befores = append(befores, w.other)
	}
	w.doubt = false
	for _, before := range befores {
		if whole {
			if after, ok := grown(before, leaf, stored[tlog.HashSize:]); ok {
				w.edge = after
				return
			}
			continue
		}
		if len(stored) < tlog.HashSize {
			continue
		}
		after, ok := grown(before, tlog.Hash(stored[:tlog.HashSize]), stored[tlog.HashSize:])
		other, could := grown(before, leaf, stored[tlog.HashSize:])
		if !ok {
			after, ok, could = other, could, false
		}
		if ok {
			w.edge, w.other, w.doubt = after, other, could
			return
		}
	}
	w.broken = true
	if whole {
		w.bad(badRow{seq: seq, why: "its hashes are not those of the log", line: bytes.Clone(line)})
	}
}

// grown returns a log with one record more, and whether the subtrees that it completes have the roots that are stored.
func grown(edge record.Tree, leaf tlog.Hash, stored []byte) (record.Tree, bool) {
	var roots []byte
	for _, h := range edge.AppendLeaf(make([]tlog.Hash, 0, maxStored), leaf)[1:] {
		roots = append(roots, h[:]...)
	}
	return edge, bytes.Equal(stored, roots)
}

func (w *walker) bad(b badRow) {
	w.found.count++
	if len(w.found.bad) < maxQuarantined {
		w.found.bad = append(w.found.bad, b)
	}
}
