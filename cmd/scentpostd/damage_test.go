package main

import (
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/station/backup"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/folder"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// damages are what may become of a file, by name; other is the same file of another station.
var damages = map[string]func(path, other string) error{
	"a flip at the start":  func(path, _ string) error { return change(path, func(c []byte) []byte { return flip(c, 0) }) },
	"a flip in the middle": func(path, _ string) error { return change(path, func(c []byte) []byte { return flip(c, len(c)/2) }) },
	"a flip near the end":  func(path, _ string) error { return change(path, func(c []byte) []byte { return flip(c, len(c)-20) }) },
	"cut in half":          func(path, _ string) error { return change(path, func(c []byte) []byte { return c[:len(c)/2] }) },
	"empty":                func(path, _ string) error { return change(path, func([]byte) []byte { return nil }) },
	"zeros":                func(path, _ string) error { return change(path, func(c []byte) []byte { return make([]byte, len(c)) }) },
	"gone":                 func(path, _ string) error { return os.Remove(path) },
	"another's":            func(path, other string) error { return copyFile(other, path) },
	"of root alone":        func(path, _ string) error { return os.Chmod(path, 0) },
}

func flip(content []byte, at int) []byte {
	if len(content) > 0 {
		content[max(at, 0)] ^= 4
	}
	return content
}

func change(path string, how func([]byte) []byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, how(content), 0o600)
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// furnished is the folder of a station that was stopped in order, with a session that was closed and one that is sealed.
type furnished struct {
	dir, epoch, closed, sealed string
}

func furnish(t *testing.T, cfg config.Config) furnished {
	t.Helper()
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	w := d.watch(t)
	d.seal(t)
	f := furnished{dir: cfg.Data, closed: d.send(t, control.Request{Command: "status"}).Status.Session}
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	d.must(t, control.Request{Command: "close", As: "Assessor", AllBack: true})
	d.seal(t)
	status := d.send(t, control.Request{Command: "status"}).Status
	f.epoch, f.sealed = status.Epoch, status.Session
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	return f
}

// hurt is a file with one damage.
type hurt struct{ file, damage string }

// refusing are those for which the daemon may refuse to start: the station is another's, or nobody knows whose.
func (h hurt) refusing() bool {
	return h.file == "station.key" || h.file == "station.json"
}

// forgets tells whether nothing of what has left the station is left: the epoch ends then, since more may have left than the
// journal holds.
func (h hurt) forgets() bool {
	return h.file == "departed.json" && slices.Contains([]string{"empty", "zeros", "gone", "another's"}, h.damage)
}

// TestAnyFileDamaged damages each file of a station in each way, and starts it. The daemon lives and runs sessions; it lists and
// exports what the damaged file does not hold, and what it holds as far as it can be read; each export verifies; a backup is made.
func TestAnyFileDamaged(t *testing.T) {
	cfg, otherCfg := testConfig(t), testConfig(t)
	startStation(t, cfg)
	startStation(t, otherCfg)
	otherCfg.Station = "other"
	was, other := furnish(t, cfg), furnish(t, otherCfg)
	database := "journal/epoch-" + was.epoch + ".db"
	for _, file := range []string{database, "journal/meta.json", "journal/station.db", "journal/names.json", "journal/ballast",
		"departed.json", "connections", "lock", "station.key", "station.json"} {
		if _, err := os.Stat(filepath.Join(was.dir, file)); errors.Is(err, os.ErrNotExist) && file == "connections" {
			continue // it has no broker
		} else if err != nil {
			t.Fatal(err)
		}
		for name, damage := range damages {
			h := hurt{filepath.Base(file), name}
			if testing.Short() && crc32.ChecksumIEEE([]byte(h.file[:4]+name))%3 != 0 {
				continue
			}
			t.Run(h.file[:min(len(h.file), 12)]+", "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "data")
				if err := os.CopyFS(dir, os.DirFS(was.dir)); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				from := filepath.Join(other.dir, file)
				if file == database {
					from = filepath.Join(other.dir, "journal/epoch-"+other.epoch+".db")
				}
				if err := damage(filepath.Join(dir, file), from); err != nil {
					t.Fatal(err)
				}
				with := cfg
				with.Data = dir
				survives(t, with, was, h, file == database)
			})
		}
	}
}

// survives starts a damaged station and looks at what became of it.
func survives(t *testing.T, cfg config.Config, was furnished, h hurt, database bool) {
	t.Helper()
	d := startDaemon(t, cfg)
	if err := d.runs(t); err != nil {
		if !h.refusing() || !errors.As(err, new(*folder.Refused)) {
			t.Errorf("it ended with %v", err)
		}
		return
	}
	status := d.send(t, control.Request{Command: "status"}).Status
	if goesOn := status.Phase == trial.Sealed && status.Session == was.sealed && status.Epoch == was.epoch; !goesOn && !database && !h.forgets() && !h.refusing() {
		t.Errorf("the sealed session could go on, and the station is %s in epoch %s", status.Phase, status.Epoch)
	}
	list := d.send(t, control.Request{Command: "list"})
	if !list.OK {
		t.Fatalf("the list: %v", list.Refused)
	}
	readable := false
	for _, s := range list.List {
		readable = readable || s.ID == was.closed
	}
	if !readable && (!database || !faulty(list.List, was.epoch)) {
		t.Errorf("the list does not have session %s: %+v", was.closed, list.List)
	}
	for _, session := range []string{was.closed, was.sealed} {
		export, bundle := d.export(t, session)
		if whole := export.OK && export.Damage == nil; !whole && !database {
			t.Errorf("the export of %s: %v", session, export.Refused)
		}
		verifies(t, export, bundle, session == was.closed)
	}
	r, err := journal.Read(folder.Folder(cfg.Data).Journal())
	if err != nil {
		t.Fatal(err)
	}
	s, err := backup.Save(filepath.Join(t.TempDir(), "backup"), r, backup.Options{Made: "2026-11-26T09:30:00Z", Program: "test"})
	if err := errors.Join(err, r.Close()); err != nil {
		t.Errorf("the backup: %v", err)
	}
	if !database && (len(s.NotIn) > 0 || s.Names < 3) {
		t.Errorf("the backup holds %+v", s)
	}
	if err := d.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// verifies verifies what was exported of a session, if anything, as "scentpost record verify" does: no damage of the station's files
// makes an honest record look like a forged one. A closed session that was exported whole is replayed.
func verifies(t *testing.T, export control.Response, bundle []byte, closed bool) {
	t.Helper()
	if len(bundle) == 0 {
		return
	}
	r := verify.Verify(bundle, verify.Options{})
	if !r.Consistent {
		t.Errorf("the bundle of session %s: %v", r.Session, r.Problems)
	}
	if whole := closed && export.Damage == nil; whole && (r.Replay != verify.ReplayChecked || !r.Result.Finished()) {
		t.Errorf("the bundle of session %s: replay %s, it is %s", r.Session, r.Replay, r.Result.State)
	}
}

// runs waits until sessions can be run, or until the daemon has ended, and returns why.
func (d daemon) runs(t *testing.T) error {
	t.Helper()
	for limit := time.After(patience); ; {
		if d.out.has("sessions can be run: ") {
			return nil
		}
		select {
		case <-d.out.news:
		case <-d.gone:
			if err := d.end(); err != nil {
				return err
			}
			return errors.New("it ended, and does not say why")
		case <-limit:
			t.Fatal("no session can be run")
		}
	}
}

// has tells whether a text was said.
func (s *said) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// faulty tells whether a list says that an epoch cannot be read.
func faulty(list []history.Listed, epoch string) bool {
	for _, s := range list {
		if s.Epoch == epoch && s.Fault != "" {
			return true
		}
	}
	return false
}
