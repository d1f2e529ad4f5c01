package journal

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashDir tells the re-executed test binary to be the child of TestKilledDuringCommits.
const crashDir = "SCENTPOST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := commitForEver(place{dir: dir + "/journal", departed: dir + "/departed.json"}); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// commitForEver commits batches of one to nine rows and prints what is durable, until it is killed.
func commitForEver(p place) error {
	j, err := Open(p.dir, Options{Departed: p.departed, Ballast: -1})
	if err != nil {
		return err
	}
	r, err := j.Check(context.Background())
	if err != nil {
		return err
	}
	if r.NewEpochNeeded && r.Why != WhyFirst {
		return fmt.Errorf("a new epoch is needed: %+v", r)
	}
	if r.NewEpochNeeded {
		if err := j.BeginEpoch("e1", WhyFirst); err != nil {
			return err
		}
	}
	failed := make(chan error, 1)
	room := make(chan struct{}, 64)
	w := NewWriter(j, 256, func(seq int64) { fmt.Println(seq) }, func(err error) { failed <- err })
	for from := j.Size(); ; {
		select {
		case room <- struct{}{}:
		case err := <-failed:
			return err
		}
		to := from + 1 + from%9
		if err := w.Append(Batch{Rows: rows(from, to, fmt.Sprintf("s%d", from/200))}); err != nil {
			return err
		}
		if err := w.Ping(func() { <-room }); err != nil {
			return err
		}
		from = to
	}
}

// runAndKill starts the child, kills it some time after it has shown its first durable seq, and returns the last
// one that it showed.
func runAndKill(t *testing.T, dir string, after time.Duration) int64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seq, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("the child says %q", lines.Text())
			break
		}
		if last < 0 {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		last = seq
	}
	_ = child.Process.Kill()
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the child ended by itself: %v", err)
	}
	return last
}

// TestKilledDuringCommits kills a process with SIGKILL again and again on one journal: what it showed as durable
// is there, batches are whole, the log hashes, and every restart goes on in the same epoch.
func TestKilledDuringCommits(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	dir := t.TempDir()
	random := seeded(t, uint64(os.Getpid()))
	shown := int64(-1)
	for i := range kills {
		shown = max(shown, runAndKill(t, dir, time.Duration(random.IntN(80_000))*time.Microsecond))
		j := place{dir: dir + "/journal", departed: dir + "/departed.json"}.open(t)
		if r := check(t, j); r.NewEpochNeeded || !r.Unclean {
			t.Fatalf("kill %d: %+v", i, r)
		}
		size := j.Size()
		if size <= shown {
			t.Fatalf("kill %d: record %d was shown as durable, and %d are left", i, shown, size)
		}
		wholeBatches(t, j, size)
		j.kill(t)
	}
	t.Logf("%d records after %d kills", shown+1, kills)
}

// wholeBatches wants every line, every sealed body and no half batch.
func wholeBatches(t *testing.T, j *Journal, size int64) {
	t.Helper()
	end := int64(0)
	for end < size {
		end += 1 + end%9
	}
	if end != size {
		t.Errorf("a batch ends at %d, the log at %d", end, size)
	}
	lines, err := j.Lines(0, int(size), 1<<30)
	if err != nil || int64(len(lines)) != size {
		t.Fatalf("%d of %d lines: %v", len(lines), size, err)
	}
	sealed := 0
	for _, session := range sessionsOf(lines) {
		vault, err := j.Vault(session)
		if err != nil {
			t.Fatal(err)
		}
		sealed += len(vault)
	}
	if want := int(size / 3); sealed != want {
		t.Errorf("%d sealed bodies, want %d", sealed, want)
	}
	found, err := j.current.inspect(context.Background())
	if err != nil || found.good != size || found.count != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

func sessionsOf(lines []Line) []string {
	var out []string
	for _, l := range lines {
		if len(out) == 0 || out[len(out)-1] != l.Session {
			out = append(out, l.Session)
		}
	}
	return out
}
