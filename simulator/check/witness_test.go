package check_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/configs"
	"scentpost/simulator/check"
	"scentpost/simulator/dog"
	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/trial"
	"scentpost/station/uplink"
)

// station is the configuration of the pairs: three positions of three canisters, with all that purges, calls and measures.
var station = mustConfig(stationText(3, 3))

func stationText(positions, canisters int) string {
	var b strings.Builder
	b.WriteString(`site: check
station: pairs
data: journal
socket: control.sock
driver: {type: virtual, socket: station.sock}
people:
  - {name: Handler, roles: [handler]}
  - {name: Assessor, roles: [assessor]}
  - {name: Loader, roles: [loader]}
  - {name: Authority, roles: [authority, admin]}
`)
	fmt.Fprintf(&b, "positions: %d\n", positions)
	b.WriteString("timing: {lead: 2s, travel: 1500ms, close: 1500ms, grid: 1s, withdraw: 3s, long_press: 1s, open: 4m, edge_budget: 2000}\ndevices:\n")
	for p := 1; p <= positions; p++ {
		fmt.Fprintf(&b, "  - {name: beam-%d, type: beam, position: %d, line: beam%d}\n", p, p, p)
		for c := range canisters {
			l := string(rune('a' + c))
			fmt.Fprintf(&b, "  - {name: canister-%d%s, type: shutter, position: %d, canister: \"%d%s\", lines: {drive: c%d%s.drive, opened: c%d%s.opened, closed: c%d%s.closed}, pinch: out-of-reach}\n",
				p, l, p, p, strings.ToUpper(l), p, l, p, l, p, l)
		}
	}
	for _, role := range []string{"alert", "start", "abort", "e-stop"} {
		fmt.Fprintf(&b, "  - {name: button-%s, type: button, role: %s, line: button.%s}\n", role, role, strings.ReplaceAll(role, "-", ""))
	}
	b.WriteString("  - {name: ready, type: light, line: light.ready}\n  - {name: ack, type: light, line: light.ack}\n")
	for p := 1; p <= positions; p++ {
		fmt.Fprintf(&b, "  - {name: valve-%d, type: valve, position: %d, line: valve%d, longest: 2s}\n", p, p, p)
	}
	b.WriteString("  - {name: fan, type: fan, line: fan, rundown: 2s}\n  - {name: buzzer, type: buzzer, sounds: run-end, line: buzzer, longest: 1s}\n")
	b.WriteString("  - {name: air, type: bme280, bus: i2c-1, interval: 10s}\n")
	return b.String()
}

func mustConfig(text string) config.Config {
	cfg, err := config.Read("station.yaml", []byte(text), catalog.Types())
	if err != nil {
		panic(err)
	}
	return cfg
}

// planText is the plan of the pairs, in a mode.
func planText(mode string) string {
	return fmt.Sprintf(`plan: Pairs
form: lineup
presentation: actuated
mode: %s
positions: 3
runs: 3
reserve: 2
loading: {each_position: [tnt, glove, blank]}
targets: {odours: [tnt], per_run: 0..1}
distractors: {odours: [glove], per_run: 0..1}
calls: first-ends
limits: {run: 40s, dwell: 3s}
purge: 5s
feedback: none
reward: none
inconclusive: wrong
`, mode)
}

// blind are the roles that may not see the placement in each mode.
var blindRoles = map[string][]event.Role{
	"double": {event.Public, event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin},
	"single": {event.Public, event.Handler},
}

// performance is one session of a pair: the same for both but for its secrets.
type performance struct {
	seed, secrets uint64
	mode          string
	machine       func(*world.Kernel)
	store         journal.Store
	station       *config.Config // nil for the usual one
	late          func(mono int64) time.Duration
	silent        bool // nobody calls: every run ends by its limit, which is a short one
	// before is called when the session is sealed, to plant a fault, a void or a leak.
	before func(*yard.Yard, *check.Sights)
}

// perform runs one session and returns all that could be seen of it before the reveal.
func perform(t testing.TB, p performance) (*check.Sights, *yard.Yard) {
	t.Helper()
	seen := &check.Sights{}
	chance := world.New(p.seed).Rand("script")
	var scripts []dog.Script
	for range 8 {
		s := dog.Improvise(chance, 3)
		if p.silent {
			s.Pushes = s.Pushes[:1] // the start
		}
		scripts = append(scripts, s)
	}
	cfg := station
	if p.station != nil {
		cfg = *p.station
	}
	var y *yard.Yard
	var err error
	see := func(c check.Channel, text []byte) {
		if y == nil {
			return // it is being built: nothing is drawn yet
		}
		if y.Host.Snapshot().View.Revealed {
			seen.Close()
		}
		seen.See(c, y.World.Mono(), text)
	}
	y, err = yard.New(yard.Options{
		Seed: p.seed, Secrets: p.secrets, Config: cfg, Store: p.store, Machine: p.machine, Scripts: scripts, Late: p.late,
		Loading: []event.Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}, {Position: 1, Canister: "1B", Odour: "glove"},
			{Position: 2, Canister: "2A", Odour: "tnt"}, {Position: 2, Canister: "2B", Odour: "glove"},
			{Position: 3, Canister: "3A", Odour: "tnt"}, {Position: 3, Canister: "3B", Odour: "glove"}},
		Publish: func(_ int64, m uplink.Publish) {
			see(check.Messages, append(fmt.Appendf(nil, "%s qos %d retain %t: ", m.Topic, m.QoS, m.Retain), m.Payload...))
		},
		Log: logger(func(line []byte) { see(check.Logs, line) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	y.Conditions.Watch(func() { look(y, seen, y.Host.Snapshot(), p.mode) })
	y.Hardware.Observe(writer(func(line []byte) { seen.See(check.Outside, y.World.Mono(), line) }))
	y.Host.Watch(func(s trial.Snapshot) {
		if s.View.Revealed {
			seen.Close()
		}
		look(y, seen, s, p.mode)
	})
	rule := mustRule(t)
	plan := planText(p.mode)
	if p.silent {
		plan = strings.Replace(plan, "run: 40s", "run: 12s", 1)
	}
	if err := y.Prepare("pairs.yaml", []byte(plan), rule); err != nil {
		t.Fatal(err)
	}
	provoke(y, seen, 0)
	if p.before != nil {
		p.before(y, seen)
	}
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
	return seen, y
}

// look writes down what each blind role is shown. A program prints a function of it (cmd/internal/words).
func look(y *yard.Yard, seen *check.Sights, s trial.Snapshot, mode string) {
	for _, role := range blindRoles[mode] {
		view, err := json.Marshal(y.Control.Status(s, withRole(y, role)))
		if err != nil {
			panic(err)
		}
		seen.See(check.Views, y.World.Mono(), view)
	}
	y.Control.Do(control.Person{}, control.Request{Command: "doctor"}, func(r control.Response) {
		devices, err := json.Marshal(r.Devices)
		if err != nil || len(r.Devices) == 0 {
			panic(fmt.Sprintf("the doctor says %v, %v", r.Refused, err))
		}
		seen.See(check.Views, y.World.Mono(), devices)
	})
	if len(y.Boards) > 0 {
		lookAtBoards(y, seen, mode)
	} else {
		scrape(y, seen)
	}
}

// withRole returns somebody of the station who has a role, the public where nobody has it.
func withRole(y *yard.Yard, role event.Role) control.Person {
	for _, p := range station.People {
		if slices.Contains(p.Roles, role) {
			who, _ := y.Control.Person(p.Name)
			return who
		}
	}
	return control.Person{}
}

// provokeEvery is how often a command is given that is refused.
const provokeEvery = 7 * time.Second

// provocations are commands that no sealed session takes, each from a person of a role.
var provocations = []struct {
	by      event.Role
	request control.Request
	more    int // how often it is given again at once
}{
	{event.Public, control.Request{Command: "arm"}, 0},
	{event.Handler, control.Request{Command: "seal", Alone: true}, 0},
	{event.Loader, control.Request{Command: "arm"}, 0},
	{event.Loader, control.Request{Command: "load"}, 40},
	{event.Assessor, control.Request{Command: "seal", Alone: true}, 0},
	{event.Assessor, control.Request{Command: "call", Position: 9}, 0},
	{event.Assessor, control.Request{Command: "open", PlanName: "pairs.yaml", Plan: planText("double"), Dog: "D", Handler: "H", Assessor: "A"}, 0},
	{event.Handler, control.Request{Command: "call", Position: 1, Dog: "D"}, 0},
	{event.Handler, control.Request{Command: "withdraw"}, 0},
}

// provoke gives such commands, one after the other, until the reveal, and writes down how they are answered.
func provoke(y *yard.Yard, seen *check.Sights, n int) {
	if y.Host.Snapshot().View.Revealed {
		return
	}
	p := provocations[n%len(provocations)]
	for range 1 + p.more {
		y.Control.Do(withRole(y, p.by), p.request, func(r control.Response) {
			if mode := y.Host.Snapshot().View.Mode; !slices.Contains(blindRoles[string(mode)], p.by) {
				r.Status = nil // it may show this role what is hidden from others
			}
			answer, err := json.Marshal(r)
			if err != nil || r.OK {
				panic(fmt.Sprintf("%s: %s, %v", p.request.Command, answer, err))
			}
			seen.See(check.Commands, y.World.Mono(), answer)
		})
	}
	y.World.After(provokeEvery, func() { provoke(y, seen, n+1) })
}

// scrape writes down what a scrape of the metrics gets, with its headers.
func scrape(y *yard.Yard, seen *check.Sights) {
	answer := httptest.NewRecorder()
	y.Metrics.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		panic(fmt.Sprintf("a scrape gets %d: %s", answer.Code, answer.Body))
	}
	seen.See(check.Metrics, y.World.Mono(), fmt.Append(nil, answer.Header(), "\n", answer.Body))
}

// logger logs to f, without times.
func logger(f writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime}))
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func mustRule(t testing.TB) []byte {
	t.Helper()
	_, rule, err := configs.Files{}.Read(configs.Rules, "uk-short-odour")
	if err != nil {
		return nil
	}
	return rule
}
