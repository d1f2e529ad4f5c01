//go:build linux

package kerneltest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unitRestart is RestartSec of the unit that comes with Scentpost.
const unitRestart = time.Second

// The words of sd_notify(3) that mean something here, and what the manager itself notes.
const (
	saysReady    = "READY=1"
	saysWatchdog = "WATCHDOG=1"
	saysStatus   = "STATUS="
	sessionsRun  = saysStatus + "sessions can be run"

	noteStarted = "started"
	noteEnded   = "ended: "
	noteHung    = "the watchdog was not kicked"
)

// note is what a daemon said to its manager, or what became of it.
type note struct {
	at   int64 // monotonic; of what was said, when it was sent
	text string
}

// manager plays systemd's part for one daemon, as the unit that comes with Scentpost asks for it: it hears the daemon,
// kills it (SIGKILL) when the watchdog was not kicked in time, and starts it again a second after it ended in any way.
type manager struct {
	*testing.T
	daemon   *exec.Cmd     // never started itself: each start is one like it
	watchdog time.Duration // 0 for none
	mono     func() int64

	socket string
	conn   *net.UnixConn
	heard  chan note // from the socket
	stop   chan struct{}
	ended  chan struct{}

	mu    sync.Mutex // guards what follows
	notes []note
	news  chan struct{} // closed at the next note
	pid   int           // 0 while there is none
}

// manage starts a daemon and keeps it alive until the test ends.
func manage(t *testing.T, socket string, watchdog time.Duration, mono func() int64, daemon *exec.Cmd) *manager {
	t.Helper()
	m := &manager{T: t, daemon: daemon, watchdog: watchdog, mono: mono, socket: socket,
		heard: make(chan note, 256), stop: make(chan struct{}), ended: make(chan struct{}), news: make(chan struct{})}
	if err := m.listen(); err != nil {
		t.Fatalf("play systemd's part: %v", err)
	}
	go m.hear()
	go m.run()
	t.Cleanup(m.end)
	return m
}

func (m *manager) listen() error {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	// The kernel stamps a datagram when it is sent.
	err = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	m.conn = conn
	return nil
}

// hear reads what daemons say until the socket is closed.
func (m *manager) hear() {
	text, oob := make([]byte, 4096), make([]byte, 256)
	for {
		n, n2, _, _, err := m.conn.ReadMsgUnix(text, oob)
		if err != nil {
			close(m.heard)
			return
		}
		sent, err := m.sent(oob[:n2])
		if err != nil {
			m.Error(err)
		}
		for _, line := range strings.Split(string(text[:n]), "\n") {
			m.heard <- note{sent, line}
		}
	}
}

// sent is when a datagram was sent, on the monotonic clock. Nobody sets the guest's other clock.
func (m *manager) sent(oob []byte) (int64, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 || len(messages[0].Data) < 16 {
		return 0, fmt.Errorf("a datagram without its stamp: %v, %v", messages, err)
	}
	// A struct timespec.
	utc := int64(binary.NativeEndian.Uint64(messages[0].Data))*1e9 + int64(binary.NativeEndian.Uint64(messages[0].Data[8:]))
	return m.mono() - (time.Now().UnixNano() - utc), nil
}

// run keeps a daemon alive until stop is closed.
func (m *manager) run() {
	defer close(m.ended)
	for {
		cmd := exec.Command(m.daemon.Path, m.daemon.Args[1:]...)
		cmd.Env = append(slices.Clone(m.daemon.Env), "NOTIFY_SOCKET="+m.socket)
		if m.watchdog > 0 {
			cmd.Env = append(cmd.Env, fmt.Sprint("WATCHDOG_USEC=", m.watchdog.Microseconds()))
		}
		cmd.Stdout, cmd.Stderr = m.daemon.Stdout, m.daemon.Stderr
		if err := cmd.Start(); err != nil {
			m.Errorf("start %s: %v", m.daemon, err)
			return
		}
		m.note(note{m.mono(), noteStarted}, cmd.Process.Pid)
		if !m.attend(cmd) {
			return
		}
		select {
		case <-time.After(unitRestart):
		case <-m.stop:
			return
		}
	}
}

// attend hears a daemon out; false when it is not to be started again.
func (m *manager) attend(cmd *exec.Cmd) (again bool) {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	hung := time.NewTimer(time.Hour)
	hung.Stop()
	defer hung.Stop()
	stop := m.stop
	again = true
	for {
		select {
		case n := <-m.heard:
			if m.watchdog > 0 && (n.text == saysReady || n.text == saysWatchdog) {
				hung.Reset(m.watchdog)
			}
			if n.text != saysWatchdog {
				m.note(n, cmd.Process.Pid)
			}
		case <-hung.C:
			m.note(note{m.mono(), noteHung}, cmd.Process.Pid)
			if err := cmd.Process.Kill(); err != nil {
				m.Errorf("end the daemon that hangs: %v", err)
			}
		case err := <-ended:
			m.note(note{m.mono(), noteEnded + fmt.Sprint(err)}, 0)
			return again
		case <-stop:
			again, stop = false, nil
			cmd.Process.Signal(syscall.SIGTERM)
			hung.Reset(time.Minute)
		}
	}
}

func (m *manager) note(n note, pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes, m.pid = append(m.notes, n), pid
	close(m.news)
	m.news = make(chan struct{})
}

// until waits for a note after the first so many, and returns it with the number of notes up to it.
func (m *manager) until(text string, after int) (note, int) {
	m.Helper()
	limit := time.After(2 * time.Minute)
	for {
		m.mu.Lock()
		news := m.news
		for i := after; i < len(m.notes); i++ {
			if n := m.notes[i]; strings.HasPrefix(n.text, text) {
				m.mu.Unlock()
				return n, i + 1
			}
		}
		notes := m.notes[max(0, len(m.notes)-6):]
		m.mu.Unlock()
		select {
		case <-news:
		case <-limit:
			m.Fatalf("the manager did not note %q; at last %v", text, notes)
		}
	}
}

// signal sends the daemon a signal.
func (m *manager) signal(s os.Signal) (at int64) {
	m.Helper()
	m.mu.Lock()
	pid := m.pid
	m.mu.Unlock()
	at = m.mono()
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(s)
	}
	if err != nil {
		m.Fatalf("signal the daemon: %v", err)
	}
	return at
}

// end stops the daemon as systemd does, and waits for its end.
func (m *manager) end() {
	close(m.stop)
	<-m.ended
	m.conn.Close()
}

// tail is the end of a log.
func tail(path string, lines int) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		all = append(all, s.Text())
	}
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
