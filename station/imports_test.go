package station_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rule bans imports of the packages that match of. Paths of the module stand without its name; a row for a
// package that does not exist yet does no harm.
type rule struct {
	of     []string // the packages that the rule is for
	but    []string // packages among them that it is not for
	only   []string // of the module's packages, these and their own sub-packages may be imported; nil: no rule
	never  []string // these may not be imported, of the module or not
	std    bool     // only the standard library may be imported
	reason string
}

// impure are the packages of the standard library that reach for a clock, a disk, a network, other goroutines,
// global chance or a log. time itself is needed for durations; its clock is banned by TestPureCodeReadsNoClock.
var impure = []string{
	"os/...", "net", "net/http", "net/rpc/...", "net/smtp", "net/textproto", "sync/...", "log", "math/rand/...",
	"crypto/rand", "syscall", "io/ioutil", "database/sql/...", "golang.org/x/sys/...",
}

// pure are the packages whose results depend on their arguments alone.
var pure = []string{
	"station/event", "station/refusal", "station/signs", "station/names", "station/readiness", "station/strict", "station/blind", "station/dwell", "station/score", "station/trial", "station/access",
	"station/history", "station/record", "station/verify", "station/config", "station/health", "station/templates",
	"station/doctor", "station/uplink/address", "station/health/vitals", "station/health/boards", "firmware-bridge/frame", "firmware-bridge/message", "firmware-bridge/link", "firmware-bridge/pinbus", "firmware-bridge/clockmap", "firmware-bridge/twin",
}

var (
	shells  = []string{"station/host", "station/devices", "station/control", "station/uplink", "station/panel", "station/hub", "station/metrics", "station/report"}
	readers = []string{"station/uplink/wire", "station/event", "station/history", "station/record", "station/journal", "station/health", "station/score", "station/control", "station/signs"}
)

// rules is DESIGN.md's "Who may import whom".
var rules = []rule{
	{of: pure, never: impure,
		reason: "it is pure: it must give the same on a Pi, in a test, in a simulation and over a stored record"},
	{of: pure, but: []string{"station/event"}, never: []string{"log/slog"},
		reason: "pure code logs nothing; only event implements LogValue, so that a placement logs as sealed"},
	{of: pure, but: []string{"station/verify"}, never: []string{"runtime/..."},
		reason: "pure code does not ask what it runs on; verify spreads its hashing over the processors, which changes no answer"},
	{of: []string{"station/event", "station/refusal"}, std: true,
		reason: "everybody speaks its words, so it depends on the standard library only"},
	{of: []string{"station/signs"}, std: true,
		reason: "every door for texts asks it, so it depends on the standard library only"},
	{of: []string{"station/names"}, only: []string{"station/signs", "station/strict"},
		reason: "it compares texts, and knows nobody who is called so"},
	{of: []string{"station/strict"}, only: []string{"station/signs"},
		reason: "it reads any file and knows none"},
	{of: []string{"station/health"}, only: []string{"station/event"},
		reason: "conditions are words; whoever raises them imports it, not the other way round"},
	{of: []string{"station/blind", "station/dwell", "station/score"}, only: []string{"station/event", "station/signs", "station/strict"},
		reason: "each is a function of the vocabulary; the engine puts them together"},
	{of: []string{"station/...", "drivers/...", "firmware-bridge/...", "cmd/..."}, never: []string{"gonum.org/v1/gonum/stat/...", "gonum.org/v1/gonum/mat", "gonum.org/v1/gonum/floats/..."},
		reason: "linear algebra comes with it, 3 MB of the daemon: mathext has the quantiles alone"},
	{of: []string{"station/readiness"}, only: []string{"station/refusal"},
		reason: "whether a run may start is a function of what is known of the station; assembly gathers it, and everybody asks it"},
	{of: []string{"station/trial"}, only: []string{"station/event", "station/refusal", "station/blind", "station/dwell", "station/score"},
		reason: "the engine is the top of the pure core and knows neither the record nor any shell"},
	{of: []string{"station/history"}, only: []string{"station/event"},
		reason: "it tells what public records say, with no engine: a list, a report and a verifier must all be able to ask it"},
	{of: []string{"station/record"}, only: []string{"station/event", "station/history", "station/signs"},
		reason: "a stranger writes a verifier from the record's format: it must not depend on how trials are run; history is the report in it"},
	{of: []string{"station/verify"}, only: []string{"station/event", "station/history", "station/record", "station/trial", "station/blind", "station/score"},
		reason: "a bundle is verified offline, by the pure core alone"},
	{of: []string{"station/durable"}, only: []string{},
		reason: "it writes files, and does not know what they hold"},
	{of: []string{"station/journal"}, only: []string{"station/durable", "station/event", "station/holder", "station/record"},
		reason: "the store keeps bytes and knows nothing of trials"},
	{of: []string{"station/archive"}, only: []string{"station/event", "station/history", "station/record", "station/journal"},
		reason: "sessions are read from the logs alone, whoever runs and whoever asks: it knows neither host nor door"},
	{of: []string{"station/folder"}, only: []string{"station/durable", "station/event", "station/holder", "station/journal", "station/record"},
		reason: "it says what lies where and what belongs together; it reads whose a journal is, and runs no station"},
	{of: []string{"station/holder"}, only: []string{},
		reason: "it holds a file, and does not know what for"},
	{of: []string{"station/backup"}, only: []string{"station/durable", "station/event", "station/folder", "station/holder", "station/history", "station/record", "station/journal"},
		reason: "it copies the log as it stands and knows nothing of trials, nor of what runs"},
	{of: []string{"station/config"}, only: []string{"station/event", "station/names", "station/strict", "station/templates", "station/uplink/address"},
		reason: "it receives the known device types as a value, so that a configuration can be checked without drivers"},
	{of: []string{"station/uplink/wire"}, std: true,
		reason: "it is what stations and their readers say to each other: who reads a station needs no part of one"},
	{of: []string{"station/uplink/address"}, only: []string{},
		reason: "it reads one text, for whoever checks it and whoever dials it"},
	{of: []string{"station/templates"}, only: []string{"station/strict"},
		reason: "what a type of device is, is data: it is read and checked without drivers"},
	{of: []string{"station/health/vitals"}, only: []string{"station/health"},
		reason: "how the machine fares is a function of what was read; cmd reads it"},
	{of: []string{"station/doctor"}, only: []string{"station/config", "station/templates", "station/strict"},
		reason: "a diagnosis is a function of what was seen; cmd looks at the machine and asks the daemon"},
	{of: []string{"station/clock"}, only: []string{"station/event"},
		reason: "the clock's contract is implemented by real and virtual time alike"},
	{of: []string{"station/devices"}, only: []string{"station/refusal", "drivers/bus/...", "station/catalog", "station/templates", "station/config", "station/clock", "station/event", "station/health"},
		reason: "the dead-man and the e-stop sit below the host and must not wait for it; parts come through the catalogue"},
	{of: []string{"station/boards"}, only: []string{"drivers/bus/...", "station/templates", "firmware-bridge/pinbus", "firmware-bridge/link", "firmware-bridge/visit", "station/config", "station/control", "station/health/..."},
		reason: "it puts what boards report into the words of those who judge and show it, and runs nothing"},
	{of: []string{"station/listeners"}, only: []string{},
		reason: "it tells of any change and knows of none"},
	{of: []string{"station/host"}, only: append([]string{"station/journal", "station/clock", "station/listeners"}, pure...),
		reason: "the owner of the state declares what it needs; cmd plugs devices, control and readers in"},
	{of: []string{"station/assembly"}, never: append([]string{"drivers/linux/...", "drivers/virtual", "firmware-bridge/...", "station/panel", "station/hub", "station/report", "configs"}, slices.DeleteFunc(slices.Clone(impure), func(path string) bool { return path == "sync/..." })...),
		reason: "it is the same station in the daemon and in the yard: machine, files, sockets and chance come in as values"},
	{of: []string{"station/control/socket"}, only: []string{"station/control", "station/history", "station/refusal"},
		reason: "a socket carries what the door for people takes and gives; who may do what is decided there"},
	{of: []string{"station/control"}, never: impure,
		reason: "the door for people knows no socket and no account's name: a page, a terminal and a simulation come through it alike"},
	{of: []string{"station/access"}, only: []string{"station/event", "station/trial"},
		reason: "the table of who may see what is asked by every view and page, and depends on the trial alone"},
	{of: []string{"station/control"}, only: []string{"station/access", "station/event", "station/refusal", "station/readiness", "station/history", "station/record", "station/blind", "station/score", "station/trial", "station/health", "station/names", "station/signs", "station/strict"},
		reason: "the table of commands declares the inbox that it needs, and reaches no shell"},
	{of: []string{"station/uplink", "station/metrics", "station/hub", "station/report"}, only: readers,
		reason: "readers follow the journal, each by itself: one that fails takes no other with it"},
	{of: []string{"station/panel"}, only: append([]string{"station/report"}, readers...),
		reason: "the panel is a reader too; it may show the report's papers"},
	{of: []string{"station/roster"}, never: append([]string{"drivers/..."}, shells...),
		reason: "the inventory outlives any shell"},
	{of: []string{"drivers/...", "firmware-bridge/..."}, never: []string{"station/...", "simulator/...", "configs", "cmd/..."},
		reason: "hardware knows nothing of trials, so that a part can be tried, tested and replaced alone"},
	{of: []string{"firmware-bridge/frame"}, only: []string{},
		reason: "frames are bytes: what they mean is read above"},
	{of: []string{"firmware-bridge/message"}, only: []string{"firmware-bridge/frame"},
		reason: "messages are values: who speaks to whom is decided above"},
	{of: []string{"firmware-bridge/clockmap"}, only: []string{},
		reason: "it is arithmetic over two clocks, and knows no line"},
	{of: []string{"firmware-bridge/board"}, only: []string{"drivers/bus/...", "firmware-bridge/pinbus", "firmware-bridge/link", "firmware-bridge/message", "firmware-bridge/twin"},
		reason: "it is the shell around the pins of one board, and a bus like every other"},
	{of: []string{"firmware-bridge/pinbus"}, only: []string{"drivers/bus", "firmware-bridge/link", "firmware-bridge/message", "firmware-bridge/clockmap"},
		reason: "it puts what one link says into the words of the bus, and knows no port"},
	{of: []string{"firmware-bridge/link"}, only: []string{"firmware-bridge/frame", "firmware-bridge/message", "firmware-bridge/clockmap"},
		reason: "it is one end of a conversation, and knows no port"},
	{of: []string{"firmware-bridge/twin"}, only: []string{"firmware-bridge/frame", "firmware-bridge/message"},
		reason: "the other end shares the language alone: what both took from one place would prove nothing"},
	{of: []string{"drivers/..."}, only: []string{"drivers/bus/..."},
		reason: "one part a package: parts meet in the catalogue only, and know nothing of boards that may carry them"},
	{of: []string{"station/catalog"}, only: []string{"drivers/...", "firmware-bridge/...", "configs", "station/templates"},
		reason: "it joins all parts with their templates, and knows no configuration, no trial and no shell"},
	{of: []string{"configs"}, only: []string{"station/strict"},
		reason: "it holds files, and does not know what they say"},
	{of: []string{"station/...", "drivers/...", "firmware-bridge/...", "configs"}, never: []string{"simulator/..."},
		reason: "the simulator plugs in below the bus; nothing that runs on a station may know that it is simulated"},
	{of: []string{"station/...", "drivers/...", "firmware-bridge/...", "configs", "simulator/..."}, never: []string{"cmd/..."},
		reason: "programs wire packages, packages do not know programs"},
	{of: []string{"station/...", "drivers/...", "simulator/...", "cmd/..."}, but: []string{"station/journal", "station/hub", "station/roster"},
		never: []string{"database/sql/...", "modernc.org/sqlite/..."}, reason: "there is one durable store behind one contract"},
	{of: []string{"station/...", "drivers/...", "simulator/..."}, but: []string{"station/uplink/...", "station/hub/..."},
		never: []string{"github.com/eclipse/paho.mqtt.golang/..."}, reason: "paho stands behind the Publish seam"},
	{of: []string{"station/...", "drivers/...", "firmware-bridge/...", "simulator/...", "cmd/..."}, but: []string{"station/metrics"},
		never: []string{"github.com/prometheus/..."}, reason: "metrics are made of the public view in one place: a counter of its own would count what is sealed"},
	{of: []string{"station/...", "simulator/..."},
		never:  []string{"github.com/warthog618/go-gpiocdev/...", "periph.io/x/host/...", "github.com/tarm/serial"},
		reason: "hardware is reached through drivers/bus only"},
}

// violations returns what the packages import against the rules.
func violations(all []listed, rules []rule) []string {
	var out []string
	for _, p := range all {
		for _, r := range rules {
			if !matches(p.short(), r.of...) || matches(p.short(), r.but...) {
				continue
			}
			for _, path := range p.Imports {
				if r.bans(p.short(), path) {
					out = append(out, fmt.Sprintf("%s imports %s: %s", p.short(), path, r.reason))
				}
			}
		}
	}
	return out
}

// bans tells whether the package of may not import path.
func (r rule) bans(of, path string) bool {
	within, ours := strings.CutPrefix(path, module+"/")
	if matches(within, r.never...) {
		return true
	}
	if r.std && (ours || strings.Contains(strings.Split(path, "/")[0], ".")) {
		return true
	}
	return ours && r.only != nil && !matches(within, r.only...) && !matches(within, of+"/...")
}

func TestWhoMayImportWhom(t *testing.T) { report(t, violations(packages(t), rules)) }

func TestEveryRuleHasAReason(t *testing.T) {
	for i, r := range rules {
		if r.reason == "" || len(r.of) == 0 || (r.only == nil && len(r.never) == 0 && !r.std) {
			t.Errorf("rule %d bans nothing or says not why: %+v", i, r)
		}
	}
}

// TestImportRulesCatch plants violations, and what must stay allowed.
func TestImportRulesCatch(t *testing.T) {
	for _, c := range []struct {
		of, path string
		banned   bool
	}{
		{"station/event", "os", true},
		{"station/event", "scentpost/station/strict", true},
		{"station/event", "golang.org/x/mod/sumdb/note", true},
		{"station/event", "log/slog", false},
		{"station/event", "encoding/json", false},
		{"station/blind", "log/slog", true},
		{"station/blind", "math/rand/v2", true},
		{"station/blind", "scentpost/station/event", false},
		{"station/dwell", "scentpost/station/blind", true},
		{"station/score", "sync/atomic", true},
		{"station/score", "gonum.org/v1/gonum/stat/distuv", true},
		{"station/score", "gonum.org/v1/gonum/mathext", false},
		{"station/trial", "scentpost/station/record", true},
		{"station/trial", "scentpost/station/score", false},
		{"station/config", "net/url", false},
		{"station/config", "net", true},
		{"station/config", "net/netip", false},
		{"station/config", "scentpost/station/uplink/address", false},
		{"station/config", "scentpost/station/uplink", true},
		{"station/uplink", "scentpost/station/uplink/address", false},
		{"station/config", "scentpost/station/catalog", true},
		{"station/config", "scentpost/station/templates", false},
		{"station/templates", "scentpost/station/catalog", true},
		{"station/verify", "scentpost/station/journal", true},
		{"station/journal", "scentpost/station/trial", true},
		{"station/journal", "modernc.org/sqlite", false},
		{"station/archive", "scentpost/station/host", true},
		{"station/archive", "scentpost/station/control", true},
		{"station/archive", "scentpost/station/journal", false},
		{"station/history", "scentpost/station/record", true},
		{"station/record", "scentpost/station/history", false},
		{"station/backup", "scentpost/station/host", true},
		{"station/backup", "scentpost/station/journal", false},
		{"station/host", "scentpost/station/devices", true},
		{"station/host", "scentpost/drivers/bus", true},
		{"station/host", "scentpost/station/journal", false},
		{"station/host", "scentpost/station/listeners", false},
		{"station/listeners", "scentpost/station/event", true},
		{"station/host", "modernc.org/sqlite", true},
		{"station/devices", "scentpost/station/host", true},
		{"station/devices", "scentpost/drivers/beam", true},
		{"station/devices", "scentpost/drivers/bus/settle", false},
		{"station/control", "scentpost/station/host", true},
		{"station/control", "net", true},
		{"station/control/socket", "net", false},
		{"station/control/socket", "scentpost/station/trial", true},
		{"station/host", "scentpost/station/assembly", true},
		{"station/control", "scentpost/station/assembly", true},
		{"station/assembly", "scentpost/station/host", false},
		{"station/assembly", "scentpost/drivers/bus/carrier", false},
		{"station/assembly", "scentpost/drivers/linux", true},
		{"station/assembly", "scentpost/simulator/world", true},
		{"station/assembly", "os", true},
		{"station/assembly", "crypto/rand", true},
		{"station/uplink", "scentpost/station/panel", true},
		{"station/uplink", "scentpost/station/uplink/wire", false},
		{"station/uplink/wire", "scentpost/station/event", true},
		{"station/hub", "scentpost/station/uplink/wire", false},
		{"station/hub", "scentpost/station/uplink", true},
		{"station/metrics", "scentpost/station/host", true},
		{"station/metrics", "scentpost/station/boards", true},
		{"station/metrics", "scentpost/station/uplink", true},
		{"station/metrics", "scentpost/station/control", false},
		{"station/metrics", "github.com/prometheus/client_golang/prometheus", false},
		{"station/host", "github.com/prometheus/client_golang/prometheus", true},
		{"firmware-bridge/link", "github.com/prometheus/client_golang/prometheus", true},
		{"cmd/scentpostd", "github.com/prometheus/client_golang/prometheus/promhttp", true},
		{"station/panel", "scentpost/station/report", false},
		{"station/report", "scentpost/station/panel", true},
		{"station/host", "github.com/eclipse/paho.mqtt.golang", true},
		{"station/uplink", "github.com/eclipse/paho.mqtt.golang", false},
		{"drivers/beam", "scentpost/drivers/button", true},
		{"drivers/beam", "scentpost/drivers/bus/settle", false},
		{"drivers/beam", "scentpost/station/event", true},
		{"drivers/beam", "scentpost/station/catalog", true},
		{"drivers/linux", "scentpost/firmware-bridge/board", true},
		{"station/catalog", "scentpost/drivers/beam", false},
		{"station/catalog", "scentpost/station/config", true},
		{"firmware-bridge/link", "scentpost/station/event", true},
		{"station/host", "scentpost/simulator/world", true},
		{"simulator/world", "scentpost/station/host", false},
		{"simulator/world", "scentpost/cmd/scentsim", true},
		{"cmd/scentsim", "scentpost/simulator/world", false},
	} {
		got := violations([]listed{{ImportPath: module + "/" + c.of, Imports: []string{"fmt", c.path}}}, rules)
		if (len(got) > 0) != c.banned {
			t.Errorf("%s imports %s: banned is %v, got %q", c.of, c.path, c.banned, got)
		}
		if slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, "imports fmt") }) {
			t.Errorf("%s: fmt is banned: %q", c.of, got)
		}
	}
}
