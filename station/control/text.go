package control

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

// Progress writes a status on one line, with how far the session is.
func Progress(s *Status) string {
	if s.Session == "" {
		return "no session: " + s.Next
	}
	done := 0
	for _, r := range s.Runs {
		if r.State == trial.Completed {
			done++
		}
	}
	if s.Phase == trial.Interrupted {
		return "session interrupted  - " + s.Next
	}
	if s.Phase == trial.Idle {
		return fmt.Sprintf("session closed after %d of %d runs  - %s", done, s.Scheduled, s.Next)
	}
	line := fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("#", done), strings.Repeat(".", max(0, s.Scheduled-done)), done, s.Scheduled)
	if s.Run != nil {
		line += fmt.Sprintf("  run %s %s", runName(s, s.Run.Run), s.Run.State)
		if len(s.Run.Calls) > 0 {
			line += ": " + strings.Join(s.Run.Calls, ", ")
		}
	}
	return line + "  - " + s.Next
}

// WriteStatus writes a status for a person to read.
func WriteStatus(w io.Writer, s *Status) {
	if s == nil {
		return
	}
	if s.Simulated {
		fmt.Fprintln(w, "SIMULATED")
	}
	for _, c := range s.Conditions {
		fmt.Fprintln(w, ConditionText(c))
	}
	fmt.Fprintln(w, Progress(s))
	if s.Session == "" {
		return
	}
	if s.Phase == trial.Interrupted {
		fmt.Fprintf(w, "session %s: to be brought back\n", s.Session)
		return
	}
	fmt.Fprintf(w, "session %s: %s, %s, dog %s, handler %s\n", s.Session, s.Plan, s.Mode, s.Dog, s.Handler)
	if s.UTC != "" {
		fmt.Fprintf(w, "UTC of this session: %s\n", s.UTC)
	}
	if s.StationHash != "" && s.Seed == "" {
		fmt.Fprintf(w, "station hash: %s\n", s.StationHash)
	}
	if s.Seed == event.Alone {
		fmt.Fprintln(w, "draw chosen by the station alone")
	}
	for _, a := range s.Air {
		fmt.Fprintf(w, "air by %s: %s\n", a.Device, AirText(a))
	}
	for _, r := range s.Runs {
		writeRun(w, s, r)
	}
	if v := s.Verdict; v != nil {
		fmt.Fprintf(w, "verdict: %s", v.Verdict)
		if v.Rule != "" {
			fmt.Fprintf(w, " (%s)", v.Rule)
		}
		fmt.Fprintln(w)
		for _, c := range v.Clauses {
			fmt.Fprintf(w, "  %s: %s, needed %s\n", c.Name, c.Got, c.Need)
		}
	}
}

// ConditionText writes a condition on one line, with its times: a frozen one is told long after it began.
func ConditionText(c health.Condition) string {
	line := fmt.Sprintf("%s: %s", c.Severity, c.Title)
	if c.On != "" {
		line += ", " + c.On
	}
	if c.Evidence != "" {
		line += ": " + c.Evidence
	}
	line += ", since " + instant(c.Since)
	if c.Until != 0 {
		return line + ", over since " + instant(c.Until)
	}
	return line + " (" + c.Todo + ")"
}

// instant writes nanoseconds of UTC.
func instant(utc int64) string { return time.Unix(0, utc).UTC().Format("2006-01-02 15:04:05Z") }

// AirText writes what a sensor of the air said, with one digit behind the point; or why it said nothing.
func AirText(a event.Air) string {
	if len(a.Readings) == 0 {
		return "no sample: " + a.Why
	}
	var all []string
	for _, r := range a.Readings {
		quantity, unit := string(r.Quantity), ""
		if i := strings.LastIndex(quantity, " "); i >= 0 {
			quantity, unit = quantity[:i], quantity[i:]
		}
		all = append(all, fmt.Sprintf("%s %s%s", quantity, tenths(r.Milli), unit))
	}
	return fmt.Sprintf("%s, measured %s before", strings.Join(all, ", "), time.Duration(a.AgeMS)*time.Millisecond)
}

// tenths writes thousandths rounded to one digit behind the point, halves away from zero.
func tenths(milli int64) string {
	sign := ""
	if milli < 0 {
		sign, milli = "-", -milli
	}
	n := (milli + 50) / 100
	if n == 0 {
		sign = ""
	}
	return fmt.Sprintf("%s%d.%d", sign, n/10, n%10)
}

// runName names a run by its index; a reserve run says that it is one.
func runName(s *Status, run int) string {
	if run > s.Scheduled {
		return fmt.Sprintf("%d (reserve)", run)
	}
	return strconv.Itoa(run)
}

func writeRun(w io.Writer, s *Status, r RunStatus) {
	fmt.Fprintf(w, "run %s: %s", runName(s, r.Run), r.State)
	switch {
	case r.Reason != "":
		fmt.Fprintf(w, " (%s)", r.Reason)
	case r.Locked == event.LockTimeOut, r.Locked == event.LockFinished:
		fmt.Fprintf(w, ", %s without a call", r.Locked)
	}
	if len(r.Calls) > 0 {
		fmt.Fprintf(w, ", %s", strings.Join(r.Calls, ", "))
	}
	if r.Result != nil {
		fmt.Fprintf(w, ", %s", r.Result.Result)
	}
	for _, slot := range r.Placement {
		if slot.Kind != event.Blank {
			fmt.Fprintf(w, "; %s %s at %d", slot.Kind, slot.Odour, slot.Position)
		}
	}
	fmt.Fprintln(w)
}
