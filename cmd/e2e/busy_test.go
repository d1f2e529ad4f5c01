package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/trial"
)

// busy asks whether a session is under way, as a package's script does.
func (r *rig) busy(want int, words string) {
	r.t.Helper()
	out, wrong, code := r.cli("station", "busy", "--within", patience.String())
	if code != want || !strings.Contains(out+wrong, words) {
		r.t.Errorf("station busy exits %d with %q and %q, want %d and %q", code, out, wrong, want, words)
	}
}

// TestBusyFromTheOpeningToTheClose: a script that asks before an upgrade is told of every session that is under way,
// also of one that a starting daemon has not brought back yet; a daemon that is dead or hangs holds nobody up.
func TestBusyFromTheOpeningToTheClose(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "busy", plan: "../../configs/plans/short.yaml", scale: 40, seed: 1})
	r.busy(3, "no daemon answers")
	r.serve()
	r.busy(1, "no session is under way")
	r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	r.busy(0, "is under way (opened)")
	r.tell("Loader", "load")
	r.busy(0, "is under way (loaded)")
	r.tell("Assessor", "seal", "--dice", strings.Repeat("1 2 3 4 5 6 ", 5))
	r.busy(0, "is under way (sealed)")
	r.tell("Assessor", "pause", "rain")
	r.busy(0, "is under way (sealed)")

	r.daemon.kill(t)
	r.station.stop(t)
	r.busy(3, "no daemon answers")
	r.launch().line(t, "ready") // and no more: its devices are absent
	r.busy(0, "was interrupted and is to be brought back")
	r.station = start(t, "scentsim", "station", r.config, "--seed", "1", "--scale", "40")
	r.daemon.line(t, "sessions")
	r.busy(0, "is under way (sealed)")

	r.tell("Assessor", "abort", "the dog is unwell")
	w := r.watch()
	w.until(t, "the session's end", func(s control.Status) bool { return s.Phase == trial.Ended })
	w.kill(t)
	r.busy(0, "has ended and is not closed")
	r.tell("Loader", "close", "--all-back")
	r.busy(1, "no session is under way")

	if err := r.daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	r.daemon.stopped(t)
	if _, wrong, code := r.cli("station", "busy", "--within", time.Millisecond.String()); code != 3 || !strings.Contains(wrong, "it hangs") {
		t.Errorf("a stopped daemon: exit %d, %s", code, wrong)
	}
	if err := r.daemon.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.daemon.stop(t)
	r.launch().line(t, "ready")
	r.busy(1, "no session is under way")
	r.daemon.stop(t)
	r.station.stop(t)
}

// stopped waits until a process that was sent SIGSTOP has stopped: its threads stop one after the other, and until then some
// of them answer.
func (p *program) stopped(t testing.TB) {
	t.Helper()
	threads := fmt.Sprintf("/proc/%d/task", p.Process.Pid)
	for limit := time.Now().Add(patience); time.Now().Before(limit); runtime.Gosched() {
		all, err := os.ReadDir(threads)
		if err != nil {
			t.Fatal(err)
		}
		running := 0
		for _, thread := range all {
			status, err := os.ReadFile(filepath.Join(threads, thread.Name(), "status"))
			if err == nil && !strings.Contains(string(status), "State:\tT") {
				running++
			}
		}
		if running == 0 {
			return
		}
	}
	t.Fatal("it does not stop")
}
