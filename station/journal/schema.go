package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"scentpost/station/event"
)

// applicationID marks the databases as ours ("scnt"), so that another one is refused by name.
const applicationID = 0x73636e74

// epochSchema holds one epoch. A record's stored hashes lie in its own row (the leaf's, then those of the subtrees
// that it completes), so that the Merkle log costs no page of its own to write. There is no index of records by session for
// the same reason: sessions says where to begin to look. What it says is checked by sums of its own, since a wrong answer
// would hide a session. The first record lies twice, since every bundle of the epoch needs it.
const epochSchema = `
CREATE TABLE records (seq INTEGER PRIMARY KEY, session TEXT NOT NULL, type TEXT NOT NULL, hashes BLOB NOT NULL, line BLOB NOT NULL);
CREATE TABLE vault (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, nonce BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE sessions (session TEXT PRIMARY KEY, first INTEGER NOT NULL, first_sum INTEGER NOT NULL, known INTEGER NOT NULL, last INTEGER NOT NULL, entry BLOB NOT NULL, entry_sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoints (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, why TEXT NOT NULL, session TEXT NOT NULL, note BLOB NOT NULL);
CREATE INDEX checkpoints_session ON checkpoints (session);
CREATE TABLE beginning (one INTEGER PRIMARY KEY CHECK (one = 1), line BLOB NOT NULL);
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), starts INTEGER NOT NULL, clean INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL);
`

// deskSchema holds what is no evidence and outlives epochs.
const deskSchema = `
CREATE TABLE identities (ref TEXT PRIMARY KEY, salt TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cursors (epoch TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (epoch, name)) WITHOUT ROWID;
CREATE TABLE operations (id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, mono INTEGER NOT NULL, utc INTEGER NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE quarantine (epoch TEXT NOT NULL, seq INTEGER NOT NULL, why TEXT NOT NULL, line BLOB, PRIMARY KEY (epoch, seq)) WITHOUT ROWID;
`

// writePragmas are those of the one writing connection. Checkpoints of the write-ahead log are ours to start:
// SQLite swallows the errors of its automatic ones, and a failed fsync among them would go unseen.
var writePragmas = []string{"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "wal_autocheckpoint(0)",
	"temp_store(memory)", "trusted_schema(off)", "cell_size_check(on)", "secure_delete(on)"}

// readPragmas are those of the read pool.
var readPragmas = []string{"busy_timeout(5000)", "query_only(on)", "temp_store(memory)", "trusted_schema(off)", "cell_size_check(on)"}

// readers is how many may read one database at once.
const readers = 4

// openDB returns a pool of at most conns connections; none is opened yet.
func openDB(path string, conns int, pragmas []string) (*sql.DB, error) {
	return openWith(path, conns, url.Values{"_pragma": pragmas, "_txlock": {"immediate"}})
}

// openToRead is openDB for what is only read, also from a file system on which nothing can be written. There a database
// whose write-ahead log is empty is opened as one that nobody changes: SQLite would make files beside it otherwise.
func openToRead(path string, conns int) (*sql.DB, error) {
	how := url.Values{"_pragma": readPragmas}
	log, err := os.Stat(path + "-wal")
	if empty := errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0; empty && syscall.Access(filepath.Dir(path), writable) == syscall.EROFS {
		how.Set("immutable", "1")
	}
	return openWith(path, conns, how)
}

// writable asks access(2) whether something may be written: W_OK.
const writable = 2

func openWith(path string, conns int, how url.Values) (*sql.DB, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: whole, RawQuery: how.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// createDB makes a new database with the schema, readable by its owner alone from the first byte on. SQLite gives
// its -wal and -shm files the mode of the database.
func createDB(path, schema string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Close(), fill(path, schema)); err != nil {
		return errors.Join(err, removeDB(path)) // nothing was kept in it yet
	}
	return nil
}

// removeDB removes a database and its companions.
func removeDB(path string) error {
	var errs []error
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// fill makes the tables of a new database.
func fill(path, schema string) error {
	db, err := openDB(path, 1, writePragmas)
	if err != nil {
		return err
	}
	defer db.Close()
	script := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
		schema, applicationID, event.Draft)
	if _, err := db.Exec(script); err != nil {
		return fmt.Errorf("creating %s: %w", filepath.Base(path), err)
	}
	return db.Close()
}

// checkVersion refuses what this program did not write or could not read.
func checkVersion(ctx context.Context, db *sql.DB, path string) error {
	var app, version int
	if err := queryOne(ctx, db, "SELECT a.application_id, v.user_version FROM pragma_application_id a, pragma_user_version v", &app, &version); err != nil {
		return fmt.Errorf("%s cannot be read: %w", filepath.Base(path), err)
	}
	if app != applicationID {
		return fmt.Errorf("%w: %s is not a scentpost database", ErrDamaged, filepath.Base(path))
	}
	return checkDraft(version, filepath.Base(path))
}

// checkDraft refuses the file of a newer draft than this program's. One of an older draft does not belong here: a journal
// is put aside whole.
func checkDraft(draft int, file string) error {
	if draft > event.Draft {
		return fmt.Errorf("%s was %w", file, event.CheckDraft(draft))
	}
	if draft < event.Draft {
		return fmt.Errorf("%w: %s is of draft %d, and its journal of draft %d", ErrDamaged, file, draft, event.Draft)
	}
	return nil
}

// isFull tells whether err says that the disk is full, or that this account's share of it is.
//
// A small file is written whole beside the old one, and again from its beginning: see durable.Replace. For a database it is
// SQLite's "disk full", and nothing else.
// SQLite gives SQLITE_FULL when a write(2) met ENOSPC (or a page limit was reached), which in a commit is before
// the write-ahead log is synced: nothing has been promised to the disk yet, and no fsync has failed. An ENOSPC
// that comes out of the fsync itself (delayed allocation) is SQLITE_IOERR_FSYNC, which is never tried again.
func isFull(err error) bool {
	var e coded
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
