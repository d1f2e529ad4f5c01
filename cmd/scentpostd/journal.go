package main

import (
	"errors"

	"scentpost/cmd/internal/program"
	"scentpost/station/assembly"
	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/folder"
	"scentpost/station/journal"
)

// nameOf returns what a configuration calls its station.
func nameOf(cfg config.Config) folder.Name {
	return folder.Name{Site: cfg.Site, Station: cfg.Station, Simulated: cfg.Simulated()}
}

// openJournal takes the station's folder, opens the journal in it and serves views over that.
func (s *station) openJournal() (err error) {
	s.own, err = folder.Claim(folder.Folder(s.cfg.Data), nameOf(s.cfg), "scentpostd")
	if errors.As(err, new(*folder.Refused)) {
		return program.Usage(err)
	}
	if err != nil {
		return err
	}
	for _, note := range s.own.Notes {
		s.log.Warn("the station's folder", "note", note)
	}
	if s.journal, err = journal.Open(s.own.Journal(), journal.Options{Departed: s.own.Departed()}); err != nil {
		return err
	}
	return s.Serve(assembly.Storage{Journal: s.journal, Disk: s.journal, Departed: s.journal.Departed(), Key: s.own.Private})
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
	if err := s.journal.DespiteFull(func() error { return s.own.LeaveCause(event.VoidJournal) }); err != nil {
		s.log.Error("could not leave word of it", "err", err)
	}
}
