package main

import (
	"fmt"
	"os"

	"scentpost/cmd/internal/place"
	"scentpost/station/assembly"
	"scentpost/station/backup"
	"scentpost/station/durable"
	"scentpost/station/event"
	"scentpost/station/journal"
)

// openJournal opens the journal and serves views over it.
func (s *station) openJournal() (err error) {
	if err := os.MkdirAll(beside(s.cfg, ""), folderMode); err != nil {
		return fmt.Errorf("make the folder of the journal: %w", err)
	}
	if err := s.adoptKey(); err != nil {
		return err
	}
	key, err := privateKey(s.cfg)
	if err != nil {
		return err
	}
	if s.journal, err = journal.Open(s.cfg.Data, journal.Options{Departed: beside(s.cfg, place.Departed)}); err != nil {
		return err
	}
	return s.Serve(assembly.Storage{Journal: s.journal, Disk: s.journal, Departed: s.journal.Departed(), Key: key})
}

// adoptKey takes the key that came with a restored journal.
func (s *station) adoptKey() error {
	aside, err := backup.AdoptKey(s.cfg.Data, beside(s.cfg, place.Key))
	if aside != "" {
		s.log.Warn("the restored journal brought its key; the one before was put aside", "as", aside)
	}
	return err
}

// journalFailed leaves word for the next start.
func (s *station) journalFailed(err error) {
	s.log.Error("the journal failed: the canisters are closed, the daemon stops", "err", err)
	if err := durable.Replace(beside(s.cfg, place.Cause), []byte(event.VoidJournal+"\n")); err != nil {
		s.log.Error("could not leave word of it", "err", err)
	}
}
