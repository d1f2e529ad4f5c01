package words

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/score"
	"scentpost/station/trial"
)

// Progress writes a status on one line, with how far the session is.
func Progress(s *control.Status) string {
	if s.Session == "" {
		return "no session: " + Next(s)
	}
	done := 0
	for _, r := range s.Runs {
		if r.State == trial.Completed {
			done++
		}
	}
	if s.Phase == trial.Interrupted {
		return "session interrupted  - " + Next(s)
	}
	if s.Phase == trial.Idle {
		return fmt.Sprintf("session closed after %d of %d runs  - %s", done, s.Scheduled, Next(s))
	}
	line := fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("#", done), strings.Repeat(".", max(0, s.Scheduled-done)), done, s.Scheduled)
	if s.Run != nil {
		line += fmt.Sprintf("  run %s %s", runName(s, s.Run.Run), s.Run.State)
		if len(s.Run.Calls) > 0 {
			line += ": " + calls(s.Run.Calls)
		}
	}
	if s.Short > 0 && s.Phase == trial.Sealed {
		line += fmt.Sprintf("  NOT A VALID TEST ANY MORE: %d void, the reserve is used up (go on, or `session abort`)", s.Short)
	}
	return line + "  - " + Next(s)
}

// Next says what a station waits for, and how it is done.
func Next(s *control.Status) string {
	switch s.Next {
	case control.WaitBlocked:
		return "wait: " + Of(s.Obstacle)
	case control.WaitRestored:
		return "wait: the session is being brought back"
	case control.WaitJournal:
		return "the journal failed: restart the daemon when its disk is well"
	case control.NextOpen:
		return "open a session: `session open`"
	case control.NextLoad:
		return "load the canisters, then `session load`"
	case control.NextSeal:
		return "throw dice and `session seal --dice`, or `session request` for an authority to answer"
	case control.NextClose:
		return nextClose(s.Aids)
	case control.WaitEnd:
		return "wait" + in(s) + ": the session ends when the canisters are closed and the air is purged"
	}
	text := nextOfRuns(s)
	if s.Run != nil && s.Paused != nil {
		text += "; no other run is armed before `session resume` (" + paused(s.Paused) + ")"
	}
	return text
}

// paused says that the session is paused, and why where somebody gave a reason.
func paused(why *event.Why) string {
	if !why.Given() {
		return "paused"
	}
	return "paused: " + Why(*why)
}

// nextClose says what is to be counted before the session is closed.
func nextClose(aids *control.Aids) string {
	if aids == nil {
		return "`session close`: no aids went out"
	}
	return fmt.Sprintf("count the aids, %d went out, then `session close --back N`, or `--all-back`", aids.Out)
}

func nextOfRuns(s *control.Status) string {
	switch s.Next {
	case control.WaitMoves:
		return "wait" + in(s) + ": the canisters are being moved"
	case control.NextStart:
		return "start the search" + within(s) + ": by the handler's button or `session start`"
	case control.NextCall:
		return "the dog searches: enter the call" + within(s) + ": `session call POSITION` or `session clear`"
	case control.WaitLock:
		return nextLock(s)
	case control.WaitClosed:
		return "wait" + in(s) + ": the canisters are being closed"
	case control.WaitPurged:
		return "wait" + in(s) + ": the air is being purged"
	case control.NextResume:
		return "`session resume` goes on (" + paused(s.Paused) + ")"
	case control.WaitStartable:
		return "the next run cannot start: " + Of(s.Obstacle)
	case control.NextArm:
		return fmt.Sprintf("arm the next run: `session arm` (%d left)", s.Left)
	}
	return string(s.Next)
}

// nextLock says when a call locks, and whether it can be taken back until then.
func nextLock(s *control.Status) string {
	switch {
	case s.NextIn == nil:
		return "the call is about to lock"
	case *s.NextIn < 1000:
		return "the call locks now"
	case slices.Contains(s.Commands, "withdraw") && s.Run != nil && slices.ContainsFunc(s.Run.Calls, nowhere):
		return "the call locks in" + in(s) + "; where all clear was meant, `session withdraw` and then `session clear`"
	case slices.Contains(s.Commands, "withdraw"):
		return "the call locks in" + in(s) + "; until then `session withdraw` takes it back"
	}
	return "the call locks in" + in(s)
}

// nowhere tells whether a call is at no position.
func nowhere(c control.Call) bool { return c.Kind == event.CallNowhere }

// in says after how long the station goes on, "" where it is not known.
func in(s *control.Status) string {
	if s.NextIn == nil {
		return ""
	}
	return fmt.Sprintf(" %d s", (*s.NextIn+999)/1000)
}

// within says for how long the station waits for people.
func within(s *control.Status) string {
	if s.NextIn == nil {
		return ""
	}
	return fmt.Sprintf(" within %d s", *s.NextIn/1000)
}

// Call says a call as people do.
func Call(c control.Call) string {
	switch c.Kind {
	case event.CallAt:
		return fmt.Sprintf("alert at %d", c.Position)
	case event.CallClear:
		return "all clear"
	case event.CallBetween:
		return fmt.Sprintf("alert between %d and %d", min(c.Position, c.Other), max(c.Position, c.Other))
	default:
		return "alert at no position"
	}
}

func calls(all []control.Call) string {
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = Call(c)
	}
	return strings.Join(texts, ", ")
}

// Simulated is the first line of every answer of a simulated station.
const Simulated = "SIMULATED: anybody may speak as anybody"

// WriteStatus writes a status for a person to read.
func WriteStatus(w io.Writer, s *control.Status) {
	if s == nil {
		return
	}
	if s.Simulated {
		fmt.Fprintln(w, Simulated)
	}
	for _, c := range s.Conditions {
		fmt.Fprintln(w, Condition(c))
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
	if s.Clock != nil {
		fmt.Fprintf(w, "UTC of this session: %s\n", s.Clock.Text(func(name string) string { return name }))
	}
	if s.StationHash != "" && s.Seed == "" {
		fmt.Fprintf(w, "station hash: %s\n", s.StationHash)
	}
	if s.Seed == event.Alone {
		fmt.Fprintln(w, "draw chosen by the station alone")
	}
	if s.Aids != nil {
		if count, counted := s.Aids.Count(); counted {
			fmt.Fprintf(w, "aids: %s\n", count.Text())
		}
	}
	for _, a := range s.Air {
		fmt.Fprintf(w, "air by %s: %s\n", a.Device, Air(a))
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
			fmt.Fprintf(w, "  %s\n", Clause(c))
		}
		fmt.Fprintf(w, "figures: %s\n", Figures(*v))
	}
}

// Figures says what was found and what was not, whatever the pass rule makes of it.
func Figures(v event.Verdict) string {
	of := score.Statistics(score.Counts{TP: v.Hits, FN: v.Misses, FP: v.False, TN: v.Correct}, score.ClopperPearson)
	if of.N == 0 {
		return "no presentation was counted"
	}
	return fmt.Sprintf("%d of %d targets found%s, false alerts at %d of %d others%s", v.Hits, v.Hits+v.Misses, percent(of.Sensitivity),
		v.False, v.False+v.Correct, percent(of.FalseAlertRate))
}

// percent says a proportion with its interval, "" where nothing was counted.
func percent(p score.Proportion) string {
	if p.Estimate == nil {
		return ""
	}
	return fmt.Sprintf(" (%.1f %%, %.0f %% interval %.1f to %.1f %%)", 100*float64(*p.Estimate), 100*score.Confidence, 100*float64(*p.Low), 100*float64(*p.High))
}

// Clause writes a clause of a verdict: what was found, and what was needed where that says more.
func Clause(c event.Clause) string {
	if c.Name != trial.ClauseCompleted {
		return fmt.Sprintf("%s: %s, needed %s", c.Name, c.Got, c.Need)
	}
	if c.Got == string(event.EndNotValid) {
		return "Not a valid test: too few valid runs, the reserve was used up."
	}
	return "Not a valid test: the session was " + c.Got + "."
}

// Condition writes a condition on one line, with its times: a frozen one is told long after it began.
func Condition(c health.Condition) string {
	line := fmt.Sprintf("%s: %s", c.Severity, fault(c))
	line += ", since " + instant(c.Since)
	if c.Until != 0 {
		return line + ", over since " + instant(c.Until)
	}
	return line + " (" + c.Todo + ")"
}

// fault says what is wrong with what. The fault of a canister is a verb, and the canister does it.
func fault(c health.Condition) string {
	if c.Code == health.DeviceFault && (strings.HasPrefix(c.Evidence, "did not ") || strings.HasPrefix(c.Evidence, "left ")) {
		return c.On + " " + c.Evidence
	}
	text := c.Title
	if c.On != "" {
		text += ", " + c.On
	}
	if c.Evidence != "" {
		text += ": " + c.Evidence
	}
	return text
}

// Wrong says what is wrong with a device, "" when nothing is.
func Wrong(d control.DeviceLine) string {
	var all []string
	for _, c := range d.Wrong {
		text := c.Title
		if c.Evidence != "" {
			text += ": " + c.Evidence
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// instant writes nanoseconds of UTC.
func instant(utc int64) string { return time.Unix(0, utc).UTC().Format("2006-01-02 15:04:05Z") }

// Air writes what a sensor of the air said, with one digit behind the point; or why it said nothing.
func Air(a event.Air) string {
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
func runName(s *control.Status, run int) string {
	if run > s.Scheduled {
		return fmt.Sprintf("%d (reserve)", run)
	}
	return strconv.Itoa(run)
}

func writeRun(w io.Writer, s *control.Status, r control.RunStatus) {
	fmt.Fprintf(w, "run %s: %s", runName(s, r.Run), r.State)
	switch {
	case r.Given():
		fmt.Fprintf(w, " (%s)", Why(r.Why))
	case r.Locked == event.LockTimeOut, r.Locked == event.LockFinished:
		fmt.Fprintf(w, ", %s without a call", r.Locked)
	}
	if len(r.Calls) > 0 {
		fmt.Fprintf(w, ", %s", calls(r.Calls))
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
