package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"scentpost/drivers/bus"
	"scentpost/drivers/virtual"
	"scentpost/station/archive"
	"scentpost/station/clock"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
)

const (
	// writerQueue is how many batches may wait for the disk: several seconds of an edge storm.
	writerQueue = 1024
	// leastLead is the least real time between arming and the moves: the arming must be durable by then.
	leastLead = 500 * time.Millisecond
	// roomEvery is how often the room on the disk is looked at.
	roomEvery = 2 * time.Second
	// closeWithin bounds the last commit of an orderly stop.
	closeWithin = 10 * time.Second
	folderMode  = 0o700
)

// station is everything that runs in the daemon, in the order in which it is opened.
type station struct {
	cfg   config.Config
	log   *slog.Logger
	gate  gate
	scale float64 // virtual seconds in a real one, 1 on real hardware

	bus     bus.Bus
	clock   *clock.Real
	devices *devices.Station
	key     string // private
	past    string // an epoch that ended and that the journal does not know
	signer  *record.Signer
	journal *journal.Journal
	writer  *journal.Writer
	host    *host.Host
	woken   <-chan struct{}
	control *control.Service
	server  *control.Server
	room    atomic.Pointer[string] // why no run may start, nil when one may
}

// serve runs a station until ctx ends or something fails for good. newEpoch says why the log must go on in a new
// epoch, if it must.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, newEpoch errNewEpoch) (err error) {
	began := time.Now()
	s := &station{cfg: cfg, log: log, scale: 1, past: newEpoch.past}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, open := range []func() error{s.openLines, s.openJournal, s.openControl} {
		if err := open(); err != nil {
			return err
		}
	}
	log.Info("ready", "station", cfg.Station, "after", time.Since(began).Round(time.Millisecond).String(),
		"socket", cfg.Socket, "simulated", cfg.Simulated())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.server.Serve(ctx) })
	group.Go(func() error { return s.watchRoom(ctx) })
	group.Go(func() error {
		if err := s.openHost(ctx, newEpoch.why); err != nil {
			return err
		}
		log.Info("sessions may be opened", "after", time.Since(began).Round(time.Millisecond).String())
		group.Go(func() error { return s.host.Run(ctx, s.woken) })
		return s.runLink(ctx)
	})
	return group.Wait()
}

// openLines connects the devices and takes every output to its safe level before anything else is done.
func (s *station) openLines() error {
	client, err := virtual.Dial(virtual.Options{Socket: s.cfg.Driver.Socket, OnState: func(state virtual.State) {
		if state.Up {
			s.log.Info("the virtual station is back")
		} else {
			s.log.Error("the virtual station is away", "err", state.Err, "final", state.Final)
		}
	}})
	if err != nil {
		return fmt.Errorf("no virtual station answers on %s: start it with scentsim station: %w", s.cfg.Driver.Socket, err)
	}
	s.bus, s.scale = client, client.Scale()
	base := clock.Simulated(client.Boot(), client.Scale(), client.Mono, client.UTC)
	if s.clock, err = clock.New(base); err != nil {
		return fmt.Errorf("start the clock: %w", err)
	}
	if s.devices, err = devices.Open(s.cfg, s.bus, s.clock, &s.gate); err != nil {
		return fmt.Errorf("open the devices: %w", err)
	}
	return nil
}

func (s *station) openJournal() (err error) {
	if err := os.MkdirAll(beside(s.cfg, ""), folderMode); err != nil {
		return fmt.Errorf("make the folder of the journal: %w", err)
	}
	if s.key, err = privateKey(s.cfg); err != nil {
		return err
	}
	s.journal, err = journal.Open(s.cfg.Data, journal.Options{Departed: beside(s.cfg, departedFile)})
	return err
}

func (s *station) openControl() (err error) {
	s.gate.before = trial.Snapshot{View: trial.View{Phase: trial.Idle}, Epoch: s.journal.Epoch().ID, At: s.clock.Now()}
	var people []control.Person
	for _, p := range s.cfg.People {
		people = append(people, control.Person{Name: p.Name, Roles: p.Roles, UID: p.UID})
	}
	s.control, err = control.New(control.Options{
		Site: s.cfg.Site, Station: s.cfg.Station, Simulated: s.cfg.Simulated(), People: people,
		Authorities: s.cfg.Authorities, Inbox: &s.gate,
		Archive: archive.New(s.journal, record.Log{Site: s.cfg.Site, Station: s.cfg.Station}),
	})
	if err != nil {
		return err
	}
	s.server, err = control.Listen(s.cfg.Socket, s.control)
	return err
}

// openHost begins the epoch if one is needed, builds the host over the journal, and brings back a session that
// was interrupted.
func (s *station) openHost(ctx context.Context, newEpoch string) error {
	beginning, err := s.beginEpoch(ctx, newEpoch)
	if err != nil {
		return err
	}
	log := record.Log{Site: s.cfg.Site, Station: s.cfg.Station, Epoch: beginning.ID}
	if s.signer, err = record.NewSigner(log, s.key); err != nil {
		return fmt.Errorf("the station's key in %s: %w", beside(s.cfg, keyFile), err)
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
	settings := s.cfg.Settings()
	settings.LeadMS = max(settings.LeadMS, int(leastLead.Seconds()*s.scale*1000))
	wake, woken := host.Signal()
	hash := s.cfg.Hash()
	var h *host.Host
	s.writer = journal.NewWriter(departing{s.journal}, writerQueue,
		func(seq int64) { h.Durable(seq) }, func(err error) { h.Failed(err) })
	h, err = host.New(host.Options{
		Log: log, Settings: settings, Beams: s.beams(), Config: hex.EncodeToString(hash[:]), Simulated: s.cfg.Simulated(),
		Clock: s.clock, Journal: s.writer, Signer: s.signer, Wake: wake, Names: names, CannotStart: s.cannotStart,
		Chance: host.Chance{IDs: rand.Reader, Nonces: rand.Reader, Shares: rand.Reader, Seals: rand.Reader},
		OnFail: s.journalFailed,
	}, tree)
	if err != nil {
		return err
	}
	h.Attach(s.devices, s.devices.Sources())
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
		return err
	}
	s.host, s.woken = h, woken
	s.gate.open(h)
	wake()
	return nil
}

// beginEpoch checks the journal after an unclean stop and begins a new epoch where the old one may not go on.
func (s *station) beginEpoch(ctx context.Context, newEpoch string) (journal.Beginning, error) {
	found := s.journal.Recovery()
	var err error
	if !found.Checked {
		s.log.Warn("the last stop was no clean one: checking the journal")
		if found, err = s.journal.Check(ctx); err != nil {
			return journal.Beginning{}, fmt.Errorf("check the journal: %w", err)
		}
	}
	if found.Quarantined > 0 {
		s.log.Error("records were malformed: they are kept apart", "records", found.Quarantined)
	}
	why := found.Why
	if newEpoch != "" {
		why = newEpoch
	}
	if !found.NewEpochNeeded && newEpoch == "" {
		return s.journal.Epoch(), nil
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return journal.Beginning{}, err
	}
	if err := s.journal.BeginEpoch(hex.EncodeToString(id), why); err != nil {
		return journal.Beginning{}, fmt.Errorf("begin an epoch: %w", err)
	}
	beginning := s.journal.Epoch()
	if why != journal.WhyFirst {
		s.log.Error("the log goes on in a new epoch; a session of the old one is aborted", "why", why,
			"detail", found.Detail, "old", beginning.Prev, "size", beginning.PrevSize, "new", beginning.ID)
	}
	return beginning, nil
}

func (s *station) firstRecord(b journal.Beginning) event.Epoch {
	e := event.Epoch{Site: s.cfg.Site, Why: b.Why, Prev: b.Prev, PrevSize: b.PrevSize,
		Key: s.signer.Verifier(), Simulated: s.cfg.Simulated()}
	if b.Prev != "" {
		e.PrevRoot = hex.EncodeToString(b.PrevRoot[:])
	}
	return e
}

// beams lists the positions that have a beam.
func (s *station) beams() []int {
	positions := []int{}
	for _, d := range s.cfg.Of(config.Beam) {
		positions = append(positions, d.Position)
	}
	return positions
}

// cannotStart returns why no run may start.
func (s *station) cannotStart() string {
	if why := s.room.Load(); why != nil {
		return *why
	}
	return ""
}

// watchRoom looks again and again whether there is room on the disk for another run.
func (s *station) watchRoom(ctx context.Context) error {
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for {
		var why *string
		if err := s.journal.Room(); err != nil {
			text := err.Error()
			why = &text
		}
		if was := s.room.Swap(why); why != nil && was == nil {
			s.log.Error("no new run may start", "why", *why)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// journalFailed leaves word for the next start.
func (s *station) journalFailed(err error) {
	s.log.Error("the journal failed: the canisters are closed, the daemon stops", "err", err)
	if err := replaceFile(beside(s.cfg, causeFile), []byte(event.VoidJournal+"\n")); err != nil {
		s.log.Error("could not leave word of it", "err", err)
	}
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

// departing is the journal with one promise more: a checkpoint that will be shown has been noted outside the
// journal's folder as having left the station.
type departing struct{ *journal.Journal }

// Commit implements journal.Store.
func (d departing) Commit(b journal.Batch) error {
	if err := d.Journal.Commit(b); err != nil {
		return err
	}
	if len(b.Checkpoints) == 0 {
		return nil
	}
	last := b.Checkpoints[len(b.Checkpoints)-1]
	return leave(d.Journal, d.Epoch().ID, last.Size)
}

// leave notes that the first size records of an epoch leave the station.
func leave(j *journal.Journal, epoch string, size int64) error {
	root, err := journal.Root(size, j)
	if err != nil {
		return err
	}
	return j.Departed().Store(epoch, size, root)
}
