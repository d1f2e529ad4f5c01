//go:build linux

package kerneltest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/linux"
)

// stationFile is the configuration of the station in the guest: two positions with two canisters each. By default their
// drives are active when low, so that a wrong polarity opens them.
const stationFile = `site: guest
station: real
data: data
socket: scentpost.sock
driver:
  type: linux
  lines:LINES
BROKER
people:
  - {name: Handler, roles: [handler], uid: 0}
  - {name: Assessor, roles: [assessor], uid: 0}
  - {name: Loader, roles: [loader], uid: 0}
  - {name: Admin, roles: [authority, admin], uid: 0}
positions: 2
timing: {lead: 2s, travel: 1500ms, close: 1500ms, grid: 1s, withdraw: 3s, long_press: 1s, open: 4m, edge_budget: BUDGET}
devices:
  - {name: beam-1, type: beam, position: 1, line: beam1}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: c1a.drive, opened: c1a.opened, closed: c1a.closed}, pinch: out-of-reach}
  - {name: canister-1b, type: shutter, position: 1, canister: "1B", lines: {drive: c1b.drive, opened: c1b.opened, closed: c1b.closed}, pinch: out-of-reach}
  - {name: beam-2, type: beam, position: 2, line: beam2}
  - {name: canister-2a, type: shutter, position: 2, canister: "2A", lines: {drive: "OUTPUTS:c2a.drive", opened: c2a.opened, closed: c2a.closed}, pinch: out-of-reach}
  - {name: canister-2b, type: shutter, position: 2, canister: "2B", lines: {drive: c2b.drive, opened: c2b.opened, closed: c2b.closed}, pinch: out-of-reach}
  - {name: button-alert, type: button, role: alert, line: button.alert}
  - {name: button-start, type: button, role: start, line: button.start}
  - {name: button-abort, type: button, role: abort, line: button.abort}
  - {name: button-e-stop, type: button, role: e-stop, line: button.estop}
  - {name: ready, type: light, line: light.ready}
  - {name: ack, type: light, line: light.ack}
`

// The labels of the chips of a site.
const (
	inputChip  = "station"
	outputChip = "outputs" // only where options.split is set
)

// options are what sites differ in.
type options struct {
	split      bool          // the outputs are on a chip of their own
	activeHigh bool          // the drives open when they are high
	pullOpens  bool          // the external pull of the drives is the wrong one
	alertLow   bool          // the alert button is pressed when its line is low
	more       string        // devices besides, as the configuration has them
	inputs     []string      // lines of theirs
	vitals     bool          // the daemon tells what it holds when it is asked to
	busy       bool          // the daemon computes besides, without end
	budget     int           // raw edges of a line in a run, 2000 when 0
	broker     string        // its URL, "" for none
	watchdog   time.Duration // WatchdogSec, 0 for none
}

// config is the configuration of a site.
func (o options) config() string {
	outputs, broker, budget := inputChip, "", 2000
	if o.split {
		outputs = outputChip
	}
	drive := "{active_low: true, external: pull-up}" // as the options say that it should be, and not always is
	if o.activeHigh {
		drive = "{external: pull-down}"
	}
	wiring := ""
	for _, line := range []string{"c1a.drive", "c1b.drive", outputs + ":c2a.drive", "c2b.drive"} {
		wiring += fmt.Sprintf("\n    %q: %s", line, drive)
	}
	if o.alertLow {
		wiring += "\n    button.alert: {active_low: true}"
	}
	if o.broker != "" {
		broker = "broker: {url: " + o.broker + "}"
	}
	if o.budget != 0 {
		budget = o.budget
	}
	return strings.NewReplacer("OUTPUTS", outputs, "LINES", wiring, "BROKER", broker, "BUDGET", fmt.Sprint(budget)).
		Replace(stationFile) + o.more
}

// site is a whole station in the guest: the daemon under its manager, simulated chips, and the mechanics behind them.
type site struct {
	*testing.T
	opt       options
	chips     []*Chip
	clock     *linux.Clock
	dir       string
	mechanics *mechanics
	tracer    *Tracer
	manager   *manager
	states    *bufio.Scanner // of the session, as scentpost watch shows them
	played    []playedEdge   // of buttons and beams
}

// playedEdge is an edge that the test made.
type playedEdge struct {
	line          string
	active        bool
	before, after int64 // of the write, monotonic
}

// newSite wires a station whose canisters are closed, and traces from then on what is done to its lines.
func newSite(t *testing.T, opt options) *site {
	t.Helper()
	clock, err := linux.NewClock()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, opt: opt, clock: clock, dir: t.TempDir()}
	s.mechanics = newMechanics(s)
	inputs := append([]string{"beam1", "beam2", "button.alert", "button.start", "button.abort", "button.estop"}, opt.inputs...)
	outputs := []string{"light.ready", "light.ack"}
	for _, c := range shutters {
		inputs = append(inputs, c+".opened", c+".closed")
		outputs = append(outputs, c+".drive")
	}
	if opt.split {
		s.plug(inputChip, inputs)
		s.plug(outputChip, outputs)
	} else {
		s.plug(inputChip, append(inputs, outputs...))
	}
	if err := os.WriteFile(s.path("station.yaml"), []byte(opt.config()), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.tracer, err = StartTracer(s.mechanics.traced); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.tracer != nil {
			s.trace()
		}
		s.mechanics.end()
	})
	return s
}

func (s *site) plug(label string, lines []string) {
	s.Helper()
	c, err := NewChip(label, lines...)
	if err != nil {
		s.Fatal(err)
	}
	s.chips = append(s.chips, c)
	s.Cleanup(func() {
		if err := c.Remove(); err != nil {
			s.Error(err)
		}
	})
	s.mechanics.wire(c)
}

// trace ends the trace and returns it; a test that lost some of it has failed.
func (s *site) trace() []Movement {
	s.Helper()
	all, err := s.tracer.Stop()
	s.tracer = nil
	if err != nil {
		s.Error(err)
	}
	return all
}

// at is where a line is.
func (s *site) at(line string) (*Chip, int) {
	for _, c := range s.chips {
		if i := c.Named(line); i >= 0 {
			return c, i
		}
	}
	panic("no such line: " + line)
}

// pull plays the level of an input.
func (s *site) pull(line string, up bool) {
	c, i := s.at(line)
	if err := c.Pull(i, up); err != nil {
		s.Errorf("pull %s: %v", line, err)
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// serve starts the daemon under its manager and waits until sessions can be run.
func (s *site) serve() {
	s.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if s.Failed() {
			s.Logf("the daemon said:\n%s", tail(s.path("log"), 40))
		}
		log.Close()
	})
	daemon := exec.Command("/scentpostd", "run", s.path("station.yaml"))
	for role, wanted := range map[string]bool{"vitals": s.opt.vitals, "busy": s.opt.busy} {
		if wanted {
			daemon = exec.Command("/scentpostd.test", "run", s.path("station.yaml"))
			daemon.Env = []string{"SCENTPOST_GUEST=" + role}
		}
	}
	daemon.Stdout, daemon.Stderr = log, log
	s.manager = manage(s.T, s.path("notify"), s.opt.watchdog, s.clock.Mono, daemon)
	s.manager.until(sessionsRun, 0)
	s.watch()
}

// opened is how many drives are where they open, whatever the shutters do meanwhile.
func (s *site) opened() (n int) {
	for _, c := range shutters {
		if s.mechanics.isOpen(c) {
			n++
		}
	}
	return n
}

// closedWithin waits until no drive is where it opens, and returns when that was seen.
func (s *site) closedWithin(limit time.Duration) int64 {
	s.Helper()
	began := s.clock.Mono()
	for {
		n, now := s.opened(), s.clock.Mono()
		if n == 0 {
			s.mechanics.look()
			return now
		}
		if now-began > int64(limit) {
			s.Fatalf("%d canisters are open after %s", n, limit)
		}
		<-time.After(time.Millisecond)
	}
}
