package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/simulator/hardware"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// canisterBoard is the board that the canisters of the example are on.
const canisterBoard = "nano-1"

// TestBoardsThatFail: a session on boards that are reset and cut off, played by twins.
func TestBoardsThatFail(t *testing.T) {
	t.Parallel()
	boardsThatFail(t)
}

// TestFirmwareThatFails is the same with the real firmware in simavr on the board of the canisters. The other board is a
// twin: two chips beside a daemon would fall behind on two busy cores.
func TestFirmwareThatFails(t *testing.T) {
	if os.Getenv("SCENTPOST_FIRMWARE") == "" {
		t.Skip("make test-firmware runs it: it needs a core of its own")
	}
	built := simavrtest.Build(t, 500_000)
	boardsThatFail(t, "--firmware", built.ELF, "--runner", built.Runner, "--on", canisterBoard)
}

// bench is a session on boards, run by commands.
type bench struct {
	*rig
	w      *watcher
	voided []int // the runs that this test meant to void
	busy   []int // those that were voided by themselves: the machine is too busy
	paused int   // how often the session was
}

func boardsThatFail(t *testing.T, more ...string) {
	b := newBench(t, more...)
	b.serve()
	b.w = b.watch()
	b.there()
	b.figures(canisterBoard, true)
	b.tell("Assessor", "open", "testdata/boards.yaml", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	b.tell("Loader", "load")
	sealed := b.tell("Assessor", "seal", "--dice", strings.Repeat("1 2 3 4 5 6 ", 10)).Status
	checkpoint := b.path("sealed.txt")
	if err := os.WriteFile(checkpoint, []byte(sealed.Checkpoint), 0o600); err != nil {
		t.Fatal(err)
	}
	b.figures(b.path(canisterBoard), false) // its port is the daemon's, too
	for faults := []func(){b.reset, b.cut}; ; {
		status := b.arm()
		if status.Phase == trial.Ended {
			if len(faults) > 0 {
				t.Fatalf("the session ended before %d faults", len(faults))
			}
			break
		}
		run := status.Run.Run
		if !b.search(run) {
			continue
		}
		if len(status.Runs) == 1 || len(faults) == 0 { // the first run is a sound one
			_, _, _ = b.cli("session", "clear", "--as", "Assessor")
			b.over(run)
			continue
		}
		b.voided = append(b.voided, run)
		faults[0]()
		faults = faults[1:]
		b.over(run)
	}
	b.finish(checkpoint)
}

// newBench starts the boards of the example.
func newBench(t *testing.T, more ...string) *bench {
	t.Helper()
	b := &bench{rig: &rig{t: t, name: "boards"}}
	b.configure(options{example: "virtual-boards", name: "boards"})
	args := []string{"rig", b.config, "--seed", "7", "--handler", "none", "--plan", "testdata/boards.yaml", "--probe", b.path("station.sock.probe")}
	b.station = startFed(t, "scentsim", append(args, more...)...)
	b.station.line(t, "ready")
	return b
}

// there waits until both boards are: a daemon starts without them.
func (b *bench) there() {
	b.t.Helper()
	absent := func(c health.Condition) bool { return c.Code == health.DeviceAbsent && c.Until == 0 }
	for limit := time.Now().Add(patience); ; {
		status := b.tell("Assessor", "status").Status
		if status.Obstacle == nil && !slices.ContainsFunc(status.Conditions, absent) {
			return
		}
		if time.Now().After(limit) {
			b.t.Fatalf("the boards did not come: %v %+v", status.Obstacle, status.Conditions)
		}
	}
}

// figures asks what a board is: what passes on its line is told while no placement is secret.
func (b *bench) figures(board string, told bool) {
	b.t.Helper()
	said := b.must("board", "info", board)
	if !strings.Contains(said, "the daemon says so") || strings.Contains(said, "frames that were none") != told || strings.Contains(said, "after the reveal") == told {
		b.t.Errorf("figures told: %t, want %t: %s", !told, told, said)
	}
	if list := b.must("board", "ls"); !strings.Contains(list, "in use by the daemon, board "+canisterBoard) {
		b.t.Errorf("the ports: %s", list)
	}
}

// order tells the rig to do something with the board of the canisters.
func (b *bench) order(what string) {
	b.t.Helper()
	fmt.Fprintln(b.station.in, what, canisterBoard)
	if answer := b.station.line(b.t, ""); answer != "ok" {
		b.t.Fatalf("%s: %s", what, answer)
	}
}

// arm arms the next run as soon as its boards are there, resumes the session where it is paused, and returns the state
// in which the run is armed, or the session over.
func (b *bench) arm() control.Status {
	b.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		status := *b.tell("Assessor", "status").Status
		if status.Phase == trial.Ended {
			return status
		}
		if status.Paused != nil {
			b.paused++
			b.tell("Assessor", "resume")
		}
		out, wrong, code := b.cli("session", "arm", "--as", "Assessor")
		if code == 0 {
			return b.w.until(b.t, "the armed run", func(s control.Status) bool { return s.Run != nil && len(s.Runs) == len(status.Runs)+1 })
		}
		if !strings.Contains(wrong, "absent") && !strings.Contains(wrong, "cannot start") {
			b.t.Fatalf("arm: %s%s", out, wrong)
		}
	}
	b.t.Fatal("the boards did not come back")
	return control.Status{}
}

// search starts the run when its canisters are open, and tells whether it got so far: a busy machine may be too slow for
// it, which voids it.
func (b *bench) search(run int) bool {
	b.t.Helper()
	gone := func(s control.Status) bool { return s.Run == nil || s.Run.Run != run || s.Run.State == trial.Voided }
	status := b.w.until(b.t, "the canisters to be open", func(s control.Status) bool { return gone(s) || s.Run.State == trial.Shown })
	if !gone(status) {
		if _, _, code := b.cli("session", "start", "--as", "Assessor"); code == 0 {
			status = b.w.until(b.t, "the search", func(s control.Status) bool { return gone(s) || s.Run.State == trial.Searching })
		}
	}
	if gone(status) {
		b.over(run)
		return false
	}
	return true
}

// over waits for the end of a run.
func (b *bench) over(run int) {
	b.t.Helper()
	ended := func(r control.RunStatus) bool { return r.Run == run }
	status := b.w.until(b.t, fmt.Sprintf("the end of run %d", run), func(s control.Status) bool { return between(s) && slices.ContainsFunc(s.Runs, ended) })
	r := status.Runs[slices.IndexFunc(status.Runs, ended)]
	if r.State == trial.Voided && !slices.Contains(b.voided, run) {
		b.t.Logf("run %d was voided by itself (%s): the machine is busy", run, r.Why)
		b.busy = append(b.busy, run)
	}
	b.safe()
}

// open is the first half of a fault: canisters are open, else it would show nothing.
func (b *bench) open() {
	b.t.Helper()
	if driven(b.ask()) == 0 {
		b.t.Error("no canister is open in mid-run")
	}
}

// safe waits until no canister is driven and all are closed.
func (b *bench) safe() {
	b.t.Helper()
	closed := func(c hardware.CanisterState) bool { return !c.Driven && c.State == "closed" }
	for limit := time.Now().Add(patience); ; {
		state := b.ask()
		if len(state.Canisters) == 4 && !slices.ContainsFunc(state.Canisters, func(c hardware.CanisterState) bool { return !closed(c) }) {
			return
		}
		if time.Now().After(limit) {
			b.t.Fatalf("not safe: %+v", state.Canisters)
		}
	}
}

// reset presses the board's reset button in mid-run.
func (b *bench) reset() {
	b.open()
	b.order("reset")
}

// cut breaks the board's line in mid-run, and mends it when the board has let go of the canisters: nobody can have told it
// to, so that it was the missing heartbeat.
func (b *bench) cut() {
	b.open()
	b.order("cut")
	b.safe()
	b.order("join")
}

// finish closes the session and looks at its record: what was meant to be void is, by its canisters, and nothing else is.
func (b *bench) finish(checkpoint string) {
	b.t.Helper()
	bundle := b.path("session.zip")
	b.tell("Loader", "close", "--all-back")
	b.figures(canisterBoard, true)
	b.must("record", "export", "-o", bundle)
	report := b.checkVerified(bundle, checkpoint, event.Dice)
	completed := 0
	for _, run := range report.Result.Runs {
		if void := slices.Contains(b.voided, run.Run) || slices.Contains(b.busy, run.Run); void != (run.How == "voided") {
			b.t.Errorf("run %d: %+v", run.Run, run)
		}
		if slices.Contains(b.voided, run.Run) && run.Cause != event.CauseMechanical {
			b.t.Errorf("run %d is void by %q, want %q: its canisters were let go of", run.Run, run.Why, event.CauseMechanical)
		}
		if run.How == "completed" {
			completed++
		}
	}
	if completed != 3 || len(b.voided) != 2 || b.paused == 0 {
		b.t.Errorf("%d runs completed, want 3; %d voided; paused %d times", completed, len(b.voided), b.paused)
	}
	b.daemon.stop(b.t)
	b.station.stop(b.t)
}
