// Package brokertest runs Debian's mosquitto for tests, and collects what it delivers.
package brokertest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything here may take before the test fails. It is a bound, never a pause.
const Patience = 30 * time.Second

// Ports are drawn from below the range that Linux gives to outgoing connections, so that nobody takes the port while
// the broker is stopped.
const firstPort, ports = 20000, 12000

// Mosquitto is one broker process with a folder, a configuration and a loopback port of its own; all three outlive a
// stop. Its methods fail the test that started it.
type Mosquitto struct {
	// URL is where it listens: tcp://127.0.0.1:port, the same after a restart.
	URL string
	// Folder holds its configuration and its database.
	Folder string

	t      testing.TB
	binary string
	port   int

	extra []string // lines of its configuration

	process *exec.Cmd // nil when stopped
	ended   chan error
	log     transcript
}

// Start starts a broker that keeps every session and message on disk, with unbounded queues. It is stopped when the
// test ends. extra are more lines of its configuration. Where mosquitto is not installed the test is skipped, saying what to install; with CI set in the
// environment it fails.
func Start(t testing.TB, extra ...string) *Mosquitto {
	t.Helper()
	m := &Mosquitto{t: t, binary: find(t, usual), Folder: t.TempDir(), extra: extra}
	t.Cleanup(func() {
		if m.process != nil {
			m.Stop()
		}
		if t.Failed() {
			t.Logf("mosquitto said:\n%s", m.log.String())
		}
	})
	var err error
	for range 10 { // a port may be taken between the look and the start
		if m.port, err = freePort(); err != nil {
			break
		}
		m.URL = fmt.Sprintf("tcp://127.0.0.1:%d", m.port)
		if err = m.start(); err == nil {
			return m
		}
	}
	t.Fatalf("start mosquitto: %v\n%s", err, m.log.String())
	return nil
}

// usual are the places to look for the broker: Debian's is not in an ordinary user's path.
var usual = []string{"mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"}

func find(t testing.TB, places []string) string {
	t.Helper()
	for _, name := range places {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const advice = "NO MOSQUITTO: this test needs the broker. Install it: apt-get install mosquitto"
	if os.Getenv("CI") != "" {
		t.Fatal(advice)
	}
	t.Skip(advice)
	return ""
}

func freePort() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(ports)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no free loopback port in 100 attempts")
}

// configuration makes nothing that was acknowledged get lost at a stop by SIGTERM. As root mosquitto would change to
// a user who may not write the test's folder.
func (m *Mosquitto) configuration() (string, error) {
	self, err := user.Current()
	if err != nil {
		return "", err
	}
	lines := []string{
		fmt.Sprintf("listener %d 127.0.0.1", m.port),
		"allow_anonymous true",
		"user " + self.Username,
		"persistence true",
		"persistence_location " + m.Folder + "/",
		"autosave_interval 1",
		"max_queued_messages 0",
		"max_queued_bytes 0",
		"set_tcp_nodelay true",
		"log_dest stderr",
		"log_type error", "log_type warning", "log_type notice", "log_type information",
	}
	return strings.Join(append(lines, m.extra...), "\n") + "\n", nil
}

func (m *Mosquitto) start() error {
	text, err := m.configuration()
	if err != nil {
		return err
	}
	config := filepath.Join(m.Folder, "mosquitto.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	process := exec.Command(m.binary, "-c", config)
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves no broker
	stderr, err := process.StderrPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		m.log.read(stderr, running)
		ended <- process.Wait()
	}()
	select {
	case <-running:
		m.process, m.ended = process, ended
		return m.answers()
	case err := <-ended:
		return fmt.Errorf("mosquitto ended at once: %v", err)
	case <-time.After(Patience):
		process.Process.Kill()
		<-ended
		return fmt.Errorf("mosquitto was not ready in %v", Patience)
	}
}

// answers waits until the broker lets a client in, which only its main loop does. Before that a SIGTERM may be lost:
// mosquitto 2.0.11 says that it runs, and sets the flag that the signal clears only after that.
func (m *Mosquitto) answers() error {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(m.URL, "tcp://"), Patience)
	if err != nil {
		return fmt.Errorf("reach mosquitto: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	// MQTT 3.1.1: CONNECT with a clean session and no client id; then DISCONNECT.
	if _, err := conn.Write([]byte{0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0}); err != nil {
		return fmt.Errorf("knock at mosquitto: %w", err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil { // CONNACK
		return fmt.Errorf("mosquitto does not answer: %w", err)
	}
	_, err = conn.Write([]byte{0xe0, 0})
	return err
}

// Reload has the broker read its access list and passwords again.
func (m *Mosquitto) Reload() {
	m.t.Helper()
	if err := m.process.Process.Signal(syscall.SIGHUP); err != nil {
		m.t.Errorf("reload mosquitto: %v", err)
	}
}

// Stop ends the broker by SIGTERM, upon which it writes its database, and waits until it has.
func (m *Mosquitto) Stop() {
	m.t.Helper()
	m.end(syscall.SIGTERM)
}

// Kill ends the broker by SIGKILL: what it had not yet written is lost.
func (m *Mosquitto) Kill() {
	m.t.Helper()
	m.end(syscall.SIGKILL)
}

func (m *Mosquitto) end(signal syscall.Signal) {
	m.t.Helper()
	if m.process == nil {
		m.t.Fatal("mosquitto is not running")
	}
	process := m.process
	m.process = nil
	if err := process.Process.Signal(signal); err != nil {
		m.t.Errorf("end mosquitto: %v", err)
	}
	select {
	case err := <-m.ended:
		if err != nil && signal == syscall.SIGTERM {
			m.t.Errorf("mosquitto ended badly: %v", err)
		}
	case <-time.After(Patience):
		process.Process.Kill()
		m.t.Fatalf("mosquitto did not end in %v", Patience)
	}
}

// Restart starts the broker again on the same port and folder, stopping it first when it still runs.
func (m *Mosquitto) Restart() {
	m.t.Helper()
	if m.process != nil {
		m.Stop()
	}
	if err := m.start(); err != nil {
		m.t.Fatalf("start mosquitto again: %v\n%s", err, m.log.String())
	}
}

// transcript keeps what the broker says.
type transcript struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// maxTranscript bounds what is kept, in bytes.
const maxTranscript = 1 << 20

// read keeps lines until r ends, and closes running when the broker says that it runs.
func (l *transcript) read(r io.Reader, running chan<- struct{}) {
	lines, open := bufio.NewScanner(r), true
	for lines.Scan() {
		l.mu.Lock()
		if l.text.Len() < maxTranscript {
			l.text.WriteString(lines.Text() + "\n")
		}
		l.mu.Unlock()
		if open && strings.HasSuffix(lines.Text(), " running") {
			close(running)
			open = false
		}
	}
}

// String returns all lines that were kept.
func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
