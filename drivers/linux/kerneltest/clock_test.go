//go:build linux

package kerneltest

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// step steps the guest's wall clock by hand.
func (s *site) step(by time.Duration) {
	s.Helper()
	to := unix.NsecToTimespec(s.clock.UTC() + int64(by))
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &to); err != nil {
		s.Fatalf("step the clock by %s: %v", by, err)
	}
}

// discipline tells the guest's kernel what a time server's client tells it.
func (s *site) discipline(status int32, maxErrorMS int) {
	s.Helper()
	t := unix.Timex{Modes: unix.ADJ_STATUS | unix.ADJ_MAXERROR, Status: status}
	set(&t.Maxerror, 1000*maxErrorMS)
	if _, err := unix.Adjtimex(&t); err != nil {
		s.Fatalf("adjtimex: %v", err)
	}
}

// set sets a field that is as wide as the machine's words.
func set[T int32 | int64](field *T, to int) { *field = T(to) }

// TestStationClock steps the wall clock of a kernel, forwards by hand and back in a run by a time server: the clock that
// nobody had set is said, fixed and found, and the run goes on.
func TestStationClock(t *testing.T) {
	inGuest(t)
	s := newSite(t, options{})
	s.Cleanup(func() { s.discipline(unix.STA_UNSYNC, 16000) })
	s.serve()
	st := s.until("a clock that nobody set", func(st status) bool { _, is := st.condition("clock-unset", ""); return is })
	if c, _ := st.condition("clock-unset", ""); !strings.Contains(c.Evidence, "since this machine started") {
		t.Errorf("the evidence is %q", c.Evidence)
	}
	s.seal()
	if st := s.tell("Assessor", "date", "2027-03-04T14:05Z"); st.Clock.By != "Assessor" || st.Clock.Said != "2027-03-04T14:05Z" {
		t.Errorf("after somebody said the date the UTC is worth %+v", st.Clock)
	}
	s.step(time.Hour)
	s.until("the first step", func(st status) bool { return st.Clock.Steps == 1 })
	s.search()
	s.step(-time.Hour)
	s.discipline(unix.STA_PLL, 20)
	s.until("a clock that is set", func(st status) bool {
		_, unset := st.condition("clock-unset", "")
		return !unset && st.Clock.Last == "synced" && st.Clock.Bound == int64(100*time.Millisecond)
	})
	s.press("button.alert", 150*time.Millisecond)
	if _, r := s.untilEnd(1); r.State != "completed" || r.Locked != "call" {
		t.Errorf("the run: %+v", r)
	}
	s.tell("Assessor", "abort", "seen enough")
	s.tell("Loader", "close", "--all-back")
	var sum, largest time.Duration
	for _, l := range s.export() { // which verifies that UTC changes with a fix alone
		if l.Type != "clock.fixed" {
			continue
		}
		var fix struct {
			Step int64 `json:"step_ns,string"`
		}
		s.body(l, &fix)
		sum, largest = sum+time.Duration(fix.Step), max(largest, time.Duration(fix.Step))
		if back := fix.Step < 0; back != (l.Run == 1) && fix.Step != 0 {
			t.Errorf("a step of %s annotates run %d", time.Duration(fix.Step), l.Run)
		}
	}
	if near := func(d, want time.Duration) bool { return (d - want).Abs() < 100*time.Millisecond }; !near(largest, time.Hour) || !near(sum, 0) {
		t.Errorf("the largest step is %s, together they are %s", largest, sum)
	}
}
