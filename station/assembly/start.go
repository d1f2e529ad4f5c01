package assembly

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"scentpost/station/archive"
	"scentpost/station/boards"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/devices"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/host"
	"scentpost/station/journal"
	"scentpost/station/readiness"
	"scentpost/station/record"
	"scentpost/station/refusal"
	"scentpost/station/templates"
	"scentpost/station/trial"
)

// Serve opens the views over a journal, before anything of it was checked. From here on people can ask.
func (s *Station) Serve(store Storage) (err error) {
	s.store = store
	cfg := s.opt.Config
	var read control.Archive
	if store.Away != nil {
		s.conditions.Raise(health.JournalAway, "", Unread(store.Away))
		s.gate.before = trial.Snapshot{View: trial.View{Phase: trial.Idle}}
		read = unread{store.Away}
	} else {
		s.conditions.Clear(health.JournalAway, "")
		s.tellDamage(store.Journal.Recovery())
		s.follow()
		s.gate.before = trial.Snapshot{View: s.beforeHost(), Epoch: store.Journal.Epoch().ID}
		s.archive = archive.New(store.Journal)
		read = s.archive
	}
	var people []control.Account
	for _, p := range cfg.People {
		people = append(people, control.Account(p))
	}
	s.accounts = control.NewAccounts(people, s.opt.Simulated, s.opt.UID)
	var listed []control.Device
	for _, d := range devices.List(cfg) {
		listed = append(listed, control.Device(d))
	}
	s.control, err = control.New(control.Options{
		Site: cfg.Site, Station: cfg.Station, Simulated: s.opt.Simulated, People: s.accounts.People(),
		Authorities: append(s.opt.Authorities, cfg.Authorities...), Inbox: &s.gate, Archive: read,
		Conditions: s.conditions.All, Blank: s.conditions.Blank, Obstacle: s.Obstacle,
		Devices: listed, Boards: boards.List(cfg), Figures: s.boards.Figures, Mono: s.mono, Speak: s.speak,
	})
	return err
}

// mono is the station's monotonic time, 0 before it is connected.
func (s *Station) mono() int64 {
	if s.clock == nil {
		return 0
	}
	return s.clock.Now().Mono
}

// follow finds out whether a session is sealed, long before the host can say so. What cannot be read keeps the conditions of
// the devices frozen: nobody knows what they would tell.
func (s *Station) follow() {
	sealed, err := archive.Sealed(s.store.Journal, s.store.Journal.Size())
	if err != nil {
		s.opt.Log.Debug("whether a session is sealed is not known yet", "err", err)
		return
	}
	s.conditions.Follow(sealed)
}

// beforeHost is what is shown until there is a host: no session, or one that the journal holds without an end. Where
// that cannot be read the check finds out, and a session does not go on.
func (s *Station) beforeHost() trial.View {
	session, err := archive.Unfinished(s.store.Journal, s.store.Journal.Size())
	if err != nil || session == "" {
		return trial.View{Phase: trial.Idle}
	}
	return trial.View{Phase: trial.Interrupted, Session: session}
}

// Check reads what an unclean stop left in doubt. It may take long, and may run beside Connect.
func (s *Station) Check(ctx context.Context) error {
	if s.store.Journal.Recovery().Checked {
		return nil
	}
	s.conditions.Raise(health.JournalCheck, "", "the last stop was no clean one")
	found, err := s.store.Journal.Check(ctx)
	s.conditions.Clear(health.JournalCheck, "")
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		return s.withheld("check the journal", err)
	}
	s.tellDamage(found)
	return nil
}

// Begin begins an epoch if one is needed, builds the host over the journal, and brings back a session that was interrupted
// by cause. since says why the station is started again, if it is. The devices must be connected and the journal checked.
// The error is an Again when the station must be started once more.
func (s *Station) Begin(since Again, cause event.Cause) error {
	s.since = since
	beginning, err := s.beginEpoch(since.NewEpoch)
	if err != nil {
		return s.withheld("begin an epoch", err)
	}
	cfg := s.opt.Config
	log := record.Log{Site: cfg.Site, Station: cfg.Station, Epoch: beginning.ID}
	if s.signer, err = record.NewSigner(log, s.store.Key); err != nil {
		return fmt.Errorf("the station's key: %w", err)
	}
	size := s.store.Journal.Size()
	if err := s.openHost(log, size); err != nil {
		return err
	}
	s.host.Attach(s.devices, s.devices.Sources(), s.devices.Veiled()...)
	s.host.Begin(s.firstRecord(beginning))
	lines, bodies, err := archive.Interrupted(s.store.Journal, s.store.Journal, size)
	if err != nil {
		return s.withheld("read the interrupted session", err)
	}
	if err := s.host.Restore(host.Interrupted{Lines: lines, Vault: bodies, Cause: cause}); err != nil {
		s.opt.Log.Error("the interrupted session cannot be brought back: it is aborted, and the log goes on in a new epoch", "err", err)
		return Again{What: "the interrupted session is damaged", NewEpoch: journal.WhyTailLost}
	}
	s.opt.Wake()
	return nil
}

// openHost builds the host over a log of size records.
func (s *Station) openHost(log record.Log, size int64) error {
	tree, err := record.RestoreTree(size, s.store.Journal)
	if err != nil {
		return s.withheld("restore the log", err)
	}
	names, err := s.store.Journal.Identities()
	if err != nil {
		return s.withheld("read the names", err)
	}
	cfg := s.opt.Config
	settings, err := devices.Settings(cfg)
	if err != nil {
		return err
	}
	settings.LeadMS = leadMS(settings.LeadMS, s.scale)
	hash := cfg.Hash()
	writer := s.opt.Write(departing{s}, func(seq int64) { s.host.Durable(seq) }, func(err error) { s.host.Failed(err) })
	s.host, err = host.New(host.Options{
		Log: log, Settings: settings, Beams: Beams(cfg), Config: hex.EncodeToString(hash[:]), Pinch: cfg.Pinch(), Simulated: s.opt.Simulated,
		Clock: s.clock, Journal: writer, Signer: s.signer, Wake: s.opt.Wake, Names: names, Chance: s.opt.Chance(log.Epoch, size),
		Obstacle: s.Obstacle, Canisters: cfg.Canisters(), Prepared: s.prepared, OnFail: s.opt.Failed, OnLock: s.devices.Silent,
	}, tree)
	return err
}

// leadMS is how long after its arming a run moves, in milliseconds of the station's time: as configured, and never less real
// time than the arming needs to become durable.
func leadMS(configured int, scale float64) int {
	return max(configured, int(LeastLead.Seconds()*scale*1000))
}

// Beams lists the positions that have a beam, in the order of the configuration.
func Beams(cfg config.Config) []int {
	positions := []int{}
	for _, d := range cfg.Of(templates.Beam) {
		positions = append(positions, d.Position)
	}
	return positions
}

// Settled calls f once, when the host shows what it found: before, it would show no session where one was interrupted. It
// must be called after Begin and before the host is drained, and the answer to it is Open.
func (s *Station) Settled(f func()) {
	if !s.host.Parked() {
		f()
		return
	}
	var once sync.Once
	s.host.Watch(func(trial.Snapshot) { once.Do(f) })
}

// Open opens the gate: from here on sessions can be run. Aids that were missing before the start are missing still.
func (s *Station) Open() {
	session, count, err := archive.LastCount(s.store.Journal)
	if err != nil {
		s.opt.Log.Warn("how many aids came back last cannot be read", "err", err)
	}
	if session != "" {
		s.gate.count(session, count)
	}
	s.gate.open(s.host)
}

// Obstacle returns why no session can be held, or why no run can start, nil when it can: the one answer for everybody who asks.
func (s *Station) Obstacle(q readiness.Question) *refusal.Reason {
	return readiness.Judge(s.facts(q), q)
}

// facts are what is known of the station, for a question. It asks nothing that a watcher of the gate may not ask.
func (s *Station) facts(q readiness.Question) readiness.Facts {
	f := readiness.Facts{Sealed: s.conditions.Sealed(), Awaited: *s.awaited.Load(), Gone: *s.gone.Load(), Away: Unread(s.store.Away)}
	h := s.gate.behind()
	if h == nil {
		f.Starting = true
		return f
	}
	f.Failed = h.Snapshot().Failed
	f.Stopped = s.devices.Status().Stopped
	f.Full, f.ReadOnly = s.store.Disk.Spent(), s.conditions.Holds(health.JournalReadOnly, "")
	f.Stuck = s.devices.Status().Stuck
	for _, p := range s.devices.Absent(q.Positions) {
		f.Absent = append(f.Absent, readiness.Absent{Device: p.Device, Why: p.Why})
	}
	return f
}
