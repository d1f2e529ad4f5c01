package yard_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/world"
	"scentpost/simulator/yard"
	"scentpost/station/archive"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// served is the clock of a machine that a time server has set.
func served(k *world.Kernel) { k.Serve(5 * time.Millisecond) }

// untouched is the clock of a machine without a network and without a hardware clock.
func untouched(*world.Kernel) {}

// clockYard is a station with the clock of a machine. in is called once in the search of each run, after a moment.
func clockYard(t *testing.T, machine func(*world.Kernel), in func(y *yard.Yard, run int)) *yard.Yard {
	t.Helper()
	y := newYard(t, "virtual-two", func(o *yard.Options) { o.Machine = machine })
	searched := 0
	y.Host.Watch(func(s trial.Snapshot) {
		if run := s.View.Run; in != nil && run.State == trial.Searching && len(s.View.Runs()) > searched {
			searched = len(s.View.Runs())
			y.World.After(300*time.Millisecond, func() { in(y, searched) })
		}
	})
	return y
}

// prepared opens, loads and seals a session.
func (c *clockSession) prepared(t *testing.T) {
	t.Helper()
	file, src := plan(t, "short")
	if err := c.Prepare(file, src, rule(t)); err != nil {
		t.Fatal(err)
	}
}

// clockSession is a session in such a yard, and what the verifier says of it.
type clockSession struct {
	*yard.Yard
	verify.Report
	records []record.Record
}

// conducted runs a whole session and verifies it, with its replay.
func conducted(t *testing.T, y *yard.Yard) clockSession {
	t.Helper()
	c := clockSession{Yard: y}
	c.prepared(t)
	return c.concluded(t)
}

func (c *clockSession) concluded(t *testing.T) clockSession {
	t.Helper()
	if err := c.Conduct(); err != nil {
		t.Fatal(err)
	}
	_, bundle, err := c.Archive.Bundle("", true)
	if err != nil {
		t.Fatal(err)
	}
	if c.Report = verify.Verify(bundle, verify.Options{Keys: []string{c.Yard.Key()}}); !c.Consistent || c.Replay != verify.ReplayChecked || !c.Simulated {
		t.Fatalf("%s, simulated %v, %v", c.Replay, c.Simulated, c.Problems)
	}
	lines, err := c.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		c.records = append(c.records, r)
	}
	return *c
}

// fixes tells the clock.fixed of the session, each with the run that it annotates.
func (c clockSession) fixes() string {
	var all []string
	for _, r := range c.records {
		if fix, ok := r.Event.Body.(*event.ClockFix); ok {
			all = append(all, fmt.Sprintf("run %d: %s %s %t", r.Event.Run, time.Duration(fix.StepNS), fix.Quality, fix.NewBoot))
		}
	}
	return strings.Join(all, "; ")
}

// worth is what a status says of the session's UTC.
func worth(s control.Status) string {
	return s.Clock.Text(func(name string) string { return name })
}

// says checks what status, list and verifier say of the session's UTC.
func (c clockSession) says(t *testing.T, want, inList string) {
	t.Helper()
	if c.UTC != want {
		t.Errorf("the verifier says %q, want %q", c.UTC, want)
	}
	status := c.Control.Status(c.Host.Snapshot(), control.Person{})
	if got := worth(status); !strings.HasPrefix(got, want[:min(10, len(want))]) {
		t.Errorf("the status says %q, want %q", got, want)
	}
	list, err := c.Archive.Sessions()
	if err != nil || list[len(list)-1].Clock != c.Result.Clock {
		t.Errorf("the list says %+v, %v, the verifier %+v", list, err, c.Result.Clock)
	}
	if utc := c.Result.Clock.Text(func(string) string { return "a named person" }); !strings.HasPrefix(utc, inList) {
		t.Errorf("without names that is %q, want %q", utc, inList)
	}
}

// TestAClockThatNobodySet: the session runs, and everything says that its date is nobody's, or somebody's word.
func TestAClockThatNobodySet(t *testing.T) {
	c := conducted(t, clockYard(t, untouched, nil))
	c.says(t, "never set", "never set")
	if got := c.fixes(); got != "" || c.Result.Clock.Quality != event.Unset {
		t.Errorf("fixes %q, %+v", got, c.Result.Clock)
	}

	said := clockSession{Yard: clockYard(t, untouched, nil)}
	if _, err := said.Do(event.Assessor, control.Request{Command: "date", Date: "2027-03-04"}); err == nil {
		t.Error("a date without a session was taken")
	}
	said.prepared(t)
	for _, role := range []event.Role{event.Handler, event.Loader} {
		if _, err := said.Do(role, control.Request{Command: "date", Date: "2027-03-04"}); err == nil {
			t.Errorf("a %s may say what the time is", role)
		}
	}
	if _, err := said.Do(event.Assessor, control.Request{Command: "date", Date: "yesterday"}); err == nil || !strings.Contains(err.Error(), "2027-03-04") {
		t.Errorf("yesterday is answered by %v", err)
	}
	answer, err := said.Do(event.Assessor, control.Request{Command: "date", Date: "2027-03-04T14:05+01:00"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "as said by Assessor: 2027-03-04T14:05+01:00"
	if got := worth(*answer.Status); got != want {
		t.Errorf("answered by %q", got)
	}
	c = said.concluded(t)
	c.says(t, want, "as said by a named person: 2027-03-04T14:05+01:00")
	if outcome := c.Result.Verdict.Verdict; outcome == "" {
		t.Error("no verdict")
	}
}

// TestStepsInMidRunAnnotateAndChangeNothing: the same session with a calm clock has the same runs, to the millisecond.
func TestStepsInMidRunAnnotateAndChangeNothing(t *testing.T) {
	calm := conducted(t, clockYard(t, served, nil))
	calm.says(t, "synchronised, within 100ms", "synchronised")
	if got := calm.fixes(); got != "" {
		t.Fatalf("a calm clock is fixed: %s", got)
	}
	wild := conducted(t, clockYard(t, served, func(y *yard.Yard, run int) {
		switch run {
		case 1:
			y.Kernel.Set(time.Hour)
		case 2:
			y.Kernel.Set(-2 * time.Hour)
		case 3:
			y.Kernel.Serve(5 * time.Millisecond)
		}
	}))
	if got, want := wild.fixes(), "run 1: 1h0m0s unset false; run 2: -2h0m0s unset false; run 3: 1h0m0s synced false"; got != want {
		t.Errorf("fixes %s, want %s", got, want)
	}
	wild.says(t, "never set; the clock was set in mid-session (synchronised, within 100ms); UTC stepped 3 times, at most by -2h0m0s", "never set")
	if !reflect.DeepEqual(calm.Result.Runs, wild.Result.Runs) || calm.Result.Verdict.Verdict != wild.Result.Verdict.Verdict {
		t.Errorf("calm\n%+v\nwild\n%+v", calm.Result.Runs, wild.Result.Runs)
	}
	// Without its fixes the wild record is the calm one, but for UTC: the same kinds at the same monotonic instants.
	if calmly, wildly := calm.instants(), wild.instants(); calmly != wildly {
		t.Error("the records are others, or at other instants")
	}
}

// instants tells the records but the fixes, with their monotonic instants and without their order in the log.
func (c clockSession) instants() string {
	var b strings.Builder
	for _, r := range c.records {
		if r.Event.Type != event.ClockFixed {
			fmt.Fprintln(&b, r.Event.Type, r.Event.Run, r.Event.At.Mono, r.Event.By)
		}
	}
	return b.String()
}

// TestSyncThatIsLost: the bound grows by 100 ppm from the last synchronisation on.
func TestSyncThatIsLost(t *testing.T) {
	y := clockYard(t, served, nil)
	y.World.RunFor(time.Minute)
	y.Kernel.Lose()
	y.World.RunFor(24 * time.Hour)
	c := conducted(t, y)
	first, last := c.records[1].Event.At, c.records[len(c.records)-1].Event.At
	if first.Quality != event.Holdover || first.UTCBound < int64(8640*time.Millisecond) || first.UTCBound > int64(8700*time.Millisecond) {
		t.Errorf("a day later the session begins with a clock that is %s, within %s", first.Quality, time.Duration(first.UTCBound))
	}
	if grown, passed := last.UTCBound-first.UTCBound, last.Mono-first.Mono; grown <= 0 || grown > passed/1e6*100 {
		t.Errorf("in %s the bound grew by %s", time.Duration(passed), time.Duration(grown))
	}
	c.says(t, "held over since the clock was last synchronised, within "+time.Duration(last.UTCBound).Round(time.Millisecond).String(), "held over")
	if got := c.fixes(); got != "" {
		t.Errorf("fixes %s", got)
	}
	lost := conducted(t, clockYard(t, served, func(y *yard.Yard, run int) {
		if run == 1 {
			y.Kernel.Lose()
		}
	}))
	if got := lost.fixes(); got != "run 1: 0s holdover false" {
		t.Errorf("fixes %s", got)
	}
}

// TestAReboot: the monotonic base is lost, and the run is void.
func TestAReboot(t *testing.T) {
	c := clockSession{Yard: clockYard(t, served, nil)}
	c.prepared(t)
	if _, err := c.Do(event.Assessor, control.Request{Command: "arm"}); err != nil {
		t.Fatal(err)
	}
	c.World.RunWhile(func() bool { return c.Host.Snapshot().View.Run.State != trial.Searching }, c.World.Mono()+int64(time.Minute))
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	c.World.Boot("another")
	c.Kernel.Set(-30 * 24 * time.Hour) // it comes up with what it last wrote down
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	c.World.RunFor(time.Second)
	size := c.Store.Size()
	if records, lasted, err := archive.Pace(c.Store, size); records < 10 || lasted != 0 || err != nil {
		t.Errorf("over the reboot the session has %d records in %s, %v", records, lasted, err)
	}
	s := c.concluded(t)
	if got := s.fixes(); got != "run 1: 0s unset true" {
		t.Errorf("fixes %s", got)
	}
	if first := s.Result.Runs[0]; first.How != "voided" || first.Cause != event.CausePower {
		t.Errorf("%+v", first)
	}
}

// TestARestartIsNoStep: the daemon comes back within a boot, and UTC goes on.
func TestARestartIsNoStep(t *testing.T) {
	c := clockSession{Yard: clockYard(t, served, nil)}
	c.prepared(t)
	c.Kernel.Slew(50 * time.Millisecond)
	c.World.RunFor(10 * time.Second)
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if s := c.concluded(t); s.fixes() != "" {
		t.Errorf("fixes %s", s.fixes())
	}
}

// TestAnIdleStationWritesNothingOfItsClock: whatever its clock does.
func TestAnIdleStationWritesNothingOfItsClock(t *testing.T) {
	y := clockYard(t, untouched, nil)
	y.World.RunFor(time.Second)
	size := y.Store.Size()
	for range 20 {
		y.Kernel.Set(time.Hour)
		y.World.RunFor(time.Hour)
		y.Kernel.Serve(time.Second)
		y.World.RunFor(time.Hour)
	}
	if now := y.Store.Size(); now != size {
		t.Errorf("%d records were written", now-size)
	}
}
