package main

import (
	"context"
	"errors"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/station/assembly"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/health"
	"scentpost/station/holder"
	"scentpost/station/journal"
)

// nameOf returns what a configuration calls its station.
func nameOf(cfg config.Config) folder.Name {
	return folder.Name{Site: cfg.Site, Station: cfg.Station, Simulated: cfg.Simulated()}
}

// openJournal opens the journal and serves views over it. Where it cannot be opened now views are served without it.
func (s *station) openJournal(since assembly.Again) error {
	if since.Away == nil {
		err := s.tryJournal()
		if err == nil {
			return s.Serve(assembly.Storage{Journal: s.journal, Disk: s.journal, Scrubber: s.journal, Departed: s.journal.Departed(), Key: s.own.Private})
		}
		if final(err) {
			return err
		}
		since = assembly.Awaits(since, err)
	}
	s.log.Error("the journal cannot be opened now: it is tried again", "why", assembly.Unread(since.Away))
	s.awaits = since
	return s.Serve(assembly.Storage{Away: since.Away})
}

// final tells whether an error of opening is no condition that may pass: the folder is another's, or in use, or of a later
// version. The rights of a folder may change: its disk may be mounted after the start.
func final(err error) bool {
	return another(err) || errors.Is(err, holder.ErrHeld) || errors.Is(err, journal.ErrLocked) || errors.As(err, new(*event.UnknownLaw))
}

// another tells whether an error says that the folder is another station's. Only a person changes that: it exits 2, after
// which the unit starts no daemon.
func another(err error) bool {
	var refused *folder.Refused
	return errors.As(err, &refused) && !refused.Rights
}

// awaitJournal tries until ctx ends whether the journal can be opened. The station starts again then.
func (s *station) awaitJournal(ctx context.Context) error {
	for again := s.awaits; ; again = assembly.Awaits(again, again.Away) {
		timer := time.NewTimer(assembly.Pause(again.Tries - 1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		err := s.tryJournal()
		if err == nil {
			return assembly.Again{What: "the journal can be opened", NewEpoch: again.NewEpoch, Past: again.Past, Tries: again.Tries}
		}
		if final(err) {
			return err
		}
		again.Away = err
		s.conditions.Raise(health.JournalAway, "", assembly.Unread(err))
	}
}

// tryJournal takes the station's folder and opens the journal in it. After an error nothing is held.
func (s *station) tryJournal() (err error) {
	s.own, err = folder.Claim(folder.Folder(s.cfg.Data), nameOf(s.cfg), "scentpostd")
	if another(err) {
		return program.Usage(err)
	}
	if err != nil {
		return err
	}
	for _, note := range s.own.Notes {
		s.log.Warn("the station's folder", "note", note)
	}
	if s.journal, err = journal.Open(s.own.Journal(), journal.Options{Departed: s.own.Departed()}); err != nil {
		err = errors.Join(err, s.own.Close())
		s.own = nil
	}
	return err
}

// begun binds the station's folder to the journal that has begun. Where that cannot be written the next start tries again.
func (s *station) begun() {
	if err := s.own.Begun(s.journal.Epochs()[0].ID); err != nil {
		s.log.Warn("which journal belongs to the station's folder cannot be written down", "err", err)
	}
}

// journalFailed leaves word for the next start.
func (s *station) journalFailed(err error) {
	s.log.Error("the journal failed: the canisters are closed, the daemon stops", "err", err)
	if err := s.journal.DespiteFull(func() error { return s.own.LeaveCause(event.CauseJournal) }); err != nil {
		s.log.Error("could not leave word of it", "err", err)
	}
}
