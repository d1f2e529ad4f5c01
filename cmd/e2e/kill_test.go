package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/station/control"
	"scentpost/station/control/socket"
	"scentpost/station/history"
	"scentpost/station/record"
	"scentpost/station/uplink/brokertest"
	"scentpost/station/verify"
)

const (
	// Each rig's share of the kills, in `make long` and in `make test`.
	killsEach  = 25
	fewKills   = 8
	killRigs   = 8 // stations beside each other
	killSeed   = 20261123
	killScale  = 20
	killWithin = 1600 * time.Millisecond // of real time after a start: about a run and a half
	// deadMan is how long a canister may take to be closed once nobody holds the lines, in virtual time: its slowest
	// travel.
	deadMan = 500 * time.Millisecond
)

// tally counts what the kills met.
type tally struct{ kills, open, completed, voided, aborted, sessions atomic.Int64 }

// TestKilledAtRandomInstants kills the daemon with SIGKILL, again and again (issue 2, point 4).
func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	broker := brokertest.Start(t)
	each := killsEach
	if testing.Short() {
		each = fewKills
	}
	var met tally
	var rigs sync.WaitGroup
	for n := range killRigs { // not by t.Parallel, which runs one for each processor: these mostly wait
		rigs.Go(func() {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				k := newKiller(t, broker, n, &met)
				for range each {
					k.once()
				}
				k.finish()
			})
		})
	}
	rigs.Wait()
	t.Logf("seed %d: %d kills, %d of them with canisters open; %d sessions; runs: %d completed, %d voided, %d aborted", killSeed, met.kills.Load(),
		met.open.Load(), met.sessions.Load(), met.completed.Load(), met.voided.Load(), met.aborted.Load())
	// One run in ten is aborted: among few kills it may be that none is.
	aborted := met.aborted.Load() > 0 || testing.Short()
	if met.kills.Load() != int64(each*killRigs) || met.open.Load() == 0 || met.completed.Load() == 0 || met.voided.Load() == 0 || !aborted {
		t.Error("the kills did not meet everything that they should")
	}
}

// killer kills the daemon of one rig.
type killer struct {
	*driver
	t      *testing.T
	sent   *ledger
	chance *rand.Rand
	met    *tally
}

func newKiller(t *testing.T, broker *brokertest.Mosquitto, n int, met *tally) *killer {
	t.Helper()
	name := fmt.Sprint("killed-", n)
	k := &killer{t: t, sent: newLedger(t, broker, name), chance: rand.New(rand.NewPCG(killSeed, uint64(n))), met: met}
	r := newRig(t, options{example: "virtual-two", name: name, broker: broker.URL, plan: "../../configs/plans/short.yaml", scale: killScale, seed: uint64(n) + 1})
	k.driver = newDriver(t, r, k.chance)
	return k
}

// once starts the daemon, kills it at a random instant while a session is driven, and looks at what is left.
func (k *killer) once() {
	k.t.Helper()
	after := time.Duration(k.chance.Int64N(int64(killWithin)))
	p := k.r.launch()
	killed := make(chan hardware.State, 1)
	time.AfterFunc(after, func() {
		state, _ := hardware.Ask("unix", k.r.path("station.sock.probe"), hardware.Question{Probe: true}, patience)
		_ = p.Process.Kill()
		killed <- state
	})
	for line := range p.lines {
		if strings.HasPrefix(line, "ready") {
			k.drive()
		}
	}
	before := <-killed
	if code := p.exit(k.t); code != -1 {
		k.t.Fatalf("kill %d after %s: the daemon had ended by itself with %d:\n%s", k.met.kills.Load(), after, code, p.said())
	}
	k.met.kills.Add(1)
	if driven(before) > 0 {
		k.met.open.Add(1)
	}
	k.closed(after)
	audit(k.t, k.r, k.seen, k.sent)
	k.seen = seen{}
	if k.t.Failed() {
		k.t.Fatalf("this was after a kill %s after the start", after)
	}
}

// closed waits until the station has heard the end of the daemon, and sees that every canister closes in time.
func (k *killer) closed(after time.Duration) {
	k.t.Helper()
	var gone int64
	for limit := time.Now().Add(patience); ; {
		state := k.r.ask()
		if time.Now().After(limit) {
			k.t.Fatalf("killed after %s: %+v", after, state)
		}
		if state.Client {
			continue
		}
		if gone == 0 {
			gone = state.Mono
		}
		if n := driven(state); n > 0 {
			k.t.Fatalf("killed after %s: %d canisters are held open by nobody", after, n)
		}
		open := 0
		for _, c := range state.Canisters {
			if c.State != "closed" {
				open++
			}
		}
		if open == 0 {
			return
		}
		if late := time.Duration(state.Mono - gone); late > deadMan {
			k.t.Fatalf("killed after %s: %d canisters are not closed %s later", after, open, late)
		}
	}
}

// finish brings the last session to its end, and verifies every session of the log.
func (k *killer) finish() {
	k.t.Helper()
	k.finishing, k.abortOne = true, false
	k.r.serve()
	limit := time.AfterFunc(patience, func() { _ = k.r.daemon.Process.Kill() })
	if !k.drive() {
		k.t.Fatal("the last session did not end")
	}
	limit.Stop()
	list, err := k.list()
	if err != nil {
		k.t.Fatal(err)
	}
	for _, line := range list {
		k.verify(line.ID)
	}
	k.r.daemon.stop(k.t)
	audit(k.t, k.r, k.seen, k.sent)
	k.r.station.stop(k.t)
}

func (k *killer) list() ([]history.Listed, error) {
	client, err := socket.Dial(k.t.Context(), k.r.socket())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	response, err := client.Send(&control.Request{Command: "list"})
	return response.List, err
}

// verify exports a session, verifies it, and sees that each run ended in exactly one way.
func (k *killer) verify(session string) {
	k.t.Helper()
	file := k.r.path(session + ".zip")
	k.r.must("record", "export", session, "-o", file)
	data, err := os.ReadFile(file)
	if err != nil {
		k.t.Fatal(err)
	}
	key := strings.TrimSpace(k.r.must("key", "show", k.r.path("data/station.key")))
	report := verify.Verify(data, verify.Options{Keys: []string{key}})
	if !report.Consistent || report.Signer != verify.Pinned || report.Replay != verify.ReplayChecked || report.Result.State != history.Closed {
		k.t.Errorf("session %s: %+v", session, report)
	}
	b, faults := record.Read(data, record.DefaultLimits())
	if len(faults) > 0 {
		k.t.Fatal(faults)
	}
	ended := endings(k.t, b.Lines)
	for _, run := range report.Result.Runs {
		way, err := how(ended[run.Run])
		if err != nil || way != string(run.How) {
			k.t.Errorf("session %s, run %d: %v; the summary says %s", session, run.Run, err, run.How)
		}
		map[string]*atomic.Int64{"completed": &k.met.completed, "voided": &k.met.voided, "aborted": &k.met.aborted}[way].Add(1)
	}
	if len(ended) != len(report.Result.Runs) {
		k.t.Errorf("session %s: %d runs were armed, the summary has %d", session, len(ended), len(report.Result.Runs))
	}
	k.met.sessions.Add(1)
}
