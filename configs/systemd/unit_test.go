// Package systemd_test holds the daemon's unit to what it must say, and to what it must not.
package systemd_test

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const unitFile = "scentpostd.service"

// setting is one line of a unit.
type setting struct{ section, name, value string }

// parse reads a unit: systemd.syntax(7) without continued lines, which ours has none of.
func parse(t *testing.T, text string) []setting {
	t.Helper()
	var all []setting
	section := ""
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
		default:
			name, value, found := strings.Cut(line, "=")
			if !found || section == "" || strings.HasSuffix(line, `\`) {
				t.Fatalf("this is no setting in a section: %q", line)
			}
			all = append(all, setting{section, strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return all
}

func unit(t *testing.T) []setting {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

// values returns all words that a name is set to.
func values(all []setting, section, name string) (words []string, set bool) {
	for _, s := range all {
		if s.section == section && s.name == name {
			set = true
			words = append(words, strings.Fields(s.value)...)
		}
	}
	return words, set
}

// problems returns what is wrong with a unit.
func problems(all []setting) []string {
	var wrong []string
	for _, want := range []setting{
		{"Service", "Type", "notify"},
		{"Service", "NotifyAccess", "main"},
		{"Service", "ExecStart", "/usr/bin/scentpostd run /etc/scentpost/station.yaml"},
		{"Service", "User", "scentpost"},
		{"Service", "StateDirectory", "scentpost"},
		{"Service", "RuntimeDirectory", "scentpost"},
		{"Service", "WatchdogSec", "30s"},
		{"Service", "WatchdogSignal", "SIGKILL"}, // SIGABRT has Go print the stacks, with what is in the registers
		{"Service", "LimitCORE", "0"},
		{"Service", "Restart", "always"},               // by the manual of systemd on-failure takes SIGPIPE and SIGHUP for a clean end
		{"Service", "RestartPreventExitStatus", "2 4"}, // another start would repeat them: see cmd/internal/program
		{"Service", "MemoryMax", "256M"},
		{"Service", "MemorySwapMax", "0"},
		{"Service", "TasksMax", "256"},
		{"Unit", "StartLimitIntervalSec", "0"},
		{"Unit", "ConditionPathExists", "/etc/scentpost/station.yaml"},
		{"Service", "SystemCallFilter", "@system-service adjtimex clock_adjtime"},
		{"Service", "CapabilityBoundingSet", ""},
		{"Service", "AmbientCapabilities", ""},
		{"Service", "NoNewPrivileges", "yes"},
		{"Service", "PrivateMounts", "yes"},
		{"Service", "ProtectSystem", "strict"},
		{"Service", "RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"},
		{"Service", "DevicePolicy", "closed"},
	} {
		if got, set := values(all, want.section, want.name); !set || !slices.Equal(got, strings.Fields(want.value)) {
			wrong = append(wrong, want.name+" is "+strings.Join(got, " ")+", want "+want.value)
		}
	}
	for name, why := range map[string]string{
		"ProtectClock":        "reading the kernel's clock would be refused",
		"ProcSubset":          "the boot id would be hidden",
		"PrivateUsers":        "every peer of the socket would be 65534",
		"PrivateDevices":      "GPIO, I2C and serial ports would be gone",
		"SupplementaryGroups": "the devices are of the account's own group",
		"DynamicUser":         "the journal would change its owner",
		"ExecStop":            "SIGTERM is the orderly stop",
	} {
		if got, set := values(all, "Service", name); set {
			wrong = append(wrong, name+" is set to "+strings.Join(got, " ")+": "+why)
		}
	}
	allowed, _ := values(all, "Service", "DeviceAllow")
	for _, device := range []string{"char-gpiochip", "char-i2c", "char-ttyAMA", "char-ttyUSB", "char-ttyACM"} {
		if !slices.Contains(allowed, device) {
			wrong = append(wrong, "the device "+device+" is not allowed")
		}
	}
	return wrong
}

func TestTheUnitSaysWhatItMust(t *testing.T) {
	for _, wrong := range problems(unit(t)) {
		t.Error(wrong)
	}
}

// TestProblemsAreSeen plants each kind of them.
func TestProblemsAreSeen(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, says string }{
		{"Type=notify", "Type=simple", "Type is simple"},
		{"Restart=always", "Restart=on-failure", "Restart is on-failure"},
		{"TasksMax=256", "", "TasksMax is"},
		{"RestartPreventExitStatus=2 4", "RestartPreventExitStatus=1 2 4", "RestartPreventExitStatus is 1 2 4"},
		{"WatchdogSec=30s", "", "WatchdogSec is"},
		{"SystemCallFilter=adjtimex clock_adjtime", "", "SystemCallFilter is @system-service,"},
		{"PrivateMounts=yes", "PrivateMounts=yes\nProtectClock=yes", "ProtectClock is set"},
		{"PrivateMounts=yes", "PrivateMounts=yes\nPrivateUsers=no", "PrivateUsers is set"},
		{"PrivateMounts=yes", "PrivateMounts=yes\nProcSubset=pid", "ProcSubset is set"},
		{"UMask=0077", "UMask=0077\nSupplementaryGroups=gpio", "SupplementaryGroups is set"},
		{"DeviceAllow=char-i2c rw", "# DeviceAllow=char-i2c rw", "char-i2c"},
		{"CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_SYS_TIME", "CapabilityBoundingSet is CAP_SYS_TIME"},
	} {
		changed := strings.Replace(string(text), c.old, c.with, 1)
		if wrong := problems(parse(t, changed)); len(wrong) != 1 || !strings.Contains(wrong[0], c.says) {
			t.Errorf("%q for %q: %q", c.with, c.old, wrong)
		}
	}
}

// TestExposure: the offline score of systemd 252, which Debian 12 has, is at most 2.0.
func TestExposure(t *testing.T) {
	const most = 2.0
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("NOT RUN: the unit's exposure was not measured: there is no systemd-analyze here (apt install systemd)")
	}
	version, err := exec.Command(analyze, "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "systemd 252 ") {
		first, _, _ := strings.Cut(string(version), "\n")
		t.Skipf("NOT RUN: the unit's exposure was not measured: the limit is systemd 252's, and this is %q (%v)", first, err)
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "./"+unitFile).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for scentpostd\.service: (\d+\.\d+)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("systemd-analyze: %v\n%s", err, out)
	}
	score, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil || score > most {
		t.Errorf("the exposure is %.1f, at most %.1f wanted (%v):\n%s", score, most, err, out)
	}
	t.Logf("exposure %.1f", score)
	// It also names settings that it does not know, and still gives a score.
	if regexp.MustCompile(`(?i)unknown|failed to parse|ignoring`).Match(out) {
		t.Errorf("systemd-analyze complains:\n%s", out)
	}
}
