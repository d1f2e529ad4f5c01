package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"scentpost/cmd/internal/place"
	"scentpost/cmd/internal/program"
	"scentpost/drivers/bus"
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
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/uplink"
)

const (
	// writerQueue is how many batches may wait for the disk: several seconds of an edge storm.
	writerQueue = 1024
	// leastLead is the least real time between arming and the moves: the arming must be durable by then.
	leastLead = 500 * time.Millisecond
	// closeWithin bounds the last commit of an orderly stop.
	closeWithin = 10 * time.Second
	folderMode  = 0o700
)

// station is everything that runs in the daemon, in the order in which it is opened.
type station struct {
	cfg        config.Config
	log        *slog.Logger
	gate       gate
	conditions *chart.Chart
	gone       chan errAgain // that the devices are others than before
	scale      float64       // virtual seconds in a real one, 1 on real hardware
	supervisor *supervisor
	boards     boards.Boards
	hearts     struct{ machine, lines heart } // of the loops that run before there is a host

	bus     bus.Bus
	clock   *clock.Real
	keeper  atomic.Pointer[clock.Keeper] // of this machine's clocks; nil where UTC is exact
	devices *devices.Station
	key     string // private
	past    string // an epoch that ended and that the journal does not know
	signer  *record.Signer
	journal *journal.Journal
	writer  *journal.Writer
	host    *host.Host
	woken   <-chan struct{}
	control *control.Service
	link    atomic.Pointer[uplink.Link] // nil while nothing is reported
	server  *control.Server
	away    atomic.Bool // the devices are away, or were until this start
}

// newStation returns a station that holds nothing yet.
func newStation(cfg config.Config, log *slog.Logger, supervisor *supervisor, conditions *chart.Chart) *station {
	s := &station{cfg: cfg, log: log, scale: 1, supervisor: supervisor, conditions: conditions, gone: make(chan errAgain, 1)}
	s.hearts.machine, s.hearts.lines = newHeart(), newHeart()
	s.gate.conditions = conditions
	return s
}

// serve runs a station until ctx ends or something fails for good. It says on out and to the supervisor when views
// are served, and when sessions can be run. since says why the station was started again, if it was.
func (s *station) serve(ctx context.Context, out program.Streams, since errAgain) (err error) {
	began := time.Now()
	s.past = since.past
	defer s.conditions.Watch(s.gate.tell)()
	defer func() { err = errors.Join(err, s.close()) }()
	s.supervisor.watch(loop{"the watch on the machine", s.hearts.machine.Ping}, loop{"the watch on the devices", s.hearts.lines.Ping})
	absent := s.tryLines() // the safe state comes before all else, whatever becomes of the journal
	if absent != nil {
		s.log.Debug("the devices are not there yet") // why may name a canister: a condition tells it, when it may be told
	}
	for _, open := range []func() error{s.openJournal, s.followJournal, s.openControl} {
		if err := open(); err != nil {
			return err
		}
	}
	say := func(what string) {
		fmt.Fprintf(out.Out, "%s: station %s at %s, after %.1f ms\n", what, s.cfg.Station, s.cfg.Socket, time.Since(began).Seconds()*1000)
	}
	say("ready")
	s.supervisor.ready("views are served; no session can be run yet")
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return s.server.Serve(running) })
	group.Go(func() error { return s.serveMetrics(running) })
	group.Go(func() error { return s.watchMachine(running, thisStation{s}) })
	group.Go(func() error { return s.watchLines(running) })
	group.Go(func() error {
		if err := s.openHost(running, since.newEpoch); err != nil {
			return err
		}
		settled := s.settled()
		group.Go(func() error { return s.host.Run(running, s.woken) })
		s.supervisor.watch(loop{"the host", s.pingHost}, loop{"the journal", s.writer.Ping}, loop{"the clock", s.pingClock})
		select {
		case <-settled:
		case <-running.Done():
			return nil
		}
		s.gate.open(s.host)
		group.Go(func() error { return s.announce(running, say) })
		debug.FreeOSMemory() // what the start needed, an idle station does not
		return s.runLink(running)
	})
	if err = group.Wait(); ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // whatever was under way was ended by the signal
	}
	return err
}

// announce says when sessions can be run; and before, where what every one needs is absent, that none can be held yet. That
// may name a canister: of a daemon that comes back to a sealed session nothing is said of it.
func (s *station) announce(ctx context.Context, say func(string)) error {
	changed := make(chan struct{}, 1)
	defer s.conditions.Watch(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	for said := false; ; said = true {
		absent := s.devices.NoSession()
		if absent == "" || !said && s.conditions.Sealed() {
			break
		}
		if !said {
			say("no session can be held yet: " + absent)
			s.supervisor.tell("views are served; no session can be held yet")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
	say("sessions can be run")
	s.supervisor.tell("sessions can be run")
	return nil
}

// followJournal finds out whether a session is sealed, long before the host can say so. What cannot be read keeps the
// conditions of the devices frozen: nobody knows what they would tell.
func (s *station) followJournal() error {
	size, err := s.journal.Size()
	if err != nil {
		return nil // there is no epoch yet, or none that can be read: the host will say
	}
	sealed, err := archive.Sealed(s.journal, size)
	if err != nil {
		s.log.Debug("whether a session is sealed is not known yet", "err", err)
		return nil
	}
	s.conditions.Follow(sealed)
	return nil
}

func (s *station) pingHost(done func()) error {
	s.host.Ping(done)
	return nil
}

// pingClock asks the loop that closes what is open for too long, gives heartbeats and calls the host's alarms.
func (s *station) pingClock(done func()) error {
	s.clock.At(0, done) // it is over: as soon as the loop goes round
	return nil
}

func (s *station) openControl() (err error) {
	s.gate.before = trial.Snapshot{View: s.beforeHost(), Epoch: s.journal.Epoch().ID}
	s.gate.wait("no session can be run yet: the station is starting", "")
	var people []control.Person
	for _, p := range s.cfg.People {
		people = append(people, control.Person{Name: p.Name, Roles: p.Roles, UID: p.UID})
	}
	var listed []control.Device
	for _, d := range devices.List(s.cfg) {
		listed = append(listed, control.Device(d))
	}
	s.control, err = control.New(control.Options{
		Site: s.cfg.Site, Station: s.cfg.Station, Simulated: s.cfg.Simulated(), UID: os.Geteuid(), People: people,
		Authorities: s.cfg.Authorities, Inbox: &s.gate, Conditions: s.conditions.All, Blocked: s.gate.blocked, Devices: listed, CannotStart: s.nextRun, Blank: s.conditions.Blank,
		Boards: boards.List(s.cfg), Figures: s.boards.Figures,
		Archive: archive.New(s.journal, record.Log{Site: s.cfg.Site, Station: s.cfg.Station}),
	})
	if err != nil {
		return err
	}
	s.server, err = control.Listen(s.cfg.Socket, s.control)
	return err
}

// beforeHost is what is shown until there is a host: no session, or one that the journal holds without an end. Where
// that cannot be read the check finds out, and a session does not go on.
func (s *station) beforeHost() trial.View {
	size, err := s.journal.Size()
	if err != nil {
		return trial.View{Phase: trial.Idle}
	}
	session, err := archive.Unfinished(s.journal, size)
	if err != nil || session == "" {
		return trial.View{Phase: trial.Idle}
	}
	return trial.View{Phase: trial.Interrupted, Session: session}
}

// openHost waits for the devices and for the journal's check, begins the epoch if one is needed, builds the host
// over the journal, and brings back a session that was interrupted.
func (s *station) openHost(ctx context.Context, newEpoch string) error {
	checked := make(chan error, 1)
	go func() { checked <- s.checkJournal(ctx) }()
	if err := errors.Join(s.openLines(ctx), <-checked); err != nil {
		return err
	}
	beginning, err := s.beginEpoch(newEpoch)
	if err != nil {
		return err
	}
	log := record.Log{Site: s.cfg.Site, Station: s.cfg.Station, Epoch: beginning.ID}
	if s.signer, err = record.NewSigner(log, s.key); err != nil {
		return fmt.Errorf("the station's key in %s: %w", beside(s.cfg, place.Key), err)
	}
	size, err := s.journal.Size()
	if err != nil {
		return err
	}
	tree, err := record.RestoreTree(size, s.journal)
	if err != nil {
		return fmt.Errorf("restore the log: %w", err)
	}
	names, err := s.journal.Identities()
	if err != nil {
		return err
	}
	settings, err := devices.Settings(s.cfg)
	if err != nil {
		return err
	}
	settings.LeadMS = max(settings.LeadMS, int(leastLead.Seconds()*s.scale*1000))
	wake, woken := host.Signal()
	hash := s.cfg.Hash()
	var h *host.Host
	s.writer = journal.NewWriter(departing{s.journal}, writerQueue,
		func(seq int64) { h.Durable(seq) }, func(err error) { h.Failed(err) })
	h, err = host.New(host.Options{
		Log: log, Settings: settings, Beams: s.beams(), Config: hex.EncodeToString(hash[:]), Pinch: s.cfg.Pinch(), Simulated: s.cfg.Simulated(),
		Clock: s.clock, Journal: s.writer, Signer: s.signer, Wake: wake, Names: names, CannotStart: s.cannotStart, Missing: s.devices.Missing, Canisters: s.cfg.Canisters(),
		Chance: host.Chance{IDs: rand.Reader, Nonces: rand.Reader, Shares: rand.Reader, Seals: rand.Reader},
		OnFail: s.journalFailed, OnLock: s.devices.Silent,
	}, tree)
	if err != nil {
		return err
	}
	h.Attach(s.devices, s.devices.Sources(), s.devices.Veiled()...)
	h.Begin(s.firstRecord(beginning))
	interrupted, err := archive.Interrupted(s.journal, size)
	if err != nil {
		return err
	}
	interrupted.Cause = takeCause(s.cfg)
	if interrupted.Cause == "" {
		interrupted.Cause = event.VoidRestart
	}
	if err := h.Restore(interrupted); err != nil {
		s.log.Error("the interrupted session cannot be brought back: it is aborted, and the log goes on in a new epoch", "err", err)
		return errAgain{what: "the interrupted session is damaged", newEpoch: journal.WhyTailLost}
	}
	s.host, s.woken = h, woken
	wake()
	return nil
}

// settled is closed as soon as the host shows what it found: before, it would show no session where one was
// interrupted. It must be called before the host runs.
func (s *station) settled() <-chan struct{} {
	settled := make(chan struct{})
	if !s.host.Parked() {
		close(settled)
		return settled
	}
	var once sync.Once
	s.host.Watch(func(trial.Snapshot) { once.Do(func() { close(settled) }) })
	return settled
}

// beams lists the positions that have a beam.
func (s *station) beams() []int {
	positions := []int{}
	for _, d := range s.cfg.Of(config.Beam) {
		positions = append(positions, d.Position)
	}
	return positions
}

// close undoes what was opened, last first: the canisters are safe before the journal is let go.
func (s *station) close() error {
	var errs []error
	if s.devices != nil {
		s.devices.CloseAll()
	}
	if s.writer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		errs = append(errs, s.writer.Close(ctx))
	}
	if s.devices != nil {
		errs = append(errs, s.devices.Close())
	}
	if s.clock != nil {
		s.clock.Close()
	}
	if s.bus != nil {
		errs = append(errs, s.bus.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	return errors.Join(errs...)
}
