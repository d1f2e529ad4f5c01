package journal

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
)

// Size implements Log.
func (l *ledger) Size() int64 { return l.size.Load() }

// Lines implements Log.
func (l *ledger) Lines(from int64, max, maxBytes int) ([]Line, error) {
	// Never a look behind the last record: the page there may be the damaged one for which the epoch ended.
	count := min(int64(max), l.Size()-from)
	if from < 0 || count <= 0 {
		return nil, nil
	}
	expected := from
	next := func(line Line) error {
		if line.Seq != expected {
			return fmt.Errorf("%w: epoch %s has record %d where %d belongs", ErrDamaged, l.epoch, line.Seq, expected)
		}
		expected++
		return nil
	}
	return l.lines(from, maxBytes, next, "seq >= ? ORDER BY seq LIMIT ?", from, count)
}

// LinesOf implements Log.
func (l *ledger) LinesOf(s Session, from int64, max, maxBytes int) ([]Line, error) {
	to := min(s.To, l.end.Load())
	if from >= to || max <= 0 {
		return nil, nil
	}
	return l.lines(from, maxBytes, func(Line) error { return nil }, "seq >= ? AND seq < ? AND session = ? ORDER BY seq LIMIT ?", from, to, s.ID, max)
}

// lines returns the public lines of a query. Each is compared with its leaf hash: a line that changed on the disk is an
// error that names it, never an answer. So is what check refuses.
func (l *ledger) lines(from int64, maxBytes int, check func(Line) error, where string, args ...any) (out []Line, err error) {
	reading := func(err error) error {
		return fmt.Errorf("reading records of epoch %s from %d: %w", l.epoch, from, judged(err))
	}
	rows, err := l.read.Query("SELECT seq, session, hashes, line FROM records WHERE "+where, args...)
	if err != nil {
		return nil, reading(err)
	}
	defer rows.Close()
	var hashes sql.RawBytes
	for size := 0; rows.Next(); {
		var line Line
		if err := rows.Scan(&line.Seq, &line.Session, &hashes, &line.Bytes); err != nil {
			return out, reading(fmt.Errorf("%w: %w", ErrDamaged, err))
		}
		if err := check(line); err != nil {
			return out, err
		}
		if leaf := tlog.RecordHash(line.Bytes); len(hashes) < tlog.HashSize || string(hashes[:tlog.HashSize]) != string(leaf[:]) {
			if line.Seq != 0 || !l.mended(&line, hashes) {
				return out, &BadRecord{Epoch: l.epoch, Seq: line.Seq, Leaf: leaf}
			}
		}
		if size += len(line.Bytes); size > maxBytes && len(out) > 0 {
			return out, nil
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		return out, reading(err)
	}
	return out, nil
}

// mended takes the first record from its second copy, where that or the first one is the line that was hashed.
func (l *ledger) mended(line *Line, hashes []byte) bool {
	var copied []byte
	if queryOne(context.Background(), l.read, "SELECT line FROM beginning", &copied) != nil {
		return false
	}
	leaf := tlog.RecordHash(copied)
	if !bytes.HasPrefix(hashes, leaf[:]) && !bytes.Equal(copied, line.Bytes) {
		return false
	}
	line.Bytes = copied
	return true
}

func (l *ledger) vault(session string) ([]VaultRow, error) {
	if l.read == nil {
		return nil, nil
	}
	var span Session // what lies outside sessions may lie anywhere
	if session != "" {
		var found bool
		var err error
		if span, found, err = l.Session(session); err != nil || !found {
			return nil, err
		}
	}
	rows, err := l.read.Query(`SELECT v.seq, r.type, v.run, v.nonce, v.body FROM vault v JOIN records r ON r.seq = v.seq
		WHERE v.seq >= ? AND v.seq < ? AND r.session = ? ORDER BY v.seq`, span.From, l.Size(), session)
	if err != nil {
		return nil, fmt.Errorf("reading the vault of session %q: %w", session, judged(err))
	}
	defer rows.Close()
	var out []VaultRow
	for rows.Next() {
		var row VaultRow
		var kind string
		var nonce []byte
		if err := rows.Scan(&row.Seq, &kind, &row.Run, &nonce, &row.Body); err != nil {
			return nil, fmt.Errorf("%w: reading the vault of session %q: %w", ErrDamaged, session, err)
		}
		if len(nonce) != len(row.Nonce) {
			return nil, fmt.Errorf("%w: the vault's nonce of record %d has %d bytes, want %d", ErrDamaged, row.Seq, len(nonce), len(row.Nonce))
		}
		row.Type, row.Nonce = event.Type(kind), [32]byte(nonce)
		out = append(out, row)
	}
	return out, judged(rows.Err())
}

// Checkpoints implements Log.
func (l *ledger) Checkpoints(session string) ([]Checkpoint, error) {
	if l.read == nil { // no record of it is good: it has no database that could be read
		return nil, nil
	}
	query, size := "SELECT size, why, session, note FROM checkpoints WHERE size <= ? AND session = ? ORDER BY id", l.end.Load()
	if session == "" {
		size = l.size.Load()
		query = "SELECT size, why, session, note FROM checkpoints WHERE size <= ? AND session >= ? ORDER BY id"
	}
	rows, err := l.read.Query(query, size, session)
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints of epoch %s: %w", l.epoch, judged(err))
	}
	defer rows.Close()
	var out []Checkpoint
	for rows.Next() {
		var c Checkpoint
		if err := rows.Scan(&c.Size, &c.Why, &c.Session, &c.Note); err != nil {
			return out, fmt.Errorf("%w: reading checkpoints of epoch %s: %w", ErrDamaged, l.epoch, err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return out, fmt.Errorf("reading checkpoints of epoch %s: %w", l.epoch, judged(err))
	}
	return out, nil
}

// ReadHashes implements tlog.HashReader.
func (l *ledger) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	if len(indexes) == 0 {
		return out, nil
	}
	if l.read == nil {
		return nil, fmt.Errorf("journal: no stored hash %d in an empty log", indexes[0])
	}
	stmt, err := l.read.PrepareContext(context.Background(), "SELECT substr(hashes, ?, ?) FROM records WHERE seq = ?")
	if err != nil {
		return nil, fmt.Errorf("reading hashes of epoch %s: %w", l.epoch, judged(err))
	}
	defer stmt.Close()
	for i, index := range indexes {
		if index < 0 {
			return nil, fmt.Errorf("journal: no stored hash %d", index)
		}
		seq, level := storedAt(index)
		if seq >= l.end.Load() {
			return nil, fmt.Errorf("journal: no stored hash %d in a log of %d records", index, l.end.Load())
		}
		var hash []byte
		if err := stmt.QueryRow(1+level*tlog.HashSize, tlog.HashSize, seq).Scan(&hash); err != nil {
			return nil, fmt.Errorf("hash %d of epoch %s (record %d): %w", index, l.epoch, seq, judged(err))
		}
		if len(hash) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash %d of epoch %s (record %d) has %d bytes", ErrDamaged, index, l.epoch, seq, len(hash))
		}
		out[i] = tlog.Hash(hash)
	}
	return out, nil
}
