package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/station/event"
)

func TestTwoDaemonsOnOneJournal(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	_, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || !strings.Contains(err.Error(), "stop that one") {
		t.Errorf("%v, want ErrLocked with the holder and what to do", err)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 1, "")}) // the refused one disturbed nothing
	_ = j.Close()
	_ = p.open(t)
}

func TestNobodyElseMayRead(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	p := newPlace(t)
	if err := os.MkdirAll(p.dir, 0o755); err != nil { // as somebody careless made it
		t.Fatal(err)
	}
	j := p.openWithBallast(t, 4096)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1"), Identities: []Identity{arta}})
	if state, err := os.Stat(p.dir); err != nil || state.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", state.Mode(), err)
	}
	seen := map[string]bool{}
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		state, err := d.Info()
		if err == nil && state.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %o, want 600", d.Name(), state.Mode().Perm())
		}
		seen[d.Name()] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"epoch-e1.db", "epoch-e1.db-wal", "epoch-e1.db-shm", "station.db", "meta.json", "lock", "ballast"} {
		if !seen[name] {
			t.Errorf("%s is not there: %v", name, seen)
		}
	}
}

// TestVaultIsNeverServed: what is sealed comes out of Vault alone, and prints as "sealed" there too.
func TestVaultIsNeverServed(t *testing.T) {
	stores(t, func(t *testing.T, s both) {
		b := Batch{Rows: rows(0, 30, "s1")}
		mustCommit(t, s, b)
		lines, err := s.Lines(0, 100, 1<<20)
		if err != nil || len(lines) != 30 {
			t.Fatal(len(lines), err)
		}
		for _, l := range lines {
			if bytes.Contains(l.Bytes, []byte(secret)) {
				t.Errorf("line %d tells the secret", l.Seq)
			}
		}
		vault, err := s.Vault("s1")
		if err != nil || len(vault) != 10 {
			t.Fatal(len(vault), err)
		}
		if string(vault[0].Body) != secret+" 2" || vault[0].Seq != 2 || vault[0].Nonce != b.Rows[2].Nonce || vault[0].Run != 2 {
			t.Error("the vault does not give back what was put in")
		}
		hidden := fmt.Sprintf("%v", []byte(secret))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, value := range []any{vault[0], &vault[0], vault, b.Rows[2], b} {
				text := fmt.Sprintf(verb, value)
				if strings.Contains(text, secret) || strings.Contains(text, strings.Trim(hidden, "[]")) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
					t.Errorf("%s of a %T tells the secret", verb, value)
				}
			}
		}
		bad := row(99, "s1") // a refusal speaks of the record, not of its body
		bad.Sealed = false
		bad.Body = []byte(secret)
		if err := s.Commit(Batch{Rows: []Row{bad}}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	})
}

// TestAJournalOfANewerDraftIsRefused and left as it is: only that version can go on with it.
func TestAJournalOfANewerDraftIsRefused(t *testing.T) {
	next := event.Draft + 1
	for name, change := range map[string]func(p place) error{
		"epoch": func(p place) error { return setVersion(epochPath(p.dir, "e1"), next) },
		"desk":  func(p place) error { return setVersion(filepath.Join(p.dir, "station.db"), next) },
		"meta": func(p place) error {
			return errors.Join(setVersion(epochPath(p.dir, "e1"), next), os.WriteFile(metaPath(p.dir), fmt.Appendf(nil, `{"draft":%d}`, next), 0o600))
		},
		"departed": func(p place) error {
			return errors.Join(os.Remove(metaPath(p.dir)), os.Remove(epochPath(p.dir, "e1")), os.WriteFile(p.departed, fmt.Appendf(nil, `{"draft":%d,"epoch":"e1"}`, next), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			_ = p.open(t).Close()
			if err := change(p); err != nil {
				t.Fatal(err)
			}
			before := filesBelow(t, filepath.Dir(p.dir))
			_, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
			if !errors.As(err, new(*event.UnknownLaw)) || !strings.Contains(err.Error(), fmt.Sprintf("made under draft %d, this program reads draft %d", next, event.Draft)) {
				t.Errorf("%v, want an UnknownLaw", err)
			}
			if _, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1}); errors.Is(err, ErrLocked) {
				t.Error("the refused opening kept the lock")
			}
			if name == "meta" {
				if _, err := Read(p.dir); !errors.As(err, new(*event.UnknownLaw)) {
					t.Errorf("read beside it: %v", err)
				}
			}
			if after := filesBelow(t, filepath.Dir(p.dir)); !maps.Equal(after, before) {
				t.Errorf("the files were %v, and are %v", before, after)
			}
		})
	}
}

// setHeader writes a draft into the header of a database, past its write-ahead log.
func setHeader(t *testing.T, path string, draft int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(binary.BigEndian.AppendUint32(nil, uint32(draft)), userVersion)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func setVersion(path string, version int) error {
	db, err := openDB(path, 1, writePragmas)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(fmt.Sprintf("PRAGMA user_version = %d", version))
	return err
}

func TestOpenRefuses(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(base, "departed")
	for name, c := range map[string]struct{ dir, departed, want string }{
		"no path":          {base + "/a", "", "outside the journal's folder"},
		"path inside":      {base + "/a", base + "/a/departed", "own folder"},
		"path deep inside": {base + "/a", base + "/a/b/../c/departed", "own folder"},
		"path is folder":   {base + "/a", base + "/a", "own folder"},
		"folder is a file": {file, out, "not a directory"},
		"departed a dir":   {base + "/a", base, "is a directory"},
	} {
		if _, err := Open(c.dir, Options{Departed: c.departed, Ballast: -1}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestNothingIsLeftRunning: no goroutine and no open file outlives Close.
func TestNothingIsLeftRunning(t *testing.T) {
	p := newPlace(t)
	_ = p.open(t).Close()
	before, files := runtime.NumGoroutine(), openFiles(t)
	for range 5 {
		j := p.open(t)
		mustCommit(t, j, Batch{Rows: rows(j.Size(), j.Size()+3, "s1")})
		if _, err := j.Lines(0, 10, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second) // database/sql ends its goroutines a little after Close
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
	if after := openFiles(t); after > files {
		t.Errorf("%d open files, %d before", after, files)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("NOT TESTED for open files: no /proc here")
	}
	return len(entries)
}
