package debtest_test

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"scentpost/drivers/linux/kerneltest"
)

// The accounts of the guest.
const (
	assessorUID = 2001
	loaderUID   = 2002
	strangerUID = 2003
)

// stationFile is a station on a simulated chip: two positions with two canisters each.
const stationFile = `site: guest
station: packaged
data: /var/lib/scentpost
socket: /run/scentpost/scentpost.sock
driver:
  type: linux
  lines:
    c1a.drive: {active_low: true, external: pull-up}
    c1b.drive: {active_low: true, external: pull-up}
    c2a.drive: {active_low: true, external: pull-up}
    c2b.drive: {active_low: true, external: pull-up}
people:
  - {name: Assessor, roles: [assessor], uid: 2001}
  - {name: Loader, roles: [loader], uid: 2002}
positions: 2
timing: {lead: 2s, travel: 1500ms, close: 1500ms, grid: 1s, withdraw: 3s, long_press: 1s, open: 4m, edge_budget: 2000}
devices:
  - {name: beam-1, type: beam, position: 1, line: beam1}
  - {name: beam-2, type: beam, position: 2, line: beam2}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: c1a.drive, opened: c1a.opened, closed: c1a.closed}, pinch: out-of-reach}
  - {name: canister-1b, type: shutter, position: 1, canister: "1B", lines: {drive: c1b.drive, opened: c1b.opened, closed: c1b.closed}, pinch: out-of-reach}
  - {name: canister-2a, type: shutter, position: 2, canister: "2A", lines: {drive: c2a.drive, opened: c2a.opened, closed: c2a.closed}, pinch: out-of-reach}
  - {name: canister-2b, type: shutter, position: 2, canister: "2B", lines: {drive: c2b.drive, opened: c2b.opened, closed: c2b.closed}, pinch: out-of-reach}
  - {name: button-e-stop, type: button, role: e-stop, line: button.estop}
`

// wire puts the chip of the station in, whose canisters are closed, and a bus.
func wire(t *testing.T) {
	t.Helper()
	for _, module := range [][]string{{"configfs"}, {"gpio-sim"}, {"i2c-dev"}, {"i2c-stub", "chip_addr=0x20"}} {
		must(t, "insmod", append([]string{folder + module[0] + ".ko"}, module[1:]...)...)
	}
	if err := unix.Mount("configfs", "/sys/kernel/config", "configfs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		t.Fatal(err)
	}
	lines := []string{"beam1", "beam2", "button.estop"}
	var up []int
	for _, c := range []string{"c1a", "c1b", "c2a", "c2b"} {
		up = append(up, len(lines), len(lines)+2)
		lines = append(lines, c+".drive", c+".opened", c+".closed")
	}
	chip, err := kerneltest.NewChip("station", lines...)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range up {
		if err := chip.Pull(line, true); err != nil {
			t.Fatal(err)
		}
	}
}

// disciplined has the kernel believe that a time server disciplines its clock.
func disciplined(t *testing.T) {
	t.Helper()
	state, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_STATUS | unix.ADJ_MAXERROR, Status: unix.STA_PLL, Maxerror: 1000})
	if err != nil || state == unix.TIME_ERROR {
		t.Fatalf("adjtimex: %d, %v", state, err)
	}
}

// owned checks who may use a device.
func owned(t *testing.T, path, want string) {
	t.Helper()
	if got := must(t, "stat", "--format", "%U:%G %a", path); got != want {
		t.Errorf("%s is of %s, want %s", path, got, want)
	}
}

// sandboxed checks that the kernel holds the daemon in the unit's sandbox.
func sandboxed(t *testing.T) {
	t.Helper()
	pid := unit(t, "MainPID")
	status := read(t, "/proc/"+pid+"/status")
	for _, want := range []string{"\nSeccomp:\t2\n", "\nNoNewPrivs:\t1\n", "\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("the daemon is not %q:\n%s", want, status)
		}
	}
	account, err := user.Lookup("scentpost")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(status, "\nUid:\t"+account.Uid+"\t"+account.Uid) {
		t.Errorf("the daemon does not run as scentpost (%s):\n%s", account.Uid, status)
	}
	mounts := read(t, "/proc/"+pid+"/mountinfo")
	if !strings.Contains(mounts, " / / ro,") {
		t.Errorf("the daemon may write to the root:\n%s", mounts)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// phase returns where the session is, as everybody may know.
func phase(t *testing.T) string {
	t.Helper()
	said, code := try(t, as(strangerUID, "station", "busy", "--json"))
	_, rest, found := strings.Cut(said, `"phase": "`)
	if name, _, ended := strings.Cut(rest, `"`); found && ended && code < 2 {
		return name
	}
	t.Fatalf("station busy: exit %d\n%s", code, said)
	return ""
}

// install has dpkg install a package, as an upgrade too.
func install(t *testing.T, file string) (said string, code int) {
	t.Helper()
	return try(t, exec.Command("dpkg", "--install", folder+file))
}
