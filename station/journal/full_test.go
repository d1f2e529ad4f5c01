package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"scentpost/station/durable"
)

// openWithBallast opens a journal with a ballast of so many bytes, and begins epoch e1 when it is new.
func (p place) openWithBallast(t *testing.T, size int64) *Journal {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.departed), 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if j.Recovery().Why == WhyFirst {
		if err := j.BeginEpoch("e1", WhyFirst); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// limitPages makes SQLite say SQLITE_FULL beyond so many more pages: the fault of a full disk without a disk.
func limitPages(t *testing.T, j *Journal, more int) {
	t.Helper()
	var pages int
	if err := j.current.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := j.current.write.Exec("PRAGMA max_page_count = " + strconv.Itoa(pages+more)); err != nil {
		t.Fatal(err)
	}
}

// TestFullForGood: when giving up the ballast does not help, the batch is not half there, nothing more is written,
// and the next start goes on.
func TestFullForGood(t *testing.T) {
	p := newPlace(t)
	j := p.openWithBallast(t, 64<<10)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
	limitPages(t, j, 2)
	err := j.Commit(Batch{Rows: rows(10, 100, "s1"), Checkpoints: []Checkpoint{note(t, j, 5)}})
	if !errors.Is(err, ErrBallastSpent) {
		t.Fatalf("%v, want ErrBallastSpent", err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "ballast")); err == nil {
		t.Error("the ballast was kept")
	}
	if err := j.Commit(Batch{Rows: rows(10, 11, "s1")}); !errors.Is(err, ErrFailed) {
		t.Errorf("commit after a failed one: %v", err)
	}
	if j.Size() != 10 {
		t.Errorf("size %d after a refused batch", j.Size())
	}
	_ = j.Close()
	j = p.openWithBallast(t, 64<<10)
	if r := j.Recovery(); !r.Unclean {
		t.Error("a failed commit counts as a clean stop")
	}
	if r := check(t, j); r.NewEpochNeeded || j.Size() != 10 {
		t.Errorf("%+v, size %d", r, j.Size())
	}
	if err := j.Room(); err != nil {
		t.Errorf("no room after the disk was emptied: %v", err)
	}
}

// TestFailureWithinABatch: the rows before the one that failed are not there, and nothing more is written.
func TestFailureWithinABatch(t *testing.T) {
	p := newPlace(t)
	j := p.open(t)
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
	if _, err := j.current.write.Exec("INSERT INTO vault (seq, run, nonce, body) VALUES (14, 0, x'00', x'00')"); err != nil {
		t.Fatal(err)
	}
	if err := j.Commit(Batch{Rows: rows(10, 20, "s2")}); err == nil || strings.Contains(err.Error(), secret) {
		t.Fatalf("%v, want an error that tells no secret", err)
	}
	if err := j.Commit(Batch{Rows: rows(10, 11, "s2")}); !errors.Is(err, ErrFailed) {
		t.Errorf("commit after a failed one: %v", err)
	}
	_ = j.Close()
	j = p.open(t)
	if r := check(t, j); r.NewEpochNeeded || j.Size() != 10 {
		t.Errorf("%+v, size %d", r, j.Size())
	}
	if s, found, err := j.Session("s2"); err != nil || found {
		t.Errorf("session of the failed batch: %+v (%v)", s, err)
	}
}

// TestCommitsAreSynced: what "durable" rests on is what SQLite was really told.
func TestCommitsAreSynced(t *testing.T) {
	j := newPlace(t).open(t)
	for name, db := range map[string]*sql.DB{"epoch": j.current.write, "desk": j.desk.db} {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
			var have string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&have); err != nil || have != want {
				t.Errorf("%s: %s is %q, want %q (%v)", name, pragma, have, want, err)
			}
		}
	}
	var auto string
	if err := j.current.write.QueryRow("PRAGMA wal_autocheckpoint").Scan(&auto); err != nil || auto != "0" {
		t.Errorf("automatic checkpoints every %s pages, want none: their errors are swallowed (%v)", auto, err)
	}
}

// TestDespiteFullTriesOnceAndOnlyWhenFull is the rule by itself.
func TestDespiteFullTriesOnceAndOnlyWhenFull(t *testing.T) {
	p := newPlace(t)
	j := p.openWithBallast(t, 64<<10)
	limitPages(t, j, 0)
	full := j.current.commit(Batch{Rows: rows(0, 200, "s1")})
	if !isFull(full) {
		t.Fatalf("%v is not SQLITE_FULL", full)
	}
	other := errors.New("fsync: input/output error")
	for name, c := range map[string]struct {
		errs []error
		want int
	}{
		"fine":            {[]error{nil}, 1},
		"other":           {[]error{other}, 1},
		"full":            {[]error{full, nil}, 2},
		"full then other": {[]error{full, other}, 2},
		"full for good":   {[]error{full, full}, 2},
	} {
		if err := j.ballast.fill(); err != nil {
			t.Fatal(err)
		}
		tries := 0
		err := j.DespiteFull(func() error { tries++; return c.errs[tries-1] })
		if tries != c.want || !errors.Is(err, c.errs[len(c.errs)-1]) {
			t.Errorf("%s: %d tries, %v", name, tries, err)
		}
	}
	j.ballast.release()
	tries := 0
	_ = j.DespiteFull(func() error { tries++; return full })
	if tries != 1 {
		t.Errorf("%d tries without a ballast, want 1", tries)
	}
}

// smallDisk mounts a tmpfs of so many bytes in a private folder, unmounted at the end.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED on a really full disk: mounting a tmpfs needs root; the injected faults were tested")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0700,size="+strconv.Itoa(bytes)); err != nil {
		t.Skipf("NOT TESTED on a really full disk: no tmpfs here (%v); the injected faults were tested", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

// fillDisk writes a file until the disk is full, but for so many bytes, and returns its path.
func fillDisk(t *testing.T, dir string, but int64) string {
	t.Helper()
	path := filepath.Join(dir, "somebody's film")
	free, err := freeBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, noise(max(free-but, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEveryFileOfARunHasTheReserve: whichever of them meets the full disk first is written from the room of the one ballast, and
// the run goes on to its end. The write-ahead log has been round once, so that records alone need no room.
func TestEveryFileOfARunHasTheReserve(t *testing.T) {
	for name, write := range map[string]func(j *Journal, mark string, at int64) error{
		"the departed size": func(j *Journal, _ string, at int64) error {
			root, err := Root(at, j)
			return errors.Join(err, j.Departed().Store("e1", at, root))
		},
		"the mark of why it stops": func(j *Journal, mark string, _ int64) error {
			return j.DespiteFull(func() error { return durable.Replace(mark, []byte("journal\n")) })
		},
		"names": func(j *Journal, _ string, at int64) error {
			var ids []Identity
			for i := range 20_000 {
				ids = append(ids, Identity{Ref: fmt.Sprint("p-", i), Salt: strings.Repeat("5", 64), Name: strings.Repeat("Arta ", 8)})
			}
			return j.Commit(Batch{Rows: rows(at, at+1, "s1"), Identities: ids})
		},
		"records": func(j *Journal, _ string, at int64) (err error) {
			for until := at + 8000; err == nil && at < until && !j.Spent(); at += 100 {
				err = j.Commit(Batch{Rows: rows(at, at+100, "s1")})
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 24<<20)
			p := place{dir: filepath.Join(disk, "journal"), departed: filepath.Join(disk, "outside", "departed.json")}
			j := p.openWithBallast(t, 8<<20)
			t.Cleanup(func() { _ = j.Close() }) // before the unmounting
			seq := int64(0)
			commit := func(most int64) {
				t.Helper()
				for until := seq + most; seq < until; seq += 10 {
					mustCommit(t, j, Batch{Rows: rows(seq, seq+10, "s1")})
				}
			}
			commit(6000)
			if stat, err := os.Stat(j.current.path + "-wal"); err != nil || stat.Size() == 0 {
				t.Fatalf("there is no write-ahead log: %v", err)
			}
			fillDisk(t, disk, 0)
			if err := write(j, filepath.Join(disk, "stopped-by"), seq); err != nil {
				t.Fatal(err)
			}
			if !j.Spent() {
				t.Error("it needed no room: nothing is shown")
			}
			seq = j.Size()
			commit(1200)
			root, err := Root(seq, j)
			if err := errors.Join(err, j.Departed().Store("e1", seq, root)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if j = p.openWithBallast(t, 8<<20); j.Recovery().NewEpochNeeded || j.Size() != seq || j.Departed().Load().Size != seq {
				t.Errorf("after a stop: %+v, size %d", j.Recovery(), j.Size())
			}
		})
	}
}

// TestAFullDiskAtEachWriteOutside: with no disk at all, the departed size fails in turn at each of its writes, once and for
// good. Once costs the ballast and nothing else.
func TestAFullDiskAtEachWriteOutside(t *testing.T) {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		for n := range 4 {
			j := newPlace(t).openWithBallast(t, 64<<10)
			mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
			count, room, forGood := 0, j.departed.room, false
			j.departed.room = func(do func() error) error {
				return room(func() error {
					if count++; count == n+1 || count > n && forGood {
						return &os.PathError{Op: "write", Path: "departed.json.new", Err: full}
					}
					return do()
				})
			}
			for size := int64(1); size <= 4; size++ {
				root, err := Root(size, j)
				if err := errors.Join(err, j.Departed().Store("e1", size, root)); err != nil {
					t.Errorf("write %d of %v: %v", n, full, err)
				}
			}
			if !j.Spent() || j.Departed().Load().Size != 4 {
				t.Errorf("write %d: spent %v, departed %d", n, j.Spent(), j.Departed().Load().Size)
			}
			count, forGood = 0, true
			if err := j.Departed().Store("e1", 10, j.current.root()); n == 0 && !errors.Is(err, ErrBallastSpent) {
				t.Errorf("for good: %v", err)
			}
		}
	}
}

// TestFullDisk: a run is under way when the disk fills up: it is finished from the ballast, no new one may start,
// and when there is room again the ballast comes back.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 12<<20)
	p := place{dir: filepath.Join(disk, "journal"), departed: filepath.Join(disk, "outside", "departed.json")}
	j := p.openWithBallast(t, 3<<20)
	t.Cleanup(func() { _ = j.Close() }) // before the unmounting
	mustCommit(t, j, Batch{Rows: rows(0, 10, "s1")})
	if err := j.Room(); err != nil {
		t.Fatal(err)
	}
	film := fillDisk(t, disk, 0)
	const run = 1200 // records of a long run, of 0.5 kB
	for seq := int64(10); seq < run; seq += 4 {
		mustCommit(t, j, Batch{Rows: rows(seq, seq+4, "s1")})
	}
	if err := j.Room(); !errors.Is(err, ErrBallastSpent) || !j.Spent() {
		t.Errorf("room on a full disk: %v, spent %v", err, j.Spent())
	}
	if lines, err := j.Lines(0, run+10, 1<<30); err != nil || int64(len(lines)) != j.Size() {
		t.Errorf("%d lines of %d: %v", len(lines), j.Size(), err)
	}
	j.kill(t)
	j = p.openWithBallast(t, 3<<20)
	if r := check(t, j); r.NewEpochNeeded {
		t.Fatalf("after a restart on the full disk: %+v", r)
	}
	if err := j.Room(); !errors.Is(err, ErrBallastSpent) {
		t.Errorf("room after a restart on a full disk: %v", err)
	}
	if err := os.Remove(film); err != nil {
		t.Fatal(err)
	}
	if err := j.Room(); err != nil || j.Spent() {
		t.Errorf("no room on an empty disk: %v, spent %v", err, j.Spent())
	}
	if state, err := os.Stat(filepath.Join(p.dir, "ballast")); err != nil || state.Size() != 3<<20 {
		t.Errorf("the ballast is not back: %v", err)
	}
	_ = j.Close()
}

// TestADiskThatIsFullAtEachWrite leaves room for so many pages and no more, for every number of them, so that in turn each write
// of a start, a run and a stop is the one that fails: of the log and its index, of names, of the departed size. With a ballast
// the run goes to its end. Without one the disk stays full for good: nothing that was durable is lost, and with room again the
// same epoch goes on.
func TestADiskThatIsFullAtEachWrite(t *testing.T) {
	const pages, page = 64, 4096
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, ballast := range []int64{2 << 20, -1} {
		for n := 0; n <= pages; n += step {
			disk := smallDisk(t, 8<<20)
			p := place{dir: filepath.Join(disk, "journal"), departed: filepath.Join(disk, "outside", "departed.json")}
			j := p.openWithBallast(t, ballast)
			mustCommit(t, j, Batch{Rows: rows(0, 10, "s1"), Identities: []Identity{arta}})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			film := fillDisk(t, disk, int64(n*page))
			durable, failed := fullRun(p, ballast)
			if ballast > 0 && failed != nil {
				t.Fatalf("%d pages: the run did not go to its end: %v", n, failed)
			}
			if failed != nil && errors.Is(failed, ErrDamaged) {
				t.Errorf("%d pages: a full disk is damage: %v", n, failed)
			}
			if err := os.Remove(film); err != nil {
				t.Fatal(err)
			}
			j = p.openWithBallast(t, ballast)
			r := check(t, j)
			lines, err := j.Lines(0, 1000, 1<<24)
			ids, _ := j.Identities()
			if r.NewEpochNeeded || j.Size() < durable || int64(len(lines)) != j.Size() || err != nil || durable > 10 && len(ids) != 2 || r.NamesLost {
				t.Errorf("%d pages, ballast %d: %d records were durable, %d are there, %d names, %v, %+v", n, ballast, durable, len(lines), len(ids), err, r)
			}
			mustCommit(t, j, Batch{Rows: rows(j.Size(), j.Size()+1, "s1")})
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// fullRun opens the journal, writes a run, and stops. It returns how many records were durable, and what failed first.
func fullRun(p place, ballast int64) (durable int64, failed error) {
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: ballast})
	if err != nil {
		return 10, err
	}
	defer func() { failed = errors.Join(failed, j.Close()) }()
	if _, err := j.Check(context.Background()); err != nil {
		return j.Size(), err
	}
	for durable = j.Size(); durable < 130; durable = j.Size() {
		b := Batch{Rows: rows(durable, durable+4, "s1"), Identities: []Identity{rex}}
		if err := j.Commit(b); err != nil {
			return durable, err
		}
		root, err := Root(j.Size(), j)
		if err := errors.Join(err, j.Departed().Store("e1", j.Size(), root)); err != nil {
			return j.Size(), err
		}
	}
	return durable, nil
}
