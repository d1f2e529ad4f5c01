package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"scentpost/station/durable"
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
// quarantine. Names lie here so that an erasure touches no log.
type desk struct {
	dir   string // the journal's folder
	db    *sql.DB
	found string // what became of the names, for people; "" for nothing
	lost  bool   // names are gone and none came back

	mu     sync.Mutex // guards all below
	names  names
	behind bool // the second copy lacks some
}

// deskFile is the database's name in a journal's folder.
const deskFile = "station.db"

// openDesk opens or makes the database in a journal's folder. A damaged one is put aside: a station must start without its
// cursors too. One that cannot be read now is left where it is. was tells whether the journal holds records: then a desk was
// there before.
func openDesk(dir string, was bool) (*desk, error) {
	path := filepath.Join(dir, deskFile)
	d := &desk{dir: dir}
	_, err := os.Stat(path)
	had := err == nil
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = createDB(path, deskSchema)
	case err == nil:
		err = d.open(path)
	}
	if errors.Is(err, ErrDamaged) {
		had = false
		if err = putAside(path); err == nil {
			err = createDB(path, deskSchema)
		}
	}
	if err == nil && d.db == nil {
		err = d.open(path)
	}
	if err == nil {
		err = d.reunite(had, was)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("names and cursors: %w", err), d.close())
	}
	return d, nil
}

// open opens the database and looks through all of it, which is small.
func (d *desk) open(path string) (err error) {
	// SQLite's own checkpoints will do here: what one could lose is no evidence.
	db, err := openDB(path, 1, append(writePragmas[:len(writePragmas):len(writePragmas)], "wal_autocheckpoint(500)"))
	if err != nil {
		return err
	}
	if err := sound(db, path); err != nil {
		return errors.Join(err, db.Close())
	}
	d.db = db
	return nil
}

// sound looks through a database of the desk.
func sound(db *sql.DB, path string) error {
	ctx := context.Background()
	if err := checkVersion(ctx, db, path); err != nil {
		return err
	}
	problems, err := quickCheck(ctx, db)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("%w: %s", ErrDamaged, problems[0])
	}
	if err == nil {
		_, err = tableOf(db)
	}
	return err
}

func (d *desk) close() error {
	if d.db == nil {
		return nil
	}
	return d.db.Close()
}

// putAside renames a damaged database and its companions to the first free name.
func putAside(path string) error {
	name := path
	for n := 1; ; n++ {
		name = fmt.Sprint(path, asDamaged, n)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, name+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("putting a damaged database aside: %w", err)
		}
	}
	return durable.SyncFolder(filepath.Dir(path))
}

// keep writes names, durably where they are read first. A second copy that cannot be written now is written later.
func (d *desk) keep(ids []Identity) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.insert(ids); err != nil {
		return err
	}
	for _, id := range ids {
		d.names[id.Ref] = id
	}
	_ = d.writeRoll() // the first copy is durable, and the second is caught up with
	return nil
}

// insert writes names into the database.
func (d *desk) insert(ids []Identity) error {
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

// identities returns the names in order of reference.
func (d *desk) identities() []Identity {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.names.list()
}

func (d *desk) table() ([]Identity, error) { return tableOf(d.db) }

// tableOf reads the names that stand in a database; with an error come those before it.
func tableOf(db *sql.DB) ([]Identity, error) {
	rows, err := db.Query("SELECT ref, salt, name FROM identities ORDER BY ref")
	if err != nil {
		return nil, fmt.Errorf("reading names: %w", judged(err))
	}
	defer rows.Close()
	var out []Identity
	for rows.Next() {
		var id Identity
		if err := rows.Scan(&id.Ref, &id.Salt, &id.Name); err != nil {
			return out, fmt.Errorf("%w: reading names: %w", ErrDamaged, err)
		}
		out = append(out, id)
	}
	return out, judged(rows.Err())
}

func (d *desk) cursor(epoch, name string) (int64, error) {
	var size int64
	err := d.db.QueryRow("SELECT size FROM cursors WHERE epoch = ? AND name = ?", epoch, name).Scan(&size)
	if err != nil && !damaging(err) { // from the beginning, where it is gone: what is sent twice does no harm
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
