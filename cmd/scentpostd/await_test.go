package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"scentpost/station/control"
	"scentpost/station/folder"
	"scentpost/station/health"
	"scentpost/station/readiness"
	"scentpost/station/trial"
)

// unopenable puts a link to itself in the place of a file, which nobody can open, not even root. mend takes it away again.
func unopenable(t *testing.T, path string) (mend func()) {
	t.Helper()
	if err := os.Rename(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(path), path); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(path+".kept", path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestASealedSessionWaitsForItsJournal: whichever file cannot be opened for a while, the daemon lives and says why no session
// can be run, and the sealed session goes on afterwards, in its epoch.
func TestASealedSessionWaitsForItsJournal(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	d.seal(t)
	was := d.send(t, control.Request{Command: "status"}).Status
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	own := folder.Folder(cfg.Data)
	for _, path := range []string{filepath.Join(own.Journal(), "meta.json"), filepath.Join(own.Journal(), "epoch-"+was.Epoch+".db"),
		filepath.Join(own.Journal(), "station.db"), filepath.Join(own.Journal(), "names.json"), own.Departed(), own.Key()} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			mend := unopenable(t, path)
			d := startDaemon(t, cfg)
			d.out.wait(t, "no session can be held yet: no session can be run: the journal cannot be opened now: ", 1)
			status := d.send(t, control.Request{Command: "status"}).Status
			away := func(c health.Condition) bool { return c.Code == health.JournalAway }
			if status.Obstacle == nil || status.Obstacle.Code != readiness.JournalAway || !slices.ContainsFunc(status.Conditions, away) {
				t.Errorf("it shows %v and %+v", status.Obstacle, status.Conditions)
			}
			for _, r := range []control.Request{{Command: "list"}, {Command: "export"}, sealing(t)[0]} {
				if got := d.send(t, r); got.OK || got.Refused == nil {
					t.Errorf("%s: %+v", r.Command, got)
				}
			}
			mend()
			d.out.wait(t, "sessions can be run: ", 1)
			status = d.send(t, control.Request{Command: "status"}).Status
			if status.Phase != trial.Sealed || status.Session != was.Session || status.Epoch != was.Epoch || slices.ContainsFunc(status.Conditions, away) {
				t.Errorf("afterwards it is %s, session %s of epoch %s, with %+v", status.Phase, status.Session, status.Epoch, status.Conditions)
			}
			if err := d.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAFolderThatMayBecomeTheStations: rights and owner of the folder may be those of a folder whose disk is not mounted yet. So
// the daemon waits for it as for its journal.
func TestAFolderThatMayBecomeTheStations(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	if err := os.Mkdir(cfg.Data, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(cfg.Data, 0o777); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, cfg)
	d.out.wait(t, "others may write in the folder "+cfg.Data+" (mode 0777): chmod 700", 1)
	if err := os.Chmod(cfg.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	d.out.wait(t, "sessions can be run: ", 1)
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
}
