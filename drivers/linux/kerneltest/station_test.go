//go:build linux

package kerneltest

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/drivers/linux"
)

// stationFile is the configuration of the station in the guest: two positions with two canisters each, whose drives
// are active when low, so that a wrong polarity opens them.
const stationFile = `site: guest
station: real
data: journal
socket: scentpost.sock
driver:
  type: linux
  lines:
    c1a.drive: {active_low: true}
    c1b.drive: {active_low: true}
    "station:c2a.drive": {active_low: true}
    c2b.drive: {active_low: true}
people:
  - {name: Handler, roles: [handler], uid: 0}
  - {name: Assessor, roles: [assessor], uid: 0}
  - {name: Loader, roles: [loader], uid: 0}
  - {name: Admin, roles: [authority, admin], uid: 0}
positions: 2
timing: {lead: 2s, travel: 1500ms, close: 1500ms, grid: 1s, withdraw: 3s, long_press: 1s, open: 4m, edge_budget: 2000}
devices:
  - {name: beam-1, type: beam, position: 1, line: beam1}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: c1a.drive, opened: c1a.opened, closed: c1a.closed}, pinch: out-of-reach}
  - {name: canister-1b, type: shutter, position: 1, canister: "1B", lines: {drive: c1b.drive, opened: c1b.opened, closed: c1b.closed}, pinch: out-of-reach}
  - {name: beam-2, type: beam, position: 2, line: beam2}
  - {name: canister-2a, type: shutter, position: 2, canister: "2A", lines: {drive: "station:c2a.drive", opened: c2a.opened, closed: c2a.closed}, pinch: out-of-reach}
  - {name: canister-2b, type: shutter, position: 2, canister: "2B", lines: {drive: c2b.drive, opened: c2b.opened, closed: c2b.closed}, pinch: out-of-reach}
  - {name: button-alert, type: button, role: alert, line: button.alert}
  - {name: button-start, type: button, role: start, line: button.start}
  - {name: button-abort, type: button, role: abort, line: button.abort}
  - {name: button-e-stop, type: button, role: e-stop, line: button.estop}
  - {name: ready, type: light, line: light.ready}
  - {name: ack, type: light, line: light.ack}
`

// shutters are the canisters whose mechanics the test plays.
var shutters = []string{"c1a", "c1b", "c2a", "c2b"}

// travel is how long a shutter takes, and mechanicEvery how often the drives are looked at.
const (
	travel        = 300 * time.Millisecond
	mechanicEvery = 20 * time.Millisecond
)

// site is a whole station in the guest: the daemon on a simulated chip, and its mechanics.
type site struct {
	*testing.T
	*Chip
	clock  *linux.Clock
	dir    string
	daemon *exec.Cmd
	log    *os.File
	played []playedEdge // of buttons and beams

	mu     sync.Mutex // guards what follows
	broken bool       // the chip is out: the mechanics rest
	moves  int        // of shutters
}

// playedEdge is an edge that the test made.
type playedEdge struct {
	line          string
	active        bool
	before, after int64 // of the write, monotonic
}

func (s *site) line(name string) int { return slices.Index(s.lines, name) }

func (s *site) pull(name string, up bool) {
	if err := s.Pull(s.line(name), up); err != nil {
		s.Errorf("pull %s: %v", name, err)
	}
}

// newSite wires a station whose canisters are closed, and pulls its drives towards closed, as the wiring does.
func newSite(t *testing.T) *site {
	t.Helper()
	if _, err := os.Stat("/scentpostd"); err != nil {
		t.Skip("NOT RUN: the guest was packed without the programs")
	}
	lines := []string{"beam1", "beam2", "button.alert", "button.start", "button.abort", "button.estop", "light.ready", "light.ack"}
	for _, c := range shutters {
		lines = append(lines, c+".drive", c+".opened", c+".closed")
	}
	chip, err := NewChip("station", lines...)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := linux.NewClock()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, Chip: chip, clock: clock, dir: t.TempDir()}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	})
	s.wire()
	if err := os.WriteFile(s.path("station.yaml"), []byte(stationFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/scentpostd", "check", s.path("station.yaml")).CombinedOutput(); err != nil {
		if strings.Contains(string(out), `"linux" is no driver`) {
			t.Skip("NOT RUN: scentpostd has no driver linux yet")
		}
		t.Fatalf("check: %v\n%s", err, out)
	}
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() { defer close(ended); s.mechanics(stop) }()
	t.Cleanup(func() {
		close(stop)
		<-ended
	})
	return s
}

// wire pulls every line to where it stands at rest.
func (s *site) wire() {
	for _, c := range shutters {
		s.pull(c+".drive", true)
		s.pull(c+".closed", true)
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// mechanics moves the shutters as their drives say.
func (s *site) mechanics(stop <-chan struct{}) {
	ticks := time.NewTicker(mechanicEvery)
	defer ticks.Stop()
	driven := make([]bool, len(shutters))
	arrives := make([]time.Time, len(shutters))
	for {
		select {
		case <-stop:
			return
		case <-ticks.C:
		}
		s.mu.Lock()
		for i, c := range shutters {
			if s.broken {
				continue
			}
			high, err := s.Value(s.line(c + ".drive"))
			if err != nil {
				s.Errorf("drive of %s: %v", c, err)
			}
			if driven[i] != !high {
				driven[i] = !high
				s.moves++
				s.pull(c+".opened", false)
				s.pull(c+".closed", false)
				arrives[i] = time.Now().Add(travel)
			}
			if !arrives[i].IsZero() && time.Now().After(arrives[i]) {
				arrives[i] = time.Time{}
				s.pull(c+".opened", driven[i])
				s.pull(c+".closed", !driven[i])
			}
		}
		s.mu.Unlock()
	}
}

// serve starts the daemon and waits until sessions can be run.
func (s *site) serve() {
	s.Helper()
	s.daemon = exec.Command("/scentpostd", "run", s.path("station.yaml"))
	var err error
	if s.log, err = os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		s.Fatal(err)
	}
	s.daemon.Stderr = s.log
	out, err := s.daemon.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := s.daemon.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		s.daemon.Process.Kill()
		if s.Failed() {
			text, _ := get(s.path("log"))
			s.Logf("the daemon said:\n%s", text)
		}
	})
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "sessions can be run") {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			s.Fatal("the daemon ended before sessions could be run")
		}
	case <-time.After(time.Minute):
		s.Fatal("sessions could not be run within a minute")
	}
}

// status is what the tests need of a session's state.
type status struct {
	Phase   string
	Session string
	Blocked string
	Size    int64 `json:"records,string"`
	Run     *run
	Runs    []run
	Aborted string
}

type run struct {
	Run    int
	State  string
	Reason string
	Calls  []string
	Locked string
	Last   int `json:"last_beam"`
}

// cli runs scentpost and returns what it printed.
func (s *site) cli(args ...string) []byte {
	s.Helper()
	cmd := exec.Command("/scentpost", args...)
	cmd.Env = []string{"SCENTPOST_SOCKET=" + s.path("scentpost.sock"), "HOME=" + s.dir}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			s.Fatalf("scentpost %q: %v\n%s%s", args, err, out, exit.Stderr)
		}
		s.Fatalf("scentpost %q: %v", args, err)
	}
	return out
}

// tell gives a command of a session as somebody, and returns the state after it.
func (s *site) tell(as string, args ...string) status {
	s.Helper()
	var answer struct{ Status status }
	out := s.cli(append(append([]string{"session"}, args...), "--json", "--as", as)...)
	if err := json.Unmarshal(out, &answer); err != nil {
		s.Fatalf("session %q: %v in %s", args, err, out)
	}
	return answer.Status
}

// watch shows the states of the session until the test ends.
func (s *site) watch() *bufio.Scanner {
	s.Helper()
	cmd := exec.Command("/scentpost", "watch", "--json", "--socket", s.path("scentpost.sock"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return lines
}

// until reads states until one is wanted.
func (s *site) until(w *bufio.Scanner, what string, wanted func(status) bool) status {
	s.Helper()
	limit := time.AfterFunc(2*time.Minute, func() { s.Errorf("%s did not come", what); s.daemon.Process.Kill() })
	defer limit.Stop()
	var last status
	for w.Scan() {
		last = status{}
		if err := json.Unmarshal(w.Bytes(), &last); err != nil {
			s.Fatalf("watch: %v in %s", err, w.Text())
		}
		if wanted(last) {
			return last
		}
	}
	s.Fatalf("the watch ended before %s; last it showed %+v", what, last)
	return last
}

// press presses a button for a while; nose breaks a beam.
func (s *site) press(line string, held time.Duration) {
	for _, active := range []bool{true, false} {
		p := playedEdge{line: line, active: active, before: s.clock.Mono()}
		s.pull(line, active)
		p.after = s.clock.Mono()
		s.played = append(s.played, p)
		if active {
			<-time.After(held)
		}
	}
}

// between tells whether the next run can be armed, or the session is over.
func between(st status) bool {
	return st.Phase == "ended" || st.Phase == "sealed" && st.Run == nil
}

// open opens a session and seals it.
func (s *site) open(w *bufio.Scanner) status {
	s.Helper()
	s.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor", "--discipline", "explosives")
	s.tell("Loader", "load")
	s.tell("Assessor", "seal")
	return s.until(w, "the seal", func(st status) bool { return between(st) && st.Session != "" })
}

// opened is how many drives are at the level that opens a canister.
func (s *site) opened() (n int) {
	s.Helper()
	for _, c := range shutters {
		high, err := s.Value(s.line(c + ".drive"))
		if err != nil {
			s.Fatal(err)
		}
		if !high {
			n++
		}
	}
	return n
}

// checkEdges compares the raw edges of a bundle with those that were played.
func (s *site) checkEdges(bundle string) {
	s.Helper()
	z, err := zip.OpenReader(bundle)
	if err != nil {
		s.Fatal(err)
	}
	defer z.Close()
	devices := map[string]string{"beam-1": "beam1", "beam-2": "beam2", "button-alert": "button.alert", "button-start": "button.start"}
	next := 0
	for _, member := range z.File {
		f, err := member.Open()
		if err != nil {
			s.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r struct {
				Type string
				Mono int64 `json:",string"`
				Data struct {
					Device string
					Active bool
				}
			}
			if json.Unmarshal(lines.Bytes(), &r) != nil || r.Type != "scentpost.edge" {
				continue // data may be of another shape, in a member that holds no lines
			}
			if next == len(s.played) {
				s.Fatalf("more edges than the %d that were played: %s", next, lines.Text())
			}
			p := s.played[next]
			if devices[r.Data.Device] != p.line || r.Data.Active != p.active || r.Mono < p.before || r.Mono > p.after {
				s.Errorf("edge %d is %s, played was %+v", next, lines.Text(), p)
			}
			next++
		}
		f.Close()
	}
	s.Logf("%d edges in the record, %d played", next, len(s.played))
	if next != len(s.played) {
		s.Errorf("%d edges in the record, %d played", next, len(s.played))
	}
}

// TestAWholeSession: a session of four runs played as edges, with the daemon itself and everything below it real.
func TestAWholeSession(t *testing.T) {
	inGuest(t)
	s := newSite(t)
	if err := Trace(); err != nil {
		t.Fatal(err)
	}
	s.serve()
	w := s.watch()
	st := s.open(w)
	for st.Phase != "ended" {
		n := len(st.Runs) + 1
		position := 1 + n%2
		s.tell("Assessor", "arm")
		s.until(w, "the presentation", func(st status) bool { return st.Run != nil && st.Run.State == "presented" })
		s.press("button.start", 100*time.Millisecond)
		s.until(w, "the search", func(st status) bool { return st.Run != nil && st.Run.State == "searching" })
		s.press(fmt.Sprintf("beam%d", position), 800*time.Millisecond)
		s.press("button.alert", 150*time.Millisecond)
		st = s.until(w, fmt.Sprintf("the end of run %d", n), func(st status) bool { return between(st) && len(st.Runs) == n })
		t.Logf("run %d: %+v", n, st.Runs[n-1])
	}
	s.tell("Loader", "close")
	s.cli("record", "export", "-o", s.path("session.zip"))
	key := s.path("verifier.key")
	if err := os.WriteFile(key, s.cli("key", "show", s.path("station.key")), 0o600); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Consistent bool
		Simulated  bool
		Replay     string
		Signer     string
	}
	out := s.cli("verify", s.path("session.zip"), "--key", key, "--json")
	if err := json.Unmarshal(out, &report); err != nil || !report.Consistent || report.Simulated || report.Signer != "pinned" {
		t.Errorf("verify: %v in %s", err, out)
	}
	s.checkEdges(s.path("session.zip"))
	stat, err := get(fmt.Sprintf("/proc/%d/stat", s.daemon.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("FIGURE processor time of the daemon in hundredths of a second: user and system %q", strings.Fields(stat)[13:15])
	if err := s.daemon.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	moves, err := Traced()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d moves of shutters, %d things done to lines", s.moves, len(moves))
	for _, c := range shutters {
		if high, err := s.Value(s.line(c + ".drive")); err != nil || !high {
			t.Errorf("drive of %s after the session: high %t, %v", c, high, err)
		}
	}
}

// TestAKilledDaemon: on this kernel a daemon that is killed lets go of its lines at once, and the external pull
// closes what was open. Before the first command, and after the restart, no canister opens.
func TestAKilledDaemon(t *testing.T) {
	inGuest(t)
	s := newSite(t)
	if err := Trace(); err != nil {
		t.Fatal(err)
	}
	s.serve()
	w := s.watch()
	s.open(w)
	moves, err := Traced()
	if err != nil {
		t.Fatal(err)
	}
	base := -1
	for _, m := range moves {
		if base < 0 || m.Line < base {
			base = m.Line
		}
	}
	for _, m := range moves {
		for _, c := range shutters {
			if m.Line == base+s.line(c+".drive") && (m.Kind == "set" || m.Kind == "get") && !m.Value {
				t.Errorf("drive of %s was low before the first command: %+v", c, m)
			}
		}
	}
	s.tell("Assessor", "arm")
	s.until(w, "the presentation", func(st status) bool { return st.Run != nil && st.Run.State == "presented" })
	if got := s.opened(); got != 2 {
		t.Errorf("%d canisters are open in a run of two positions", got)
	}
	if err := s.daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := s.clock.Mono()
	for s.opened() > 0 {
		<-time.After(time.Millisecond)
		if s.clock.Mono()-killed > int64(patience) {
			t.Fatalf("%d canisters are open %s after the kill", s.opened(), patience)
		}
	}
	t.Logf("FIGURE all closed %.1f ms after the kill", float64(s.clock.Mono()-killed)/1e6)
	s.daemon.Wait()
	s.serve()
	st := s.until(s.watch(), "the session", func(st status) bool { return between(st) && st.Session != "" })
	if len(st.Runs) != 1 || st.Runs[0].State != "void" || st.Aborted != "" {
		t.Errorf("after the restart: %+v", st)
	}
	if got := s.opened(); got != 0 {
		t.Errorf("%d canisters are open after the restart", got)
	}
}
