//go:build linux

package kerneltest

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// atOnce bounds, in the guest's time, what the kernel does by itself. It is well below the pause before a restart.
const atOnce = 100 * time.Millisecond

// closing is a figure: when the last canister's line was where it closes.
type closing struct {
	Name string `json:"name"`
	NS   int64  `json:"ns"`
}

// TestStationShowsNoWrongLevel: with the external pull towards closed, set before the daemon starts, no canister's line
// is where it opens until the first command.
func TestStationShowsNoWrongLevel(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{})
	if got := s.opened(); got != 0 {
		t.Fatalf("%d canisters are open before the daemon starts", got)
	}
	s.serve()
	s.seal()
	if got := s.opened(); got != 0 {
		t.Errorf("%d canisters are open before the first command", got)
	}
	changes, drives := s.changes(s.trace()), 0
	for line, all := range changes {
		if !strings.HasSuffix(line, ".drive") {
			continue
		}
		drives++
		if len(all) != 1 || !all[0].high {
			t.Errorf("%s before the first command: %+v, want high and nothing else", line, all)
		}
	}
	if drives != len(shutters) {
		t.Errorf("%d drives in the trace, want %d: %+v", drives, len(shutters), changes)
	}
}

// TestStationClosesWhenKilled: the kernel takes the lines of a process that is killed back at once, and the external
// pull closes what was open.
func TestStationClosesWhenKilled(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{})
	s.serve()
	s.seal()
	s.present()
	s.checkOpen("in a run of two positions", 2)
	killed := s.manager.signal(syscall.SIGKILL)
	closed := s.closedWithin(atOnce)
	publish(t, closing{"closed after SIGKILL", closed - killed})
	_, n := s.manager.until(noteEnded, 0)
	s.restarted(n)
	s.goesOn(1)
}

// TestStationClosesWhenStopped: a daemon that hangs keeps its lines, so that its canisters stay open; the manager kills
// it when the watchdog was not kicked, and the pull closes them within the watchdog's time.
func TestStationClosesWhenStopped(t *testing.T) {
	inGuest(t)
	const watchdog = 6 * time.Second
	s := newSite(t, options{watchdog: watchdog})
	s.serve()
	s.seal()
	s.present()
	stopped := s.manager.signal(syscall.SIGSTOP)
	<-time.After(watchdog / 3)
	s.checkOpen("while the daemon is stopped", 2)
	hung, n := s.manager.until(noteHung, 0)
	closed := s.closedWithin(atOnce)
	t.Logf("killed %.2f s after SIGSTOP, all closed %.1f ms later, WatchdogSec %s",
		float64(hung.at-stopped)/1e9, float64(closed-hung.at)/1e6, watchdog)
	publish(t, closing{"closed after SIGSTOP, WatchdogSec=6s", closed - stopped})
	if closed-stopped > int64(watchdog) {
		t.Errorf("closed %s after SIGSTOP, want within %s", time.Duration(closed-stopped), watchdog)
	}
	s.restarted(n)
	s.goesOn(1)
}

// TestStationClosesAgainstThePull: where the pull is the wrong one, or a kernel or chip lets go at no safe level, the
// restart is what closes: before the daemon is READY, at its first start and after a kill.
func TestStationClosesAgainstThePull(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{pullOpens: true})
	s.checkOpen("before the daemon starts, against the pull", 4)
	s.serve()
	s.checkClosedBefore(0)
	s.seal()
	s.present()
	s.checkOpen("in a run of two positions", 2)
	s.manager.signal(syscall.SIGKILL)
	_, n := s.manager.until(noteEnded, 0)
	s.checkOpen("after the kill, against the pull", 4)
	s.mechanics.look()
	s.restarted(n)
	s.checkClosedBefore(n)
	s.goesOn(1)
}

func (s *site) checkOpen(when string, want int) {
	s.Helper()
	if got := s.opened(); got != want {
		s.Errorf("%d canisters are open %s, want %d", got, when, want)
	}
}

// checkClosedBefore checks that the daemon that started after so many notes set every drive to where it is closed before
// it sent READY=1, and to nothing else before.
func (s *site) checkClosedBefore(notes int) {
	s.Helper()
	started, n := s.manager.until(noteStarted, notes)
	ready, _ := s.manager.until(saysReady, n)
	closed := map[string]bool{}
	for _, m := range s.tracer.Moves() {
		shutter, ok := strings.CutSuffix(s.chips[0].Global(m.Line), ".drive")
		if !ok || m.Kind != "set" || m.Mono < started.at || m.Mono > ready.at {
			continue
		}
		closed[shutter] = true
		if m.Value == s.opt.activeHigh {
			s.Errorf("the drive of %s is set to where it opens before READY=1", shutter)
		}
	}
	if len(closed) != len(shutters) {
		s.Errorf("closed before READY=1: %v, want all four", closed)
	}
	s.Logf("READY=1 %.1f ms after the start", float64(ready.at-started.at)/1e6)
}

// restarted waits until sessions can be run again, after so many notes.
func (s *site) restarted(notes int) {
	s.Helper()
	s.manager.until(sessionsRun, notes)
	s.watch()
}

// goesOn checks that run n is void with all canisters closed, and that the session goes on with the next reserve run.
func (s *site) goesOn(n int) run {
	s.Helper()
	st, r := s.untilEnd(n)
	if r.State != "void" || st.Aborted != nil {
		s.Errorf("run %d: %+v, aborted %v; want it void and the session to go on", n, r, st.Aborted)
	}
	s.checkOpen("after the void", 0)
	if st.Obstacle != nil { // what was away is not found again yet
		s.startable()
	}
	s.present()
	s.checkOpen("in the next run", 2)
	return r
}
