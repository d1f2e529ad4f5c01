package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestDecide(t *testing.T) {
	root := func(size int64) (tlog.Hash, error) { return tlog.Hash{byte(size)}, nil }
	clean := func(size, starts int64) found {
		at, _ := root(size)
		return found{epochs: []string{"e1", "e2"}, size: size, rootAt: root, state: ledgerState{starts: starts, clean: true, size: size, root: at}}
	}
	change := func(f found, how func(*found)) found { how(&f); return f }
	left := func(epoch string, size, starts int64) *Left {
		at, _ := root(size)
		return &Left{Epoch: epoch, Size: size, Root: at, Starts: starts}
	}
	fork := left("e2", 5, 3)
	fork.Root[1]++
	for name, c := range map[string]struct {
		found    found
		left     *Left
		leftErr  error
		why      string // "": go on
		prev     string
		size     int64
		unclean  bool
		mentions string
	}{
		"first":                        {why: WhyFirst},
		"folder lost":                  {left: left("e2", 7, 3), why: WhyTailLost, prev: "e2", mentions: "7 records"},
		"folder lost, file bad":        {leftErr: ErrDamaged, why: WhyTailLost},
		"clean":                        {found: clean(9, 3), left: left("e2", 9, 3), prev: "e2", size: 9},
		"clean, some left":             {found: clean(9, 3), left: left("e2", 5, 3), prev: "e2", size: 9},
		"crash between the counts":     {found: clean(9, 4), left: left("e2", 5, 3), prev: "e2", size: 9},
		"crash after an epoch's start": {found: clean(0, 3), left: left("e1", 50, 3), prev: "e2"},
		"crash before the file":        {found: clean(0, 3), prev: "e2"},
		"unclean":                      {found: change(clean(9, 3), func(f *found) { f.state.clean = false }), left: left("e2", 9, 3), prev: "e2", size: 9, unclean: true},
		"tail lost":                    {found: clean(8, 3), left: left("e2", 9, 3), why: WhyTailLost, prev: "e2", size: 8, mentions: "9 records"},
		"older copy":                   {found: clean(9, 2), left: left("e2", 9, 3), why: WhyRestored, prev: "e2", size: 9, mentions: "3 times"},
		"older copy before an epoch":   {found: clean(9, 2), left: left("e3", 1, 3), why: WhyRestored, prev: "e2", size: 9, mentions: "e3"},
		"another history":              {found: clean(9, 3), left: fork, why: WhyRestored, prev: "e2", size: 0},
		"file gone":                    {found: clean(9, 3), why: WhyRestored, prev: "e2", size: 9},
		"file bad":                     {found: clean(9, 3), leftErr: ErrDamaged, why: WhyRestored, prev: "e2", size: 9},
		"shorter than its clean stop":  {found: change(clean(9, 3), func(f *found) { f.size = 8 }), left: left("e2", 5, 3), why: WhyTailLost, prev: "e2", size: 8},
		"other than its clean stop":    {found: change(clean(9, 3), func(f *found) { f.state.root[1]++ }), left: left("e2", 5, 3), why: WhyTailLost, prev: "e2", size: 9},
		"database unreadable":          {found: change(clean(9, 3), func(f *found) { f.broken = ErrDamaged }), left: left("e2", 9, 3), why: WhyTailLost, prev: "e2"},
		"end unreadable": {found: change(clean(9, 3), func(f *found) { f.rootAt = func(int64) (tlog.Hash, error) { return tlog.Hash{}, ErrDamaged } }),
			left: left("e2", 9, 3), why: WhyTailLost, prev: "e2", unclean: true},
	} {
		r, err := decide(c.found, c.left, c.leftErr)
		if err != nil || r.NewEpochNeeded != (c.why != "") || r.Why != c.why || r.PrevEpoch != c.prev || r.PrevSize != c.size || r.Unclean != c.unclean || !strings.Contains(r.Detail, c.mentions) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// needs opens the journal again and wants a new epoch for the given reason, after which the old one can be read
// up to its last good record and a third start goes on.
func needs(t *testing.T, p place, why string, good int64) Recovery {
	t.Helper()
	j := p.open(t)
	r := check(t, j)
	if !r.NewEpochNeeded || r.Why != why || r.PrevEpoch != "e1" || r.PrevSize != good {
		t.Fatalf("%+v, want %q with %d good records", r, why, good)
	}
	if err := j.Commit(Batch{Rows: rows(good, good+1, "s1")}); !errors.Is(err, ErrNoEpoch) {
		t.Fatalf("the old epoch was gone on with: %v", err)
	}
	if err := j.BeginEpoch("e1", r.Why); err == nil {
		t.Fatal("the old epoch was begun again")
	}
	if err := j.BeginEpoch("e2", r.Why); err != nil {
		t.Fatal(err)
	}
	if e := j.Epoch(); e.Prev != "e1" || e.PrevSize != good || e.PrevRoot != r.PrevRoot || e.Why != why {
		t.Fatalf("the new epoch says %+v", e)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 2, "s2")})
	j.kill(t)
	j = p.open(t)
	if again := check(t, j); again.NewEpochNeeded || j.Size() != 2 {
		t.Fatalf("the new epoch was not gone on with: %+v", again)
	}
	_ = j.Close()
	return r
}

// archived reads an ended epoch whole and returns its size.
func archived(t *testing.T, p place, epoch string) int64 {
	t.Helper()
	j := p.open(t)
	defer j.Close()
	a, err := j.Log(epoch)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := a.Lines(0, 1<<20, 1<<30)
	if err != nil || int64(len(lines)) != a.Size() {
		t.Fatalf("%d lines of %d: %v", len(lines), a.Size(), err)
	}
	if a.Size() > 0 {
		if _, err := Root(a.Size(), a); err != nil {
			t.Fatal(err)
		}
	}
	return a.Size()
}

// depart notes that all that the journal has leaves the station.
func depart(t *testing.T, j *Journal) {
	t.Helper()
	size := j.Size()
	root, err := Root(size, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Departed().Store(j.Epoch().ID, size, root); err != nil {
		t.Fatal(err)
	}
}

// cutBack takes the last n records out of the epoch's database, as a card that lied about its syncs would.
func cutBack(t *testing.T, p place, n int64) {
	t.Helper()
	db, err := openDB(epochPath(p.dir, "e1"), 1, writePragmas)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"vault", "records"} {
		if _, err := db.Exec("DELETE FROM "+table+" WHERE seq > (SELECT max(seq) FROM records) - ?", n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJournalCutBack(t *testing.T) {
	for _, clean := range []bool{true, false} {
		for _, n := range []int64{1, 17, 50} {
			t.Run(fmt.Sprintf("clean=%t/%d", clean, n), func(t *testing.T) {
				p := newPlace(t)
				j := p.open(t)
				mustCommit(t, j, Batch{Rows: rows(0, 60, "s1")})
				mustCommit(t, j, Batch{Checkpoints: []Checkpoint{note(t, j, 5)}})
				depart(t, j)
				if clean {
					_ = j.Close()
				} else {
					j.kill(t)
				}
				cutBack(t, p, n)
				needs(t, p, WhyTailLost, 60-n)
				if size := archived(t, p, "e1"); size != 60-n {
					t.Errorf("%d records in the archive, want %d", size, 60-n)
				}
			})
		}
	}
}

// TestCutBackBeforeAnythingLeft: what nobody has seen may be lost without a new epoch, after a crash.
func TestCutBackBeforeAnythingLeft(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 40, "s1")})
	depart(t, j)
	mustCommit(t, j, Batch{Rows: rows(40, 60, "s1")})
	j.kill(t)
	cutBack(t, p, 20)
	j = p.open(t)
	if r := check(t, j); r.NewEpochNeeded || !r.Unclean {
		t.Fatalf("%+v", r)
	}
	mustCommit(t, j, Batch{Rows: rows(40, 41, "s1")})
}

func TestJournalRestoredFromACopy(t *testing.T) {
	for name, what := range map[string]func(t *testing.T, p place, backup string){
		"folder": func(t *testing.T, p place, backup string) { copyTree(t, backup, p.dir) },
		"database alone": func(t *testing.T, p place, backup string) {
			for _, suffix := range []string{"-wal", "-shm"} {
				_ = os.Remove(epochPath(p.dir, "e1") + suffix)
			}
			text, err := os.ReadFile(epochPath(backup, "e1"))
			if err == nil {
				err = os.WriteFile(epochPath(p.dir, "e1"), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, left := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/left=%t", name, left), func(t *testing.T) {
				p := newPlace(t)
				backup := filepath.Join(t.TempDir(), "backup")
				j := p.open(t)
				mustCommit(t, j, Batch{Rows: rows(0, 30, "s1")})
				depart(t, j)
				_ = j.Close()
				copyTree(t, p.dir, backup)
				j = p.open(t)
				mustCommit(t, j, Batch{Rows: rows(30, 60, "s1")})
				if left {
					depart(t, j)
				}
				_ = j.Close()
				what(t, p, backup)
				needs(t, p, WhyRestored, 30)
			})
		}
	}
}

// TestRestoredAndGoneOnWith: the copy went on by itself elsewhere, so that it is long enough and has other bytes.
func TestRestoredAndGoneOnWith(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 30, "s1")})
	depart(t, j)
	_ = j.Close()
	copyTree(t, filepath.Dir(p.dir), filepath.Dir(other.dir))
	j = other.open(t)
	mustCommit(t, j, Batch{Rows: rows(30, 60, "other")})
	_ = j.Close()
	j = p.open(t)
	mustCommit(t, j, Batch{Rows: rows(30, 50, "s1")})
	depart(t, j)
	_ = j.Close()
	copyTree(t, other.dir, p.dir)
	needs(t, p, WhyRestored, 0)
}

func TestEmptyFolderAfterSomethingLeft(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 30, "s1")})
	depart(t, j)
	_ = j.Close()
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	j = p.open(t)
	if r := j.Recovery(); !r.NewEpochNeeded || r.Why != WhyTailLost || r.PrevEpoch != "e1" || r.PrevSize != 0 {
		t.Fatalf("%+v", r)
	}
	if err := j.BeginEpoch("e2", WhyTailLost); err != nil {
		t.Fatal(err)
	}
}

func TestDepartedFileGoneOrDamaged(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"gone":    os.Remove,
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"junk":    func(path string) error { return os.WriteFile(path, []byte("\x00\xff"), 0o600) },
		"no size": func(path string) error { return os.WriteFile(path, []byte(`{"version":1}`), 0o600) },
		"negative": func(path string) error {
			return os.WriteFile(path, []byte(`{"version":1,"epoch":"e1","size":"-1"}`), 0o600)
		},
		"no number": func(path string) error { return os.WriteFile(path, []byte(`{"version":"x"}`), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			j := p.open(t)
			mustCommit(t, j, Batch{Rows: rows(0, 30, "s1")})
			_ = j.Close()
			if err := spoil(p.departed); err != nil {
				t.Fatal(err)
			}
			needs(t, p, WhyRestored, 30)
		})
	}
}

// TestDepartedOnlyGrows: a batch that is sent again does not take back what had left.
func TestDepartedOnlyGrows(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	d := j.Departed()
	for _, s := range []struct {
		epoch string
		size  int64
	}{{"e1", 5}, {"e1", 3}, {"e0", 99}} {
		if err := d.Store(s.epoch, s.size, tlog.Hash{byte(s.size)}); err != nil {
			t.Fatal(err)
		}
	}
	stored, found, err := loadDeparted(p.departed)
	if err != nil || !found || stored.Load() != d.Load() || d.Load().Size != 5 || d.Load().Root != (tlog.Hash{5}) {
		t.Errorf("%+v on disk, %+v in memory (%v)", stored.Load(), d.Load(), err)
	}
	if state, err := os.Stat(p.departed); err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", state.Mode(), err)
	}
}

// TestAcknowledgedBeyond: the host ends an epoch that is good to its end, while it runs.
func TestAcknowledgedBeyond(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 30, "s1")})
	root, err := Root(30, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.BeginEpoch("e2", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	if e := j.Epoch(); e.Prev != "e1" || e.PrevSize != 30 || e.PrevRoot != root {
		t.Errorf("%+v", e)
	}
	if j.Departed().Load().Epoch != "e2" {
		t.Error("the file outside still speaks of the old epoch")
	}
	mustCommit(t, j, Batch{Rows: rows(0, 3, "s2")})
	_ = j.Close()
	if size := archived(t, p, "e1"); size != 30 {
		t.Errorf("%d records in the archive", size)
	}
	j = p.open(t)
	if r := j.Recovery(); r.NewEpochNeeded || r.Unclean || len(j.Epochs()) != 2 {
		t.Errorf("%+v, %v", r, j.Epochs())
	}
	if log, err := j.Log("e2"); err != nil || log.Size() != 3 {
		t.Errorf("the current epoch's log: %v", err)
	}
}

// TestAChangedBitOfWhatHasLeftCostsNothing: the file says it twice, so that no epoch ends for one of them.
func TestAChangedBitOfWhatHasLeftCostsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "departed.json")
	d, _, err := loadDeparted(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.begin("e1", 3), d.Store("e1", 7, tlog.Hash{1})); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := d.Load()
	same := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		got, found, err := LeftAt(path)
		got.Draft, got.Sum = want.Draft, want.Sum // a bit of these may be the changed one
		if err != nil || !found || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for at := range text {
		for bit := range 8 {
			changed := bytes.Clone(text)
			changed[at] ^= 1 << bit
			same(fmt.Sprintf("byte %d, bit %d", at, bit), changed)
		}
	}
	same("cut in half", text[:len(text)/2])
}
