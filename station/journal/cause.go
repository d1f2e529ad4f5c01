package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

// An error of opening or reading is one of two things. Damage is what was read and is wrong: it carries ErrDamaged, and what
// is damaged is quarantined or ended. Everything else is a condition: a full disk, a right, a lock, a limit, a failing cable.
// It may pass, so nothing is given up or put aside for it, and the same is tried again later.

// coded is an error of SQLite: *sqlite.Error.
type coded interface {
	error
	Code() int // SQLite's extended result code
}

// damaging tells whether an error says that bytes were read and are wrong. What it does not know is a condition: to wait too
// long costs time, to give up costs a record.
func damaging(err error) bool {
	var code coded
	var errno syscall.Errno
	switch {
	case err == nil:
		return false
	case errors.Is(err, ErrDamaged):
		return true
	case errors.As(err, &code):
		return damagingCode(code.Code())
	case errors.Is(err, fs.ErrNotExist): // the folder was read, and the file is not in it
		return true
	case errors.As(err, &errno), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrConnDone):
		return false
	}
	return errors.Is(err, sql.ErrNoRows) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(*json.SyntaxError)) ||
		errors.As(err, new(*json.UnmarshalTypeError))
}

// damagingCode is damaging for a result code of SQLite. The statements are ours and right, so that an error in one of them
// means that the database lacks a table or column that was made with it.
func damagingCode(code int) bool {
	switch code {
	case sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_CORRUPT_VTAB, sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.SQLITE_CORRUPT_SEQUENCE:
		return true
	}
	switch code & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return false
}

// judged gives an error of reading its ErrDamaged when it is damage.
func judged(err error) error {
	if damaging(err) && !errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// scanned judges an error of scanning a row: what is neither SQLite's nor the machine's is a value of another kind.
func scanned(err error) error {
	var errno syscall.Errno
	if err == nil || errors.As(err, new(coded)) || errors.As(err, &errno) || errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrConnDone) {
		return judged(err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// queryOne reads the one row that a query must give. No row, and a value of another kind, is damage.
func queryOne(ctx context.Context, db *sql.DB, query string, into ...any) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return judged(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return judged(err)
		}
		return judged(sql.ErrNoRows)
	}
	if err := rows.Scan(into...); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return judged(rows.Err())
}

// Advice says what to do about a condition for which a journal cannot be opened or read, "" when nothing more is known than
// the error says.
func Advice(err error) string {
	var code coded
	if errors.As(err, &code) {
		switch code.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return adviceFull
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return "another program has the journal open: end it"
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH:
			return "see that the folder and its files belong to the account of the daemon, that the disk takes writes and has room, and that the limit of open files is not reached"
		case sqlite3.SQLITE_IOERR:
			return "see that the disk has room, and look at it and its cable (dmesg tells of errors)"
		}
	}
	for _, known := range []struct {
		is     syscall.Errno
		advice string
	}{
		{syscall.ENOSPC, adviceFull}, {syscall.EDQUOT, adviceFull},
		{syscall.EACCES, adviceOwner}, {syscall.EPERM, adviceOwner},
		{syscall.EROFS, "the disk takes no writes: mount it to be written, or replace it"},
		{syscall.EMFILE, adviceFiles}, {syscall.ENFILE, adviceFiles},
		{syscall.EIO, "look at the disk and its cable (dmesg tells of errors)"},
		{syscall.ENOTDIR, "a file lies where a folder of the station belongs: move it away"},
		{syscall.EISDIR, "a folder lies where a file of the station belongs: move it away"},
	} {
		if errors.Is(err, known.is) {
			return known.advice
		}
	}
	return ""
}

const (
	adviceFull  = "make room on the disk of the journal"
	adviceOwner = "give the folder of the journal and all files in it to the account of the daemon (chown -R)"
	adviceFiles = "raise the limit of open files (LimitNOFILE of the unit, ulimit -n)"
)
