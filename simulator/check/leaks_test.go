package check_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"scentpost/drivers/bus/bustest"
	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/backup"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/journal"
	"scentpost/station/metrics"
	"scentpost/station/trial"
)

// onDisk performs a session whose journal is on the disk, and watches its files and the program's log besides.
func onDisk(t *testing.T, p performance) *check.Sights {
	t.Helper()
	dir := t.TempDir()
	store, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	plant := p.before
	p.store = store
	p.before = func(y *yard.Yard, seen *check.Sights) {
		slog.SetDefault(logger(func(line []byte) { seen.See(check.Logs, y.World.Mono(), line) }))
		slog.Info("sealed", "session", y.Host.Snapshot().View.Session)
		y.Host.Watch(func(s trial.Snapshot) { seen.See(check.Files, y.World.Mono(), files(t, dir)) })
		backUp(t, y, seen, dir)
		if plant != nil {
			plant(y, seen)
		}
	}
	seen, _ := perform(t, p)
	return seen
}

// backUp makes a backup whenever a run is locked.
func backUp(t *testing.T, y *yard.Yard, seen *check.Sights, dir string) {
	last := 0
	y.Host.Watch(func(s trial.Snapshot) {
		if r := s.View.Run; r.State == trial.Locked && r.Index > last {
			last = r.Index
			seen.See(check.Backups, y.World.Mono(), hashed.ReplaceAllFunc(backupOf(t, dir), crossOut))
		}
	})
}

func backupOf(t *testing.T, dir string) []byte {
	t.Helper()
	r, err := journal.Read(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var text bytes.Buffer
	if err := backup.Write(&text, r, backup.Options{Made: "2026-11-26T09:30:00Z"}); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Check(bytes.NewReader(text.Bytes())); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// hashed is what in a backup was hashed or signed over records: roots, signatures, the last line.
var hashed = regexp.MustCompile(`(?m)^\{"end":.*|^\{"sha256":.*|[0-9A-Za-z+/=]{44}\\n\\n.*`)

// crossOut puts an x in the place of each letter and digit.
func crossOut(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("+/=", r) {
			return 'x'
		}
		return r
	}, text)
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// files lists the names and sizes of everything below a folder.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var list []byte
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		list = fmt.Appendf(list, "%s %d\n", name, info.Size())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTwoSecretsLookAlikeOnDisk(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	for i := range diskPairs.count() {
		p := performance{seed: uint64(i), secrets: uint64(5000 + 2*i), mode: "double"}
		a := onDisk(t, p)
		p.secrets++
		b := onDisk(t, p)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d: %v", i, err)
		}
		if a.Count(check.Files) == 0 || a.Count(check.Logs) == 0 || a.Count(check.Backups) == 0 {
			t.Fatalf("pair %d: a channel was not watched", i)
		}
	}
}

// upon does f a little after something of a kind is switched on next.
func upon(y *yard.Yard, what hardware.What, f func()) {
	done := false
	y.Hardware.Subscribe(func(c hardware.Change) {
		if c.What == what && c.State == "on" && !done {
			done = true
			y.World.After(100*time.Millisecond, f)
		}
	})
}

// TestALeakIsCaught plants a leak in each channel: something that happens only where the first position holds a
// target.
func TestALeakIsCaught(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	leaks := map[string]func(y *yard.Yard, seen *check.Sights){
		"a light":             func(y *yard.Yard, _ *check.Sights) { y.Devices.Light(trial.LightAck, true, time.Second) },
		"a movement":          func(y *yard.Yard, _ *check.Sights) { y.Devices.CloseAll() },
		"a delay":             func(y *yard.Yard, _ *check.Sights) { y.Disk.Stall(20 * time.Second) },
		"a log line":          func(*yard.Yard, *check.Sights) { slog.Debug("target at the first position") },
		"a condition":         func(y *yard.Yard, _ *check.Sights) { y.Conditions.Raise(health.BrokerAway, "broker", "") },
		"a rival":             func(y *yard.Yard, _ *check.Sights) { y.Conditions.Raise(health.Rival, "broker", "") },
		"what did not arrive": func(y *yard.Yard, _ *check.Sights) { y.Conditions.Raise(health.BrokerUndelivered, "broker", "") },
		"a damaged journal":   func(y *yard.Yard, _ *check.Sights) { y.Conditions.Raise(health.JournalDamaged, "", "") },
		"refusals": func(y *yard.Yard, _ *check.Sights) {
			for range 40 { // past the rate, so that they are summed
				y.Control.Do(control.Person{Name: "Handler", Roles: []event.Role{event.Handler}}, control.Request{Command: "withdraw"}, func(control.Response) {})
			}
		},
		"a nanosecond": func(y *yard.Yard, seen *check.Sights) {
			y.World.After(1, func() { seen.See(check.Messages, y.World.Mono(), nil) })
		},
		"a message": func(y *yard.Yard, seen *check.Sights) { seen.See(check.Messages, y.World.Mono(), []byte("x")) },
		"a view":    func(y *yard.Yard, seen *check.Sights) { seen.See(check.Views, y.World.Mono(), []byte("x")) },
		"an output": func(y *yard.Yard, seen *check.Sights) { seen.See(check.Commands, y.World.Mono(), []byte("x")) },
		"a metric": func(y *yard.Yard, _ *check.Sights) {
			y.Metrics = metrics.New(metrics.Options{Version: "of a station that knows", Public: y.Control.Public})
		},
		"a record": func(y *yard.Yard, _ *check.Sights) {
			y.Host.Event(event.Event{Type: event.SessionPaused, At: y.World.Now(), By: event.ByStation, Body: &event.Why{Cause: "x"}})
		},
		"a backup":          func(y *yard.Yard, seen *check.Sights) { seen.See(check.Backups, y.World.Mono(), []byte("x")) },
		"a purge cut short": func(y *yard.Yard, _ *check.Sights) { upon(y, hardware.Blow, y.Devices.CloseAll) },
		"a call cut short":  func(y *yard.Yard, _ *check.Sights) { upon(y, hardware.Call, y.Devices.Hush) },
		"a warmer air": func(y *yard.Yard, _ *check.Sights) {
			warm := bustest.MakersAir
			warm.Temperature += 1000
			y.Hardware.Chip("air").(*bustest.BME280).Measures(warm)
		},
		"a file": func(y *yard.Yard, seen *check.Sights) {
			if err := y.Store.(*journal.Journal).LogOperation(journal.Operation{Name: "leak", Detail: strings.Repeat("x", 1<<16)}); err != nil {
				t.Error(err)
			}
		},
	}
	for name, leak := range leaks {
		t.Run(name, func(t *testing.T) {
			p := performance{seed: 7, mode: "double"}
			p.before = func(y *yard.Yard, seen *check.Sights) {
				leaked := 0
				y.Host.Watch(func(s trial.Snapshot) {
					r := s.View.Run
					if r.State == trial.Shown && r.Index > leaked && r.Placement.Reveal()[0].Kind == event.Target {
						leaked = r.Index
						leak(y, seen)
					}
				})
			}
			first := onDisk(t, p)
			for p.secrets = 1; p.secrets < 6; p.secrets++ {
				if err := check.Differ(first, onDisk(t, p)); err != nil {
					t.Logf("caught: %.300v", err)
					return
				}
			}
			t.Fatal("the leak was not caught")
		})
	}
}
