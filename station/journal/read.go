package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
)

// lines returns public lines. Each is compared with its leaf hash: a line that changed on the disk is an error
// that names it, never an answer.
func (l *ledger) lines(from int64, max, maxBytes int) ([]Line, error) {
	// Never a look behind the last record: the page there may be the damaged one for which the epoch ended.
	count := min(int64(max), l.size.Load()-from)
	if from < 0 || count <= 0 {
		return nil, nil
	}
	rows, err := l.read.Query("SELECT seq, session, hashes, line FROM records WHERE seq >= ? ORDER BY seq LIMIT ?", from, count)
	if err != nil {
		return nil, fmt.Errorf("reading records of epoch %s from %d: %w", l.epoch, from, err)
	}
	defer rows.Close()
	var out []Line
	var hashes sql.RawBytes
	for bytes := 0; rows.Next(); {
		var line Line
		if err := rows.Scan(&line.Seq, &line.Session, &hashes, &line.Bytes); err != nil {
			return nil, fmt.Errorf("reading records of epoch %s from %d: %w", l.epoch, from, err)
		}
		if line.Seq != from+int64(len(out)) {
			return nil, fmt.Errorf("%w: epoch %s has record %d where %d belongs", ErrDamaged, l.epoch, line.Seq, from+int64(len(out)))
		}
		if leaf := tlog.RecordHash(line.Bytes); len(hashes) < tlog.HashSize || string(hashes[:tlog.HashSize]) != string(leaf[:]) {
			return nil, fmt.Errorf("%w: record %d of epoch %s is not what was written", ErrDamaged, line.Seq, l.epoch)
		}
		if bytes += len(line.Bytes); bytes > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading records of epoch %s from %d: %w", l.epoch, from, err)
	}
	return out, nil
}

func (l *ledger) sessionStart(session string) (int64, error) {
	var first int64
	err := l.read.QueryRow("SELECT first FROM sessions WHERE session = ?", session).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) || err == nil && first >= l.size.Load() {
		return -1, nil
	}
	if err != nil {
		return -1, fmt.Errorf("looking for session %q in epoch %s: %w", session, l.epoch, err)
	}
	return first, nil
}

func (l *ledger) vault(session string) ([]VaultRow, error) {
	var first int64 // what lies outside sessions may lie anywhere
	if session != "" {
		var err error
		if first, err = l.sessionStart(session); err != nil || first < 0 {
			return nil, err
		}
	}
	rows, err := l.read.Query(`SELECT v.seq, r.type, v.run, v.nonce, v.body FROM vault v JOIN records r ON r.seq = v.seq
		WHERE v.seq >= ? AND v.seq < ? AND r.session = ? ORDER BY v.seq`, first, l.size.Load(), session)
	if err != nil {
		return nil, fmt.Errorf("reading the vault of session %q: %w", session, err)
	}
	defer rows.Close()
	var out []VaultRow
	for rows.Next() {
		var row VaultRow
		var kind string
		var nonce []byte
		if err := rows.Scan(&row.Seq, &kind, &row.Run, &nonce, &row.Body); err != nil {
			return nil, fmt.Errorf("reading the vault of session %q: %w", session, err)
		}
		if len(nonce) != len(row.Nonce) {
			return nil, fmt.Errorf("%w: the vault's nonce of record %d has %d bytes, want %d", ErrDamaged, row.Seq, len(nonce), len(row.Nonce))
		}
		row.Type, row.Nonce = event.Type(kind), [32]byte(nonce)
		out = append(out, row)
	}
	return out, rows.Err()
}

func (l *ledger) checkpoints(session string) ([]Checkpoint, error) {
	if l.read == nil { // no record of it is good: it has no database that could be read
		return nil, nil
	}
	rows, err := l.read.Query("SELECT size, why, session, note FROM checkpoints WHERE size <= ?1 AND (?2 = '' OR session = ?2) ORDER BY id",
		l.size.Load(), session)
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints of epoch %s: %w", l.epoch, err)
	}
	defer rows.Close()
	var out []Checkpoint
	for rows.Next() {
		var c Checkpoint
		if err := rows.Scan(&c.Size, &c.Why, &c.Session, &c.Note); err != nil {
			return nil, fmt.Errorf("reading checkpoints of epoch %s: %w", l.epoch, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// ReadHashes implements tlog.HashReader.
func (l *ledger) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	if len(indexes) == 0 {
		return out, nil
	}
	stmt, err := l.read.PrepareContext(context.Background(), "SELECT substr(hashes, ?, ?) FROM records WHERE seq = ?")
	if err != nil {
		return nil, fmt.Errorf("reading hashes of epoch %s: %w", l.epoch, err)
	}
	defer stmt.Close()
	for i, index := range indexes {
		if index < 0 {
			return nil, fmt.Errorf("journal: no stored hash %d", index)
		}
		seq, level := storedAt(index)
		if seq >= l.size.Load() {
			return nil, fmt.Errorf("journal: no stored hash %d in a log of %d records", index, l.size.Load())
		}
		var hash []byte
		if err := stmt.QueryRow(1+level*tlog.HashSize, tlog.HashSize, seq).Scan(&hash); err != nil {
			return nil, fmt.Errorf("%w: hash %d of epoch %s (record %d): %w", ErrDamaged, index, l.epoch, seq, err)
		}
		if len(hash) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash %d of epoch %s (record %d) has %d bytes", ErrDamaged, index, l.epoch, seq, len(hash))
		}
		out[i] = tlog.Hash(hash)
	}
	return out, nil
}
