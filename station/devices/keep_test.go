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
	expect(t, "heard", *heard, []string{"0 attend true"})
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

// TestACanisterThatGoesIsAttendedAsBefore: how often boards report does not tell when the last one went.
func TestACanisterThatGoesIsAttendedAsBefore(t *testing.T) {
	w, heard := openKept(t, time.Hour)
	w.until(10 * ms)
	w.station.Move(0, time.Minute, run("A"))
	w.until(2000 * ms)
	w.lose("1A.drive", "1A.opened", "1A.closed")
	w.until(3000 * ms)
	expect(t, "heard", *heard, []string{"0 beat", "10 attend true"})
	w.find("1A.drive", "1A.opened", "1A.closed")
	w.until(4000 * ms)
	w.station.CloseAll()
	expect(t, "heard", *heard, []string{"0 beat", "10 attend true", "4000 attend false"})
	w.station.Move(0, 500*time.Millisecond, run("A"))
	w.until(6000 * ms)
	expect(t, "heard", *heard, []string{"0 beat", "10 attend true", "4000 attend false", "4000 attend true", "4500 attend false"})
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
	w.station.apart = func(f func()) { f() }
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

// TestADriveThatHangsHoldsUpNoOther: an emergency stop closes all the others at once, and that one as soon as its drive
// answers; then all is as before.
func TestADriveThatHangsHoldsUpNoOther(t *testing.T) {
	w := opened(t, nil)
	w.station.apart = func(f func()) { f() }
	w.until(500 * ms)
	w.station.Move(0, time.Minute, run("AAAAAA"))
	w.until(1000 * ms)
	w.lines = nil
	hangs, until, stopped := make(chan bool), make(chan bool), make(chan bool)
	w.refuse = func(line string) error {
		if line == "2A.drive" {
			w.refuse = func(string) error { return nil }
			hangs <- true
			<-until
		}
		return nil
	}
	go func() {
		w.station.CloseAll()
		close(stopped)
	}()
	<-hangs
	expect(t, "before the one that hangs", w.blownAll(), []string{"1000 1A.drive false"})
	w.until(1200 * ms)
	expect(t, "behind it", w.blownAll(), []string{"1100 3A.drive false", "1100 4A.drive false", "1100 5A.drive false", "1100 6A.drive false"})
	w.station.Move(0, time.Minute, run("BA"))
	w.until(1500 * ms)
	w.edge("stop", true)
	w.until(2000 * ms)
	expect(t, "an emergency stop while it hangs", w.blownAll(), []string{"1200 1B.drive true", "1500 1B.drive false"})
	close(until)
	<-stopped
	expect(t, "when it answers", w.blownAll(), []string{"2000 2A.drive false"})
	w.until(3000 * ms)
	if !w.station.drives.run() || w.station.drives.hangs() {
		t.Error("the drives are not idle")
	}
}

// blownAll returns what was driven, and forgets it.
func (w *world) blownAll() []string {
	out := w.lines
	w.lines = nil
	return out
}
