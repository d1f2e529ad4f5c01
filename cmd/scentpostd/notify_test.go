package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/station/assembly"
)

// silence is the watchdog's time, six kicks long: a kick in it would be heard. A slow machine makes it no shorter.
const silence = 600 * time.Millisecond

// listen stands in for systemd: it listens on a socket that the daemon finds in its environment.
func listen(t *testing.T) *net.UnixConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "n-") // not TempDir: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(silence.Microseconds(), 10))
	return conn
}

// hear waits for a message that holds text.
func hear(t *testing.T, conn *net.UnixConn, text string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for message := make([]byte, 4096); ; {
		n, err := conn.Read(message)
		if err != nil {
			t.Fatalf("no %q: %v", text, err)
		}
		if strings.Contains(string(message[:n]), text) {
			return
		}
	}
}

// TestAHungHostIsNotKicked: with the whole daemon, on a real socket. The host's loop hangs, while the journal's writer
// and everything else go on.
func TestAHungHostIsNotKicked(t *testing.T) {
	notKicked(t, "the host", func(s *station, job func()) { s.Host().Ping(job) })
}

// TestAHungClockIsNotKicked: the loop that closes what is open for too long and gives heartbeats hangs, while the host
// and the journal's writer answer.
func TestAHungClockIsNotKicked(t *testing.T) {
	notKicked(t, "the clock", func(s *station, job func()) { s.clock.At(0, job) })
}

// notKicked has one loop of a daemon hang, by a job that does not end, and looks at what the manager hears.
func notKicked(t *testing.T, loop string, give func(s *station, job func())) {
	t.Helper()
	conn := listen(t)
	cfg := testConfig(t)
	startStation(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	manager := supervise(log)
	end := manager.start(ctx)
	s, err := newStation(cfg, log, manager, newChart(cfg, log))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, program.Streams{Out: io.Discard, Err: io.Discard}, assembly.Again{}) }()
	until := make(chan struct{})
	release := sync.OnceFunc(func() { close(until) })
	t.Cleanup(func() {
		release()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		end()
		hear(t, conn, "STOPPING=1")
	})
	hear(t, conn, "READY=1")
	hear(t, conn, "STATUS=sessions can be run")
	hear(t, conn, "WATCHDOG=1")
	give(s, func() { <-until })
	hear(t, conn, "no answer from "+loop)
	if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 4096)
	if n, err := conn.Read(message); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with a loop that hangs (%s) the manager hears %q, %v", loop, message[:n], err)
	}
	release()
	hear(t, conn, "WATCHDOG=1")
}
