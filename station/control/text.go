package control

import (
	"fmt"
	"io"
	"strings"

	"scentpost/station/event"
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
	line := fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("#", done), strings.Repeat(".", max(0, s.Scheduled-done)), done, s.Scheduled)
	if s.Run != nil {
		line += fmt.Sprintf("  run %d %s", s.Run.Run, s.Run.State)
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
		fmt.Fprintf(w, "%s: %s: %s (%s)\n", c.Severity, c.Title, c.Evidence, c.Todo)
	}
	fmt.Fprintln(w, Progress(s))
	if s.Session == "" {
		return
	}
	fmt.Fprintf(w, "session %s: %s, %s, dog %s, handler %s\n", s.Session, s.Plan, s.Mode, s.Dog, s.Handler)
	if s.StationHash != "" && s.Seed == "" {
		fmt.Fprintf(w, "station hash: %s\n", s.StationHash)
	}
	if s.Seed == event.Alone {
		fmt.Fprintln(w, "draw chosen by the station alone")
	}
	for _, r := range s.Runs {
		writeRun(w, r)
	}
	if v := s.Verdict; v != nil {
		fmt.Fprintf(w, "verdict: %s (%s)\n", v.Verdict, v.Rule)
		for _, c := range v.Clauses {
			fmt.Fprintf(w, "  %s: %s, needed %s\n", c.Name, c.Got, c.Need)
		}
	}
}

func writeRun(w io.Writer, r RunStatus) {
	fmt.Fprintf(w, "run %d: %s", r.Run, r.State)
	if r.Reason != "" {
		fmt.Fprintf(w, " (%s)", r.Reason)
	}
	if len(r.Calls) > 0 {
		fmt.Fprintf(w, ", %s", strings.Join(r.Calls, ", "))
	}
	if r.Result != nil {
		fmt.Fprintf(w, ", %s", r.Result.Result)
	}
	for _, slot := range r.Placement {
		if slot.Kind != event.Blank {
			fmt.Fprintf(w, "; %d %s %s", slot.Position, slot.Kind, slot.Odour)
		}
	}
	fmt.Fprintln(w)
}
