package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"scentpost/station/event"
)

// maxOperations is how many entries the operational log keeps; older ones are dropped.
const maxOperations = 10_000

// Operation is an entry of the operational log (start, disk, link): no evidence, no part of the Merkle log.
type Operation struct {
	ID     int64       // given by the log, growing
	At     event.Stamp // Boot, Mono and UTC are kept
	Name   string
	Detail string
}

// Operations is the operational log.
type Operations interface {
	// LogOperation adds an entry; only the newest 10,000 are kept.
	LogOperation(Operation) error
	// Operations returns at most max entries with an ID of from or higher, oldest first.
	Operations(from int64, max int) ([]Operation, error)
}

// desk is the database of what is no evidence and outlives epochs: names, cursors, the operational log, the
// quarantine. Names lie here so that an erasure touches one file.
type desk struct{ db *sql.DB }

// openDesk opens or makes the database. A damaged one is put aside under the name that setAside tells: a station
// must start without its cursors too.
func openDesk(path string, thorough bool) (d *desk, setAside string, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createDB(path, deskSchema); err != nil {
			return nil, "", err
		}
	}
	d, err = readDesk(path, thorough)
	if !errors.Is(err, ErrDamaged) {
		return d, "", err
	}
	setAside, moveErr := putAside(path)
	if moveErr != nil {
		return nil, "", errors.Join(err, moveErr)
	}
	if err := createDB(path, deskSchema); err != nil {
		return nil, setAside, err
	}
	d, err = readDesk(path, false)
	return d, setAside, err
}

func readDesk(path string, thorough bool) (*desk, error) {
	// SQLite's own checkpoints will do here: what one could lose is no evidence.
	db, err := openDB(path, 1, append(writePragmas[:len(writePragmas):len(writePragmas)], "wal_autocheckpoint(500)"))
	if err != nil {
		return nil, err
	}
	if err := checkVersion(context.Background(), db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if thorough {
		if problems := quickCheck(context.Background(), db); len(problems) > 0 {
			return nil, errors.Join(fmt.Errorf("%w: %s", ErrDamaged, problems[0]), db.Close())
		}
	}
	return &desk{db: db}, nil
}

// putAside renames a damaged database and its companions to the first free name.
func putAside(path string) (string, error) {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.damaged-%d", path, n)
		if _, err := os.Stat(name); err == nil {
			continue
		}
		for _, suffix := range []string{"-wal", "-shm", ""} {
			if err := os.Rename(path+suffix, name+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		return name, nil
	}
}

// keep writes names.
func (d *desk) keep(ids []Identity) error {
	tx, err := d.db.Begin()
	if err != nil {
		return fmt.Errorf("keeping names: %w", err)
	}
	for _, id := range ids {
		if _, err := tx.Exec("INSERT OR REPLACE INTO identities (ref, salt, name) VALUES (?, ?, ?)", id.Ref, id.Salt, id.Name); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("keeping names: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("keeping names: %w", err)
	}
	return nil
}

func (d *desk) identities() ([]Identity, error) {
	rows, err := d.db.Query("SELECT ref, salt, name FROM identities ORDER BY ref")
	if err != nil {
		return nil, fmt.Errorf("reading names: %w", err)
	}
	defer rows.Close()
	var out []Identity
	for rows.Next() {
		var id Identity
		if err := rows.Scan(&id.Ref, &id.Salt, &id.Name); err != nil {
			return nil, fmt.Errorf("reading names: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func (d *desk) cursor(epoch, name string) (int64, error) {
	var size int64
	err := d.db.QueryRow("SELECT size FROM cursors WHERE epoch = ? AND name = ?", epoch, name).Scan(&size)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading cursor %q: %w", name, err)
	}
	return size, nil
}

func (d *desk) setCursor(epoch, name string, size int64) error {
	if _, err := d.db.Exec("INSERT OR REPLACE INTO cursors (epoch, name, size) VALUES (?, ?, ?)", epoch, name, size); err != nil {
		return fmt.Errorf("keeping cursor %q: %w", name, err)
	}
	return nil
}

func (d *desk) log(o Operation) error {
	done, err := d.db.Exec("INSERT INTO operations (boot, mono, utc, name, detail) VALUES (?, ?, ?, ?, ?)", o.At.Boot, o.At.Mono, o.At.UTC, o.Name, o.Detail)
	if err != nil {
		return fmt.Errorf("writing the operational log: %w", err)
	}
	id, err := done.LastInsertId()
	if err != nil || id <= maxOperations {
		return err
	}
	if _, err := d.db.Exec("DELETE FROM operations WHERE id <= ?", id-maxOperations); err != nil {
		return fmt.Errorf("shortening the operational log: %w", err)
	}
	return nil
}

func (d *desk) operations(from int64, max int) ([]Operation, error) {
	rows, err := d.db.Query("SELECT id, boot, mono, utc, name, detail FROM operations WHERE id >= ? ORDER BY id LIMIT ?", from, max)
	if err != nil {
		return nil, fmt.Errorf("reading the operational log: %w", err)
	}
	defer rows.Close()
	var out []Operation
	for rows.Next() {
		var o Operation
		if err := rows.Scan(&o.ID, &o.At.Boot, &o.At.Mono, &o.At.UTC, &o.Name, &o.Detail); err != nil {
			return nil, fmt.Errorf("reading the operational log: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

func (d *desk) quarantine(epoch string, bad []badRow) error {
	tx, err := d.db.Begin()
	if err != nil {
		return fmt.Errorf("writing the quarantine: %w", err)
	}
	for _, b := range bad {
		if _, err := tx.Exec("INSERT OR REPLACE INTO quarantine (epoch, seq, why, line) VALUES (?, ?, ?, ?)", epoch, b.seq, b.why, b.line); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("writing the quarantine: %w", err)
		}
	}
	return tx.Commit()
}
