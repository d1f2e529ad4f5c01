package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"scentpost/station/event"
)

// filesBelow returns the hash of each file below a folder, by path, but of locks, ballasts and what SQLite makes anew.
func filesBelow(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" || strings.HasPrefix(d.Name(), "ballast") || strings.HasSuffix(d.Name(), "-shm") || strings.HasSuffix(d.Name(), "-wal") {
			return err
		}
		text, err := os.ReadFile(path)
		sum := sha256.Sum256(text)
		name, _ := filepath.Rel(dir, path)
		all[name] = hex.EncodeToString(sum[:8])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// aged makes a journal of two epochs with three sessions, of which the last has not ended, and gives it back as the first
// draft had written it.
func aged(t testing.TB) (place, Beginning) {
	t.Helper()
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 3, "s1"), Identities: []Identity{arta}})
	mustCommit(t, j, Batch{Rows: rows(3, 5, "s2")})
	if err := j.BeginEpoch("e2", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 7, "s3")})
	root, err := Root(7, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Departed().Store("e2", 4, root), j.Close()); err != nil {
		t.Fatal(err)
	}
	for _, db := range []string{epochPath(p.dir, "e1"), epochPath(p.dir, "e2"), filepath.Join(p.dir, "station.db")} {
		if err := setVersion(db, event.FirstDraft); err != nil {
			t.Fatal(err)
		}
	}
	undrafted(t, metaPath(p.dir))
	undrafted(t, p.departed)
	return p, Beginning{Prev: "e2", PrevSize: 7, PrevRoot: root, PrevDraft: event.FirstDraft, Why: WhyDraft}
}

// undrafted writes a file of JSON as the first draft did, which did not number itself.
func undrafted(t testing.TB, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&all); err != nil { // of two alike the first
		t.Fatal(err)
	}
	delete(all, "draft")
	all["version"] = 1
	if text, err = json.Marshal(all); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// next opens a journal, begins epoch id if one is needed, and closes it.
func (p place) next(t testing.TB, id string) (Recovery, Beginning) {
	t.Helper()
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	r, err := j.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.NewEpochNeeded {
		if err := j.BeginEpoch(id, r.Why); err != nil {
			t.Fatal(err)
		}
	}
	return r, j.Epoch()
}

// isAside checks that a journal lies aside with every file as it was, is listed once, and is followed by an epoch that says so.
func (p place) isAside(t *testing.T, was map[string]string, want Beginning) {
	t.Helper()
	_, began := p.next(t, "e3")
	want.ID = began.ID
	if began != want {
		t.Errorf("the new epoch begins with %+v, want %+v", began, want)
	}
	if again, still := p.next(t, "e4"); again.NewEpochNeeded || still != began {
		t.Errorf("at the start after it: %+v, epoch %+v", again, still)
	}
	list, err := PutAside(p.dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v are put aside, %v", list, err)
	}
	a := list[0]
	if a.Draft != want.PrevDraft || a.Epoch != "e2" || a.Size != want.PrevSize || a.Root != want.PrevRoot || a.Sessions != 3 || a.Unfinished != "s3" ||
		a.Folder != filepath.Join(p.dir, "put-aside", "draft-1-e2", "journal") {
		t.Errorf("listed as %+v", a)
	}
	if got := filesBelow(t, a.Folder); !maps.Equal(got, was) {
		t.Errorf("aside lie %v, of %v", got, was)
	}
	var left Left
	text, err := os.ReadFile(filepath.Join(filepath.Dir(a.Folder), "departed.json"))
	if err != nil || json.NewDecoder(bytes.NewReader(text)).Decode(&left) != nil || left.Epoch != "e2" || left.Size != 4 {
		t.Errorf("what had left: %s, %v", text, err)
	}
}

func TestAJournalOfAnOlderDraftIsPutAsideWhole(t *testing.T) {
	p, want := aged(t)
	was := filesBelow(t, p.dir)
	r, _ := p.next(t, "e3")
	if r.Why != WhyDraft || !strings.Contains(r.Detail, "made under draft 1") {
		t.Errorf("%+v", r)
	}
	p.isAside(t, was, want)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 3, "s4")})
	if list, err := j.PutAside(); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if names, err := j.Identities(); err != nil || len(names) != 0 {
		t.Errorf("names came along: %v, %v", names, err)
	}
	// The version that wrote it opens it where it lies. Here it is this one, told that it wrote it.
	old := place{dir: filepath.Join(p.dir, "put-aside", "draft-1-e2", "journal"), departed: filepath.Join(p.dir, "put-aside", "draft-1-e2", "departed.json")}
	for _, db := range []string{epochPath(old.dir, "e1"), epochPath(old.dir, "e2"), filepath.Join(old.dir, "station.db")} {
		if err := setVersion(db, event.Draft); err != nil {
			t.Fatal(err)
		}
	}
	drafted(t, metaPath(old.dir))
	if n := old.open(t).Size(); n != 7 {
		t.Errorf("it holds %d records, of 7", n)
	}
}

// drafted gives a file of JSON this program's draft.
func drafted(t testing.TB, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(text), "{", fmt.Sprintf(`{"draft":%d,`, event.Draft), 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestPuttingAsideIsStoppedAtEveryStep: whatever stops it, the next start finishes it, and nothing is lost or twice there.
func TestPuttingAsideIsStoppedAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		p, want := aged(t)
		was := filesBelow(t, p.dir)
		count, at := 0, ""
		_, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1, step: func(what string) error {
			if count++; count == n {
				at = what
				return errors.New("the power is gone")
			}
			return nil
		}})
		if at == "" {
			if err != nil || n < 10 {
				t.Errorf("after %d steps: %v", n-1, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "the power is gone") {
			t.Fatalf("stopped at %q: %v", at, err)
		}
		t.Run(at, func(t *testing.T) { p.isAside(t, was, want) })
	}
}

// TestAFullDiskStopsNoPuttingAside: it goes on in the ballast's room.
func TestAFullDiskStopsNoPuttingAside(t *testing.T) {
	p, want := aged(t)
	was := filesBelow(t, p.dir)
	ballast := filepath.Join(p.dir, "ballast")
	if err := os.WriteFile(ballast, noise(4096), 0o600); err != nil {
		t.Fatal(err)
	}
	full := 0
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: 4096, step: func(what string) error {
		if _, err := os.Stat(ballast); err == nil && what == "copy meta.json" {
			full++
			return syscall.ENOSPC
		}
		return nil
	}})
	if err != nil || full != 1 {
		t.Fatal(full, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	p.isAside(t, was, want)
}

// TestAnOlderProgramInBetween: somebody goes back to the old version after a putting aside that was stopped, and it makes
// files of the names that were moved already.
func TestAnOlderProgramInBetween(t *testing.T) {
	p, _ := aged(t)
	_, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1, step: func(what string) error {
		if what == "sync the folders" {
			return errors.New("the power is gone")
		}
		return nil
	}})
	if err == nil {
		t.Fatal("it was not stopped")
	}
	desk := filepath.Join(p.dir, "station.db")
	if err := os.WriteFile(desk, []byte("new names"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.next(t, "e3")
	aside := filepath.Join(p.dir, "put-aside", "draft-1-e2", "journal")
	again, err := os.ReadFile(filepath.Join(aside, "station.db-2"))
	if first, err2 := os.ReadFile(filepath.Join(aside, "station.db")); err != nil || err2 != nil || string(again) != "new names" || len(first) < 4096 {
		t.Errorf("%q, %v; %d bytes of the first, %v", again, err, len(first), err2)
	}
}

// TestTwiceTheSameJournalAside: a copy of the old folder, put back, goes aside beside the first one.
func TestTwiceTheSameJournalAside(t *testing.T) {
	p, _ := aged(t)
	kept := t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(p.dir)); err != nil {
		t.Fatal(err)
	}
	p.next(t, "e3")
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "put-aside" {
			if err := os.Remove(filepath.Join(p.dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.CopyFS(p.dir, os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}
	p.next(t, "e5")
	list, err := PutAside(p.dir)
	if err != nil || len(list) != 2 || list[0].Folder == list[1].Folder {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestTheWriteAheadLogGoesAlong: what an unclean stop left there is durable too.
func TestTheWriteAheadLogGoesAlong(t *testing.T) {
	p, cut := newPlace(t), newPlace(t)
	mustCommit(t, p.open(t), Batch{Rows: rows(0, 7, "s1")})
	if err := errors.Join(os.CopyFS(cut.dir, os.DirFS(p.dir)), os.MkdirAll(filepath.Dir(cut.departed), 0o700)); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(epochPath(cut.dir, "e1") + "-wal"); err != nil || log.Size() == 0 {
		t.Fatal("nothing is in the write-ahead log: nothing is tried", err)
	}
	undrafted(t, metaPath(cut.dir))
	setHeader(t, epochPath(cut.dir, "e1"), event.FirstDraft)
	if _, began := cut.next(t, "e2"); began.PrevSize != 7 || began.Why != WhyDraft {
		t.Errorf("%+v", began)
	}
	old := place{dir: filepath.Join(cut.dir, "put-aside", "draft-1-e1", "journal"), departed: filepath.Join(t.TempDir(), "departed.json")}
	drafted(t, metaPath(old.dir))
	setHeader(t, epochPath(old.dir, "e1"), event.Draft)
	if n := old.open(t).Size(); n != 7 {
		t.Errorf("%d records of 7 lie aside", n)
	}
}

// TestWhatCannotBeReadGoesAsideToo: tables as no draft today has them, and a database that is none.
func TestWhatCannotBeReadGoesAsideToo(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, p place) error{
		"other tables": func(t *testing.T, p place) error {
			db, err := openDB(epochPath(p.dir, "e2"), 1, writePragmas)
			if err != nil {
				return err
			}
			_, err = db.Exec("ALTER TABLE sessions RENAME TO trials")
			return errors.Join(err, db.Close())
		},
		"no database": func(t *testing.T, p place) error {
			return os.WriteFile(epochPath(p.dir, "e2"), []byte("SQLite 9"), 0o600)
		},
		"no file": func(t *testing.T, p place) error { return os.Remove(epochPath(p.dir, "e2")) },
		"no departed": func(t *testing.T, p place) error {
			return errors.Join(os.Remove(p.departed), os.Remove(epochPath(p.dir, "e2")))
		},
		"odd epochs": func(t *testing.T, p place) error {
			return os.WriteFile(metaPath(p.dir), []byte(`{"version":1,"epochs":[{"id":"../../x"}]}`), 0o600)
		},
		"no epochs": func(t *testing.T, p place) error {
			return os.WriteFile(metaPath(p.dir), []byte(`{"chapters":9}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := aged(t)
			if err := spoil(t, p); err != nil {
				t.Fatal(err)
			}
			was := filesBelow(t, p.dir)
			r, began := p.next(t, "e3")
			list, err := PutAside(p.dir)
			if err != nil || len(list) != 1 || list[0].Sessions != Uncounted || r.Why != WhyDraft || began.PrevDraft != 1 {
				t.Fatalf("%+v, %v; %+v; %+v", list, err, r, began)
			}
			if got := filesBelow(t, list[0].Folder); !maps.Equal(got, was) {
				t.Errorf("aside lie %v, of %v", got, was)
			}
			if want := map[string]int64{"other tables": 4, "no database": 4, "no file": 4}[name]; began.PrevSize != want {
				t.Errorf("the epoch before is said to have %d records, want %d, as had left", began.PrevSize, want)
			}
		})
	}
}

// TestALostJournalOfAnOlderDraftIsNotTheFirst: whoever takes the old journal away before the new program starts cannot make
// the station look new.
func TestALostJournalOfAnOlderDraftIsNotTheFirst(t *testing.T) {
	p, _ := aged(t)
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	if r, began := p.next(t, "e3"); r.Why != WhyTailLost || began.Prev != "e2" || began.PrevDraft != event.FirstDraft {
		t.Errorf("%+v; %+v", r, began)
	}
}

// TestTheEpochAfterIsBegunAndTheFileOutsideIsNot: a crash between the two must not look like an older copy.
func TestTheEpochAfterIsBegunAndTheFileOutsideIsNot(t *testing.T) {
	p, _ := aged(t)
	left, err := os.ReadFile(p.departed)
	if err != nil {
		t.Fatal(err)
	}
	p.next(t, "e3")
	if err := os.WriteFile(p.departed, left, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, began := p.next(t, "e4"); r.NewEpochNeeded || began.ID != "e3" {
		t.Errorf("%+v; %+v", r, began)
	}
}
