package main

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/assembly"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/event"
	"scentpost/station/health"
)

// unread is a stream that nobody reads until read is closed.
type unread struct {
	read chan struct{}
	mu   sync.Mutex // guards text
	text strings.Builder
}

func newUnread() *unread { return &unread{read: make(chan struct{})} }

func (u *unread) Write(text []byte) (int, error) {
	<-u.read
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.text.Write(text)
}

func (u *unread) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.text.String()
}

// gone is a stream whose reader is away until it is back.
type gone struct {
	back bool
	text strings.Builder
}

func (g *gone) Write(text []byte) (int, error) {
	if !g.back {
		return 0, syscall.EPIPE
	}
	return g.text.Write(text)
}

// TestALogThatCannotBeWritten: what the stream does not take is counted, and said when it takes something again.
func TestALogThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &gone{}
		p := newPrintout(to)
		for range 3 {
			_, _ = io.WriteString(p, "lost\n")
			synctest.Wait()
		}
		to.back = true
		_, _ = io.WriteString(p, "lost too\n") // those before it are accounted for first
		synctest.Wait()
		_, _ = io.WriteString(p, "after\n")
		p.end()
		if got := to.text.String(); !strings.HasSuffix(got, " lines=4\nafter\n") || strings.Contains(got, "lost") {
			t.Errorf("it says %q", got)
		}
	})
}

// TestALogThatNobodyReads: lines wait up to a bound, the rest is dropped and accounted for where it is missing, and the
// end waits no longer than its own bound.
func TestALogThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := newUnread()
		p := newPrintout(to)
		line := strings.Repeat("x", 1023) + "\n"
		if n, err := io.WriteString(p, "first\n"); n != 6 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		synctest.Wait() // it is being written
		for range unprinted/len(line) + 7 {
			_, _ = io.WriteString(p, line)
		}
		began := time.Now()
		close(to.read)
		synctest.Wait()
		_, _ = io.WriteString(p, "after\n")
		p.end()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		got := to.String()
		head, tail, cut := strings.Cut(got, "time=")
		if want := "first\n" + strings.Repeat(line, unprinted/len(line)); !cut || head != want {
			t.Errorf("%d bytes before the account, want %d", len(head), len(want))
		}
		if !strings.HasSuffix(tail, "level=WARN msg=\"lines are missing here: the log was not read\" lines=7\nafter\n") {
			t.Errorf("it ends with %q", tail)
		}
		_, _ = io.WriteString(p, "too late\n")
		if to.String() != got {
			t.Errorf("after the end it wrote %q", to.String()[len(got):])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		to := newUnread()
		p := newPrintout(to)
		_, _ = io.WriteString(p, "never read\n")
		began := time.Now()
		p.end()
		if took := time.Since(began); took != lastLines {
			t.Errorf("the end took %s, want %s", took, lastLines)
		}
		close(to.read)
	})
}

// TestAStalledLogHoldsUpNoEmergencyStop: with a log that nobody reads, and something in it, an emergency stop closes.
func TestAStalledLogHoldsUpNoEmergencyStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		layout, err := hardware.FromConfig(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := world.New(1)
		w.Boot("boot")
		st, err := hardware.New(w, layout)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := st.Connect()
		if err != nil {
			t.Fatal(err)
		}
		to := newUnread()
		logged := newPrintout(to)
		conditions := newChart(cfg, slog.New(slog.NewTextHandler(logged, nil)))
		conditions.Follow(false)
		whole, err := newStation(cfg, slog.New(slog.DiscardHandler), nil, conditions)
		if err != nil {
			t.Fatal(err)
		}
		if err := whole.Connect(assembly.Lines{Bus: lines, Clock: w, Scale: 1}); err != nil {
			t.Fatal(err)
		}
		station := whole.Devices()
		press := func(down bool) {
			if err := st.Button("e-stop", down); err != nil {
				t.Fatal(err)
			}
			w.RunFor(time.Second)
		}
		press(true) // which is logged
		press(false)
		station.Move(0, time.Minute, []event.Move{{Position: 1, Canister: "1A", Open: true}})
		w.RunFor(5 * time.Second)
		if !open(st, "1A") {
			t.Fatalf("it did not open: %+v", st.Canisters())
		}
		press(true)
		w.RunFor(5 * time.Second)
		if open(st, "1A") || !conditions.Holds(health.EmergencyStop, "button-e-stop") {
			t.Errorf("the emergency stop is held: %+v, %+v", st.Canisters(), conditions.All())
		}
		if to.String() != "" {
			t.Errorf("somebody read %q", to)
		}
		close(to.read)
		logged.end()
		if n := strings.Count(to.String(), "code="+string(health.EmergencyStop)); n != 3 {
			t.Errorf("the log tells of it %d times:\n%s", n, to)
		}
	})
}

func open(st *hardware.Station, canister string) bool {
	for _, c := range st.Canisters() {
		if c.Name == canister {
			return c.State == "open" && c.Driven
		}
	}
	return false
}

// TestADaemonThatNobodyReads starts, serves and ends.
func TestADaemonThatNobodyReads(t *testing.T) {
	cfg := testConfig(t)
	out, wrong := newUnread(), newUnread()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- runStation(ctx, cfg, program.Streams{Out: out, Err: wrong}, slog.LevelDebug) }()
	for limit := time.Now().Add(patience); ; runtime.Gosched() {
		client, err := socket.Dial(t.Context(), cfg.Socket)
		if err == nil {
			_, err = client.Send(&control.Request{Command: "status"})
			_ = client.Close()
		}
		if err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("it does not serve")
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
	if said := out.String() + wrong.String(); said != "" {
		t.Errorf("somebody read %q", said)
	}
	close(out.read)
	close(wrong.read)
	noneLeft(t)
}
