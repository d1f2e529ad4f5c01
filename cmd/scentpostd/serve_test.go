package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/configs"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/blind"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/health"
	"scentpost/station/trial"
	"scentpost/station/uplink/address"
)

// patience bounds what a busy machine may take; nothing is measured by it.
const patience = 30 * time.Second

// said collects what a daemon prints.
type said struct {
	mu   sync.Mutex // guards text and news
	text strings.Builder
	news chan struct{}
}

func (s *said) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(text)
	select {
	case s.news <- struct{}{}:
	default:
	}
	return len(text), nil
}

func (s *said) wait(t *testing.T, text string, times int) {
	t.Helper()
	for limit := time.After(patience); ; {
		s.mu.Lock()
		n := strings.Count(s.text.String(), text)
		s.mu.Unlock()
		if n >= times {
			return
		}
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("it did not say %q %d times: %s", text, times, &s.text)
		}
	}
}

// daemon is a daemon in this process.
type daemon struct {
	cfg config.Config
	out *said
	log *bytes.Buffer // read it only after end
	end func() error
	// gone is closed when it has ended by itself.
	gone <-chan struct{}
}

func testConfig(t *testing.T) config.Config {
	t.Helper()
	cfg, err := readConfig(two)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "d-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cfg.Data, cfg.Socket, cfg.Driver.Socket = filepath.Join(dir, "data"), filepath.Join(dir, "s"), filepath.Join(dir, "station")
	return cfg
}

func startDaemon(t *testing.T, cfg config.Config) daemon {
	t.Helper()
	d := daemon{cfg: cfg, out: &said{news: make(chan struct{}, 1)}, log: new(bytes.Buffer)}
	ctx, cancel := context.WithCancel(context.Background())
	ended, gone := make(chan error, 1), make(chan struct{})
	d.gone = gone
	go func() {
		ended <- serveAgain(ctx, cfg, program.Streams{Out: d.out, Err: io.Discard}, slog.New(slog.NewTextHandler(d.log, nil)))
		close(gone)
	}()
	d.end = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := d.end(); t.Failed() {
			t.Logf("the daemon ended with %v; its log:\n%s", err, d.log)
		}
	})
	return d
}

// startStation runs a virtual station in this process, loaded for the plan short, after prepare did something to it.
func startStation(t *testing.T, cfg config.Config, prepare ...func(*hardware.Station)) (end func() error) {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Plans, "short")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := blind.ParsePlan(file, src)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := hardware.FromConfig(cfg, plan.Loading())
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(1)
	w.Boot(fmt.Sprint("boot-", time.Now().UnixNano()))
	st, err := hardware.New(w, layout)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range prepare {
		f(st)
	}
	server, err := hardware.NewServer(st, cfg.Station, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := net.Listen("unix", cfg.Driver.Socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, lines, nil) }()
	end = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = end() })
	return end
}

func (d daemon) send(t *testing.T, r control.Request) control.Response {
	t.Helper()
	client, err := socket.Dial(t.Context(), d.cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	response, err := client.Send(&r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// export returns the answer to an export, with the bundle where there is one.
func (d daemon) export(t *testing.T, session string) (control.Response, []byte) {
	t.Helper()
	client, err := socket.Dial(t.Context(), d.cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	response, err := client.Export(&control.Request{Command: "export", Session: session})
	if err != nil {
		t.Fatal(err)
	}
	var bundle bytes.Buffer
	if response.OK && response.Export.Bundle != nil {
		if err := response.Export.Bundle(&bundle); err != nil {
			t.Fatal(err)
		}
	}
	return response, bundle.Bytes()
}

// TestAbsentDevices: an absent device is a condition with its own retry, not a reason not to start (DESIGN).
func TestAbsentDevices(t *testing.T) {
	cfg := testConfig(t)
	d := startDaemon(t, cfg)
	d.out.wait(t, "ready: ", 1)
	status := d.send(t, control.Request{Command: "status"}).Status
	for len(status.Conditions) == 0 { // it has not tried yet
		status = d.send(t, control.Request{Command: "status"}).Status
	}
	c := status.Conditions[0]
	if c.Code != health.DeviceAbsent || !strings.Contains(c.Evidence, cfg.Driver.Socket) || status.Phase != trial.Idle ||
		!strings.Contains(words.Next(status), "wait: no session can be run yet: the station's lines are not there (virtual-station)") {
		t.Errorf("it shows %+v", status)
	}
	if got := d.send(t, control.Request{Command: "list"}); !got.OK {
		t.Errorf("the list of sessions: %s", words.Of(got.Refused))
	}
	if got := d.send(t, control.Request{Command: "arm", As: "Assessor"}); got.OK || !strings.Contains(words.Of(got.Refused), "no session can be run") {
		t.Errorf("arming: %+v", got)
	}
	station := startStation(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	status = d.send(t, control.Request{Command: "status"}).Status
	if status.Obstacle != nil || len(status.Conditions) != 0 || status.Size != 1 {
		t.Errorf("with its devices it shows %+v", status)
	}
	if err := station(); err != nil {
		t.Fatal(err)
	}
	startStation(t, cfg)
	d.out.wait(t, "sessions can be run: ", 2) // the station booted anew: so does the daemon
	if err := d.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if n := strings.Count(d.log.String(), "code="+string(health.DeviceAbsent)); n < 2 || n > 12 {
		t.Errorf("the absence was logged %d times:\n%s", n, d.log)
	}
}

// TestEveryGoroutineEnds looks for goroutines of ours after an orderly stop, with devices and without.
func TestEveryGoroutineEnds(t *testing.T) {
	for _, present := range []bool{false, true} {
		cfg := testConfig(t)
		station := func() error { return nil }
		want := "ready: "
		if present {
			station, want = startStation(t, cfg), "sessions can be run: "
			cfg.Broker.Address, cfg.Broker.ClientID = address.Address{Host: "127.0.0.1", Port: 1}, "nobody-is-there"
		}
		d := startDaemon(t, cfg)
		d.out.wait(t, want, 1)
		client, err := socket.Dial(t.Context(), cfg.Socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Send(&control.Request{Command: "watch"}); err != nil {
			t.Fatal(err)
		}
		if err := d.end(); err != nil {
			t.Errorf("it ended with %v", err)
		}
		_ = client.Close()
		if err := station(); err != nil {
			t.Error(err)
		}
		noneLeft(t)
	}
}

// noneLeft waits until no goroutine but the test's own runs code of ours.
func noneLeft(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for limit := time.Now().Add(patience); ; runtime.Gosched() {
		left := ""
		for i, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if i > 0 && (strings.Contains(stack, "scentpost/") || strings.Contains(stack, "paho")) && !strings.Contains(stack, "testing.tRunner") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("these are left:\n%s", left)
		}
	}
}

// TestTwoDaemonsOnOneJournal: the second one names the first, and leaves everything as it is.
func TestTwoDaemonsOnOneJournal(t *testing.T) {
	cfg := testConfig(t)
	first := startDaemon(t, cfg)
	first.out.wait(t, "ready: ", 1)
	second := cfg
	second.Socket += "2"
	err := serveAgain(t.Context(), second, program.Streams{Out: io.Discard, Err: io.Discard}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), cfg.Data) || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second daemon on the journal: %v", err)
	}
	other := testConfig(t)
	other.Socket = cfg.Socket
	err = serveAgain(t.Context(), other, program.Streams{Out: io.Discard, Err: io.Discard}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "another daemon answers there") {
		t.Errorf("a second daemon on the socket: %v", err)
	}
	if got := first.send(t, control.Request{Command: "status"}); !got.OK {
		t.Errorf("the first one: %+v", got)
	}
}
