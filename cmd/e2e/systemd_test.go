package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scentpost/station/control"
	"scentpost/station/control/socket"
)

// watchdogTime is the watchdog's of these tests: the loops are asked, and the kicks given, six times in it.
const watchdogTime = 900 * time.Millisecond

// manager stands in for systemd: the socket that the daemon speaks to.
type manager struct {
	*net.UnixConn
	heard []string // all so far
}

// listen makes a rig's daemon one of a service manager.
func (r *rig) listen() *manager {
	r.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: r.path("notify"), Net: "unixgram"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return &manager{UnixConn: conn}
}

// launchFor starts the daemon as a service manager does.
func (r *rig) launchFor(watchdog time.Duration) {
	r.t.Helper()
	env := []string{"NOTIFY_SOCKET=" + r.path("notify"), fmt.Sprint("WATCHDOG_USEC=", watchdog.Microseconds())}
	r.daemon = startIn(r.t, env, "scentpostd", "run", r.config)
}

// next waits for one message, "" when none comes within a time.
func (m *manager) next(t *testing.T, within time.Duration) string {
	t.Helper()
	if err := m.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 4096)
	n, err := m.Read(message)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	m.heard = append(m.heard, string(message[:n]))
	return string(message[:n])
}

// hear waits for a message that holds text, and returns it.
func (m *manager) hear(t *testing.T, text string) string {
	t.Helper()
	for limit := time.Now().Add(patience); ; { // kicks alone never end
		switch message := m.next(t, time.Until(limit)); {
		case message == "":
			t.Fatalf("no %q; heard %q", text, m.heard)
		case strings.Contains(message, text):
			return message
		}
	}
}

// silent checks that nothing is said for as long as the watchdog waits; it takes what was under way before.
func (m *manager) silent(t *testing.T) {
	t.Helper()
	if message := m.next(t, watchdogTime); message != "" {
		t.Errorf("heard %q where nothing should be heard", message)
	}
}

// kicks waits for n kicks.
func (m *manager) kicks(t *testing.T, n int) {
	t.Helper()
	for range n {
		m.hear(t, "WATCHDOG=1")
	}
}

// TestNotify follows a daemon from its start without devices to its end.
func TestNotify(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, name: "notify"}
	r.configure(options{example: "virtual-two", name: r.name})
	m := r.listen()
	r.launchFor(watchdogTime)
	if got := m.hear(t, "READY=1"); !strings.Contains(got, "\nSTATUS=views are served; no session can be run yet") {
		t.Errorf("it is ready with %q", got)
	}
	r.must("session", "status")
	m.kicks(t, 12) // twice the watchdog's time without devices
	r.station = start(t, "scentsim", "station", r.config, "--seed", "1", "--scale", "40", "--log", r.path("changes"))
	r.station.line(t, "ready")
	m.hear(t, "STATUS=sessions can be run")
	m.kicks(t, 2)
	before := r.files()
	m.kicks(t, 12)
	if after := r.files(); after != before {
		t.Errorf("something was written for the watchdog:\n%s\n%s", before, after)
	}
	r.station.kill(t)
	_ = os.Remove(r.path("station.sock"))
	r.station = start(t, "scentsim", "station", r.config, "--seed", "1", "--scale", "40", "--log", r.path("changes"))
	r.station.line(t, "ready")
	m.hear(t, "STATUS=starting again") // in the same process
	m.hear(t, "READY=1")
	m.hear(t, "STATUS=sessions can be run")
	m.kicks(t, 2)
	r.daemon.stop(t)
	m.hear(t, "STOPPING=1\nSTATUS=stopping")
	for _, message := range m.heard {
		for line := range strings.Lines(message) {
			if line = strings.TrimSpace(line); line != "READY=1" && line != "STOPPING=1" && line != "WATCHDOG=1" && !strings.HasPrefix(line, "STATUS=") {
				t.Errorf("it says %q", line)
			}
		}
	}
}

// files lists what lies beside the journal and in it, with size and time.
func (r *rig) files() string {
	r.t.Helper()
	var out strings.Builder
	err := filepath.Walk(r.dir, func(path string, f os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if f.Mode().IsRegular() && f.Name() != "changes" {
			fmt.Fprintln(&out, strings.TrimPrefix(path, r.dir), f.Size(), f.ModTime().UnixNano())
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out.String()
}

// TestAStalledCommitIsNotKicked: a journal that stands still in the middle of a commit. Another writer's lock on the database
// stands in for a disk that takes no bytes; SQLite waits for it longer than the watchdog does. A host that hangs is a matter
// of the supervisor's own tests.
func TestAStalledCommitIsNotKicked(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "stalled", plan: "short", scale: 40, seed: 1})
	m := r.listen()
	r.launchFor(watchdogTime)
	m.hear(t, "STATUS=sessions can be run")
	m.kicks(t, 2)
	opened := r.tell("Assessor", "open", "short", "--dog", "Rex", "--handler", "Handler", "--assessor", "Assessor")
	m.kicks(t, 2)
	release := r.lockJournal(opened.Status.Epoch)
	client, err := socket.Dial(t.Context(), r.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answered := make(chan control.Response, 1)
	go func() {
		response, _ := client.Send(&control.Request{Command: "load", As: "Loader"})
		answered <- response
	}()
	if got := m.hear(t, "is not kicked"); got != "STATUS=the watchdog is not kicked: no answer from the journal" {
		t.Errorf("with a commit that stalls it says %q", got)
	}
	m.silent(t)
	r.must("session", "status") // all else goes on
	select {
	case response := <-answered:
		t.Errorf("answered before it was durable: %+v", response)
	default:
	}
	release()
	if response := <-answered; !response.OK {
		t.Errorf("once the commit went on: %+v", response)
	}
	m.kicks(t, 2)
	r.daemon.stop(t)
	m.hear(t, "STOPPING=1")
}

// lockJournal takes the database of an epoch for writing until it is released.
func (r *rig) lockJournal(epoch string) (release func()) {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path("data/journal/epoch-"+epoch+".db"))
	if err != nil {
		r.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		r.t.Fatal(err)
	}
	return func() {
		if _, err := db.Exec("ROLLBACK"); err != nil {
			r.t.Error(err)
		}
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	}
}

// TestWithoutAManager: who starts the daemon by hand is told nothing, and a watchdog of another process is none.
func TestWithoutAManager(t *testing.T) {
	t.Parallel()
	r := newRig(t, options{example: "virtual-two", name: "byhand", scale: 40, seed: 1})
	m := r.listen()
	r.daemon = startIn(t, []string{"NOTIFY_SOCKET=" + r.path("notify"), "WATCHDOG_USEC=1000", "WATCHDOG_PID=1"}, "scentpostd", "run", r.config)
	m.hear(t, "STATUS=sessions can be run")
	m.silent(t)
	r.daemon.stop(t)
	m.hear(t, "STOPPING=1")
	r.daemon = startIn(t, []string{"NOTIFY_SOCKET=", "WATCHDOG_USEC=soon"}, "scentpostd", "run", r.config)
	r.daemon.line(t, "sessions")
	r.daemon.stop(t)
	if !strings.Contains(r.daemon.said(), "the watchdog is not kicked") {
		t.Errorf("of a watchdog that cannot be read it says %q", r.daemon.said())
	}
	m.silent(t)
}
