package e2e

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/trial"
)

// cable is what lies between the daemon and its lines: it can be pulled.
type cable struct {
	to string

	mu     sync.Mutex // guards what follows
	pulled bool
	ends   []net.Conn
}

func newCable(t testing.TB, from, to string) *cable {
	t.Helper()
	l, err := net.Listen("unix", from)
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{to: to}
	t.Cleanup(func() { _ = l.Close(); c.pull() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			c.join(near)
		}
	}()
	return c
}

func (c *cable) join(near net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	far, err := net.Dial("unix", c.to)
	if err != nil || c.pulled {
		_ = near.Close()
		if err == nil {
			_ = far.Close()
		}
		return
	}
	c.ends = []net.Conn{near, far}
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
			_ = pair[1].Close()
		}()
	}
}

// pull breaks the connection and lets no other come.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = true
	for _, end := range c.ends {
		_ = end.Close()
	}
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
}

// TestLinesThatWereAway: without their lines canisters fall shut and edges are lost, so the run is void, even when all
// is there again a moment later.
func TestLinesThatWereAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "away", plan: "short", scale: 4, seed: 5})
	text, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	r.config = r.path("daemon.yaml")
	if err := os.WriteFile(r.config, []byte(strings.Replace(string(text), "socket: station.sock", "socket: cable.sock", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCable(t, r.path("cable.sock"), r.path("station.sock"))
	r.serve()
	w := r.watch()
	r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	r.tell("Loader", "load")
	r.tell("Assessor", "seal", "--dice", "4 1 6 6 2")
	r.tell("Assessor", "arm")
	w.until(t, "the run to be presented", func(s control.Status) bool { return s.Run != nil && s.Run.State == trial.Shown })
	c.pull()
	status := w.until(t, "the void", func(s control.Status) bool { return s.Run != nil && s.Run.Cause == event.CauseSource })
	if len(status.Conditions) == 0 {
		w.until(t, "the condition", func(s control.Status) bool { return len(s.Conditions) > 0 })
	}
	w.until(t, "the end of the run", between)
	if _, wrong, code := r.cli("session", "arm", "--as", "Assessor"); code != 1 || !strings.Contains(wrong, "away") {
		t.Errorf("armed without lines: exit %d, %s", code, wrong)
	}
	c.plug()
	r.daemon.line(t, "sessions")
	r.tell("Assessor", "arm")
	r.tell("Assessor", "abort", "the test is over")
	r.daemon.stop(t)
	r.station.stop(t)
}
