package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// reading opens a journal for reading beside whoever has it open.
func reading(t *testing.T, dir string) *Reading {
	t.Helper()
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func logOf(t *testing.T, r Logs, epoch string) Log {
	t.Helper()
	a, err := r.Log(epoch)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReadingSeesWhatWasThere: a journal is read while it is written; what comes later is not seen, and the writer is
// not held up.
func TestReadingSeesWhatWasThere(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1"), Identities: []Identity{rex}})
	mustCommit(t, j, Batch{Checkpoints: []Checkpoint{note(t, j, 10)}})
	if err := j.BeginEpoch("e2", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 5, "s2")})
	r := reading(t, p.dir)
	ended, current := logOf(t, r, "e1"), logOf(t, r, "e2")
	mustCommit(t, j, Batch{Rows: rows(5, 2000, "s2"), Checkpoints: []Checkpoint{{Size: 6, Why: "lock", Note: []byte("n")}}})
	if err := j.BeginEpoch("e3", WhyBeyond); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		log              Log
		size, checkpoint int
	}{{ended, 10, 1}, {current, 5, 0}} {
		lines, err := c.log.Lines(0, 1<<20, 1<<30)
		heads, headsErr := c.log.Checkpoints("")
		if err != nil || headsErr != nil || len(lines) != c.size || c.log.Size() != int64(c.size) || len(heads) != c.checkpoint {
			t.Errorf("%d lines and %d checkpoints of %d and %d (%v, %v)", len(lines), len(heads), c.size, c.checkpoint, err, headsErr)
		}
	}
	if names, err := r.Identities(); err != nil || len(names) != 1 {
		t.Errorf("names: %v, %v", names, err)
	}
	if got := r.Epochs(); len(got) != 2 || got[1].ID != "e2" {
		t.Errorf("epochs: %+v", got)
	}
	if _, err := r.Log("e3"); err == nil {
		t.Error("an epoch that began later is read")
	}
}

// TestReadingAStoppedJournal: nothing is made or changed where nobody runs.
func TestReadingAStoppedJournal(t *testing.T) {
	p := newPlace(t)
	if _, err := Read(p.dir); err == nil || !strings.Contains(err.Error(), "there is no journal in") {
		t.Errorf("no folder: %v", err)
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(p.dir); err == nil || !strings.Contains(err.Error(), "no meta.json") {
		t.Errorf("an empty folder: %v", err)
	}
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
	j.kill(t)
	r := reading(t, p.dir)
	if got := logOf(t, r, "e1").Size(); got != 10 {
		t.Errorf("%d records after a crash", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if again := p.open(t); !again.Recovery().Unclean || again.Recovery().NewEpochNeeded {
		t.Errorf("after a reading the journal is %+v", again.Recovery())
	}
	if err := os.Remove(filepath.Join(p.dir, "station.db")); err != nil {
		t.Fatal(err)
	}
	if ids, err := reading(t, p.dir).Identities(); err != nil || len(ids) != 0 {
		t.Errorf("without its names: %v, %v", ids, err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "station.db")); err == nil {
		t.Error("reading made a database")
	}
}

// TestAnEpochThatCannotBeReadHidesNoOther, and comes back when its database does.
func TestAnEpochThatCannotBeReadHidesNoOther(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(epochPath(p.dir, "e1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(epochPath(p.dir, "e1"), bytes.Repeat([]byte("junk"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	j = p.open(t)
	if err := j.BeginEpoch("e2", check(t, j).Why); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, j, Batch{Rows: rows(0, 3, "s2")})
	r := reading(t, p.dir)
	for _, logs := range []Logs{j, r} {
		if _, err := logs.Log("e1"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%T: a database of junk: %v", logs, err)
		}
		if got := logOf(t, logs, "e2").Size(); got != 3 {
			t.Errorf("%T: %d records of the next epoch", logs, got)
		}
	}
	if err := os.WriteFile(epochPath(p.dir, "e1"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, logs := range []Logs{j, r} {
		log := logOf(t, logs, "e1")
		s, found, err := log.Session("s1")
		lines, readErr := log.LinesOf(s, 0, 100, 1<<20)
		if log.Size() != 0 || !found || len(lines) != 10 || err != nil || readErr != nil {
			t.Errorf("%T: %d records of session s1 came back (%t, %v, %v), and the log has %d", logs, len(lines), found, err, readErr, log.Size())
		}
	}
}

// build builds a journal of two epochs of 10 and 7 records.
func build(t *testing.T, dir string) *Builder {
	t.Helper()
	b, err := Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := b.Commit(Batch{}); !errors.Is(err, ErrNoEpoch) {
		t.Errorf("without an epoch: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := func(n int64) (out []Row) {
		for _, r := range rows(0, n, "s1") {
			r.Sealed, r.Body, r.Nonce = false, nil, [32]byte{}
			out = append(out, r)
		}
		return out
	}
	must(b.Begin(Beginning{ID: "e1", Why: WhyFirst}))
	must(b.Commit(Batch{Rows: open(10)}))
	root := b.Root()
	if err := b.Commit(Batch{Rows: rows(12, 13, "s1")}); !errors.Is(err, ErrGap) {
		t.Errorf("a gap: %v", err)
	}
	if err := b.Commit(Batch{Rows: rows(11, 12, "s1")}); err == nil {
		t.Error("a sealed body was taken")
	}
	if err := b.Begin(Beginning{ID: "../e1"}); err == nil {
		t.Error("an id that leads out of the folder was taken")
	}
	if err := b.Begin(Beginning{ID: "e1"}); err == nil {
		t.Error("an epoch was taken twice")
	}
	must(b.Begin(Beginning{ID: "e2", Why: WhyTailLost, Prev: "e1", PrevSize: 10, PrevRoot: root}))
	must(b.Commit(Batch{Rows: open(7), Identities: []Identity{rex}}))
	return b
}

// TestABuiltJournalBeginsAnEpoch: whatever is known to have left the station, a restored journal does not go on in an
// old epoch; the new one says how far the old one went, and begins once.
func TestABuiltJournalBeginsAnEpoch(t *testing.T) {
	for name, c := range map[string]struct {
		left   *Left // nil: nothing is known
		detail string
	}{
		"a new machine":            {nil, "restored from a backup of then, which ends at record 7 of epoch e2"},
		"the same machine":         {&Left{Epoch: "e2", Size: 5, Starts: 3}, "ends at record 7 of epoch e2"},
		"records are missing":      {&Left{Epoch: "e2", Size: 12, Starts: 3}, "; 12 records of that epoch had left this station"},
		"an epoch that is unknown": {&Left{Epoch: "e3", Size: 12, Starts: 3}, "; it knows nothing of epoch e3, of which 12 records had left this station"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			b := build(t, p.dir)
			root := b.Root()
			if !Unbuilt(p.dir) {
				t.Error("it does not say that it is being built")
			}
			if err := b.Finish(Restored{Made: "then"}); err != nil {
				t.Fatal(err)
			}
			if Unbuilt(p.dir) {
				t.Error("it says that it is still being built")
			}
			if c.left != nil {
				if err := os.MkdirAll(filepath.Dir(p.departed), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := (&Departed{path: p.departed}).write(*c.left); err != nil {
					t.Fatal(err)
				}
			}
			j := p.open(t)
			r := j.Recovery()
			if !r.NewEpochNeeded || r.Why != WhyRestored || !r.Checked || r.Unclean || r.PrevEpoch != "e2" || r.PrevSize != 7 || r.PrevRoot != root ||
				!strings.HasSuffix(r.Detail, c.detail) {
				t.Errorf("it is found as %+v", r)
			}
			if err := j.Commit(Batch{Rows: rows(7, 8, "s1")}); !errors.Is(err, ErrNoEpoch) {
				t.Errorf("writing on: %v", err)
			}
			if err := j.BeginEpoch("e9", r.Why); err != nil {
				t.Fatal(err)
			}
			mustCommit(t, j, Batch{Rows: rows(0, 3, "s9")})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if again := p.open(t); again.Recovery().NewEpochNeeded || again.Epoch().ID != "e9" || again.Epoch().Prev != "e2" {
				t.Errorf("the start after: %+v, %+v", again.Recovery(), again.Epoch())
			}
		})
	}
}

func TestWhatHoldsAJournal(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		file string
		want bool
	}{{"lock", false}, {"station.db", false}, {"epoch-e1.db", true}, {"meta.json", true}} {
		if c.file == "meta.json" {
			if err := os.Remove(filepath.Join(dir, "epoch-e1.db")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Holds(dir); got != c.want || err != nil {
			t.Errorf("with %s: %t, %v", c.file, got, err)
		}
	}
	if got, err := Holds(filepath.Join(dir, "none")); got || err != nil {
		t.Errorf("no folder: %t, %v", got, err)
	}
}

// TestABuiltJournalWithoutARecordBeginsAnEpoch: the station that was backed up may have gone on in the one that had just
// begun, and a station that knows nothing would take it for its own.
func TestABuiltJournalWithoutARecordBeginsAnEpoch(t *testing.T) {
	p := newPlace(t)
	b := build(t, p.dir)
	if err := b.Begin(Beginning{ID: "e3", Why: WhyBeyond, Prev: "e2", PrevSize: 7, PrevRoot: b.Root()}); err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(Restored{Made: "then"}); err != nil {
		t.Fatal(err)
	}
	j := p.open(t)
	if r := j.Recovery(); !r.NewEpochNeeded || r.Why != WhyRestored || r.PrevEpoch != "e3" || r.PrevSize != 0 {
		t.Errorf("it is found as %+v", r)
	}
}

// TestReadingFromAReadOnlyCard: the card of which a backup is wanted most, after a clean stop and after a crash.
func TestReadingFromAReadOnlyCard(t *testing.T) {
	for _, clean := range []bool{true, false} {
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
			t.Skipf("nothing may be mounted here: %v", err)
		}
		defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
		written := newPlace(t)
		j := written.open(t)
		mustCommit(t, j, Batch{Rows: rows(0, 10, "s1"), Identities: []Identity{rex}})
		if clean {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
		p := place{dir: filepath.Join(dir, "journal")}
		copyTree(t, written.dir, p.dir) // after a crash with the write-ahead log and its index
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		r := reading(t, p.dir)
		names, err := r.Identities()
		if got := logOf(t, r, "e1").Size(); got != 10 || len(names) != 1 || err != nil {
			t.Errorf("clean %t: %d records, names %v, %v", clean, got, names, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
