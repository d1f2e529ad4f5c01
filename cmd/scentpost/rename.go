package main

import (
	"errors"
	"fmt"
	"io"

	"scentpost/cmd/internal/place"
	"scentpost/station/archive"
	"scentpost/station/folder"
	"scentpost/station/journal"
)

type stationRename struct {
	Config string `arg:"" help:"The station's configuration, with its new site or station."`
	JSON   bool   `help:"Print JSON."`
}

// Help says what a new name does and what it does not.
func (stationRename) Help() string {
	return `The station must be stopped, and its last session must have ended. Change site or station in CONFIG first.

The key and the journal stay. The daemon's next start begins a new epoch, whose first record says that the station was
renamed and which epoch was before it. Sessions of earlier epochs keep the name that they were made under. At the broker
the station speaks under the topics of its new name; what is retained under the old one stays there.`
}

// Run gives a station another name.
func (c stationRename) Run(out io.Writer) error {
	cfg, err := place.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	of, to := folder.Folder(cfg.Data), folder.Name{Site: cfg.Site, Station: cfg.Station, Simulated: cfg.Simulated()}
	was, err := folder.Rename(of, to, func() (string, error) { return unfinished(of.Journal()) })
	var refused *folder.Refused
	switch {
	case errors.As(err, &refused):
		return usage(err)
	case err != nil:
		return no(unreadable(err))
	case c.JSON:
		return printJSON(out, map[string]string{"was": was.Site + "/" + was.Station, "is": to.Site + "/" + to.Station})
	}
	_, err = fmt.Fprintf(out, "the station of %s is now %s; it was %s\nstart scentpostd: the log goes on in a new epoch that says so\n", of, to, was)
	return err
}

// unfinished returns the session of a journal that has not ended, "" when there is none.
func unfinished(dir string) (session string, err error) {
	held, err := journal.Holds(dir)
	if err != nil || !held {
		return "", err
	}
	r, err := journal.Read(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	epochs := r.Epochs()
	log, err := r.Log(epochs[len(epochs)-1].ID)
	if err != nil {
		return "", err
	}
	return archive.Unfinished(log, log.Size())
}
