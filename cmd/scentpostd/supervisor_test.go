package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scentpost/station/event"
	"scentpost/station/journal"
)

// watchdog is that of the unit.
const watchdog = 30 * time.Second

// manager is a service manager on virtual time.
type manager struct {
	mu    sync.Mutex // guards heard
	heard []string   // each with its time since the start
	log   bytes.Buffer
	*supervisor
}

func newManager(watchdog time.Duration) *manager {
	m := &manager{}
	m.supervisor = newSupervisor(slog.New(slog.NewTextHandler(&m.log, nil)), watchdog, func(state string) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.heard = append(m.heard, time.Since(m.began).String()+" "+state)
		return nil
	})
	return m
}

// take returns what was heard since it was last called.
func (m *manager) take() []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	heard := m.heard
	m.heard = nil
	return heard
}

func (m *manager) expect(t *testing.T, want ...string) {
	t.Helper()
	if heard := m.take(); !slices.Equal(heard, want) {
		t.Errorf("the manager heard %q, want %q", heard, want)
	}
}

// turning is a loop that goes round until it is told to hang.
type turning struct {
	heart
	hang chan chan struct{}
}

func turn(t *testing.T) turning {
	l := turning{newHeart(), make(chan chan struct{})}
	go func() {
		for {
			select {
			case answer := <-l.heart:
				answer()
			case until := <-l.hang:
				<-until
			case <-t.Context().Done():
				return
			}
		}
	}()
	return l
}

// TestAHostThatHangsIsNotCoveredUp: kicks stop 15 s after the question that has no answer, and go on with the answer.
func TestAHostThatHangsIsNotCoveredUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(watchdog)
		end := m.start(t.Context())
		defer end()
		host, writer := turn(t), turn(t)
		m.ready("views are served")
		m.watch(loop{"the host", host.Ping}, loop{"the journal", writer.Ping})
		m.tell("sessions can be run")
		time.Sleep(11 * time.Second)
		m.expect(t, "0s READY=1\nSTATUS=views are served", "0s STATUS=sessions can be run", "5s WATCHDOG=1", "10s WATCHDOG=1")
		until := make(chan struct{})
		host.hang <- until // the question of 15 s is the first without an answer
		time.Sleep(18 * time.Second)
		m.expect(t, "15s WATCHDOG=1", "20s WATCHDOG=1", "25s WATCHDOG=1")
		time.Sleep(time.Hour)
		m.expect(t, "30s STATUS=the watchdog is not kicked: no answer from the host")
		close(until)
		time.Sleep(7 * time.Second)
		m.expect(t, "1h0m30s WATCHDOG=1", "1h0m30s STATUS=sessions can be run", "1h0m35s WATCHDOG=1")
		if n := strings.Count(m.log.String(), "\n"); n != 2 {
			t.Errorf("%d lines were logged:\n%s", n, &m.log)
		}
	})
}

// stalled is a journal whose disk stands still.
type stalled struct {
	*journal.Memory
	until chan struct{}
}

func (s stalled) Commit(b journal.Batch) error {
	<-s.until
	return s.Memory.Commit(b)
}

// TestAStalledCommitIsNotCoveredUp: the writer's own queue is asked.
func TestAStalledCommitIsNotCoveredUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := stalled{journal.NewMemory(), make(chan struct{})}
		if err := store.BeginEpoch("e1", "first"); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("none")
		w := journal.NewWriter(store, 1, func(int64) {}, func(err error) { failed = err })
		m := newManager(watchdog)
		end := m.start(t.Context())
		defer end()
		m.watch(loop{"the host", turn(t).Ping}, loop{"the journal", w.Ping})
		time.Sleep(6 * time.Second)
		m.expect(t, "5s WATCHDOG=1")
		row := journal.Row{Line: []byte("{}"), Type: event.SessionOpened, Session: "s"}
		for range 2 { // the second fills the queue: the question is refused, and owed all the same
			if err := w.Append(journal.Batch{Rows: []journal.Row{row}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			row.Seq++
		}
		time.Sleep(18 * time.Second)
		m.expect(t, "10s WATCHDOG=1", "15s WATCHDOG=1", "20s WATCHDOG=1")
		time.Sleep(time.Minute)
		m.expect(t, "25s STATUS=the watchdog is not kicked: no answer from the journal")
		close(store.until)
		synctest.Wait()
		m.take()
		time.Sleep(11 * time.Second)
		if heard := m.take(); !slices.ContainsFunc(heard, func(s string) bool { return strings.HasSuffix(s, "WATCHDOG=1") }) {
			t.Errorf("with the disk back it heard %q", heard)
		}
		if err := w.Close(t.Context()); err != nil {
			t.Errorf("%v, %v", err, failed)
		}
	})
}

// TestAWriterThatIsClosed is not asked in vain for ever: a stop that takes too long is a hang as well.
func TestAWriterThatIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := journal.NewWriter(journal.NewMemory(), 1, func(int64) {}, func(error) {})
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := newManager(watchdog)
		defer m.start(t.Context())()
		m.watch(loop{"the journal", w.Ping})
		time.Sleep(12 * time.Second)
		m.expect(t, "5s WATCHDOG=1", "10s WATCHDOG=1")
		time.Sleep(time.Minute)
		m.expect(t, "15s STATUS=the watchdog is not kicked: no answer from the journal")
		m.watch(loop{"the watch on the disk", turn(t).Ping}) // the daemon starts again
		time.Sleep(4 * time.Second)
		m.expect(t, "1m15s WATCHDOG=1", "1m15s STATUS=")
	})
}

// TestTheOwnLoopsAlone: while no host is there, an hour of waiting is no hang.
func TestTheOwnLoopsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(watchdog)
		defer m.start(t.Context())()
		disk, devices := turn(t), turn(t)
		m.watch(loop{"the watch on the disk", disk.Ping}, loop{"the watch on the devices", devices.Ping})
		time.Sleep(time.Hour + time.Second)
		if heard := m.take(); len(heard) != 720 {
			t.Errorf("%d kicks in an hour", len(heard))
		}
		until := make(chan struct{})
		devices.hang <- until
		time.Sleep(time.Hour)
		heard := m.take()
		if len(heard) > 4 || !strings.HasSuffix(heard[len(heard)-1], "no answer from the watch on the devices") {
			t.Errorf("with one of them dead: %q", heard)
		}
		close(until)
	})
}

// TestStoppingIsSaidOnce: by the signal or by the end, whichever comes first, after all that went before.
func TestStoppingIsSaidOnce(t *testing.T) {
	for _, signal := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(0)
			ctx, cancel := context.WithCancel(t.Context())
			end := m.start(ctx)
			m.watch(loop{"nobody", func(func()) error { t.Error("asked without a watchdog"); return nil }})
			m.ready("views are served")
			if signal {
				cancel()
				synctest.Wait()
			}
			end()
			cancel()
			time.Sleep(time.Minute)
			m.expect(t, "0s READY=1\nSTATUS=views are served", "0s STOPPING=1\nSTATUS=stopping")
		})
	}
}

// TestAManagerThatDoesNotListen holds up neither the daemon nor its end.
func TestAManagerThatDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listens := make(chan struct{})
		s := newSupervisor(slog.New(slog.DiscardHandler), watchdog, func(string) error { <-listens; return errors.New("gone") })
		end := s.start(t.Context())
		began := time.Now()
		for range 3 * newsQueue {
			s.tell("starting")
		}
		if time.Since(began) != 0 {
			t.Errorf("telling took %s", time.Since(began))
		}
		end()
		if took := time.Since(began); took != lastWord {
			t.Errorf("the end took %s", took)
		}
		close(listens)
	})
}
