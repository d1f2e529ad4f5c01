package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"scentpost/cmd/internal/place"
	"scentpost/station/backup"
	"scentpost/station/folder"
	"scentpost/station/journal"
	"scentpost/station/record"
)

type stationBackup struct {
	From    string `arg:"" name:"config" help:"The station's configuration, or its folder."`
	Out     string `short:"o" required:"" help:"The file to write; it must not be there yet." placeholder:"FILE"`
	WithKey bool   `help:"Put the station's private key into the backup, too: whoever has the file can then sign as the station."`
	JSON    bool   `help:"Print JSON."`
}

// Help says what is in a backup and what is not.
func (stationBackup) Help() string {
	return `The station may run or be stopped: the backup takes what is durable when it begins, and holds nobody up.

In it: all public lines, signed checkpoints, the names of people and dogs, and with --with-key the private key.
Not in it: whatever is sealed and not revealed (placements, nonces, the station's share). A session that has not ended
cannot go on from a backup: it is aborted when the backup is restored. Nor the configuration: keep a copy of it.

The names are personal data: only the file's owner may read it, and whoever keeps it keeps them.`
}

// Run makes a backup.
func (c stationBackup) Run(out io.Writer) error {
	of, err := c.folder()
	if err != nil {
		return err
	}
	o := backup.Options{Made: time.Now().UTC().Format(time.RFC3339), Program: version, Connections: connections(of)}
	if c.WithKey {
		if o.Key, err = privateKey(of); err != nil {
			return err
		}
	}
	r, err := journal.Read(of.Journal())
	if err != nil {
		return no(unreadable(err))
	}
	s, err := backup.Save(c.Out, r, o)
	aside, unlisted := r.PutAside()
	err = errors.Join(err, unlisted, r.Close())
	switch {
	case isMade(c.Out, err):
		return usage(cannotMake(c.Out, err))
	case err != nil:
		return no(unreadable(err))
	case c.JSON:
		return printJSON(out, summaryOf(c.Out, s))
	}
	fmt.Fprintf(out, "%s: station %s/%s, %s in %s, up to record %d of epoch %s\n", c.Out, s.Site, s.Station,
		many(s.Records, "record"), many(s.Epochs, "epoch"), s.Size-1, s.Epoch)
	fmt.Fprintf(out, "it holds %s and %s of people and dogs: personal data, which its owner alone may read\n", many(s.Sessions, "session"), many(s.Names, "name"))
	for _, session := range s.Unfinished {
		fmt.Fprintf(out, "session %s has not ended: what is sealed of it is left out, and a restored station aborts it\n", session)
	}
	for _, what := range s.NotIn {
		fmt.Fprintf(out, "NOT in it: %s\n", what)
	}
	for _, a := range aside {
		fmt.Fprintf(out, "NOT in it: the journal of draft %d that was put aside; copy its folder, %s\n", a.Draft, filepath.Dir(a.Folder))
	}
	if s.WithKey {
		_, err = fmt.Fprintln(out, "it holds the station's private key: whoever has the file can sign as the station")
	} else {
		_, err = fmt.Fprintln(out, "it does not hold the station's key: where that is lost, a restored station signs with a new one")
	}
	return err
}

// isMade tells whether an error is one of making the file.
func isMade(path string, err error) bool {
	var at *fs.PathError
	return errors.As(err, &at) && at.Op == "open" && at.Path == path
}

// folder returns the folder of the station that is to be backed up.
func (c stationBackup) folder() (folder.Folder, error) {
	found, err := os.Stat(c.From)
	if err != nil || !found.IsDir() {
		cfg, err := place.ReadConfig(c.From)
		return folder.Folder(cfg.Data), err
	}
	of := folder.Folder(c.From)
	held, err := journal.Holds(of.Journal())
	switch {
	case err != nil:
		return "", no(unreadable(err))
	case !held:
		return "", usage(fmt.Errorf("%s is not the folder of a station: it holds no journal; name the folder that `data` of the configuration names, or the configuration", c.From))
	}
	return of, nil
}

// unreadable says what to do about files that are closed to this account.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the station's files are open to its own account alone: ask as that one or as root (sudo)", err)
	}
	return err
}

// connections returns how often the station of a folder has connected to its broker.
func connections(of folder.Folder) int64 {
	text, err := os.ReadFile(of.Connections())
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// privateKey reads the key of the station of a folder.
func privateKey(of folder.Folder) (string, error) {
	path := of.Key()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", usage(fmt.Errorf("there is no key in %s: leave --with-key out, or put the key there", path))
	}
	if err != nil {
		return "", no(unreadable(fmt.Errorf("read the station's key: %w", err)))
	}
	return record.KeyText(text), nil
}

// summary is what --json prints of a backup.
type summary struct {
	File       string   `json:"file"`
	Site       string   `json:"site"`
	Station    string   `json:"station"`
	Made       string   `json:"made"`
	Epochs     int64    `json:"epochs"`
	Epoch      string   `json:"epoch"`
	Size       int64    `json:"epoch_records"`
	Records    int64    `json:"records"`
	Sessions   int64    `json:"sessions"`
	Names      int64    `json:"names"`
	Unfinished []string `json:"unfinished"`
	NotIn      []string `json:"not_in_it"` // what the journal holds, damaged, and the backup does not
	WithKey    bool     `json:"with_key"`
	// Of a restore.
	Aside    string `json:"aside,omitempty"`
	AsideKey string `json:"aside_key,omitempty"`
	Lacking  string `json:"lacking,omitempty"`
}

func summaryOf(file string, s backup.Summary) summary {
	return summary{File: file, Site: s.Site, Station: s.Station, Made: s.Made, Epochs: s.Epochs, Epoch: s.Epoch, Size: s.Size, Records: s.Records,
		Sessions: s.Sessions, Names: s.Names, Unfinished: append([]string{}, s.Unfinished...), NotIn: append([]string{}, s.NotIn...), WithKey: s.WithKey}
}

// many counts things.
func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type stationRestore struct {
	File    string `arg:"" help:"A backup, as 'scentpost station backup' writes it."`
	Config  string `arg:"" help:"The configuration of the station that it is restored to."`
	Replace bool   `help:"Put the journal that the station has, and another key, aside under another name."`
	JSON    bool   `help:"Print JSON."`
}

// Help says what a restore does and what it does not.
func (stationRestore) Help() string {
	return `The station must be stopped. The backup is checked as it is read: form, hashes, signatures. The journal is built
beside its place and put there in one step, so that a restore that is stopped leaves the station as it was or whole.

The daemon's next start begins a new epoch, whose first record says that the journal was restored, how far the old one
went, which sessions it aborts, and which key signs from now on. A station that has been restored elsewhere must not be
started again: restoring is moving.`
}

// Run restores a station.
func (c stationRestore) Run(out io.Writer) error {
	cfg, err := place.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	f, err := openBackup(c.File)
	if err != nil {
		return usage(err)
	}
	defer f.Close()
	to := folder.Folder(cfg.Data)
	report, err := backup.Restore(f, backup.Target{Site: cfg.Site, Station: cfg.Station, Simulated: cfg.Simulated(), Folder: to, Replace: c.Replace})
	var fault *backup.Fault
	switch {
	case errors.As(err, &fault):
		return usage(fmt.Errorf("%s: %w; nothing was restored", c.File, err))
	case err != nil:
		return no(unreadable(fmt.Errorf("restore %s: %w", c.File, err)))
	}
	if c.JSON {
		s := summaryOf(c.File, report.Summary)
		s.Aside, s.AsideKey, s.Lacking = report.Aside, report.AsideKey, report.Lacking
		return printJSON(out, s)
	}
	return printRestored(out, report, to.Key())
}

// openBackup opens a file for reading.
func openBackup(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cannotRead(path, err)
	}
	if found, err := f.Stat(); err != nil || !found.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no file: name a backup, as `scentpost station backup` writes it", path), err, f.Close())
	}
	return f, nil
}

func printRestored(out io.Writer, r backup.Report, key string) error {
	fmt.Fprintf(out, "station %s/%s is restored from the backup of %s: %s in %s, up to record %d of epoch %s\n", r.Site, r.Station, r.Made,
		many(r.Records, "record"), many(r.Epochs, "epoch"), r.Size-1, r.Epoch)
	if r.Aside != "" {
		fmt.Fprintln(out, "the journal that was there is now", r.Aside)
	}
	if r.AsideKey != "" {
		fmt.Fprintln(out, "the key that was there is now", r.AsideKey)
	}
	if r.Lacking != "" {
		fmt.Fprintln(out, "not in the backup:", r.Lacking)
	}
	for _, session := range r.Unfinished {
		fmt.Fprintf(out, "session %s had not ended: it is aborted\n", session)
	}
	if _, err := os.Stat(key); r.WithKey || err == nil {
		fmt.Fprintln(out, "the station signs with the key in", key)
	} else {
		fmt.Fprintln(out, "the station has no key: its next start makes one, which the record of the new epoch names")
	}
	_, err := fmt.Fprintln(out, "start scentpostd: the log goes on in a new epoch")
	return err
}
