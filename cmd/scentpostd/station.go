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
	"time"

	"golang.org/x/sync/errgroup"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/drivers/bus"
	"scentpost/station/assembly"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/control/socket"
	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/health/chart"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/readiness"
)

const (
	// writerQueue is how many batches may wait for the disk: several seconds of an edge storm.
	writerQueue = 1024
	// closeWithin bounds the last commit of an orderly stop.
	closeWithin = 10 * time.Second
)

// station is everything that runs in the daemon around a station: lines, files, goroutines and sockets.
type station struct {
	*assembly.Station
	cfg        config.Config
	log        *slog.Logger
	conditions *chart.Chart
	gone       chan assembly.Again // that the devices are others than before
	supervisor *supervisor
	hearts     struct{ machine, lines heart } // of the loops that run before there is a host

	bus     bus.Bus
	clock   *clock.Real
	keeper  *clock.Keeper   // of this machine; nil before its first look
	own     *folder.Claimed // the station's folder
	journal *journal.Journal
	awaits  assembly.Again // why the journal is waited for: Away is set
	writer  *journal.Writer
	woken   <-chan struct{}
	server  *socket.Server
}

// newStation returns a station that holds nothing yet.
func newStation(cfg config.Config, log *slog.Logger, supervisor *supervisor, conditions *chart.Chart) (s *station, err error) {
	s = &station{cfg: cfg, log: log, supervisor: supervisor, conditions: conditions, gone: make(chan assembly.Again, 1)}
	s.hearts.machine, s.hearts.lines = newHeart(), newHeart()
	var wake func()
	wake, s.woken = host.Signal()
	s.Station, err = assembly.New(assembly.Options{
		Config: cfg, Simulated: cfg.Simulated(), Version: version, UID: os.Geteuid(), Log: log, Conditions: conditions,
		Chance: func(string, int64) host.Chance {
			return host.Chance{IDs: rand.Reader, Nonces: rand.Reader, Shares: rand.Reader, Seals: rand.Reader}
		},
		EpochID: epochID, Wake: wake, Failed: s.journalFailed, StartAgain: s.startAgain,
		Write: func(store journal.Committer, durable func(int64), failed func(error)) host.Journal {
			s.writer = journal.NewWriter(store, writerQueue, durable, failed)
			return s.writer
		},
	})
	return s, err
}

// epochID draws the id of a new epoch.
func epochID() (string, error) {
	id := make([]byte, 8)
	_, err := rand.Read(id)
	return hex.EncodeToString(id), err
}

// newChart returns the chart of what is wrong with a station.
func newChart(cfg config.Config, log *slog.Logger) *chart.Chart {
	return assembly.NewChart(cfg, log, func() event.Stamp { return event.Stamp{UTC: time.Now().UnixNano()} })
}

// serve runs a station until ctx ends or something fails for good. It says on out and to the supervisor when views
// are served, and when sessions can be run. since says why the station was started again, if it was.
func (s *station) serve(ctx context.Context, out program.Streams, since assembly.Again) (err error) {
	began := time.Now()
	defer func() { err = errors.Join(err, s.close()) }()
	s.supervisor.watch(loop{"the watch on the machine", s.hearts.machine.Ping}, loop{"the watch on the devices", s.hearts.lines.Ping})
	absent := s.tryLines() // the safe state comes before all else, whatever becomes of the journal
	if absent != nil {
		s.log.Debug("the devices are not there yet") // why may name a canister: a condition tells it, when it may be told
	}
	if err := s.openJournal(since); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	defer s.ShowConditions()()
	say := func(what string) {
		fmt.Fprintf(out.Out, "%s: station %s at %s, after %.1f ms\n", what, s.cfg.Station, s.cfg.Socket, time.Since(began).Seconds()*1000)
	}
	say("ready")
	s.supervisor.ready("views are served; no session can be run yet")
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return s.server.Serve(running) })
	group.Go(func() error { return s.serveMetrics(running) })
	group.Go(func() error { return s.watchMachine(running, thisStation{s.cfg}) })
	group.Go(func() error { return s.watchLines(running) })
	if s.awaits.Away != nil {
		say("no session can be held yet: " + words.Of(s.Obstacle(readiness.Question{Positions: 1})))
		group.Go(func() error { return s.openLines(running) }) // the safe state does not wait for it
		group.Go(func() error { return s.awaitJournal(running) })
		return wait(ctx, group)
	}
	group.Go(func() error {
		if err := s.begin(running, since); err != nil {
			return err
		}
		settled := make(chan struct{})
		s.Settled(func() { close(settled) })
		group.Go(func() error { return s.Host().Run(running, s.woken) })
		s.supervisor.watch(loop{"the host", s.pingHost}, loop{"the journal", s.writer.Ping}, loop{"the clock", s.pingClock})
		select {
		case <-settled:
		case <-running.Done():
			return nil
		}
		s.Open()
		group.Go(func() error { return s.announce(running, say) })
		debug.FreeOSMemory() // what the start needed, an idle station does not
		return s.runLink(running)
	})
	return wait(ctx, group)
}

// wait waits for the goroutines of a station. What a signal ended is no error.
func wait(ctx context.Context, group *errgroup.Group) error {
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// begin waits for the devices and for the journal's check, and opens the host.
func (s *station) begin(ctx context.Context, since assembly.Again) error {
	checked := make(chan error, 1)
	go func() { checked <- s.Check(ctx) }()
	if err := errors.Join(s.openLines(ctx), <-checked); err != nil {
		return err
	}
	if err := s.Begin(since, s.own.TakeCause()); err != nil {
		return err
	}
	s.begun()
	return nil
}

// announce says when sessions can be run; and before, where something keeps every one from being held, that none can be held
// yet. That may name a canister: of a daemon that comes back to a sealed session nothing is said of it.
func (s *station) announce(ctx context.Context, say func(string)) error {
	changed := make(chan struct{}, 1)
	defer s.conditions.Watch(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	for said := false; ; said = true {
		why := s.Obstacle(readiness.Question{Positions: 1})
		if why == nil || !said && s.conditions.Sealed() {
			break
		}
		if !said {
			say("no session can be held yet: " + words.Of(why))
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

func (s *station) pingHost(done func()) error {
	s.Host().Ping(done)
	return nil
}

// pingClock asks the loop that closes what is open for too long, gives heartbeats and calls the host's alarms.
func (s *station) pingClock(done func()) error {
	s.clock.At(0, done) // it is over: as soon as the loop goes round
	return nil
}

// listen opens the socket for people.
func (s *station) listen() (err error) {
	s.server, err = socket.Listen(s.cfg.Socket, s.Control(), s.Accounts())
	return err
}

// close undoes what was opened, last first: the canisters are safe before the journal is let go.
func (s *station) close() error {
	var errs []error
	if s.Devices() != nil {
		s.Devices().CloseAll()
	}
	if s.writer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		errs = append(errs, s.writer.Close(ctx))
	}
	if s.Devices() != nil {
		errs = append(errs, s.Devices().Close())
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
	if s.own != nil {
		errs = append(errs, s.own.Close())
	}
	return errors.Join(errs...)
}
