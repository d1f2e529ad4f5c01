package words_test

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"scentpost/cmd/internal/words"
	"scentpost/configs"
	"scentpost/simulator/dog"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/event"
)

var update = flag.Bool("update", false, "write the answers again")

// walker is a station whose people give every command in every state.
type walker struct {
	t *testing.T
	y *yard.Yard
}

func newWalker(t *testing.T) *walker {
	t.Helper()
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	y, err := yard.New(yard.Options{Seed: 1, Secrets: 1, Config: cfg, Scripts: []dog.Script{}, Machine: func(*world.Kernel) {},
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &walker{t, y}
}

// request is what a command needs.
func (w *walker) request(name string) control.Request {
	_, plan, err := configs.Files{}.Read(configs.Plans, "short")
	if err != nil {
		w.t.Fatal(err)
	}
	r := map[string]control.Request{
		"open": {PlanName: "short.yaml", Plan: strings.Replace(string(plan), "reserve: ", "reserve: 0 # ", 1), Dog: "Rex", Handler: "Handler", Assessor: "Assessor"},
		"seal": {Alone: true}, "call": {Position: 1}, "withdraw": {Reason: "slip"}, "observe": {What: "hesitation"},
		"void": {Reason: "rain"}, "date": {Date: "2027-03-04"}, "close": {AllBack: true}, "pause": {Reason: "rain"},
	}[name]
	r.Command = name
	return r
}

func (w *walker) give(name string) (control.Response, error) {
	role, known := map[string]event.Role{"load": event.Loader, "close": event.Loader, "start": event.Handler}[name]
	if !known {
		role = event.Assessor
	}
	return w.y.Do(role, w.request(name))
}

// walk gives commands that must be taken; "=state" waits for a state of the run, and "=ended" for the end.
func (w *walker) walk(script string) {
	w.t.Helper()
	for _, step := range strings.Fields(script) {
		state, wait := strings.CutPrefix(step, "=")
		if !wait {
			if _, err := w.give(step); err != nil {
				w.t.Fatalf("%s: %v", script, err)
			}
			continue
		}
		there := func() bool {
			v := w.y.Host.Snapshot().View
			return string(v.Run.State) == state || state == "between" && v.Run.Index == 0 || string(v.Phase) == state
		}
		w.y.World.RunWhile(func() bool { return !there() }, w.y.World.Mono()+int64(time.Hour))
	}
}

// TestAnswers is what people read in every state of a session: what the station waits for, and the answer to each command that it
// refuses. Each answer says what is so, in seconds where there are some, and what comes next. Read the file when it changes.
func TestAnswers(t *testing.T) {
	var out strings.Builder
	for _, state := range []struct{ name, script string }{
		{"no session", ""},
		{"opened", "open"},
		{"loaded", "open load"},
		{"between runs", "open load seal"},
		{"paused between runs", "open load seal pause"},
		{"armed", "open load seal arm"},
		{"presented", "open load seal arm =presented"},
		{"searching", "open load seal arm =presented start"},
		{"paused in mid-run", "open load seal arm =presented start pause"},
		{"called", "open load seal arm =presented start call"},
		{"locked", "open load seal arm =presented start call =locked"},
		{"purging", "open load seal arm =presented start call =purging"},
		{"void, the reserve is used up", "open load seal arm =presented void"},
		{"between runs, the reserve is used up", "open load seal arm =presented void =between"},
		{"aborted in a run", "open load seal arm =presented abort"},
		{"ended", "open load seal abort"},
		{"closed", "open load seal abort close"},
	} {
		w := newWalker(t)
		w.walk(state.script)
		status := w.y.Control.Status(w.y.Host.Snapshot(), control.Person{Name: "Assessor", Roles: []event.Role{event.Assessor}})
		fmt.Fprintf(&out, "== %s ==\n%s\n", state.name, words.Progress(&status))
		for _, c := range control.Commands() {
			if !c.Asks() {
				continue
			}
			w := newWalker(t)
			w.walk(state.script)
			got, err := w.give(c.Name)
			if err == nil {
				continue
			}
			if got.Refused == nil {
				t.Fatal(errors.Join(err, fmt.Errorf("%s in state %s", c.Name, state.name)))
			}
			got.Simulated = false // each answer would begin with the same line
			fmt.Fprintf(&out, "%s: %v\n", c.Name, words.Refused(got))
		}
		out.WriteByte('\n')
	}
	const file = "testdata/answers.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the answers are not those of %s (go test ./cmd/internal/words -run Answers -update writes them):\n%s", file, out.String())
	}
}
