package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

// result is an error of SQLite.
type result int

func (r result) Error() string { return fmt.Sprintf("result %d", int(r)) }
func (r result) Code() int     { return int(r) }

// TestWhatIsDamageAndWhatMayPass is the whole rule: what was read and is wrong is damage, and nothing else is.
func TestWhatIsDamageAndWhatMayPass(t *testing.T) {
	var number int
	badJSON, badKind := json.Unmarshal([]byte("{"), &number), json.Unmarshal([]byte(`"x"`), &number)
	at := func(errno syscall.Errno) error { return &fs.PathError{Op: "open", Path: "epoch-e1.db", Err: errno} }
	for _, c := range []struct {
		err    error
		damage bool
		advice string // a part of it
	}{
		{nil, false, ""},
		{result(sqlite3.SQLITE_CORRUPT), true, ""},
		{result(sqlite3.SQLITE_CORRUPT_INDEX), true, ""},
		{result(sqlite3.SQLITE_NOTADB), true, ""},
		{result(sqlite3.SQLITE_FORMAT), true, ""},
		{result(sqlite3.SQLITE_ERROR), true, ""}, // no such table
		{result(sqlite3.SQLITE_TOOBIG), true, ""},
		{result(sqlite3.SQLITE_MISMATCH), true, ""},
		{result(sqlite3.SQLITE_IOERR_SHORT_READ), true, ""},
		{result(sqlite3.SQLITE_IOERR_DATA), true, ""},
		{result(sqlite3.SQLITE_FULL), false, "make room"},
		{result(sqlite3.SQLITE_BUSY), false, "another program"},
		{result(sqlite3.SQLITE_BUSY_RECOVERY), false, "another program"},
		{result(sqlite3.SQLITE_BUSY_SNAPSHOT), false, "another program"},
		{result(sqlite3.SQLITE_LOCKED), false, "another program"},
		{result(sqlite3.SQLITE_CANTOPEN), false, "limit of open files"},
		{result(sqlite3.SQLITE_CANTOPEN_ISDIR), false, "account of the daemon"},
		{result(sqlite3.SQLITE_PERM), false, "account of the daemon"},
		{result(sqlite3.SQLITE_READONLY), false, "account of the daemon"},
		{result(sqlite3.SQLITE_READONLY_DIRECTORY), false, "account of the daemon"},
		{result(sqlite3.SQLITE_IOERR), false, "look at it and its cable"},
		{result(sqlite3.SQLITE_IOERR_READ), false, "look at it and its cable"},
		{result(sqlite3.SQLITE_IOERR_SHMSIZE), false, "has room"},
		{result(sqlite3.SQLITE_IOERR_FSYNC), false, "look at it and its cable"},
		{result(sqlite3.SQLITE_IOERR_NOMEM), false, ""},
		{result(sqlite3.SQLITE_NOMEM), false, ""},
		{result(sqlite3.SQLITE_INTERRUPT), false, ""},
		{result(sqlite3.SQLITE_PROTOCOL), false, ""},
		{result(sqlite3.SQLITE_SCHEMA), false, ""},
		{at(syscall.ENOENT), true, ""},
		{at(syscall.EACCES), false, "chown"},
		{at(syscall.EPERM), false, "chown"},
		{at(syscall.ENOSPC), false, "make room"},
		{at(syscall.EDQUOT), false, "make room"},
		{at(syscall.EROFS), false, "takes no writes"},
		{at(syscall.EMFILE), false, "LimitNOFILE"},
		{at(syscall.ENFILE), false, "LimitNOFILE"},
		{at(syscall.EIO), false, "cable"},
		{at(syscall.ENOTDIR), false, "folder of the station"},
		{at(syscall.EISDIR), false, "folder lies"},
		{at(syscall.ESTALE), false, ""},
		{ErrDamaged, true, ""},
		{badJSON, true, ""},
		{badKind, true, ""},
		{sql.ErrNoRows, true, ""},
		{sql.ErrConnDone, false, ""},
		{context.Canceled, false, ""},
		{context.DeadlineExceeded, false, ""},
		{errors.New("nobody knows"), false, ""},
	} {
		for _, err := range []error{c.err, fmt.Errorf("reading epoch e1: %w", c.err)} {
			if err == nil || c.err == nil {
				continue
			}
			if damaging(err) != c.damage || errors.Is(judged(err), ErrDamaged) != c.damage || !errors.Is(judged(err), c.err) {
				t.Errorf("%v (%T) is damage: %t, want %t", err, c.err, damaging(err), c.damage)
			}
			if got := Advice(err); !strings.Contains(got, c.advice) {
				t.Errorf("%v: the advice is %q, want %q in it", err, got, c.advice)
			}
		}
	}
	if damaging(nil) || judged(nil) != nil || Advice(nil) != "" {
		t.Error("no error is one")
	}
}

// interrupted makes a journal whose last session has not ended, with names, and stops it cleanly.
func interrupted(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 30, "s1"), Identities: []Identity{arta, rex}})
	mustCommit(t, j, Batch{Checkpoints: []Checkpoint{note(t, j, 20)}})
	depart(t, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// goesOn wants that nothing was given up: the same epoch, all records, all names.
func goesOn(t *testing.T, p place) {
	t.Helper()
	j := p.open(t)
	r := check(t, j)
	ids, err := j.Identities()
	if r.NewEpochNeeded || j.Size() != 30 || len(ids) != 2 || r.Names != "" || err != nil {
		t.Errorf("%+v, %d records, %d names, %v", r, j.Size(), len(ids), err)
	}
	found, err := filepath.Glob(filepath.Join(p.dir, "*damaged*"))
	if err != nil || len(found) > 0 {
		t.Errorf("put aside: %v, %v", found, err)
	}
	mustCommit(t, j, Batch{Rows: rows(30, 31, "s1")})
}

// TestWhatMayPassGivesNothingUp: each file and folder of a journal cannot be opened for a while.
func TestWhatMayPassGivesNothingUp(t *testing.T) {
	for _, name := range []string{"meta.json", "epoch-e1.db", "station.db", "names.json", "lock", "."} {
		t.Run(name, func(t *testing.T) {
			p := interrupted(t)
			path := filepath.Join(p.dir, name)
			aside := path + ".for-a-while"
			if name == "." {
				path, aside = p.dir, p.dir+".for-a-while"
			}
			if err := os.Rename(path, aside); err != nil {
				t.Fatal(err)
			}
			loop := func() error { // ELOOP: what root, too, cannot open
				if name == "." {
					return os.WriteFile(path, nil, 0o600)
				}
				return os.Symlink(filepath.Base(path), path)
			}
			if err := loop(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1}); err == nil || errors.Is(err, ErrDamaged) {
					t.Fatalf("%v, want a condition", errors.Join(err, j.Close()))
				}
			}
			if err := errors.Join(os.Remove(path), os.Rename(aside, path)); err != nil {
				t.Fatal(err)
			}
			goesOn(t, p)
		})
	}
}

// TestBusyIsNoDamage: another process holds the database, as a program for databases does.
func TestBusyIsNoDamage(t *testing.T) {
	names := []string{"epoch-e1.db", "station.db"} // each is waited for as long as SQLite is told to
	if testing.Short() {
		names = names[:1]
	}
	for _, name := range names {
		p := interrupted(t)
		other, err := openDB(filepath.Join(p.dir, name), 1, []string{"locking_mode(exclusive)", "journal_mode(delete)"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Exec("BEGIN EXCLUSIVE; COMMIT"); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1}); err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(Advice(err), "another program") {
			t.Errorf("%s: %v", name, err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		goesOn(t, p)
	}
}

// TestAStartOnAFullDisk: an orderly stop, then a start with no room at all. With a ballast it goes on at once, without one
// when there is room again.
func TestAStartOnAFullDisk(t *testing.T) {
	for _, size := range []int64{3 << 20, -1} {
		disk := smallDisk(t, 12<<20)
		p := place{dir: filepath.Join(disk, "journal"), departed: filepath.Join(disk, "outside", "departed.json")}
		j := p.openWithBallast(t, size)
		mustCommit(t, j, Batch{Rows: rows(0, 30, "s1"), Identities: []Identity{arta, rex}})
		mustCommit(t, j, Batch{Checkpoints: []Checkpoint{note(t, j, 20)}})
		depart(t, j)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		film := fillDisk(t, disk, 0)
		if size < 0 {
			if _, err := Open(p.dir, Options{Departed: p.departed, Ballast: size}); err == nil || errors.Is(err, ErrDamaged) || Advice(err) == "" {
				t.Errorf("without a ballast: %v", err)
			}
			if err := os.Remove(film); err != nil {
				t.Fatal(err)
			}
		}
		j = p.openWithBallast(t, size)
		ids, err := j.Identities()
		if r := check(t, j); r.NewEpochNeeded || j.Size() != 30 || len(ids) != 2 || r.Names != "" || err != nil || size > 0 && !j.Spent() {
			t.Errorf("ballast %d: %+v, %d records, names %v, %v", size, r, j.Size(), ids, err)
		}
		mustCommit(t, j, Batch{Rows: rows(30, 31, "s1")})
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAStartWithFewDescriptors: whichever of its files is the one for which none is left.
func TestAStartWithFewDescriptors(t *testing.T) {
	p := interrupted(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	next, err := os.Open(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	used := uint64(next.Fd())
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for more := range uint64(16) {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: used + more, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
		j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
		if err == nil {
			if r := j.Recovery(); r.NewEpochNeeded || r.Names != "" {
				t.Errorf("with %d: %+v", more, r)
			}
			err = j.Close()
		} else if failed++; errors.Is(err, ErrDamaged) || Advice(err) == "" {
			t.Errorf("with %d: %v", more, err)
		}
		if resetErr := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); resetErr != nil {
			t.Fatal(resetErr, err)
		}
	}
	if failed < 4 {
		t.Errorf("%d starts failed: nothing is shown", failed)
	}
	goesOn(t, p)
}
