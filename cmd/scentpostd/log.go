package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"

	"scentpost/cmd/internal/place"
	"scentpost/station/archive"
	"scentpost/station/backup"
	"scentpost/station/durable"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
)

func (s *station) openJournal() (err error) {
	if err := os.MkdirAll(beside(s.cfg, ""), folderMode); err != nil {
		return fmt.Errorf("make the folder of the journal: %w", err)
	}
	if err := s.adoptKey(); err != nil {
		return err
	}
	if s.key, err = privateKey(s.cfg); err != nil {
		return err
	}
	s.journal, err = journal.Open(s.cfg.Data, journal.Options{Departed: beside(s.cfg, place.Departed)})
	return err
}

// adoptKey takes the key that came with a restored journal.
func (s *station) adoptKey() error {
	aside, err := backup.AdoptKey(s.cfg.Data, beside(s.cfg, place.Key))
	if aside != "" {
		s.log.Warn("the restored journal brought its key; the one before was put aside", "as", aside)
	}
	return err
}

// checkJournal reads what an unclean stop left in doubt.
func (s *station) checkJournal(ctx context.Context) error {
	if s.journal.Recovery().Checked {
		return nil
	}
	s.conditions.Raise(health.JournalCheck, "", "the last stop was no clean one")
	found, err := s.journal.Check(ctx)
	if err != nil {
		return fmt.Errorf("check the journal: %w", err)
	}
	s.conditions.Clear(health.JournalCheck, "")
	if found.Quarantined > 0 {
		s.conditions.Raise(health.JournalQuarantine, "", fmt.Sprintf("%d records were malformed: they are kept apart", found.Quarantined))
	}
	return nil
}

// beginEpoch begins a new epoch where the old one may not go on.
func (s *station) beginEpoch(newEpoch string) (journal.Beginning, error) {
	found := s.journal.Recovery()
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
		s.conditions.Raise(health.EpochEnded, "", fmt.Sprintf("%s: epoch %s ended at record %d, epoch %s goes on", why, beginning.Prev, beginning.PrevSize, beginning.ID))
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
	var err error
	if e.Aborted, err = archive.CutOff(s.journal, b); err != nil {
		s.log.Error("which session the ended epoch cut off cannot be read", "epoch", b.Prev, "err", err)
	}
	return e
}

// nextRun returns why the next run over so many positions cannot start. It names no canister.
func (s *station) nextRun(positions int) string {
	if s.gate.behind() == nil {
		return ""
	}
	if why := s.cannotStart(); why != "" {
		return why
	}
	return s.devices.Missing(positions, true)
}

// cannotStart returns why no run may start.
func (s *station) cannotStart() string {
	switch {
	case s.away.Load():
		return "the station's devices are away: see scentpost session status"
	case s.devices.Status().Stopped:
		return "the emergency stop is held: let it go first"
	}
	if s.journal.Spent() {
		return journal.ErrBallastSpent.Error()
	}
	if s.conditions.Holds(health.JournalReadOnly, "") {
		return "the journal's disk takes no writes: see scentpost session status"
	}
	return ""
}

// journalFailed leaves word for the next start.
func (s *station) journalFailed(err error) {
	s.log.Error("the journal failed: the canisters are closed, the daemon stops", "err", err)
	if err := durable.Replace(beside(s.cfg, place.Cause), []byte(event.VoidJournal+"\n")); err != nil {
		s.log.Error("could not leave word of it", "err", err)
	}
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
