package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/drivers/bus"
	"scentpost/drivers/virtual"
	"scentpost/simulator/hardware"
)

// asMain makes this test binary run as scentsim.
const asMain = "SCENTSIM_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

const six = "../../configs/stations/virtual-six.yaml"

// patience bounds what a busy machine may take; nothing is measured by it.
const patience = 30 * time.Second

// held is a station that is held by a goroutine of the test.
type held struct {
	socket, probe, log, ready string
	end                       func() error
}

func hold(t *testing.T, change func(*stationCmd)) held {
	t.Helper()
	dir := t.TempDir()
	c := stationCmd{Config: six, Seed: 1, Scale: 100, Socket: filepath.Join(dir, "s"), Log: filepath.Join(dir, "log"), Handler: handlerNone}
	change(&c)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.hold(ctx, program.Streams{Out: w, Err: io.Discard})
		ended <- err
		_ = w.CloseWithError(err)
	}()
	ready, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	h := held{socket: c.Socket, probe: c.Socket + ".probe", log: c.Log, ready: ready, end: func() error { cancel(); return <-ended }}
	t.Cleanup(cancel)
	return h
}

// edges is a bus.Sink into a channel.
type edges chan bus.Edge

func (e edges) Edge(edge bus.Edge)    { e <- edge }
func (edges) Watermark(bus.Watermark) {}
func (e edges) wait(t *testing.T, line string, level bool) bus.Edge {
	t.Helper()
	for limit := time.After(patience); ; {
		select {
		case edge := <-e:
			if edge.Line == line && edge.Level == level {
				return edge
			}
		case <-limit:
			t.Fatalf("no edge of %s to %v", line, level)
		}
	}
}

// dial connects as a daemon does, and watches beams, buttons and one canister.
func (h held) dial(t *testing.T) (*virtual.Client, edges) {
	t.Helper()
	client, err := virtual.Dial(virtual.Options{Socket: h.socket})
	if err != nil {
		t.Fatal(err)
	}
	sink := make(edges, 10_000)
	if err := client.Watch([]string{"beam1", "beam2", "beam3", "beam4", "beam5", "beam6", "button.alert", "button.start", "c2a.opened", "c2a.closed"}, sink); err != nil {
		t.Fatal(err)
	}
	return client, sink
}

func set(t *testing.T, b bus.Bus, line string) {
	t.Helper()
	o, err := b.Output(line, false)
	if err != nil {
		t.Fatal(err)
	}
	o.Set(true, 0, 10*time.Minute, func(_ int64, err error) {
		if err != nil {
			t.Errorf("set %s: %v", line, err)
		}
	})
}

func TestAStationForADaemon(t *testing.T) {
	h := hold(t, func(c *stationCmd) { c.Handler = handlerButton })
	if !strings.HasPrefix(h.ready, "ready: station virtual-six at "+h.socket) || !strings.Contains(h.ready, "SIMULATED") {
		t.Errorf("it said %q", h.ready)
	}
	client, sink := h.dial(t)
	set(t, client, "c2a.drive") // tnt
	sink.wait(t, "c2a.opened", true)
	set(t, client, "light.ready")
	sink.wait(t, "button.start", true)
	sink.wait(t, "beam1", true)
	sink.wait(t, "beam2", true)
	sink.wait(t, "button.alert", true) // the dog found it, or was wrong: the seed says
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	again, sink := h.dial(t) // the next daemon; its first question is answered after the last one's end
	if level, err := again.Level("c2a.opened"); err != nil || level {
		t.Errorf("after the client's end the open end shows %v, %v", level, err)
	}
	_ = sink
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if err := h.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(h.socket); err == nil {
		t.Error("its socket is still there")
	}
	checkLog(t, h.log)
}

// checkLog: every line is a change, in order of time, and the canister that was opened was closed.
func checkLog(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	last := int64(0)
	for line := range bytes.Lines(text) {
		var c hardware.Change
		if err := json.Unmarshal(line, &c); err != nil || c.Mono < last {
			t.Fatalf("%s: %v, after %d", line, err, last)
		}
		last = c.Mono
		if c.What == hardware.Travel && c.Name == "2A" {
			states = append(states, c.State)
		}
	}
	if want := []string{"opening", "open", "closing"}; len(states) < 3 || !slices.Equal(states[:3], want) {
		t.Errorf("canister 2A was %v", states)
	}
}

func TestVoiceShoutsAndProbeLetsGo(t *testing.T) {
	h := hold(t, func(c *stationCmd) { c.Handler, c.Scale = handlerVoice, 500 })
	client, sink := h.dial(t)
	set(t, client, "light.ready")
	ask := func() {
		for limit := time.Now().Add(patience); ; { // until the light is on, go does nothing
			if _, err := hardware.Ask("unix", h.probe, hardware.Question{Go: true}, patience); err != nil {
				t.Fatal(err)
			}
			select {
			case e := <-sink:
				if e.Line != "beam1" {
					t.Errorf("the first edge is of %s", e.Line)
				}
				return
			default:
			}
			if time.Now().After(limit) {
				t.Fatal("the dog does not go")
			}
		}
	}
	ask()
	sink.wait(t, "beam6", true)
	for limit := time.Now().Add(patience); ; { // until the call was shouted, which no line tells
		log, err := os.ReadFile(h.log)
		if err != nil || time.Now().After(limit) || bytes.Contains(log, []byte(`"what":"button"`)) {
			t.Fatalf("%v, or no shout, or a button pressed:\n%s", err, log)
		}
		if bytes.Contains(log, []byte(`"what":"shout","state":"all clear"`)) {
			break
		}
		if _, err := hardware.Ask("unix", h.probe, hardware.Question{Probe: true}, patience); err != nil { // time passes
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := h.end(); err != nil {
		t.Error(err)
	}
}

func TestTheLoadingOfAPlan(t *testing.T) {
	c := stationCmd{Config: six, Plan: "lineup-six"}
	_, byPlan, targets, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	c.Plan = ""
	_, byLetter, none, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(targets, []string{"tnt", "smokeless-powder"}) || none != nil {
		t.Errorf("the dog is to find %q by the plan, %q without one", targets, none)
	}
	if !slices.Equal(byPlan.Canisters, byLetter.Canisters) {
		t.Error("lineup-six does not lie in the default order")
	}
	if len(byPlan.Canisters) != 24 || byPlan.Canisters[4] != (hardware.Canister{Position: 2, Name: "2A", Odour: "tnt",
		Drive: "c2a.drive", Opened: "c2a.opened", Closed: "c2a.closed"}) {
		t.Errorf("%d canisters, %+v", len(byPlan.Canisters), byPlan.Canisters[4])
	}
	if byPlan.Buttons[3] != (hardware.Button{Name: hardware.ButtonEStop, Line: "button.estop"}) || byPlan.Lights[0].Name != hardware.LightReady {
		t.Errorf("buttons %+v, lights %+v", byPlan.Buttons, byPlan.Lights)
	}
	c.Plan, c.Config = "../../configs/plans/lineup-six.yaml", "../../configs/stations/virtual-two.yaml"
	if _, _, _, err := c.read(); err == nil || !strings.Contains(err.Error(), "canisters that the station does not have") {
		t.Errorf("a plan of six on a station of two: %v", err)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("site: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 2, "--help"},
		{"--help", 0, "virtual station"},
		{"station " + six, 2, "--seed"},
		{"station " + six + " --seed -1", 2, "--seed"},
		{"station " + six + " --seed 1.5", 2, "--seed"},
		{"station " + six + " --seed 1 --handler dog", 2, "--handler"},
		{"station " + six + " --seed 1 --scale 0 --socket " + socket, 2, "scale 0"},
		{"station " + six + " --seed 1 --scale NaN --socket " + socket, 2, "scale NaN"},
		{"station " + six + " --seed 1 --handler call --go-after=-1s --socket " + socket, 2, "--go-after -1s"},
		{"station " + six + " --seed 1 --socket " + file, 2, "is no socket"},
		{"station " + six + " --seed 1 --socket " + file + "/s", 2, "folder of the socket"},
		{"station " + six + " --seed 1 --socket " + socket + " --log " + dir, 2, "--log"},
		{"station " + six + " --seed 1 --plan " + dir + "/none", 2, "no such file"},
		{"station " + six + " --seed 1 --plan " + file, 2, file},
		{"station " + file + " --seed 1", 2, file + ":1"},
		{"station " + dir + " --seed 1", 2, "is a folder"},
		{"station " + dir + "/none --seed 1", 2, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(strings.Fields(c.args), &stdout, &stderr); code != c.code || !strings.Contains(stdout.String()+stderr.String(), c.says) {
			t.Errorf("scentsim %s: exit %d, want %d and %q:\n%s%s", c.args, code, c.code, c.says, &stdout, &stderr)
		}
	}
}

func TestSocketsOfOthers(t *testing.T) {
	h := hold(t, func(*stationCmd) {})
	var stderr bytes.Buffer
	if code := run([]string{"station", six, "--seed", "1", "--socket", h.socket}, io.Discard, &stderr); code != 1 || !strings.Contains(stderr.String(), "another station listens") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if err := h.end(); err != nil {
		t.Error(err)
	}
	// A killed station leaves its socket behind; the next one takes it.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: h.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	next := hold(t, func(c *stationCmd) { c.Socket = h.socket })
	if err := next.end(); err != nil {
		t.Error(err)
	}
}

// TestProcessEndsOnSIGTERM runs scentsim as it is run.
func TestProcessEndsOnSIGTERM(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command(os.Args[0], "station", six, "--seed", "7", "--socket", socket)
	cmd.Env = append(os.Environ(), asMain+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, _ := bufio.NewReader(stdout).ReadString('\n')
	state, err := hardware.Ask("unix", socket+".probe", hardware.Question{Probe: true}, patience)
	if err != nil || len(state.Canisters) != 24 || state.Scale != 1 || !strings.HasPrefix(ready, "ready: ") {
		t.Errorf("said %q, answered %+v, %v", ready, state, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("its socket is still there")
	}
}
