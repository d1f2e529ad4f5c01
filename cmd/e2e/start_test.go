package e2e

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/health"
)

// TestBoardsThatComeLater: the daemon says that no session can be held and for want of what, and that sessions can be run as
// soon as it is so.
func TestBoardsThatComeLater(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, name: "later"}
	r.configure(options{example: "virtual-boards", name: "later"})
	r.launch()
	got := r.daemon.line(t, "no session")
	if !strings.HasPrefix(got, "no session can be held yet: these devices are absent: nano-1 (") || !strings.Contains(got, ", nano-2 (") || !strings.Contains(got, ": station later at ") {
		t.Errorf("it says %q", got)
	}
	r.station = startFed(t, "scentsim", "rig", r.config, "--seed", "1", "--handler", "none")
	r.daemon.line(t, "sessions can be run")
	r.daemon.stop(t)
}

// TestAnAbsentBrokerIsACondition: the daemon runs sessions without it, and says what is missing.
func TestAnAbsentBrokerIsACondition(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "alone", plan: "short", broker: "tcp://127.0.0.1:1", scale: 40, seed: 1})
	r.serve()
	w := r.watch()
	w.until(t, "the condition", func(s control.Status) bool {
		return len(s.Conditions) == 1 && s.Conditions[0].Code == health.BrokerAway && s.Obstacle == nil
	})
	if got := r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor"); got.Status.Session == "" {
		t.Errorf("a session was not opened: %+v", got.Status)
	}
	r.daemon.stop(t)
	r.station.stop(t)
}

// TestAPlanThatTheVirtualStationIsNotPreparedFor is refused, with the command that helps; with it the daemon goes on by itself.
func TestAPlanThatTheVirtualStationIsNotPreparedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "unprepared", scale: 40, seed: 1})
	r.serve()
	open := []string{"session", "open", "short", "--as", "Assessor", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor"}
	_, wrong, code := r.cli(open...)
	for _, want := range []string{"1B holds smokeless-powder, and the plan loads blank", "scentsim station CONFIG --seed N --plan PLAN"} {
		if code != 1 || !strings.Contains(wrong, want) {
			t.Errorf("exit %d, want 1 and %q:\n%s", code, want, wrong)
		}
	}
	r.station.stop(t)
	r.station = start(t, "scentsim", "station", r.config, "--seed", "2", "--scale", "40", "--plan", "short")
	r.daemon.line(t, "sessions can be run")
	r.must(open...)
	r.daemon.stop(t)
	r.station.stop(t)
}

// TestSignals: the first SIGTERM or SIGINT ends the daemon with 0 at whatever it is, and the devices are let go.
func TestSignals(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "signals", scale: 40, seed: 1})
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		for _, line := range []string{"ready", "sessions"} {
			r.launch().line(t, line)
			if err := r.daemon.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := r.daemon.exit(t); code != 0 {
				t.Errorf("%v after %q: exit %d:\n%s", signal, line, code, r.daemon.said())
			}
		}
	}
	if n := driven(r.ask()); n > 0 {
		t.Errorf("%d canisters are held open by nobody", n)
	}
	r.station.stop(t)
}

// TestNobodyHasToReadTheLog: the reader of a daemon's output goes away, and so does its terminal; the daemon stays, and takes
// commands.
func TestNobodyHasToReadTheLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "unheard", plan: "short", scale: 40, seed: 1})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	daemon := newProgram("scentpostd", []string{"run", r.config})
	daemon.Stdout, daemon.Stderr = write, write
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill() })
	_ = write.Close()
	for said := bufio.NewScanner(read); said.Scan() && !strings.Contains(said.Text(), "sessions can be run"); {
	}
	_ = read.Close()
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE} {
		if err := daemon.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor") // it says so in its log
	r.station.stop(t)                                                                                     // and this
	for limit := time.Now().Add(patience); !strings.Contains(r.must("session", "status"), "bus"); {
		if time.Now().After(limit) {
			t.Fatalf("the station's absence is not told:\n%s", r.must("session", "status"))
		}
	}
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestTwoDaemons: the second process on a journal exits 1 and names the first.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "first", scale: 40, seed: 1})
	r.serve()
	_, wrong, code := call("scentpostd", nil, "run", r.config)
	if code != 1 || !strings.Contains(wrong, fmt.Sprint("process ", r.daemon.Process.Pid)) {
		t.Errorf("the second daemon exits %d and says %q", code, wrong)
	}
	r.must("session", "status")
	r.daemon.stop(t)
}

// BenchmarkStart measures from the start of the process to the line `ready`, when views are served, and to the one
// that says that sessions can be run, after a clean stop.
func BenchmarkStart(b *testing.B) {
	r := newRig(b, options{example: "virtual-two", name: "start", scale: 40, seed: 1})
	r.serve()
	r.daemon.stop(b)
	var ready, sessions time.Duration
	for b.Loop() {
		began := time.Now()
		r.launch().line(b, "ready")
		ready += time.Since(began)
		r.daemon.line(b, "sessions")
		sessions += time.Since(began)
		r.daemon.stop(b)
	}
	b.ReportMetric(float64(ready.Microseconds())/1000/float64(b.N), "ms-to-ready")
	b.ReportMetric(float64(sessions.Microseconds())/1000/float64(b.N), "ms-to-sessions")
}

// BenchmarkIdleMemory reports the resident memory of a daemon that has nothing to do.
func BenchmarkIdleMemory(b *testing.B) {
	r := newRig(b, options{example: "virtual-six", name: "idle", scale: 1, seed: 1})
	r.serve()
	for b.Loop() {
		r.must("session", "status")
	}
	b.ReportMetric(residentMB(b, r.daemon.Process.Pid), "MB-resident")
	r.daemon.stop(b)
}

func residentMB(b testing.TB, pid int) float64 {
	b.Helper()
	return memoryOf(b, pid, "VmRSS")
}

// memoryOf reads a figure of a process's memory from the kernel, in MB.
func memoryOf(b testing.TB, pid int, name string) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kB float64
		if n, _ := fmt.Sscanf(lines.Text(), name+": %f kB", &kB); n == 1 {
			return kB / 1024
		}
	}
	b.Fatal("no " + name)
	return 0
}
