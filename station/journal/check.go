package journal

import (
	"bytes"
	"context"
	"database/sql"
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
	good  int64     // records before the first bad one
	root  tlog.Hash // of the good ones
	bad   []badRow  // the first of them
	count int       // all of them
}

// quickCheck returns the first problems that SQLite finds in the database's pages; an error of the check is one.
func quickCheck(ctx context.Context, db *sql.DB) []string {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA quick_check(%d)", maxProblems))
	if err != nil {
		return []string{err.Error()}
	}
	defer rows.Close()
	var problems []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return append(problems, err.Error())
		}
		if text != "ok" {
			problems = append(problems, text)
		}
	}
	if err := rows.Err(); err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// inspect checks the pages, and hashes the records again from the last checkpoint on: from the first record on
// when a page is bad or the checkpoint does not agree. The error is the context's.
func (l *ledger) inspect(ctx context.Context) (inspection, error) {
	found := inspection{pages: quickCheck(ctx, l.read)}
	w := walker{ledger: l, found: &found}
	if len(found.pages) == 0 {
		w.edge = l.lastCheckpoint()
	}
	for from, size := w.edge.Size(), l.size.Load(); from < size && ctx.Err() == nil; from += walkRows {
		w.walk(ctx, from, min(from+walkRows, size))
	}
	if err := ctx.Err(); err != nil {
		return found, fmt.Errorf("checking epoch %s: %w", l.epoch, err)
	}
	found.good, found.root = w.edge.Size(), w.edge.Root()
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

// walker hashes records again.
type walker struct {
	ledger *ledger
	edge   record.Tree // of the good records; it stands still after the first bad one
	broken bool
	found  *inspection
}

// walk visits the records [from, to); where they cannot be read together it reads them one by one.
func (w *walker) walk(ctx context.Context, from, to int64) {
	next := w.visitRange(ctx, from, to)
	for ; next < to && ctx.Err() == nil; next++ {
		if w.visitRange(ctx, next, next+1) == next {
			w.bad(badRow{seq: next, why: "cannot be read, or is gone"})
		}
	}
}

// visitRange visits records until one cannot be read or is not there, and returns its seq.
func (w *walker) visitRange(ctx context.Context, from, to int64) int64 {
	rows, err := w.ledger.read.QueryContext(ctx, "SELECT seq, hashes, line FROM records WHERE seq >= ? ORDER BY seq LIMIT ?", from, to-from)
	if err != nil {
		return from
	}
	defer rows.Close()
	next := from
	var hashes, line sql.RawBytes
	for rows.Next() {
		var seq int64
		if rows.Scan(&seq, &hashes, &line) != nil || seq != next {
			return next
		}
		w.visit(seq, hashes, line)
		next++
	}
	return next
}

// visit compares a record's line with its leaf hash, and up to the first bad record all its stored hashes.
func (w *walker) visit(seq int64, stored, line []byte) {
	leaf := tlog.RecordHash(line)
	if len(stored) < tlog.HashSize || !bytes.Equal(stored[:tlog.HashSize], leaf[:]) {
		w.bad(badRow{seq: seq, why: "the line is not the one that was hashed", line: bytes.Clone(line)})
		return
	}
	if w.broken {
		return
	}
	edge := w.edge
	var packed []byte
	for _, h := range edge.AppendLeaf(make([]tlog.Hash, 0, maxStored), leaf) {
		packed = append(packed, h[:]...)
	}
	if !bytes.Equal(stored, packed) {
		w.bad(badRow{seq: seq, why: "its hashes are not those of the log", line: bytes.Clone(line)})
		return
	}
	w.edge = edge
}

func (w *walker) bad(b badRow) {
	w.broken = true
	w.found.count++
	if len(w.found.bad) < maxQuarantined {
		w.found.bad = append(w.found.bad, b)
	}
}
