package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/simulator/hardware"
	"scentpost/station/control"
)

// rig is a virtual station with its configuration, and the daemon on it.
type rig struct {
	t       testing.TB
	dir     string
	config  string
	name    string
	station *program
	daemon  *program
}

// options change a rig from the example configuration that it is made of.
type options struct {
	example   string // of configs/stations, without .yaml
	name      string
	broker    string // URL, "" for none
	authority string // verifier key, "" for none
	plan      string // file that the canisters are loaded by
	clock     string // what the station's wall clock does, "" for exact
	scale     float64
	seed      uint64
}

// newRig writes a configuration and starts the virtual station; the daemon is for the test to start.
func newRig(t testing.TB, o options) *rig {
	t.Helper()
	r := &rig{t: t, name: o.name}
	r.configure(o)
	args := []string{"station", r.config, "--seed", fmt.Sprint(o.seed), "--scale", fmt.Sprint(o.scale), "--log", r.path("changes")}
	if o.plan != "" {
		args = append(args, "--plan", o.plan)
	}
	if o.clock != "" {
		args = append(args, "--clock", o.clock)
	}
	r.station = start(t, "scentsim", args...)
	r.station.line(t, "ready")
	return r
}

// configure writes the configuration of a rig without starting anything.
func (r *rig) configure(o options) {
	r.t.Helper()
	var err error
	if r.dir, err = os.MkdirTemp("", "rig-"); err != nil { // not TempDir: a socket's path must be short
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = os.RemoveAll(r.dir) })
	text, err := os.ReadFile("../../configs/stations/" + o.example + ".yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	out := strings.ReplaceAll(string(text), "../../build/"+o.example+"/", "")
	out = strings.Replace(out, "station: "+o.example, "station: "+o.name, 1)
	if o.broker != "" {
		out += "\nbroker: {url: \"" + o.broker + "\"}\n"
	}
	if o.authority != "" {
		out = strings.Replace(out, "\nauthorities:\n", "\nauthorities:\n  - \""+o.authority+"\"\n", 1)
	}
	r.config = r.path("station.yaml")
	if err := os.WriteFile(r.config, []byte(out), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) socket() string { return r.path("scentpost.sock") }

// launch starts the daemon and waits for nothing.
func (r *rig) launch() *program {
	r.t.Helper()
	r.daemon = start(r.t, "scentpostd", "run", r.config)
	return r.daemon
}

// serve starts the daemon and waits until sessions can be run.
func (r *rig) serve() {
	r.t.Helper()
	r.launch().line(r.t, "sessions")
}

// cli runs scentpost on the daemon's socket.
func (r *rig) cli(args ...string) (stdout, stderr string, code int) {
	return call("scentpost", []string{"SCENTPOST_SOCKET=" + r.socket()}, args...)
}

// must runs scentpost, which must exit 0, and returns what it printed.
func (r *rig) must(args ...string) string {
	r.t.Helper()
	out, wrong, code := r.cli(args...)
	if code != 0 {
		r.t.Fatalf("scentpost %s: exit %d: %s%s", strings.Join(args, " "), code, out, wrong)
	}
	return out
}

// tell gives a command of a session as somebody, and returns the answer.
func (r *rig) tell(as string, args ...string) control.Response {
	r.t.Helper()
	var response control.Response
	out := r.must(append(append([]string{"session"}, args...), "--json", "--as", as)...)
	if err := json.Unmarshal([]byte(out), &response); err != nil || !response.OK || response.Status == nil {
		r.t.Fatalf("session %s: %v in %s", args, err, out)
	}
	return response
}

// ask asks the virtual station for the truth.
func (r *rig) ask() hardware.State {
	r.t.Helper()
	state, err := hardware.Ask("unix", r.path("station.sock.probe"), hardware.Question{Probe: true}, patience)
	if err != nil {
		r.t.Fatal(err)
	}
	return state
}

// driven counts the canisters that are held open.
func driven(state hardware.State) (n int) {
	for _, c := range state.Canisters {
		if c.Driven {
			n++
		}
	}
	return n
}
