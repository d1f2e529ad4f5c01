package main

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
	"scentpost/simulator/hardware"
	"scentpost/station/control"
	"scentpost/station/doctor"
	"scentpost/station/event"
	"scentpost/station/trial"
)

// kernel is a machine on which a virtual station stands or not; it counts the looks at it.
type kernel struct {
	stands bool
	looks  int
}

func (k *kernel) Account() doctor.Account          { return doctor.Account{Name: "pi"} }
func (k *kernel) Model() string                    { return "" }
func (k *kernel) Chips() ([]doctor.Chip, error)    { k.looks++; return nil, nil }
func (k *kernel) Buses() ([]doctor.Bus, error)     { k.looks++; return nil, nil }
func (k *kernel) Port(string) doctor.Port          { k.looks++; return doctor.Port{} }
func (k *kernel) Probe(doctor.Place) doctor.Answer { k.looks++; return doctor.Silent }
func (k *kernel) Stands(string) bool               { k.looks++; return k.stands }

// ask runs the doctor on a machine.
func ask(k *kernel, file string, asJSON bool) (out string, err error) {
	var text strings.Builder
	err = doctorCmd{Config: file, JSON: asJSON}.examine(program.Streams{Out: &text, Err: &text}, k)
	return text.String(), err
}

// stationFile writes a configuration whose paths are those of cfg.
func stationFile(t *testing.T, d daemon) string {
	t.Helper()
	text, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "station.yaml")
	for old, path := range map[string]string{
		"../../build/virtual-two/data": d.cfg.Data, "../../build/virtual-two/scentpost.sock": d.cfg.Socket, "../../build/virtual-two/station.sock": d.cfg.Driver.Socket,
	} {
		text = []byte(strings.ReplaceAll(string(text), old, path))
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheDoctorsExitCodes(t *testing.T) {
	file := stationFile(t, daemon{cfg: testConfig(t)})
	k := &kernel{stands: true}
	if out, err := ask(k, file, false); err != nil || !strings.Contains(out, "all 12 devices are found") || k.looks != 1 {
		t.Errorf("all found: %v, %s", err, out)
	}
	out, err := ask(&kernel{}, file, true)
	var report doctor.Report
	if wrong := json.Unmarshal([]byte(out), &report); wrong != nil || err == nil || report.Wrong() != 12 || len(report.Devices) != 12 ||
		report.Devices[0].Problems[0].Cause != doctor.NoStation || report.Devices[0].Problems[0].Do != "scentsim station "+file+" --seed 1" {
		t.Errorf("nothing found: %v, %v, %s", err, wrong, out)
	}
	for args, want := range map[string]int{
		"doctor " + file: program.ExitNo, "doctor --json " + file: program.ExitNo, "doctor": program.ExitUsage, "doctor " + file + " x": program.ExitUsage,
		"doctor none.yaml": program.ExitUsage, "doctor " + two + " --colour": program.ExitUsage, "doctor --help": program.ExitFine,
	} {
		if code, out, wrong := scentpostd(strings.Fields(args)...); code != want {
			t.Errorf("%s: exit %d, want %d: %s%s", args, code, want, out, wrong)
		}
	}
}

// TestTheDoctorAsksARunningDaemon, and looks at nothing else. Before the reveal it hears of canisters what was so at the
// seal.
func TestTheDoctorAsksARunningDaemon(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg, jam)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	file := stationFile(t, d)
	k := &kernel{}
	if out, err := ask(k, file, false); err != nil || !strings.Contains(out, "the daemon at "+cfg.Socket+" was asked") || !strings.Contains(out, "comes next: open a session") {
		t.Errorf("%v, %s", err, out)
	}
	w := d.watch(t)
	d.seal(t)
	d.must(t, control.Request{Command: "arm", As: "Assessor"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Run != nil && s.Run.Cause == event.CauseMechanical })
	if out, err := ask(k, file, false); err != nil || !strings.Contains(out, "found    canister-1a    shutter  (at the seal)") || !strings.Contains(out, "a session is sealed") {
		t.Errorf("while sealed: %v, %s", err, out)
	}
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	if out, err := ask(k, file, false); err == nil || !strings.Contains(out, "FAULT    canister-") || strings.Contains(out, "at the seal") {
		t.Errorf("after the reveal: %v, %s", err, out)
	}
	if k.looks != 0 {
		t.Errorf("the machine was looked at %d times", k.looks)
	}
}

// jam lets every canister of a station of two positions fail.
func jam(st *hardware.Station) {
	for _, canister := range []string{"1A", "1B", "2A", "2B"} {
		if err := st.Fail(canister, hardware.Fault{Kind: hardware.StuckClosed}); err != nil {
			panic(err)
		}
	}
}

// TestADaemonThatDoesNotAnswer holds nobody up, and one of another version says so.
func TestADaemonThatDoesNotAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := l.Accept(); err == nil {
			cancel()
			<-t.Context().Done()
			_ = conn.Close()
		}
	}()
	if d, err := askDaemon(ctx, socket); err == nil || d != nil {
		t.Errorf("a daemon that hangs: %v, %v", d, err)
	}
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = conn.Write([]byte(`{"ok":false,"error":"unknown command \"doctor\""}` + "\n"))
			_ = conn.Close()
		}
	}()
	if d, err := askDaemon(t.Context(), socket); err == nil || d != nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a daemon of another version: %v, %v", d, err)
	}
	_ = l.Close()
	if d, err := askDaemon(t.Context(), socket); err != nil || d != nil {
		t.Errorf("no daemon: %v, %v", d, err)
	}
}

// TestTheDoctorAsksForNoLine: of the package that can, the machine's view uses what looks alone.
func TestTheDoctorAsksForNoLine(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "machine.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.Ident); ok && of.Name == "linux" && !slices.Contains(used, s.Sel.Name) {
				used = append(used, s.Sel.Name)
			}
		}
		return true
	})
	slices.Sort(used)
	if !slices.Equal(used, []string{"Buses", "KeepsOutputs", "Look", "PortInUse", "ProbeI2C", "Stable", "SysFolder"}) {
		t.Errorf("it uses %q", used)
	}
}

func TestThisMachine(t *testing.T) {
	var m thisMachine
	if a := m.Account(); a.Name == "" || a.Root != (os.Geteuid() == 0) {
		t.Errorf("the account is %+v", a)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if n := node(file); n.Mode != 0o640 || n.Group == "" || n.Denied {
		t.Errorf("a file of ours: %+v", n)
	}
	if n := node(filepath.Join(dir, "none")); !n.Denied || n.Group != "" {
		t.Errorf("no file: %+v", n)
	}
	socket := filepath.Join(dir, "s")
	if m.Stands(socket) {
		t.Error("nobody is there, and somebody listens")
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Stands(socket) {
		t.Error("somebody listens, and nobody is there")
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if m.Stands(socket) {
		t.Error("a socket that is left behind")
	}
	if m.Probe(doctor.Place{Bus: "i2c-999", Address: "0x76"}) == doctor.Answers || m.Probe(doctor.Place{Bus: "i2c-999", Address: "x"}) == doctor.Answers {
		t.Error("a chip answers on a bus that is not there")
	}
}

// sockets is a list as the kernel gives it.
const sockets = `Num       RefCount Protocol Flags    Type St Inode Path
ffff0001: 00000002 00000000 00010000 0001 01 101 /run/a
ffff0002: 00000003 00000000 00000000 0001 03 102 /run/b
ffff0003: 00000002 00000000 00010000 0001 01 103 build/c
ffff0004: 00000002 00000000 00010000 0001 01 104
ffff0005: 00000002 00000000 00010000 0001 01 105 /run/with space
`

func TestListens(t *testing.T) {
	for socket, want := range map[string]bool{"/run/a": true, "/run/b": false, "/home/x/build/c": true, "/run/c": true, "/run/with space": true, "/run": false, "": false} {
		if got := listens(strings.NewReader(sockets), socket); got != want {
			t.Errorf("somebody listens on %q: %v", socket, got)
		}
	}
}

func FuzzListens(f *testing.F) {
	f.Add(sockets, "/run/a")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, text, socket string) {
		if listens(strings.NewReader(text), socket) && !strings.Contains(text, "00010000") {
			t.Errorf("%q listens by %q", socket, text)
		}
	})
}
