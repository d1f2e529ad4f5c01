package ci_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// together is a tree whose Makefile has a target for each way to end; works and waits wait for each other.
func together(t *testing.T) tree {
	t.Helper()
	tr := newTree(t, ".ci/together", ".ci/quiet", ".ci/where-possible")
	tr.put(".ci/deps", "#!/bin/sh\necho 'apt-get could not'; exit 1\n")
	tr.put("Makefile", `
good other build-all:
	@.ci/quiet $@ sh -c 'echo >>ended'
after:
	@.ci/quiet $@ sh -c 'test "$$(wc -l <ended)" = 3'
bad:
	@.ci/quiet $@ sh -c 'echo something broke; exit 1'
unfit:
	@.ci/quiet $@ sh -c 'echo NOT RUN: no such machine; exit 3'
lacking:
	@.ci/where-possible $@ lack:lack -- .ci/quiet $@ true
works:
	@.ci/quiet $@ sh -c 'echo x >one; read x <two; nice >$@.nice'
waits:
	@.ci/quiet $@ sh -c 'read x <one; echo x >two; nice >$@.nice'
long:
	@.ci/quiet $@ sh -c 'exec sleep 600 >held'
`)
	return tr
}

// text reads a file of the tree.
func (tr tree) text(name string) string {
	tr.Helper()
	text, err := os.ReadFile(filepath.Join(tr.dir, name))
	if err != nil {
		tr.Fatal(err)
	}
	return string(text)
}

var row = regexp.MustCompile(`(?m)^(\S+) +(passed|failed|not-run) +\d+ +\d+$`)

func TestTogether(t *testing.T) {
	for name, c := range map[string]struct {
		ci    string
		args  string
		code  int
		rows  string
		count string
	}{
		"all pass":              {"", "build-all good -- other", 0, "build-all passed, good passed, other passed, all passed", "3 passed, 0 failed, 0 skipped"},
		"one fails":             {"", "build-all bad good -- other", 1, "bad failed, build-all passed, good passed, other passed, all failed", "3 passed, 1 failed, 0 skipped"},
		"one that waits fails":  {"", "build-all good -- bad other", 1, "bad failed, build-all passed, good passed, other passed, all failed", "3 passed, 1 failed, 0 skipped"},
		"the first fails":       {"", "bad good -- other", 1, "bad failed, all failed", "0 passed, 1 failed, 0 skipped"},
		"one cannot be run":     {"", "build-all unfit -- lacking", 0, "build-all passed, lacking not-run, unfit not-run, all passed", "1 passed, 0 failed, 2 skipped"},
		"one must be run in CI": {"true", "build-all unfit -- lacking", 1, "build-all passed, lacking failed, unfit failed, all failed", "1 passed, 2 failed, 0 skipped"},
		"one last of all":       {"", "build-all bad good -- other -- after", 1, "after passed, bad failed, build-all passed, good passed, other passed, all failed", "4 passed, 1 failed, 0 skipped"},
		"the last one fails":    {"", "build-all good -- other -- bad", 1, "bad failed, build-all passed, good passed, other passed, all failed", "3 passed, 1 failed, 0 skipped"},
		"nothing waits":         {"", "build-all good --", 0, "build-all passed, good passed, all passed", "2 passed, 0 failed, 0 skipped"},
		"a target is not there": {"", "build-all gone good --", 1, "build-all passed, good passed, all failed", "2 passed, 0 failed, 0 skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CI", c.ci)
			tr := together(t)
			said, code := tr.run("", append([]string{".ci/together", "test"}, strings.Fields(c.args)...)...)
			var rows []string
			for _, m := range row.FindAllStringSubmatch(said, -1) {
				rows = append(rows, m[1]+" "+m[2])
			}
			slices.Sort(rows[:max(len(rows)-1, 0)]) // the last is for all
			if got := strings.Join(rows, ", "); got != c.rows || code != c.code || !strings.HasSuffix(said, "\n"+c.count+"\n") {
				t.Errorf("exit %d, rows %q, want %d, %q, and %q at the end:\n%s", code, got, c.code, c.rows, c.count, said)
			}
			if strings.Contains(c.rows, "bad") {
				tr.wantSaid(said, "something broke")
			}
		})
	}
}

// TestLanesAreBesideEachOther has two targets that wait for each other, and the working one gives way.
func TestLanesAreBesideEachOther(t *testing.T) {
	tr := together(t)
	for _, name := range []string{"one", "two"} {
		if err := syscall.Mkfifo(filepath.Join(tr.dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, code := tr.run("", ".ci/together", "test", "good", "works", "--", "waits")
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	if works, waits := tr.text("works.nice"), tr.text("waits.nice"); works == waits || !strings.HasPrefix(works, "1") {
		t.Errorf("the niceness of what works is %q, of what waits %q", works, waits)
	}
}

// TestTogetherEndsWhole: nothing that it started outlives it.
func TestTogetherEndsWhole(t *testing.T) {
	tr := together(t)
	held := filepath.Join(tr.dir, "held")
	if err := syscall.Mkfifo(held, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(".ci/together", "test", "good", "long", "--", "other")
	c.Dir = tr.dir
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// Opened when somebody writes to it, and at its end when nobody does any longer.
	writers, err := os.Open(held)
	if err != nil {
		t.Fatal(err)
	}
	defer writers.Close()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 130 {
		t.Errorf("it ends with %v, want 130", err)
	}
	if _, err := io.ReadAll(writers); err != nil {
		t.Error(err)
	}
}
