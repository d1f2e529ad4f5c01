// Package yard is a whole station in one process on virtual time: simulated lines, canisters and people below, and
// above them the station that the daemon runs.
//
// Nothing in it waits and nothing in it is left to chance but a seed, so that the same options give the same bytes
// on every machine.
package yard

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"scentpost/drivers/bus"
	"scentpost/simulator/dog"
	"scentpost/simulator/hardware"
	"scentpost/simulator/world"
	"scentpost/station/archive"
	"scentpost/station/assembly"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health/chart"
	"scentpost/station/health/vitals"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/metrics"
	"scentpost/station/record"
	"scentpost/station/uplink"
)

// DefaultCommit is how long a commit takes, a little more than a good card needs.
const DefaultCommit = 8 * time.Millisecond

// markEvery is how often the lines promise that nothing earlier will come, while a lock waits for it.
const markEvery = 10 * time.Millisecond

// startWithin bounds how long a start may take on virtual time.
const startWithin = time.Minute

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
	// Trained are the odours that the dog is trained on; nil are those of the loading by letter.
	Trained []string
	// Store is the journal; nil is one in memory.
	Store journal.Store
	// Commit is how long a commit takes; 0 is DefaultCommit.
	Commit time.Duration
	// Scripts are what is done in each run, in order; nil lets a dog and a handler work that react.
	Scripts []dog.Script
	// Publish is given every message that leaves the station; nil for none.
	Publish func(mono int64, p uplink.Publish)
	// Machine gives the station the wall clock of a machine, as it is after a boot that nothing set it at, and may change
	// it; nil for a UTC that is exact and marked as simulated.
	Machine func(*world.Kernel)
	// Departed notes what has left the station, beside Store; nil for a note in memory.
	Departed assembly.Departed
	// Clock stands in the place of the station's clock, as one that lags behind its lines; nil for the clock itself.
	Clock func(clock.Clock) clock.Clock
	// Late says how long after its instant a command comes that is given at mono; nil for in time. It may not go by a draw.
	Late func(mono int64) time.Duration
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
	// Station is the station's program, as it was started last. What follows up to Disk is its.
	Station *assembly.Station
	Devices *devices.Station
	Host    *host.Host
	Control *control.Service
	Archive *archive.Archive
	Metrics http.Handler // answers a scrape
	// Conditions are what is wrong with the station, as people may see it.
	Conditions *chart.Chart
	Disk       *Disk
	Store      journal.Store
	// Vitals are what the station reads of its machine whenever it looks.
	Vitals vitals.Reading
	// Kernel is the wall clock of the station's machine, nil where UTC is exact.
	Kernel *world.Kernel
	// Broker takes what the station reports.
	Broker *Broker
	// Authority is the private key of the simulated second party.
	Authority string
	// Boards are the microcontroller boards of the configuration, by name.
	Boards map[string]*Board

	opt      Options
	lines    *hardware.Connection
	late     *late   // the lines, where commands come late
	joined   bus.Bus // the lines with those of what carries more
	departed departed
	key      string // private
	kept     world.Kept
	ends     []func()       // what ends with the station's program
	wanted   bool           // a drain is planned
	marking  bool           // a promise of the lines is planned
	since    assembly.Again // why the program's station began again within it
	failed   bool           // the journal has failed: the next start gives it as its cause
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
	y.Vitals = vitals.Reading{HasDisk: true, Free: 16 << 30, Clocks: []vitals.Clock{{Name: "rtc0"}}}
	y.Broker = &Broker{yard: y, up: true, retained: map[string][]byte{}}
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
	_, err := dog.Enter(y.World, y.Hardware, dog.Default().On(y.opt.Trained), dog.ByButton(), y.opt.OnCall)
	return err
}

// Start starts the station's program over its journal, as at boot or after Kill, and lets the world go on until sessions can
// be run.
func (y *Yard) Start() error {
	if err := y.keys(); err != nil {
		return err
	}
	y.Conditions = assembly.NewChart(y.opt.Config, y.opt.Log, y.World.Now)
	y.since = assembly.Again{}
	return y.begin(y.since)
}

// begin begins a station; since says why it is begun again, if it is.
func (y *Yard) begin(since assembly.Again) (err error) {
	if err := y.assemble(); err != nil {
		return err
	}
	if err := y.connect(); err != nil {
		return err
	}
	storage := assembly.Storage{Journal: y.Store, Disk: y.Disk, Departed: &y.departed, Key: y.key}
	if y.opt.Departed != nil {
		storage.Departed = y.opt.Departed
	}
	if err := y.Station.Serve(storage); err != nil {
		return err
	}
	y.ends = append(y.ends, y.Station.ShowConditions())
	y.Control, y.Archive = y.Station.Control(), y.Station.Archive()
	y.Metrics = metrics.New(metrics.Options{Site: y.opt.Config.Site, Station: y.opt.Config.Station, Version: version,
		Public: y.Control.Public, Acknowledged: y.Station.Acknowledged})
	y.watch()
	if err := y.Station.Check(context.Background()); err != nil {
		return err
	}
	cause := event.CauseRestart
	if y.failed {
		cause, y.failed = event.CauseJournal, false
	}
	err = y.Station.Begin(since, cause)
	if y.Host = y.Station.Host(); err != nil {
		return y.again(err)
	}
	settled := false
	y.Station.Settled(func() { settled = true })
	if !y.World.RunWhile(func() bool { return !settled }, y.World.Mono()+int64(startWithin)) {
		return errors.New("the station does not start: nothing becomes durable")
	}
	y.Station.Open()
	return y.report()
}

// again begins the station once more when that is what an error asks for.
func (y *Yard) again(err error) error {
	var again assembly.Again
	if !errors.As(err, &again) || again.Away != nil {
		return err
	}
	y.since = again.After(y.since)
	if err := y.Kill(); err != nil {
		return err
	}
	return y.begin(y.since)
}

// startAgain begins the station once more; that it cannot is logged, as the program's end is.
func (y *Yard) startAgain(again assembly.Again) {
	if err := y.again(again); err != nil {
		y.opt.Log.Error("the station does not start again", "err", err)
	}
}

// version is that of the program, as it is reported.
const version = "yard"

// assemble makes a station that holds nothing yet.
func (y *Yard) assemble() error {
	verifier, err := record.VerifierOf(y.Authority)
	if err != nil {
		return err
	}
	secrets := world.New(y.opt.Secrets)
	y.Station, err = assembly.New(assembly.Options{
		Config: y.opt.Config, Simulated: true, Version: version, Authorities: []string{verifier}, Log: y.opt.Log, Conditions: y.Conditions,
		Chance: func(epoch string, size int64) host.Chance {
			// After a restart the streams must not give again what they gave before it.
			from := func(w *world.World, name string) io.Reader {
				return w.Bytes(fmt.Sprintf("%s of %s from %d", name, epoch, size))
			}
			return host.Chance{IDs: from(y.World, "ids"), Nonces: from(secrets, "nonces"), Shares: from(secrets, "shares"), Seals: from(secrets, "seals")}
		},
		EpochID: func() (string, error) {
			id := make([]byte, 8)
			_, err := io.ReadFull(y.World.Bytes("epoch"), id)
			return hex.EncodeToString(id), err
		},
		Write:  y.write,
		Wake:   y.wake,
		Failed: func(error) { y.failed = true },
		StartAgain: func(again assembly.Again) {
			y.World.After(0, func() { y.startAgain(again) })
		},
	})
	y.Disk = &Disk{world: y.World, latency: y.opt.Commit}
	if y.Disk.latency == 0 {
		y.Disk.latency = DefaultCommit
	}
	return err
}

// connect joins the lines with those of their carriers, and opens the devices on them.
func (y *Yard) connect() (err error) {
	if y.lines, err = y.Hardware.Connect(); err != nil {
		return err
	}
	chance := y.World.Rand("sessions of boards")
	reach := devices.Machine{Wires: y.lines.Wires, Board: y.makeBoard, Now: y.World.Mono, Chance: func() uint32 { return uint32(chance.Uint64()) }}
	var own bus.Bus = y.lines
	if y.opt.Late != nil {
		y.late = &late{Connection: y.lines, yard: y}
		own = y.late
	}
	if y.joined, err = y.Station.Join(own, reach, y.look); err != nil {
		return err
	}
	if err := y.Station.Connect(assembly.Lines{Bus: y.joined, Clock: y.clock(), Scale: 1}); err != nil {
		return err
	}
	y.Devices = y.Station.Devices()
	return nil
}

// clock is the time that the program goes by: the world's own, or what a kernel tells of it.
func (y *Yard) clock() clock.Clock {
	if y.Kernel == nil {
		if y.opt.Clock != nil {
			return y.opt.Clock(y.World)
		}
		return y.World
	}
	y.kept = world.Keep(y.Kernel, y.opt.Config.Clock.Floor)
	y.Station.Keep(y.kept.Keeper, 1)
	return y.kept
}

// watch has the station look after its machine.
func (y *Yard) watch() {
	watch := y.Station.WatchOver(machine{y})
	stop := func() {}
	var look func()
	plan := func(after time.Duration) {
		stop()
		stop = y.World.After(after, look)
	}
	look = func() { plan(watch.Look(time.Duration(y.World.Mono()))) }
	unturn := y.Station.Turns(func() { plan(0) })
	look()
	y.ends = append(y.ends, func() { unturn(); stop() })
}

// machine is what the station looks after.
type machine struct{ yard *Yard }

// Read implements assembly.Machine.
func (m machine) Read(bool) vitals.Reading { return m.yard.Vitals }

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
func (y *Yard) Key() string { return y.Station.Key() }
