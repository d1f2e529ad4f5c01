// Package package_test holds the Debian package to what it must do: its scripts here, with stand-ins for the programs
// that they call, the built packages where `make test-deb` names them. Package debtest installs them.
package package_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// machine is a file system that the scripts take for theirs (DPKG_ROOT), with stand-ins for what they call.
type machine struct {
	*testing.T
	root string
	bin  string
	env  []string
}

// stand is the stand-in for a program: it writes down how it was called, and exits as STUB_<name> says.
const stand = `#!/bin/sh
echo "%[1]s $*" >>"$STUB_CALLS"
exit "${STUB_%[2]s:-0}"
`

// newMachine returns a machine that systemd has booted.
func newMachine(t *testing.T, env ...string) *machine {
	t.Helper()
	m := &machine{T: t, root: t.TempDir(), bin: t.TempDir()}
	m.env = append(append(os.Environ(), "PATH="+m.bin+":"+os.Getenv("PATH"), "DPKG_ROOT="+m.root, "STUB_CALLS="+m.bin+"/calls"), env...)
	for _, name := range []string{"scentpost", "deb-systemd-invoke", "deb-systemd-helper", "systemd-sysusers", "udevadm"} {
		m.program(name, fmt.Sprintf(stand, name, strings.ReplaceAll(name, "-", "_")))
	}
	// STUB_systemctl is whether the daemon's unit is active.
	m.program("systemctl", "#!/bin/sh\necho \"systemctl $*\" >>\"$STUB_CALLS\"\n[ \"$1\" != is-active ] || exit \"${STUB_systemctl:-0}\"\n")
	m.write("run/systemd/system/here", "")
	return m
}

func (m *machine) program(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte(text), 0o755); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) write(name, text string) {
	m.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.path(name)), 0o755), os.WriteFile(m.path(name), []byte(text), 0o600)); err != nil {
		m.Fatal(err)
	}
}

// run runs one of the package's scripts as dpkg does, and returns its exit code, what it said, and what it called.
func (m *machine) run(script string, args ...string) (code int, said string, calls []string) {
	m.Helper()
	_ = os.Remove(filepath.Join(m.bin, "calls"))
	c := exec.Command("sh", append([]string{script}, args...)...)
	c.Env = m.env
	out, err := c.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		m.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(m.bin, "calls"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out), strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// files lists the files below a folder with their texts.
func (m *machine) files(folder string) map[string]string {
	m.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(m.path(folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, m.path(folder)+"/")] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.Fatal(err)
	}
	return found
}

// What the scripts call.
const (
	callAsk    = "scentpost station busy"
	callActive = "systemctl is-active --quiet scentpostd.service"
	callStop   = "systemctl stop scentpostd.service"
	callStart  = "deb-systemd-invoke start scentpostd.service"
)

// TestUpgradeIsRefusedInASession: both the old package's prerm and the new one's ask the daemon before anything else,
// and end the upgrade when it says that a session is under way, or when it runs and cannot be asked.
func TestUpgradeIsRefusedInASession(t *testing.T) {
	for _, c := range []struct {
		what         string
		busy, active string // the exit codes of the two questions
		refused      bool
		calls        []string
	}{
		{"a session is under way", "0", "0", true, []string{callAsk}},
		{"a daemon that systemd did not start has one", "0", "3", true, []string{callAsk}},
		{"none is under way", "1", "0", false, []string{callAsk, callStop}},
		{"it could not be found out", "2", "0", true, []string{callAsk}},
		{"it could not be found out, and no unit runs", "2", "3", true, []string{callAsk}},
		{"the daemon is dead", "3", "3", false, []string{callAsk, callActive, callStop}},
		{"the daemon runs and does not answer", "3", "0", true, []string{callAsk, callActive}},
		{"the program is gone", "127", "3", false, []string{callAsk, callActive, callStop}},
		{"the program is gone, and the daemon runs", "127", "0", true, []string{callAsk, callActive}},
		{"the program crashes", "139", "3", true, []string{callAsk}},
	} {
		for _, how := range [][]string{{"upgrade", "2"}, {"failed-upgrade", "1", "2"}} {
			m := newMachine(t, "STUB_scentpost="+c.busy, "STUB_systemctl="+c.active)
			code, said, calls := m.run("prerm", how...)
			if refused := code != 0; refused != c.refused || strings.Count(said, "REFUSED, nothing was changed") != 1 && refused {
				t.Errorf("%s: prerm %s exits %d, and says %q", c.what, how, code, said)
			}
			if !slices.Equal(calls, c.calls) {
				t.Errorf("%s: prerm %s calls %q, want %q", c.what, how, calls, c.calls)
			}
		}
	}
}

// TestPrermTellsWhatTheDaemonSaid: whoever is refused reads which session it is.
func TestPrermTellsWhatTheDaemonSaid(t *testing.T) {
	m := newMachine(t)
	m.program("scentpost", "#!/bin/sh\necho session s1 is under way\n")
	if _, said, _ := m.run("prerm", "upgrade", "2"); !strings.Contains(said, "session s1 is under way") {
		t.Errorf("it says %q", said)
	}
}

// TestRemoveStops: a removal asks nobody, and other calls of the script do nothing.
func TestRemoveStops(t *testing.T) {
	m := newMachine(t)
	if code, said, calls := m.run("prerm", "remove"); code != 0 || !slices.Equal(calls, []string{callStop}) {
		t.Errorf("exit %d, calls %q, said %q", code, calls, said)
	}
	if code, said, calls := m.run("prerm", "deconfigure", "in-favour", "other", "1"); code != 0 || len(calls) != 1 || calls[0] != "" {
		t.Errorf("exit %d, calls %q, said %q", code, calls, said)
	}
}

// withJournal puts a journal and a key where the daemon keeps them.
func withJournal(m *machine, text string) {
	m.write("var/lib/scentpost/journal/meta.json", text)
	m.write("var/lib/scentpost/journal/epoch-1.db", "records of "+text)
	m.write("var/lib/scentpost/journal/lock", "123")
	m.write("var/lib/scentpost/journal/ballast", "nothing")
	m.write("var/lib/scentpost/station.key", "PRIVATE")
	m.write("var/lib/scentpost/departed.json", "{}")
}

// TestJournalIsCopiedBeforeAnUpgrade: the whole journal without its ballast, no key, three copies at most, whatever the
// clock says.
func TestJournalIsCopiedBeforeAnUpgrade(t *testing.T) {
	m := newMachine(t)
	for _, fresh := range [][]string{{"install"}, {"install", ""}, {"upgrade", ""}, {"abort-upgrade", "2"}} {
		withJournal(m, "v0")
		if code, said, _ := m.run("preinst", fresh...); code != 0 || len(m.files("var/backups")) != 0 {
			t.Fatalf("preinst %s: exit %d, %s", fresh, code, said)
		}
	}
	m.write("var/backups/scentpost/notes", "somebody's")
	for i := range 12 {
		withJournal(m, fmt.Sprint("v", i+1))
		m.write("var/backups/scentpost/unfinished/journal/half", "of a power cut")
		code, said, _ := m.run("preinst", "upgrade", fmt.Sprint("1.", i+1), "2")
		if code != 0 || !strings.Contains(said, fmt.Sprintf("is kept in %s/%d-1.%d\n", m.path("var/backups/scentpost"), i+1, i+1)) {
			t.Fatalf("exit %d, %s", code, said)
		}
	}
	want := map[string]string{"notes": "somebody's"}
	for i := 10; i <= 12; i++ {
		name := fmt.Sprintf("%d-1.%d/journal/", i, i)
		want[name+"meta.json"], want[name+"epoch-1.db"], want[name+"lock"] = fmt.Sprint("v", i), fmt.Sprint("records of v", i), "123"
	}
	if got := m.files("var/backups/scentpost"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("copies: %q\n   want: %q", got, want)
	}
	if mode := m.stat("var/backups/scentpost").Mode().Perm(); mode != 0o700 {
		t.Errorf("the copies' folder has the mode %o", mode)
	}
	is, was := m.stat("var/backups/scentpost/12-1.12/journal/epoch-1.db"), m.stat("var/lib/scentpost/journal/epoch-1.db")
	if is.Mode() != was.Mode() || !is.ModTime().Equal(was.ModTime()) {
		t.Errorf("a copy is %v of %v, its file %v of %v", is.Mode(), is.ModTime(), was.Mode(), was.ModTime())
	}
}

func (m *machine) stat(name string) fs.FileInfo {
	m.Helper()
	state, err := os.Stat(m.path(name))
	if err != nil {
		m.Fatal(err)
	}
	return state
}

// TestEveryJournalIsCopied: a station's data may lie in any folder of its state.
func TestEveryJournalIsCopied(t *testing.T) {
	m := newMachine(t)
	if code, said, _ := m.run("preinst", "upgrade", "1", "2"); code != 0 || !strings.Contains(said, "nothing to copy") {
		t.Errorf("without a journal: exit %d, %s", code, said)
	}
	m.write("var/lib/scentpost/meta.json", "at the top")
	m.write("var/lib/scentpost/old station/data/meta.json", "deep")
	if code, said, _ := m.run("preinst", "upgrade", "1", "2"); code != 0 {
		t.Fatalf("exit %d, %s", code, said)
	}
	got := m.files("var/backups/scentpost/1-1")
	if got["old station/data/meta.json"] != "deep" || got["scentpost/meta.json"] != "at the top" {
		t.Errorf("copied: %q", got)
	}
	if got := m.files("var/lib/scentpost"); len(got) != 2 {
		t.Errorf("the scripts made files of root's beside the daemon's: %q", got)
	}
}

// TestNoCopyNoUpgrade: a journal that is open, or that there is no room for, ends the upgrade; nothing half is left.
func TestNoCopyNoUpgrade(t *testing.T) {
	m := newMachine(t)
	withJournal(m, "v1")
	lock, err := os.OpenFile(m.path("var/lib/scentpost/journal/lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	code, said, _ := m.run("preinst", "upgrade", "1", "2")
	if code == 0 || !strings.Contains(said, "has the journal "+m.path("var/lib/scentpost/journal")+" open") || len(m.files("var/backups")) != 0 {
		t.Errorf("an open journal: exit %d, %s, %q", code, said, m.files("var/backups"))
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	m.program("df", "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 9 9 65536 9 /\\n'\n")
	code, said, _ = m.run("preinst", "upgrade", "1", "2")
	if code == 0 || !strings.Contains(said, "no room for a copy of the journal") || len(m.files("var/backups")) != 0 {
		t.Errorf("a full disk: exit %d, %s, %q", code, said, m.files("var/backups"))
	}
	m.program("cp", "#!/bin/sh\nmkdir -p \"$4/journal\"; echo half >\"$4/journal/meta.json\"; exit 1\n")
	_ = os.Remove(filepath.Join(m.bin, "df"))
	if code, said, _ = m.run("preinst", "upgrade", "1", "2"); code == 0 || len(m.files("var/backups")) != 0 {
		t.Errorf("a copy that fails: exit %d, %s, %q", code, said, m.files("var/backups"))
	}
}

// TestConfigureIsIdempotent: it makes the account, gives it the devices, and starts what is described.
func TestConfigureIsIdempotent(t *testing.T) {
	m := newMachine(t, "STUB_systemctl=3")
	m.write("run/udev/control", "")
	_, first, before := m.run("postinst", "configure", "")
	code, again, after := m.run("postinst", "configure", "")
	if code != 0 || first != again || !slices.Equal(before, after) {
		t.Errorf("first %q %q, again %q %q", first, before, again, after)
	}
	_, _, upgrade := m.run("postinst", "configure", "1")
	if !slices.Equal(upgrade, slices.DeleteFunc(slices.Clone(after), func(c string) bool { return strings.HasPrefix(c, "deb-systemd-helper") })) {
		t.Errorf("an upgrade calls %q, the first installation %q", upgrade, after)
	}
	if !strings.Contains(first, "describe the station in "+m.path("etc/scentpost/station.yaml")) {
		t.Errorf("without a configuration it says %q", first)
	}
	for _, want := range []string{"systemd-sysusers scentpost.conf", "udevadm control --reload", "deb-systemd-helper enable scentpostd.service", callStart} {
		if !slices.Contains(after, want) {
			t.Errorf("not called: %s; called: %q", want, after)
		}
	}
	m.write("etc/scentpost/station.yaml", "site: x")
	if _, said, _ := m.run("postinst", "configure", "1"); said != "" {
		t.Errorf("with a configuration it says %q", said)
	}
	m.env = append(m.env, "STUB_deb_systemd_invoke=1")
	if code, said, _ := m.run("postinst", "configure", "1"); code != 0 || !strings.Contains(said, "journalctl -u scentpostd.service says why") {
		t.Errorf("a daemon that does not start: exit %d, %q", code, said)
	}
}

// TestRefusedUpgradeLeavesTheDaemonAlone: what dpkg calls afterwards starts a daemon that is not there, and else does
// nothing.
func TestRefusedUpgradeLeavesTheDaemonAlone(t *testing.T) {
	for _, c := range []struct {
		active string
		call   []string
		calls  []string
	}{
		{"0", []string{"postinst", "abort-upgrade", "2"}, []string{callActive}},
		{"3", []string{"postinst", "abort-upgrade", "2"}, []string{callActive, callStart}}, // the copying failed
		{"0", []string{"postrm", "abort-upgrade", "1", "2"}, []string{""}},
	} {
		m := newMachine(t, "STUB_systemctl="+c.active)
		if code, said, calls := m.run(c.call[0], c.call[1:]...); code != 0 || !slices.Equal(calls, c.calls) {
			t.Errorf("%s: exit %d, calls %q, want %q; %s", c.call, code, calls, c.calls, said)
		}
	}
}

// TestPurgeLeavesTheEvidence and says so; it may be asked twice.
func TestPurgeLeavesTheEvidence(t *testing.T) {
	m := newMachine(t)
	withJournal(m, "v1")
	m.write("etc/scentpost/station.yaml", "site: x")
	m.write("var/backups/scentpost/1-1/journal/meta.json", "v0")
	before := fmt.Sprint(m.files(""))
	for range 2 {
		code, said, _ := m.run("postrm", "purge")
		if after := fmt.Sprint(m.files("")); code != 0 || after != before {
			t.Fatalf("exit %d, %s; left %s", code, said, after)
		}
		for _, want := range []string{"/var/lib/scentpost: the journal and the station's key", "/var/backups/scentpost: copies", "/etc/scentpost: the station's configuration"} {
			if !strings.Contains(said, want) {
				t.Errorf("not said: %s; said: %s", want, said)
			}
		}
	}
	empty := newMachine(t)
	if err := os.MkdirAll(empty.path("etc/scentpost"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code, said, _ := empty.run("postrm", "purge"); code != 0 || strings.Contains(said, "/var/lib") {
		t.Errorf("with nothing there: exit %d, %s", code, said)
	}
	if _, err := os.Stat(empty.path("etc/scentpost")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder stays: %v", err)
	}
}

// TestOutsideOfSystemd: in a folder that is no running machine, as an image is built, nothing is started or stopped.
func TestOutsideOfSystemd(t *testing.T) {
	m := newMachine(t, "STUB_scentpost=3")
	if err := os.RemoveAll(m.path("run")); err != nil {
		t.Fatal(err)
	}
	for _, call := range [][]string{{"prerm", "upgrade", "2"}, {"prerm", "remove"}, {"postinst", "configure", ""}, {"postrm", "remove"}} {
		code, said, calls := m.run(call[0], call[1:]...)
		for _, c := range calls {
			if strings.HasPrefix(c, "systemctl") || strings.HasPrefix(c, "deb-systemd-invoke") || strings.HasPrefix(c, "udevadm") {
				t.Errorf("%s calls %s", call, c)
			}
		}
		if code != 0 {
			t.Errorf("%s: exit %d, %s", call, code, said)
		}
	}
}

// TestScriptsAreCleanPOSIX asks shellcheck.
func TestScriptsAreCleanPOSIX(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("shellcheck is missing: apt-get install shellcheck")
		}
		t.Skip("NOT RUN: shellcheck is missing: apt-get install shellcheck")
	}
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "#!/bin/sh\n") || !strings.Contains(string(text), "\nset -e\n") {
			t.Errorf("%s is no script of sh that ends at the first error", script)
		}
	}
	if out, err := exec.Command(shellcheck, "-s", "sh", "preinst", "postinst", "prerm", "postrm").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
