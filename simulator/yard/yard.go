// Package yard is a whole station in one process on virtual time: simulated lines, canisters and people below, and
// above them the real devices, host, journal and sender.
//
// Nothing in it waits and nothing in it is left to chance but a seed, so that the same options give the same bytes
// on every machine.
package yard

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"scentpost/drivers/bus/carrier"
	"scentpost/simulator/dog"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/archive"
	"scentpost/station/boards"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health/chart"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/metrics"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink"
)

// DefaultCommit is how long a commit takes, a little more than a good card needs.
const DefaultCommit = 8 * time.Millisecond

// lookEvery is how often the station looks at its machine's clock, as the daemon does.
const lookEvery = 2 * time.Second

// markEvery is how often the lines promise that nothing earlier will come, while a lock waits for it.
const markEvery = 10 * time.Millisecond

// Options are what a yard is made of.
type Options struct {
	// Seed is the seed of all that is public: people, canisters' bodies, ids.
	Seed uint64
	// Secrets is the seed of what only the station draws: its share and the nonces. Two yards that differ
	// in it alone differ in their placements.
	Secrets uint64
	// Config is the station's configuration.
	Config config.Config
	// Loading is what lies in which canister; nil loads by letter.
	Loading []event.Loaded
	// Store is the journal; nil is one in memory.
	Store journal.Epochs
	// Commit is how long a commit takes; 0 is DefaultCommit.
	Commit time.Duration
	// Scripts are what is done in each run, in order; nil lets a dog and a handler work that react.
	Scripts []dog.Script
	// Publish is given every message that leaves the station; nil for none.
	Publish func(mono int64, p uplink.Publish)
	// Machine gives the station the wall clock of a machine, as it is after a boot that nothing set it at, and may change
	// it; nil for a UTC that is exact and marked as simulated.
	Machine func(*world.Kernel)
	// Clocks say how many ppm the clocks of boards are fast; those that it does not name are off by what Seed says.
	Clocks map[string]int
	// Observe is written all that is seen from outside; nil for nowhere.
	Observe io.Writer
	// Log is where the station logs; nil is slog.Default().
	Log *slog.Logger
	// OnCall hears every call of the handler; may be nil.
	OnCall func(dog.Call)
}

// Yard is a station on virtual time. One goroutine uses it.
type Yard struct {
	World    *world.World
	Hardware *hardware.Station
	Devices  *devices.Station
	Host     *host.Host
	Control  *control.Service
	Metrics  http.Handler // answers a scrape
	Store    journal.Epochs
	Archive  *archive.Archive
	Disk     *Disk
	// Kernel is the wall clock of the station's machine, nil where UTC is exact.
	Kernel *world.Kernel
	// Conditions are what is wrong with the station, as people may see it.
	Conditions *chart.Chart
	// Authority is the private key of the simulated second party.
	Authority string
	// Boards are the microcontroller boards of the configuration, by name.
	Boards map[string]*Board

	opt      Options
	lines    *hardware.Connection
	joined   *carrier.Joined // with the lines of what carries more
	reports  *boards.Boards
	key      string // private
	signer   *record.Signer
	sender   *sender
	kept     world.Kept
	unpaced  func() // stops the looks at the machine's clock; nil without one
	unjudged func() // stops the looks at the boards; nil without any
	wanted   bool   // a drain is planned
	marking  bool   // a promise of the lines is planned
	failed   bool   // the journal has failed: the next start gives it as its cause
}

// New builds a yard at the beginning of time, begins its log, and lets the people in.
func New(opt Options) (*Yard, error) {
	y := &Yard{opt: opt, World: world.New(opt.Seed), Store: opt.Store}
	if y.Store == nil {
		y.Store = journal.NewMemory()
	}
	if opt.Log == nil {
		y.opt.Log = slog.Default()
	}
	layout, err := hardware.FromConfig(opt.Config, opt.Loading)
	if err != nil {
		return nil, err
	}
	if y.Hardware, err = hardware.New(y.World, layout); err != nil {
		return nil, err
	}
	y.furnish()
	if opt.Observe != nil {
		y.Hardware.Observe(opt.Observe)
	}
	if opt.Machine != nil {
		y.Kernel = world.NewKernel(y.World)
		opt.Machine(y.Kernel)
	}
	if err := y.Start(); err != nil {
		return nil, err
	}
	return y, y.enter()
}

// enter lets the people in.
func (y *Yard) enter() error {
	if y.opt.Scripts != nil {
		dog.Play(y.World, y.Hardware, y.opt.Scripts)
		return nil
	}
	_, err := dog.Enter(y.World, y.Hardware, dog.Default(), dog.ByButton(), y.opt.OnCall)
	return err
}

// Start starts the station's program over its journal, as at boot or after Kill.
func (y *Yard) Start() (err error) {
	secrets := world.New(y.opt.Secrets)
	if err := y.keys(); err != nil {
		return err
	}
	if y.lines, err = y.Hardware.Connect(); err != nil {
		return err
	}
	beginning, err := y.epoch()
	if err != nil {
		return err
	}
	size, err := y.Store.Size()
	if err != nil {
		return err
	}
	tree, err := record.RestoreTree(size, y.Store)
	if err != nil {
		return err
	}
	names, err := y.Store.Identities()
	if err != nil {
		return err
	}
	cfg := y.opt.Config
	log := record.Log{Site: cfg.Site, Station: cfg.Station}
	y.Archive = archive.New(y.Store, log)
	log.Epoch = beginning.ID
	if y.signer, err = record.NewSigner(log, y.key); err != nil {
		return err
	}
	settings, err := devices.Settings(cfg)
	if err != nil {
		return err
	}
	hash := cfg.Hash()
	y.Disk = &Disk{world: y.World, store: y.Store, latency: y.opt.Commit}
	if y.Disk.latency == 0 {
		y.Disk.latency = DefaultCommit
	}
	now := y.clock()
	// After a restart the streams must not give again what they gave before it.
	from := func(w *world.World, name string) io.Reader { return w.Bytes(fmt.Sprintf("%s from %d", name, size)) }
	y.Host, err = host.New(host.Options{
		Log: log, Settings: settings, Beams: beams(cfg), Config: hex.EncodeToString(hash[:]), Pinch: cfg.Pinch(), Simulated: true,
		Clock: now, Journal: y.Disk, Signer: y.signer, Wake: y.wake, Names: names,
		Missing: func(n int, sealed bool) string { return y.Devices.Missing(n, sealed) }, Canisters: cfg.Canisters(),
		OnFail: func(error) { y.failed = true },
		OnLock: func(silent []string) { y.Devices.Silent(silent) },
		Chance: host.Chance{IDs: from(y.World, "ids"), Nonces: from(secrets, "nonces"), Shares: from(secrets, "shares"),
			Seals: from(secrets, "seals")},
	}, tree)
	if err != nil {
		return err
	}
	y.Disk.host = y.Host
	y.Conditions = chart.New(chart.Options{Log: y.opt.Log, Now: y.World.Now, Rule: devices.Exposure(cfg)})
	y.Host.Watch(y.follow)
	if err := y.wire(now); err != nil {
		return err
	}
	return y.begin(beginning, size)
}

// clock is the time that the program goes by: the world's own, or what a kernel tells of it.
func (y *Yard) clock() clock.Clock {
	if y.Kernel == nil {
		return y.World
	}
	y.kept = world.Keep(y.Kernel, y.opt.Config.Clock.Floor)
	y.unpaced = y.kept.Pace(lookEvery, func() { y.Host.LookAtClock() })
	return y.kept
}

// wire joins the lines with those of their carriers, and opens the devices on them.
func (y *Yard) wire(now clock.Clock) error {
	cfg := y.opt.Config
	chance := y.World.Rand("sessions of boards")
	carriers, err := devices.Carriers(cfg, devices.Machine{Wires: y.lines.Wires, Board: y.makeBoard, Now: y.World.Mono,
		Chance: func() uint32 { return uint32(chance.Uint64()) }})
	if err != nil {
		return err
	}
	y.reports = &boards.Boards{}
	y.reports.Take(carriers)
	y.look(carriers)
	if y.joined, err = carrier.Join(y.lines, carriers...); err != nil {
		return err
	}
	if y.Devices, err = devices.Open(cfg, y.joined, now, sink{y.Host, y.Conditions}); err != nil {
		return err
	}
	y.Host.Attach(y.Devices, y.Devices.Sources(), y.Devices.Veiled()...)
	y.judge()
	return nil
}

// sink takes what the devices tell: facts to the host, conditions to the chart.
type sink struct {
	*host.Host
	*chart.Chart
}

// follow freezes what conditions would tell, for as long as a session is sealed.
func (y *Yard) follow(s trial.Snapshot) { y.Conditions.Follow(s.View.Phase == trial.Sealed) }

// begin writes the epoch's first record or brings back what was interrupted, and opens the doors.
func (y *Yard) begin(b journal.Beginning, size int64) error {
	cfg := y.opt.Config
	first := event.Epoch{Site: cfg.Site, Why: b.Why, Prev: b.Prev, PrevSize: b.PrevSize, Key: y.signer.Verifier(), Simulated: true}
	if b.Prev != "" {
		first.PrevRoot = hex.EncodeToString(b.PrevRoot[:])
	}
	y.Host.Begin(first)
	interrupted, err := archive.Interrupted(y.Store, size)
	if err != nil {
		return err
	}
	interrupted.Cause = event.VoidRestart
	if y.failed {
		interrupted.Cause, y.failed = event.VoidJournal, false
	}
	if err := y.Host.Restore(interrupted); err != nil {
		return err
	}
	if len(interrupted.Lines) == 0 { // else the host shows no session yet: it is followed when it does
		y.follow(y.Host.Snapshot())
	}
	var people []control.Person
	for _, p := range cfg.People {
		people = append(people, control.Person{Name: p.Name, Roles: p.Roles})
	}
	var listed []control.Device
	for _, d := range devices.List(cfg) {
		listed = append(listed, control.Device(d))
	}
	verifier, err := record.VerifierOf(y.Authority)
	if err != nil {
		return err
	}
	y.Control, err = control.New(control.Options{Site: cfg.Site, Station: cfg.Station, Simulated: true, People: people,
		Authorities: append([]string{verifier}, cfg.Authorities...), Inbox: y.Host, Archive: y.Archive, Conditions: y.Conditions.All, Devices: listed, Blank: y.Conditions.Blank,
		Boards: boards.List(cfg), Figures: y.reports.Figures,
		CannotStart: func(positions int) string { return y.Devices.Missing(positions, true) }})
	if err != nil {
		return err
	}
	y.Metrics = metrics.New(metrics.Options{Site: cfg.Site, Station: cfg.Station, Version: "yard", Public: y.Control.Public, Acknowledged: y.acknowledged})
	return y.startSender(b.ID, size)
}

// epoch begins the first epoch of an empty journal.
func (y *Yard) epoch() (journal.Beginning, error) {
	found, err := y.Store.Check(context.Background())
	if err != nil {
		return journal.Beginning{}, err
	}
	if !found.NewEpochNeeded {
		return y.Store.Epoch(), nil
	}
	id := make([]byte, 8)
	if _, err := io.ReadFull(y.World.Bytes("epoch"), id); err != nil {
		return journal.Beginning{}, err
	}
	if err := y.Store.BeginEpoch(hex.EncodeToString(id), found.Why); err != nil {
		return journal.Beginning{}, err
	}
	return y.Store.Epoch(), nil
}

// keys makes the simulated keys of the station and of the authority.
func (y *Yard) keys() (err error) {
	if y.key != "" {
		return nil
	}
	y.key, _, err = record.NewKey(y.World.Bytes("station key"), record.SimulatedPrefix+y.opt.Config.Station)
	if err != nil {
		return err
	}
	y.Authority, _, err = record.NewKey(y.World.Bytes("authority key"), record.SimulatedPrefix+"authority")
	return err
}

func beams(cfg config.Config) []int {
	positions := []int{}
	for _, d := range cfg.Of(config.Beam) {
		positions = append(positions, d.Position)
	}
	return positions
}

// mark plans the lines' promise that nothing earlier will come, when a lock waits for it. It comes at regular
// instants, as on a real bus, and never because of what a canister does.
func (y *Yard) mark() {
	if y.marking || !y.Host.Waiting() {
		return
	}
	y.marking = true
	now := y.World.Mono()
	y.World.At(now-now%int64(markEvery)+int64(markEvery), func() {
		y.marking = false
		y.lines.Mark()
	})
}

// wake plans a drain of the host for this instant.
func (y *Yard) wake() {
	if y.wanted {
		return
	}
	y.wanted = true
	y.World.After(0, func() {
		y.wanted = false
		y.Host.Drain()
		y.mark()
	})
}

// LookAtClock looks at the machine's clock out of turn, which no station does.
func (y *Yard) LookAtClock() {
	y.kept.Look()
	y.Host.LookAtClock()
}

// Key returns the text of the verifier key that signs the checkpoints.
func (y *Yard) Key() string { return y.signer.Verifier() }
