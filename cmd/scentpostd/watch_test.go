package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/station/archive"
	"scentpost/station/assembly"
	"scentpost/station/control"
	"scentpost/station/folder"
	"scentpost/station/health/vitals"
	"scentpost/station/journal"
	"scentpost/station/trial"
)

// patient is a machine that notes when it was looked at.
type patient struct {
	mu    sync.Mutex // guards looks
	looks []time.Duration
	began time.Time
}

func (p *patient) Read(bool) vitals.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks = append(p.looks, time.Since(p.began))
	return vitals.Reading{}
}

// TestTheMachineIsWatchedSparsely: an idle station looks at it twice a minute, and the loop answers the watchdog without
// another look.
func TestTheMachineIsWatchedSparsely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		cfg := testConfig(t)
		s, err := newStation(cfg, log, newSupervisor(log, 0, func(string) error { return nil }), newChart(cfg, log))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(assembly.Storage{Journal: journal.NewMemory(), Disk: noDisk{}}); err != nil {
			t.Fatal(err)
		}
		p := &patient{began: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.watchMachine(ctx, p) }()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if len(p.looks) != 21 || p.looks[20] != 10*time.Minute {
			t.Errorf("in ten minutes it was looked at %d times, the last at %s", len(p.looks), p.looks[len(p.looks)-1])
		}
		answered := false
		if err := s.hearts.machine.Ping(func() { answered = true }); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !answered || len(p.looks) != 21 {
			t.Errorf("a question: answered %v, and %d looks", answered, len(p.looks))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if !slices.IsSorted(p.looks) {
			t.Error(p.looks)
		}
	})
}

// noDisk is a disk that has room.
type noDisk struct{}

func (noDisk) Room() error           { return nil }
func (noDisk) Spent() bool           { return false }
func (noDisk) Bytes() (int64, error) { return 0, nil }

// TestWhatIsReadOfTheMachine: the real one, with the figures of a journal that holds a session.
func TestWhatIsReadOfTheMachine(t *testing.T) {
	cfg := testConfig(t)
	startStation(t, cfg)
	d := startDaemon(t, cfg)
	d.out.wait(t, "sessions can be run: ", 1)
	w := d.watch(t)
	d.seal(t)
	d.must(t, control.Request{Command: "abort", As: "Assessor", Reason: "enough"})
	w.until(t, func(control.Status) {}, func(s control.Status) bool { return s.Phase == trial.Ended })
	if err := d.end(); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(folder.Folder(cfg.Data).Journal(), journal.Options{Departed: folder.Folder(cfg.Data).Departed()})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	r := thisStation{cfg}.Read(false)
	if !r.HasDisk || r.ReadOnly || r.Free <= 0 {
		t.Errorf("the disk: %+v", r)
	}
	if key := folder.Folder(cfg.Data).Key(); r.KeyFile != key || r.KeyMode.Perm() != 0o600 {
		t.Errorf("the key %s has mode %v", r.KeyFile, r.KeyMode)
	} else if err := os.Chmod(key, 0o644); err != nil || (thisStation{cfg}).Read(false).KeyMode.Perm() != 0o644 {
		t.Errorf("a key that was opened to all is not seen: %v", err)
	}
	size := j.Size()
	if records, lasted, err := archive.Pace(j, size); err != nil || size < 5 || records != size-1 || lasted <= 0 || lasted > time.Hour {
		t.Errorf("of %d records: %d, %s, %v", size, records, lasted, err)
	}
	if bytes, err := j.Bytes(); err != nil || bytes < 4096 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	if records, lasted, err := archive.Pace(j, 1); err != nil || records != 0 || lasted != 0 {
		t.Errorf("after the epoch's first record: %d, %s, %v", records, lasted, err)
	}
	if j.Spent() {
		t.Error("there is room, and the ballast is spent")
	}
	cfg.Data = filepath.Join(cfg.Data, "none")
	if r := (thisStation{cfg}).Read(false); r.HasDisk {
		t.Errorf("a disk that is not there: %+v", r)
	}
}
