package yard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/simulator/yard"
	"scentpost/station/journal"
	"scentpost/station/verify"
)

// filling fills a disk before one of its writes.
type filling struct {
	n, at int
	fill  func()
}

func (f *filling) writes() {
	if f.n++; f.n == f.at {
		f.fill()
	}
}

// fullJournal is a journal whose disk is full from one of its commits on.
type fullJournal struct {
	*journal.Journal
	*filling
}

// Commit implements journal.Committer.
func (f fullJournal) Commit(b journal.Batch) error { f.writes(); return f.Journal.Commit(b) }

// fullNote is the departed size on a disk that is full from one of its writes on.
type fullNote struct {
	*journal.Departed
	*filling
}

// Store implements assembly.Departed.
func (f fullNote) Store(epoch string, size int64, root tlog.Hash) error {
	f.writes()
	return f.Departed.Store(epoch, size, root)
}

// TestASessionEndsOnADiskThatIsFull, in turn from each of its commits on, and from each write of the departed size: each 9th commit
// here, every one in make long. All are written from the one reserve, and the session ends, is closed and verifies.
func TestASessionEndsOnADiskThatIsFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED on a really full disk: mounting a tmpfs needs root")
	}
	step := 1
	if testing.Short() {
		step = 9
	}
	for what, step := range map[string]int{"commit": step, "note": 1} {
		tried := 0
		for at := 2; ; at += step {
			writes, spent := sessionOnAFullDisk(t, what, at)
			if t.Failed() || at >= writes {
				break
			}
			if spent {
				tried++
			}
		}
		if tried == 0 {
			t.Errorf("no session needed the reserve for a %s: nothing is shown", what)
		}
	}
}

// sessionOnAFullDisk holds a session whose disk is full from a write on, and says how many of its kind there were and whether the
// reserve was needed.
func sessionOnAFullDisk(t *testing.T, what string, at int) (writes int, spent bool) {
	t.Helper()
	disk, err := os.MkdirTemp("", "disk-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(disk)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0700,size="+strconv.Itoa(20<<20)); err != nil {
		t.Skipf("NOT TESTED on a really full disk: no tmpfs here (%v)", err)
	}
	defer func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	}()
	j, err := journal.Open(filepath.Join(disk, "journal"), journal.Options{Departed: filepath.Join(disk, "departed.json")})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	when := &filling{at: at, fill: func() {
		film := make([]byte, 1<<20)
		f, err := os.Create(filepath.Join(disk, "film"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for {
			if _, err := f.Write(film); err != nil {
				if len(film) == 1 {
					return // full to the last byte
				}
				film = film[:len(film)/2]
			}
		}
	}}
	y := newYard(t, "virtual-two", func(o *yard.Options) {
		o.Store, o.Departed = j, j.Departed()
		if what == "commit" {
			o.Store = fullJournal{j, when}
		} else {
			o.Departed = fullNote{j.Departed(), when}
		}
	})
	file, src := plan(t, "short")
	if err := y.Prepare(file, src, rule(t)); err != nil {
		t.Errorf("full from %s %d: %v", what, at, err)
		return when.n, j.Spent()
	}
	if err := y.Conduct(); err != nil {
		t.Errorf("full from %s %d: %v", what, at, err)
		return when.n, j.Spent()
	}
	_, bundle, err := y.Archive.Bundle("", true)
	report := verify.Verify(bundle, verify.Options{})
	if err != nil || !report.Consistent || !report.Result.Finished() {
		t.Errorf("full from %s %d: %v, %s", what, at, err, fmt.Sprint(report.Problems))
	}
	if left := j.Departed().Load(); left.Size == 0 || left.Epoch != j.Epoch().ID {
		t.Errorf("full from %s %d: departed is %+v", what, at, left)
	}
	return when.n, j.Spent()
}
