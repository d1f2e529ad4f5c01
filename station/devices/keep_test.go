package devices

import (
	"fmt"
	"testing"
	"time"

	"scentpost/station/event"
)

// kept is a world whose outputs fall back without heartbeats.
type kept struct {
	*world
	every time.Duration
	heard *[]string
}

func (k kept) BeatEvery() time.Duration { return k.every }
func (k kept) Beat()                    { k.note("beat") }
func (k kept) Attend(on bool)           { k.note(fmt.Sprint("attend ", on)) }

func (k kept) note(what string) { *k.heard = append(*k.heard, fmt.Sprint(k.now/ms, " ", what)) }

func openKept(t *testing.T, every time.Duration) (*world, *[]string) {
	t.Helper()
	w, heard := newWorld(t), new([]string)
	s, err := Open(layout(), kept{w, every, heard}, w, w)
	if err != nil {
		t.Fatal(err)
	}
	w.station = s
	return w, heard
}

// TestTheLoopKeepsBoardsAlive: steadily, from the start to the end, whatever else there is to do.
func TestTheLoopKeepsBoardsAlive(t *testing.T) {
	w, heard := openKept(t, 100*time.Millisecond)
	w.until(350 * ms)
	expect(t, "heartbeats", *heard, []string{"0 beat", "100 beat", "200 beat", "300 beat"})
	if err := w.station.Close(); err != nil {
		t.Fatal(err)
	}
	*heard = nil
	w.until(1000 * ms)
	expect(t, "after the end", *heard, nil)
}

func TestNothingToKeepAlive(t *testing.T) {
	w, heard := openKept(t, 0)
	w.station.Move(100*ms, time.Minute, []event.Move{{Position: 1, Canister: "1A", Open: true}})
	w.until(1000 * ms)
	expect(t, "heard", *heard, nil)
}

// TestBoardsAttendWhileCanistersAreOpen: from the command on, whatever it is for, until all are closed.
func TestBoardsAttendWhileCanistersAreOpen(t *testing.T) {
	w, heard := openKept(t, time.Hour)
	w.until(10 * ms)
	w.station.Move(1000*ms, time.Minute, run("AB"))
	w.until(2000 * ms)
	w.station.Move(0, 0, []event.Move{{Position: 1, Canister: "1A"}})
	w.until(3000 * ms)
	w.station.CloseAll()
	w.until(4000 * ms)
	expect(t, "heard", *heard, []string{"0 beat", "10 attend true", "3000 attend false"})
}

// TestBoardsHearNothingWhileNoOrderGetsThrough: while a drive hangs, who carries others falls back by itself.
func TestBoardsHearNothingWhileNoOrderGetsThrough(t *testing.T) {
	w, heard := openKept(t, 100*time.Millisecond)
	hangs, until, moved := make(chan bool), make(chan bool), make(chan bool)
	w.refuse = func(line string) error {
		if line == "1A.drive" {
			hangs <- true
			<-until
		}
		return nil
	}
	w.until(150 * ms)
	go func() {
		w.station.Move(0, time.Minute, run("A"))
		close(moved)
	}()
	<-hangs
	w.until(1050 * ms)
	expect(t, "heartbeats", *heard, []string{"0 beat", "100 beat", "150 attend true", "200 beat"})
	w.refuse = func(string) error { return nil }
	close(until)
	<-moved
	*heard = nil
	w.until(1250 * ms)
	expect(t, "when the drive answers", *heard, []string{"1100 beat", "1200 beat"})
}
