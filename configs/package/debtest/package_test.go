package debtest_test

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The packages that the guest has; the second is the first with a higher version.
const (
	oldPackage = "old.deb"
	newPackage = "new.deb"
)

// The daemon's folders.
const (
	state  = "/var/lib/scentpost"
	copies = "/var/backups/scentpost"
	config = "/etc/scentpost/station.yaml"
)

// life is what the steps of a package's life tell each other.
type life struct{ old, new string }

// TestLife installs the package, runs a session, is refused an upgrade, upgrades, removes and purges.
func TestLife(t *testing.T) {
	inGuest(t)
	l := life{old: must(t, "dpkg-deb", "--field", folder+oldPackage, "Version"), new: must(t, "dpkg-deb", "--field", folder+newPackage, "Version")}
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"install", l.install}, {"start", l.start}, {"exposure", l.exposure}, {"peers", l.peers}, {"refused", l.refused},
		{"watchdog", l.watchdog}, {"signals", l.signals}, {"dead", l.dead}, {"clock", l.clock}, {"full", l.full}, {"idle", l.idle}, {"purge", l.purge},
	} {
		// Each stands on those before.
		if !t.Run(step.name, step.run) {
			t.FailNow()
		}
	}
}

// install: no station is made up, nothing runs, nothing failed, and the board's devices are the daemon's.
func (l life) install(t *testing.T) {
	wire(t)
	disciplined(t)
	must(t, "udevadm", "settle")
	// As Debian has them: the kernel's own.
	owned(t, "/dev/gpiochip0", "root:root 600")
	owned(t, "/dev/i2c-0", "root:root 600")
	said, code := install(t, oldPackage)
	if code != 0 || !strings.Contains(said, "describe the station in "+config) {
		t.Fatalf("exit %d\n%s", code, said)
	}
	must(t, "udevadm", "settle")
	owned(t, "/dev/gpiochip0", "root:scentpost 660")
	owned(t, "/dev/i2c-0", "root:scentpost 660")
	if got := must(t, "id", "--groups", "--name", "scentpost"); got != "scentpost" {
		t.Errorf("the account's groups are %s", got)
	}
	if on, active, failed := must(t, "systemctl", "is-enabled", "scentpostd"), unit(t, "ActiveState"), must(t, "systemctl", "--failed", "--quiet"); on != "enabled" || active != "inactive" || failed != "" {
		t.Errorf("the unit is %s and %s; failed: %q", on, active, failed)
	}
	if _, err := os.Stat(state); err == nil {
		t.Errorf("%s is there before any station", state)
	}
}

// start: the service manager is told of the daemon that it is ready, in the sandbox.
func (l life) start(t *testing.T) {
	write(t, config, stationFile)
	must(t, "scentpostd", "check", config)
	heard := follow(t)
	must(t, "systemctl", "start", "scentpostd") // returns at READY=1
	heard.until(t, "sessions can be run")
	if active := unit(t, "ActiveState"); active != "active" {
		t.Errorf("the unit is %s", active)
	}
	sandboxed(t)
}

// exposure: the offline score of systemd 252, of which 20 stands for 2.0, of the unit as it was installed.
func (l life) exposure(t *testing.T) {
	if version := must(t, "systemctl", "--version"); !strings.HasPrefix(version, "systemd 252 ") {
		t.Fatalf("the limit is systemd 252's, and this is %s", version)
	}
	said := must(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", "/usr/lib/systemd/system/scentpostd.service")
	t.Log(said[strings.LastIndex(said, "\n")+1:])
}

// peers: the daemon knows who speaks on its socket, and opens a session for the assessor alone.
func (l life) peers(t *testing.T) {
	opening := []string{"session", "open", "short", "--dog", "Rex", "--handler", "Handler", "--new", "--assessor", "Assessor"}
	if said, code := try(t, as(strangerUID, opening...)); code != 1 || !strings.Contains(said, fmt.Sprintf("uid %d belongs to nobody", strangerUID)) {
		t.Errorf("a stranger: exit %d, %s", code, said)
	}
	if said, code := try(t, as(loaderUID, opening...)); code != 1 || !strings.Contains(said, "Loader may not open") {
		t.Errorf("the loader: exit %d, %s", code, said)
	}
	if said, code := try(t, as(loaderUID, append(opening, "--as", "Assessor")...)); code != 1 || !strings.Contains(said, "may not speak for") {
		t.Errorf("the loader for the assessor: exit %d, %s", code, said)
	}
	mustRun(t, as(assessorUID, opening...))
	if got := phase(t); got != "opened" {
		t.Errorf("the session is %s", got)
	}
}

// refused: while a session is open, sealed or suspended, both the old and the new package refuse, and nothing happens to
// the daemon, its files or its journal.
func (l life) refused(t *testing.T) {
	l.refuse(t)
	mustRun(t, as(loaderUID, "session", "load"))
	mustRun(t, as(assessorUID, "session", "seal", "--dice", strings.Repeat("1 2 3 4 5 6 ", 5)))
	l.refuse(t)
	mustRun(t, as(assessorUID, "session", "pause", "rain"))
	l.refuse(t)
}

func (l life) refuse(t *testing.T) {
	t.Helper()
	at, before := phase(t), unit(t, "MainPID,NRestarts")
	said, code := install(t, newPackage)
	if code == 0 || strings.Count(said, "REFUSED, nothing was changed") != 2 || !strings.Contains(said, "is under way ("+at+")") {
		t.Errorf("%s: exit %d\n%s", at, code, said)
	}
	if !strings.Contains(said, "old scentpost package pre-removal script") || !strings.Contains(said, "new scentpost package pre-removal script") {
		t.Errorf("%s: it was not refused by both packages:\n%s", at, said)
	}
	if got := must(t, "dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}${Version}", "scentpost"); got != "ii "+l.old {
		t.Errorf("%s: the package is %q, want %q", at, got, "ii "+l.old)
	}
	if got := must(t, "scentpostd", "version"); got != "scentpostd "+l.old {
		t.Errorf("%s: the program is %s", at, got)
	}
	if now, after := phase(t), unit(t, "MainPID,NRestarts"); now != at || after != before {
		t.Errorf("%s: the session is %s, the daemon is process %q, it was %q", at, now, after, before)
	}
	if _, err := os.Stat(copies); err == nil {
		t.Errorf("%s: %s is there", at, copies)
	}
}

// watchdog: a hung daemon is ended and started again, and the session goes on.
func (l life) watchdog(t *testing.T) {
	drop := "/run/systemd/system/scentpostd.service.d"
	if err := os.MkdirAll(drop, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(drop, "short.conf"), "[Service]\nWatchdogSec=6s\n")
	must(t, "systemctl", "daemon-reload")
	heard := follow(t)
	must(t, "systemctl", "restart", "scentpostd")
	heard.until(t, "sessions can be run")
	pid := unit(t, "MainPID")
	must(t, "systemctl", "kill", "--kill-whom=main", "--signal=STOP", "scentpostd")
	heard.until(t, "Watchdog timeout (limit 6s)!")
	heard.until(t, "sessions can be run")
	if now := unit(t, "MainPID"); now == pid || now == "0" || unit(t, "NRestarts") != "1" || phase(t) != "sealed" {
		t.Errorf("process %s after %s, %s restarts, the session is %s", now, pid, unit(t, "NRestarts"), phase(t))
	}
	must(t, "rm", filepath.Join(drop, "short.conf"))
	must(t, "systemctl", "daemon-reload")
}

// signals: a reader of the log that goes away ends nothing, and what ends the daemon without systemctl is made good by a
// restart.
func (l life) signals(t *testing.T) {
	heard := follow(t)
	pid, restarts := unit(t, "MainPID"), unit(t, "NRestarts")
	for _, signal := range []string{"PIPE", "HUP"} {
		must(t, "systemctl", "kill", "--kill-whom=main", "--signal="+signal, "scentpostd")
	}
	if at := phase(t); at != "sealed" || unit(t, "MainPID") != pid || unit(t, "NRestarts") != restarts {
		t.Errorf("after SIGPIPE and SIGHUP the session is %s in process %s, it was %s", at, unit(t, "MainPID"), pid)
	}
	must(t, "systemctl", "kill", "--kill-whom=main", "--signal=TERM", "scentpostd") // it ends in order, with 0
	heard.until(t, "sessions can be run")
	if now := unit(t, "MainPID"); now == pid || now == "0" || phase(t) != "sealed" {
		t.Errorf("after SIGTERM the session is %s in process %s, it was %s", phase(t), now, pid)
	}
}

// dead: a daemon that is dead holds no upgrade up, though its journal has a session without an end. The journal is
// copied as it lies, and the new daemon brings the session back.
func (l life) dead(t *testing.T) {
	must(t, "systemctl", "stop", "scentpostd")
	before := sums(t, state+"/journal")
	heard := follow(t)
	said, code := install(t, newPackage)
	copied := filepath.Join(copies, "1-"+l.old, "journal")
	if code != 0 || !strings.Contains(said, "a copy of the journal is kept in "+filepath.Dir(copied)) {
		t.Fatalf("exit %d\n%s", code, said)
	}
	heard.until(t, "sessions can be run")
	if got := must(t, "scentpostd", "version"); got != "scentpostd "+l.new || phase(t) != "sealed" {
		t.Errorf("after the upgrade: %s, the session is %s", got, phase(t))
	}
	if after := sums(t, copied); after != before || !strings.Contains(after, "meta.json") {
		t.Errorf("the copy:\n%s\nthe journal before:\n%s", after, before)
	}
	if owner := must(t, "stat", "--format", "%U %a", copied, copies); owner != "scentpost 700\nroot 700" {
		t.Errorf("the copy, and the folder of copies, are %s", owner)
	}
}

// sums are the checksums of all files of a folder but the ballast, by their names in it.
func sums(t *testing.T, folder string) string {
	t.Helper()
	c := exec.Command("sh", "-c", "find . -type f ! -name ballast | sort | xargs --no-run-if-empty sha256sum")
	c.Dir = folder
	return mustRun(t, c)
}

// clock: what was recorded in the sandbox bears this boot's id, and knows what the kernel knows of its clock.
func (l life) clock(t *testing.T) {
	mustRun(t, as(assessorUID, "session", "abort", "the dog is unwell"))
	mustRun(t, as(loaderUID, "session", "close", "--all-back"))
	bundle := filepath.Join(t.TempDir(), "session.zip")
	must(t, "scentpost", "record", "export", "--out", bundle)
	boot := strings.TrimSpace(read(t, "/proc/sys/kernel/random/boot_id"))
	for _, line := range lines(t, bundle) {
		if line.Boot != boot || line.Clock != "synced" {
			t.Errorf("%s: the boot is %s, the clock %s; want %s, synced", line.Type, line.Boot, line.Clock, boot)
		}
	}
}

// line is what is read of a record.
type line struct{ Type, Boot, Clock string }

// lines reads the records of a bundle.
func lines(t *testing.T, bundle string) []line {
	t.Helper()
	z, err := zip.OpenReader(bundle)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var all []line
	for _, member := range z.File {
		f, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		for text := bufio.NewScanner(f); text.Scan(); {
			var l line
			if json.Unmarshal(text.Bytes(), &l) == nil && strings.HasPrefix(l.Type, "scentpost.") {
				all = append(all, l)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 5 {
		t.Fatalf("the bundle has %d records", len(all))
	}
	return all
}

// full: where there is no room for a copy of the journal there is no upgrade, and the daemon is started again.
func (l life) full(t *testing.T) {
	if err := unix.Mount("tmpfs", copies, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	pid := unit(t, "MainPID")
	heard := follow(t)
	if said, code := install(t, newPackage); code == 0 || !strings.Contains(said, "no room for a copy of the journal "+state+"/journal") {
		t.Errorf("exit %d\n%s", code, said)
	}
	heard.until(t, "sessions can be run")
	if got := must(t, "dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}${Version}", "scentpost"); got != "ii "+l.new {
		t.Errorf("the package is %q, want %q", got, "ii "+l.new)
	}
	if now := unit(t, "MainPID"); now == pid || now == "0" || unit(t, "ActiveState") != "active" {
		t.Errorf("process %s after %s, the unit is %s", now, pid, unit(t, "ActiveState"))
	}
	if left := sums(t, copies); left != "" {
		t.Errorf("left of the copy:\n%s", left)
	}
	if err := unix.Unmount(copies, 0); err != nil {
		t.Fatal(err)
	}
}

// idle: without a session an upgrade stops the daemon, copies, and starts it again.
func (l life) idle(t *testing.T) {
	pid := unit(t, "MainPID")
	heard := follow(t)
	if said, code := install(t, newPackage); code != 0 || !strings.Contains(said, "kept in "+copies+"/2-"+l.new) {
		t.Fatalf("exit %d\n%s", code, said)
	}
	heard.until(t, "sessions can be run")
	if now := unit(t, "MainPID"); now == pid || now == "0" || unit(t, "ActiveState") != "active" {
		t.Errorf("process %s after %s, the unit is %s", now, pid, unit(t, "ActiveState"))
	}
}

// purge: the removal stops the daemon; neither it nor the purge touches journal and keys, and the purge says so.
func (l life) purge(t *testing.T) {
	must(t, "dpkg", "--remove", "scentpost")
	if active := unit(t, "ActiveState"); active != "inactive" {
		t.Errorf("the unit is %s", active)
	}
	if left, code := try(t, exec.Command("sh", "-c", "command -v scentpost scentpostd")); code == 0 {
		t.Errorf("still there: %s", left)
	}
	before, copied := sums(t, state), sums(t, copies)
	said := must(t, "dpkg", "--purge", "scentpost")
	if !strings.Contains(said, state+": the journal and the station's key") || !strings.Contains(said, copies+": copies") {
		t.Errorf("the purge says:\n%s", said)
	}
	if after := sums(t, state); after != before || !strings.Contains(after, "journal/meta.json") || !strings.Contains(after, "station.key") || sums(t, copies) != copied {
		t.Errorf("left:\n%s\nbefore:\n%s", after, before)
	}
	if got := must(t, "stat", "--format", "%U", state+"/station.key"); got != "scentpost" {
		t.Errorf("the key belongs to %s", got)
	}
	if got, code := try(t, exec.Command("dpkg-query", "--show", "scentpost")); code == 0 {
		t.Errorf("dpkg still knows %s", got)
	}
}
