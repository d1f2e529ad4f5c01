// Package ci_test tries the scripts of this folder that depend on Debian's archive, against an archive that is not whole.
package ci_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree is a copy of some scripts of the project, and a folder of commands that stand in for those of the machine.
type tree struct {
	*testing.T
	dir string
}

// newTree copies files of the project, whose paths begin at its root.
func newTree(t *testing.T, files ...string) tree {
	t.Helper()
	tr := tree{t, t.TempDir()}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		tr.put(name, string(text))
	}
	return tr
}

// put writes a file that can be run.
func (tr tree) put(name, text string) {
	tr.Helper()
	path := filepath.Join(tr.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tr.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		tr.Fatal(err)
	}
}

// command puts a command in the place of the machine's. Each call of it is written to the file "calls".
func (tr tree) command(name, body string) {
	tr.put("bin/"+name, "#!/bin/bash\necho \"${0##*/} $*\" >>"+tr.dir+"/calls\n"+body+"\n")
}

// run runs a script of the tree from its root, and returns what it said and its exit code.
func (tr tree) run(stdin string, args ...string) (said string, code int) {
	tr.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Dir, c.Stdin = tr.dir, strings.NewReader(stdin)
	c.Env = append(os.Environ(), "PATH="+tr.dir+"/bin:"+os.Getenv("PATH"), "TMPDIR="+tr.TempDir(), "APT_CONFIG=/dev/null")
	out, err := c.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		tr.Fatalf("%v: %v", args, err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// calls returns what commands were called with, each call a line, and forgets it.
func (tr tree) calls() []string {
	tr.Helper()
	path := filepath.Join(tr.dir, "calls")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		tr.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		tr.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return line == "" })
}

// wantSaid fails unless all texts are in what a script said.
func (tr tree) wantSaid(said string, texts ...string) {
	tr.Helper()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			tr.Errorf("%q is not in:\n%s", text, said)
		}
	}
}

func TestNewest(t *testing.T) {
	// The command knows candidates that break, that are gone, and that are good, and reads its standard input.
	const command = `cat >&2; echo "first line of $*" >&2; echo "$2 is $1" >&2; case $1 in good) exit 0 ;; gone) exit 3 ;; *) exit 1 ;; esac`
	for name, c := range map[string]struct {
		candidates string
		code       int
		tried      int
		says       []string
	}{
		"the newest is good":             {"good 3\ngood 2\n", 0, 1, nil},
		"the newest breaks":              {"broken 3\ngood 2\ngood 1\n", 0, 2, []string{"NOTE: part broken 3 is passed over: 3 is broken\n"}},
		"the newest is gone":             {"gone 3\nbroken 2\ngood 1\n", 0, 3, []string{"NOTE: part gone 3 is passed over: 3 is gone\n", "NOTE: part broken 2 is passed over"}},
		"the last line has no end":       {"broken 3\n\ngood 2", 0, 2, nil},
		"all break":                      {"broken 3\nbroken 2\n", 1, 2, []string{"none of 2 candidates for the part can be used"}},
		"one breaks and the others gone": {"gone 3\nbroken 2\ngone 1\n", 1, 3, []string{"none of 3"}},
		"all are gone":                   {"gone 3\ngone 2\n", 3, 2, []string{"NOT RUN: no part can be had: 2 tried"}},
		"there is none":                  {"", 3, 0, []string{"NOT RUN: no part can be had: 0 tried"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t, ".ci/newest")
			tr.command("try", command)
			said, code := tr.run(c.candidates, ".ci/newest", "part", "try")
			if tried := len(tr.calls()); code != c.code || tried != c.tried {
				t.Errorf("exit %d after %d candidates, want %d after %d:\n%s", code, tried, c.code, c.tried, said)
			}
			tr.wantSaid(said, c.says...)
		})
	}
}

// noNetwork is what apt does without one: it warns and succeeds, unless it is told that this is an error.
const noNetwork = `echo 'W: no way' >&2; case $* in *APT::Update::Error-Mode=any*) exit 100 ;; esac`

func TestDepsRefreshLists(t *testing.T) {
	const works = `true`
	for name, c := range map[string]struct {
		refreshed time.Duration // how long ago, never when 0
		update    string        // what apt-get update does
		install   string        // what apt-get install does
		calls     string
		code      int
		says      string
	}{
		"lists of another day":      {24 * time.Hour, works, works, "update install", 0, "installing Debian packages: one two"},
		"lists never refreshed":     {0, works, works, "update install", 0, ""},
		"lists of this hour":        {time.Hour, works, works, "install", 0, ""},
		"lists of this hour lack":   {time.Hour, works, `[ -e "$0.updated" ]`, "install update install", 0, ""},
		"no network":                {0, noNetwork, works, "update install", 0, "NOTE: the package lists could not be refreshed, those that are here are used: W: no way"},
		"no network and no package": {0, noNetwork, `false`, "update install update", 1, "apt-get could not install: one two"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t, ".ci/deps")
			tr.command("sudo", `shift; [ "$1" = true ] || exec "$@"`)
			tr.command("apt-get", `case " $* " in *" update "*) `+c.update+` && touch "$0.updated" ;; *) `+c.install+` ;; esac`)
			if c.refreshed > 0 {
				tr.put("build/log/deps.refreshed", "")
				then := time.Now().Add(-c.refreshed)
				if err := os.Chtimes(filepath.Join(tr.dir, "build/log/deps.refreshed"), then, then); err != nil {
					t.Fatal(err)
				}
			}
			said, code := tr.run("", ".ci/deps", "no-such-command:one", "bash:bash", "/no/such/*:two")
			var calls []string
			for _, call := range tr.calls() {
				for _, verb := range []string{"update", "install"} {
					if strings.HasPrefix(call, "apt-get ") && strings.Contains(call+" ", " "+verb+" ") {
						calls = append(calls, verb)
					}
				}
			}
			if got := strings.Join(calls, " "); got != c.calls || code != c.code {
				t.Errorf("apt-get was called for %q, exit %d, want %q, exit %d:\n%s", got, code, c.calls, c.code, said)
			}
			tr.wantSaid(said, c.says)
		})
	}
}

// TestLists makes lists of our own on a machine whose apt knows one suite.
func TestLists(t *testing.T) {
	tr := newTree(t, ".ci/lists")
	tr.put("here/archive_Packages.lz4", "old")
	tr.command("apt-config", `echo "here=`+tr.dir+`/here"`)
	tr.command("apt-get", `case " $* " in
*" indextargets "*) printf '%s\n' 'bookworm http://mirror/debian/' 'bookworm-security http://mirror/security/' ;;
*" update "*) `+noNetwork+` ;;
esac`)
	lists := filepath.Join(tr.dir, "out")
	said, code := tr.run("", ".ci/lists", lists)
	if copied, err := os.ReadFile(filepath.Join(lists, "lists/archive_Packages.lz4")); code != 0 || err != nil || string(copied) != "old" {
		t.Errorf("exit %d, the machine's own lists are not used: %q, %v\n%s", code, copied, err, said)
	}
	tr.wantSaid(said, "NOTE: the package lists could not be refreshed, those that are here are used: W: no way")

	said, code = tr.run("", ".ci/lists", lists+"-foreign", "arm64", "bookworm-security", "bookworm-backports")
	if code != 3 {
		t.Errorf("exit %d without any list, want 3:\n%s", code, said)
	}
	sources, err := os.ReadFile(lists + "-foreign/sources")
	if err != nil {
		t.Fatal(err)
	}
	tr.wantSaid(string(sources), "http://mirror/security/ bookworm-security main", "http://mirror/debian/ bookworm-backports main")
	if said, code = tr.run("", ".ci/lists", lists+"-other", "arm64", "bookworm-security", "trixie"); code != 3 {
		t.Errorf("exit %d for a suite that the machine does not have, want 3:\n%s", code, said)
	}
	tr.wantSaid(said, "this machine has no packages of trixie")
}

// TestPackagesAreNotSoughtInBuild: the kernel tests and those of the Debian package lay whole machines there, with mounted
// file systems and folders that go away while Go looks at them.
func TestPackagesAreNotSoughtInBuild(t *testing.T) {
	if err := os.MkdirAll("../build", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("../build", "sought-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package sought\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "./...")
	list.Dir = ".."
	out, err := list.CombinedOutput()
	if err != nil || strings.Contains(string(out), "/build/") || !strings.Contains(string(out), "scentpost/station\n") {
		t.Errorf("go list ./... says %v\n%s", err, out)
	}
}
