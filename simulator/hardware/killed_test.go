package hardware

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scentpost/drivers/virtual"
	"scentpost/simulator/world"
)

// clientOf names the socket that this test binary is to open a canister on when it is run as a client.
const clientOf = "SCENTPOST_TEST_CLIENT_OF"

func TestMain(m *testing.M) {
	if socket := os.Getenv(clientOf); socket != "" {
		openAndWait(socket)
	}
	os.Exit(m.Run())
}

// openAndWait is the client: it opens two canisters, says so, and never ends by itself.
func openAndWait(socket string) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := virtual.NewReader(conn)
	for i, m := range []virtual.Message{{Kind: virtual.Output, Line: "c1a.drive"}, {Kind: virtual.Output, Line: "c2b.drive"},
		{Kind: virtual.Set, Line: "c1a.drive", Level: true}, {Kind: virtual.Set, Line: "c2b.drive", Level: true}} {
		m.ID = uint64(i + 1)
		text, _ := virtual.Append(nil, m)
		_, _ = conn.Write(text)
		for {
			if m, err := r.Next(); err != nil || m.Kind == virtual.Done {
				break
			}
		}
	}
	fmt.Println("open")
	for beat := time.NewTicker(virtual.Heartbeat); ; <-beat.C {
		if _, err := conn.Write([]byte(`{"kind":"heartbeat"}` + "\n")); err != nil {
			os.Exit(1)
		}
	}
}

// TestAKilledClientClosesEverything kills a real process over a real socket while its canisters are open.
func TestAKilledClientClosesEverything(t *testing.T) {
	st, err := New(world.New(1), LineUp(2, 4, DefaultLoading))
	if err != nil {
		t.Fatal(err)
	}
	changes := make(chan Change, 1000)
	st.Subscribe(func(c Change) { changes <- c })
	server, err := NewServer(st, "killed", 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	socket, probe := filepath.Join(dir, "station"), filepath.Join(dir, "probe")
	lines, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	probes, err := net.Listen("unix", probe)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, lines, probes) }()
	for range 3 { // the station outlives its clients
		killOneClient(t, socket, changes)
	}
	state, err := Ask("unix", probe, Question{Probe: true}, 10*time.Second)
	if err != nil || state.Client {
		t.Errorf("%+v, %v", state, err)
	}
	for _, c := range state.Canisters {
		if c.State != "closed" || c.Driven {
			t.Errorf("%+v", c)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func killOneClient(t *testing.T, socket string, changes <-chan Change) {
	t.Helper()
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), clientOf+"="+socket)
	said, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	first, _ := bufio.NewReader(said).ReadString('\n')
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = client.Wait()
	if strings.TrimSpace(first) != "open" {
		t.Fatalf("the client said %q", first)
	}
	closed, off := 0, int64(0)
	for limit := time.After(20 * time.Second); closed < 2; {
		select {
		case c := <-changes:
			switch {
			case c.What == PowerCut && c.State == "off":
				off = c.Mono
			case c.What == Travel && c.State == "closed":
				closed++
				if travel := time.Duration(c.Mono - off); off == 0 || travel > shutSlowest+travelJitter {
					t.Errorf("canister %s was shut %s after the client's end", c.Name, travel)
				}
			}
		case <-limit:
			t.Fatalf("only %d canisters closed", closed)
		}
	}
}
